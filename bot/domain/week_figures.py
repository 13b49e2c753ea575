"""Figures of a movement, week by week, of what was sent and what it set in motion: they tell of no one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.coverage import round_by_chance

WEEKS_COUNTED = 12
"""Number of whole weeks that figures are about. The one that goes on is not among them: figures that grow while
somebody looks on would tell who did something just now."""
PLANNED_AHEAD = timedelta(weeks=4)
"""How long before it is sent a message may be planned; one that was planned longer before is not counted."""


class WeekCount(NamedTuple):
    """How many messages of one kind went out, or did not, in a week (from 0): posts of rhythms, or `personal` messages,
    to how many `people`. `seed` is an id that nobody sees, always the same for the same messages."""

    week: int
    personal: bool
    sent: bool
    many: int
    people: int
    seed: str


class ReasonCount(NamedTuple):
    """How many messages were not sent for a reason, a block of `errors/reasons.md.j2`; otherwise as `WeekCount`."""

    reason: str
    personal: bool
    many: int
    people: int
    seed: str


class AnswerCount(NamedTuple):
    """How often a kind of rhythm was posted, and how many answers under it were kept, by how many `people`. `seed` as
    in `WeekCount`."""

    kind: str
    posts: int
    answers: int
    people: int
    seed: str


@dataclass(frozen=True, kw_only=True)
class CountedWeeks:
    """The weeks that are counted, in the time zone of a movement: each from its Monday, `mondays`, to the next."""

    mondays: tuple[date, ...]
    begins: tuple[datetime, ...]
    """The moments at which they begin, and the one at which the last ends."""

    @classmethod
    def before(cls, now: datetime, timezone: str) -> "CountedWeeks":
        """Return the last whole weeks."""
        zone = ZoneInfo(timezone)
        today = now.astimezone(zone).date()
        this = today - timedelta(days=today.weekday())
        mondays = [this - timedelta(weeks=number) for number in range(WEEKS_COUNTED, -1, -1)]
        return cls(
            mondays=tuple(mondays[:-1]),
            begins=tuple(datetime.combine(one, time(), zone).astimezone(UTC) for one in mondays),
        )


@dataclass(frozen=True, kw_only=True)
class WeekFigures:
    """A week as it may be told: how often rhythms were posted, and were not, which everyone there saw; and about how
    many personal messages went out, and did not: None for those to fewer than `MIN_GROUP_SIZE` people."""

    monday: date
    posted: int = 0
    missed: int = 0
    sent: int | None = None
    unsent: int | None = None


def tell_about(many: int, people: int, seed: str) -> int | None:
    """Return a figure about people as it may be told: None when fewer than `MIN_GROUP_SIZE` are in it, otherwise
    rounded by chance (see `round_by_chance`). The chance hangs on the `seed` and the figure itself: looked at again,
    it is the same, and nobody who does not know the seed can undo it."""
    if people < MIN_GROUP_SIZE:
        return None
    chance = int.from_bytes(sha256(f"{seed}:{many}".encode()).digest()[:8])
    return round_by_chance(many, lambda most: chance % most)


def tell_weeks(counts: Sequence[WeekCount], weeks: CountedWeeks) -> tuple[WeekFigures, ...]:
    """Return what may be told of each week, from the first in which there was anything, the latest first."""
    found = {(one.week, one.personal, one.sent): one for one in counts}
    first = min((one.week for one in counts), default=len(weeks.mondays))
    told = []
    for number, monday in enumerate(weeks.mondays[first:], first):
        posted, missed = found.get((number, False, True)), found.get((number, False, False))
        sent, unsent = found.get((number, True, True)), found.get((number, True, False))
        told.append(
            WeekFigures(
                monday=monday,
                posted=posted.many if posted else 0,
                missed=missed.many if missed else 0,
                sent=tell_about(sent.many, sent.people, sent.seed) if sent else None,
                unsent=tell_about(unsent.many, unsent.people, unsent.seed) if unsent else None,
            )
        )
    return tuple(reversed(told))
