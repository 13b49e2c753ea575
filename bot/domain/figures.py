"""The figures of a movement as a whole: rounded by chance and kept for a week, so that they tell of no person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from bot.domain.asks import MONTH
from bot.domain.coverage import RECOUNTED_AFTER, Draw, round_by_chance

FIGURES_LOOK_BACK = MONTH
"""Over how long stories and ripples are counted."""


class FigureCounts(NamedTuple):
    """How many there are now, to be rounded before anybody reads it: members, those of them who take part in an
    initiative; and, of the last month, the stories that may travel and the ripples of these."""

    members: int
    taking_part: int
    stories: int
    ripples: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of `FigureCounts`, each rounded to a multiple of five, as they were at a moment."""

    at: datetime
    members: int
    taking_part: int
    stories: int
    ripples: int

    @classmethod
    def of_counts(cls, counts: FigureCounts, now: datetime, draw: Draw) -> Self:
        """Round what was counted now."""
        return cls(at=now, **{name: round_by_chance(many, draw) for name, many in counts._asdict().items()})

    def is_fresh(self, now: datetime) -> bool:
        """Return whether they still stand: read more often, two of them might differ by one person."""
        return now - self.at < RECOUNTED_AFTER

    def dump(self) -> dict[str, object]:
        """Return them as JSON values; see `load_figures`."""
        many = {"members": self.members, "taking_part": self.taking_part}
        return {"at": self.at.isoformat(), **many, "stories": self.stories, "ripples": self.ripples}


def load_figures(stored: Mapping[str, object]) -> Figures | None:
    """Return the figures that `Figures.dump` stored; None for nothing."""
    if not stored:
        return None
    counts = {name: int(str(stored[name])) for name in FigureCounts._fields}
    return Figures(at=datetime.fromisoformat(str(stored["at"])), **counts)
