"""Figures of a movement, week by week, of what was sent and what it set in motion: they tell of no one person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
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

    @property
    def until(self) -> date:
        """The Monday on which the last ends."""
        return self.mondays[-1] + timedelta(weeks=1)

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


class ToldReason(NamedTuple):
    """About how many messages were not sent for a reason, a block of `errors/reasons.md.j2`."""

    reason: str
    many: int


class ToldAnswers(NamedTuple):
    """How often a kind of rhythm was posted, and about how many answers it got; None for those of fewer than
    `MIN_GROUP_SIZE` people."""

    kind: str
    posts: int
    answers: int | None


@dataclass(frozen=True, kw_only=True)
class SettledWeeks:
    """The whole weeks before a Monday, as they may be told. Counted once, that stands until the next: what is taken
    back meanwhile, or comes in late, changes nothing that somebody could see change."""

    until: date
    weeks: tuple[WeekFigures, ...] = ()
    """From the first in which there was anything, the latest first."""
    not_posted: tuple[ToldReason, ...] = ()
    """Of posts of rhythms: exactly, as everyone there saw it. The most frequent first, as below."""
    not_sent: tuple[ToldReason, ...] = ()
    """Of personal messages."""
    answers: tuple[ToldAnswers, ...] = ()

    def dump(self) -> dict[str, object]:
        """Return it as JSON values; see `load_weeks`."""
        return {
            "until": self.until.isoformat(),
            "weeks": [[one.monday.isoformat(), one.posted, one.missed, one.sent, one.unsent] for one in self.weeks],
            "not_posted": [list(one) for one in self.not_posted],
            "not_sent": [list(one) for one in self.not_sent],
            "answers": [list(one) for one in self.answers],
        }


def load_weeks(stored: Mapping[str, Any]) -> SettledWeeks | None:
    """Return what `SettledWeeks.dump` stored; None for nothing."""
    if not stored:
        return None
    return SettledWeeks(
        until=date.fromisoformat(stored["until"]),
        weeks=tuple(
            WeekFigures(monday=date.fromisoformat(monday), posted=posted, missed=missed, sent=sent, unsent=unsent)
            for monday, posted, missed, sent, unsent in stored["weeks"]
        ),
        not_posted=tuple(ToldReason(*one) for one in stored["not_posted"]),
        not_sent=tuple(ToldReason(*one) for one in stored["not_sent"]),
        answers=tuple(ToldAnswers(*one) for one in stored["answers"]),
    )


def settle_weeks(
    weeks: CountedWeeks, counts: Sequence[WeekCount], reasons: Sequence[ReasonCount], answers: Sequence[AnswerCount]
) -> SettledWeeks:
    """Return what may be told of what was counted."""
    told = [(one.reason, tell_about(one.many, one.people, one.seed)) for one in reasons if one.personal]
    return SettledWeeks(
        until=weeks.until,
        weeks=tell_weeks(counts, weeks),
        not_posted=tuple(ToldReason(one.reason, one.many) for one in reasons if not one.personal),
        # What fewer than five people have to do with is not told, and not that there is something.
        not_sent=tuple(ToldReason(reason, many) for reason, many in told if many),
        answers=tuple(
            ToldAnswers(one.kind, one.posts, tell_about(one.answers, one.people, one.seed)) for one in answers
        ),
    )


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
