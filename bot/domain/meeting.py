"""Meetings: a few people of different groups who agreed to it are brought together, with a moment and a question."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple, NewType
from zoneinfo import ZoneInfo

from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId
from bot.domain.quiet_hours import FreeMoments, QuietHours, to_utc

MeetingId = NewType("MeetingId", str)

SIZES = (4, 3)
"""How many are brought together; the first goes first."""
MAX_WAITING = 14
"""People, those who waited longest, from whom a meeting is chosen."""
MEETING_QUESTIONS = 6
"""Questions that `meetings/questions.md.j2` has, numbered from 1."""
DAYS_AHEAD, LATEST_AHEAD = 7, 21
"""Local days from now on which a meeting is proposed: the first one wanted, and the last."""
LUNCH = time(12, 30)
_HOURS_AROUND_LUNCH = (LUNCH, *sorted(map(time, range(24)), key=lambda at: abs(at.hour - LUNCH.hour - 0.5)))
TOLD_BEFORE = timedelta(days=1)
"""How long before a meeting those who come hear who else does."""
ASKED_AFTER = timedelta(days=1)


class GuestAnswer(StrEnum):
    """The answer of somebody who was invited to a meeting."""

    ASKED = "asked"
    COMING = "coming"
    DECLINED = "declined"


@dataclass(kw_only=True, eq=False)
class Meeting:
    """A proposal to a few people to meet at a moment, about a question. Local times are in `timezone`."""

    id: MeetingId
    movement_id: MovementId
    place_id: PlaceId | None
    question: int
    at: datetime
    timezone: str
    proposed_at: datetime


@dataclass(kw_only=True, eq=False)
class Guest:
    """Somebody's part in a meeting. `met`: what they said afterwards, None before."""

    meeting_id: MeetingId
    movement_id: MovementId
    person_id: PersonId
    answer: GuestAnswer = GuestAnswer.ASKED
    met: bool | None = None
    answered_at: datetime | None = None

    def reply(self, answer: GuestAnswer, now: datetime) -> None:
        """Record whether they come."""
        self.answer, self.answered_at = answer, now


class MeetingCandidate(NamedTuple):
    """Somebody who agreed to be brought together with others, and their group."""

    person: PersonId
    group: str


Pair = frozenset[PersonId]


def choose_guests(
    waiting: Sequence[MeetingCandidate], last_round: Collection[Pair], together: Collection[Pair]
) -> list[PersonId]:
    """Choose whom to bring together, of those who agreed, in the order in which they waited longest.

    Never two of the `last_round`. As few as possible who were `together` the last time for one of them; then as many
    different groups as people, as many people as may be, and those who waited longest. Nobody when there are no three
    such people, or all are of one group.
    """
    first = waiting[:MAX_WAITING]
    able = [
        chosen
        for size in SIZES
        for chosen in combinations(range(len(first)), size)
        if _count_groups(first, chosen) > 1 and not _count_pairs(first, chosen, last_round)
    ]
    best = min(
        able,
        key=lambda chosen: (
            _count_pairs(first, chosen, together),
            len(chosen) - _count_groups(first, chosen),
            -len(chosen),
            sum(chosen),
            chosen,
        ),
        default=(),
    )
    return [first[one].person for one in best]


def _count_pairs(waiting: Sequence[MeetingCandidate], chosen: Sequence[int], among: Collection[Pair]) -> int:
    return sum(Pair(two) in among for two in combinations([waiting[one].person for one in chosen], 2)) if among else 0


def _count_groups(waiting: Sequence[MeetingCandidate], chosen: Sequence[int]) -> int:
    return len({_group(waiting[one]) for one in chosen})


def _group(one: MeetingCandidate) -> str:
    return f"group:{one.group}" if one.group else f"person:{one.person}"


def propose_meeting(now: datetime, free: FreeMoments, guests: Sequence[QuietHours] = ()) -> datetime | None:
    """Return the moment (UTC) to propose: from a week ahead on, at lunch, where that is free, or the whole hour nearest
    to it at which all `guests` are awake; None when nothing is. Where they never are together, it is at lunch."""
    today = now.astimezone(ZoneInfo(free.quiet.timezone)).date()
    wanted, latest = today + timedelta(days=DAYS_AHEAD), today + timedelta(days=LATEST_AHEAD)
    for ahead in range(DAYS_AHEAD, LATEST_AHEAD + 1):
        for at in _HOURS_AROUND_LUNCH:
            moment = to_utc(today + timedelta(days=ahead), at, free.quiet.timezone)
            if free.are_free(moment) and not any(quiet.covers(moment) for quiet in guests):
                return moment
    return free.nearest_to(wanted, LUNCH, now=now, earliest=wanted, latest=latest)
