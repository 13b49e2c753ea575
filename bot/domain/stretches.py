"""Stretches of days, such as planned pauses of a rhythm and days on which a movement is closed; stored as one text."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

MAX_STRETCHES = 20
"""The most that people can plan at once; as text they are at most `MAX_STRETCHES_CHARS` long."""
MAX_STRETCHES_CHARS = MAX_STRETCHES * len("2027-07-10/2027-08-21,")
PAST_STRETCHES_KEPT = timedelta(weeks=14)
"""How long stretches that are over are kept."""


class Stretch(NamedTuple):
    """The days from `begin` up to, not including, `end`."""

    begin: date
    end: date

    def covers(self, day: date) -> bool:
        """Return whether a day is one of them."""
        return self.begin <= day < self.end

    @property
    def text(self) -> str:
        """The stretch as it is stored."""
        return f"{self.begin.isoformat()}/{self.end.isoformat()}"


@lru_cache(maxsize=1024)
def parse_stretches(text: str) -> tuple[Stretch, ...]:
    """Return stretches that were stored as text."""
    pairs = (one.split("/") for one in text.split(",") if one)
    return tuple(Stretch(date.fromisoformat(begin), date.fromisoformat(end)) for begin, end in pairs)


def list_to_come(stretches: Iterable[Stretch], today: date) -> list[Stretch]:
    """Return the stretches that are not over."""
    return [one for one in stretches if one.end > today]


def end_stretch(one: Stretch, today: date) -> list[Stretch]:
    """Return what is left of a stretch that ends now: what has been, if anything."""
    return [Stretch(one.begin, min(one.end, today))] if one.begin < today else []


def format_stretches(stretches: Iterable[Stretch], today: date) -> str:
    """Return stretches as text, in order; those that touch become one. Those that are over are kept for the picture of
    the year, as long as it shows them, and as far as there is room."""
    joined: list[Stretch] = []
    for one in sorted(one for one in stretches if one.end > today - PAST_STRETCHES_KEPT):
        if joined and one.begin <= joined[-1].end:
            joined[-1] = Stretch(joined[-1].begin, max(joined[-1].end, one.end))
        else:
            joined.append(one)
    return ",".join(one.text for one in joined[-MAX_STRETCHES:])
