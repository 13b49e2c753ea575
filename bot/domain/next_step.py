"""A small next step: an if-then plan with a moment, and what comes of it."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.initiative import EpisodeId, InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId
from bot.domain.story import StoryId
from bot.errors import Invalid

StepId = NewType("StepId", str)
ChanceId = NewType("ChanceId", str)

USUAL_TIME = time(9)
LATEST_TODAY = time(18)
FURTHEST_DAYS = 14
"""A step lies at most two weeks ahead; further away it is a plan, not a step."""


_LEAD = re.compile(r"^(?:…|\.{3})?\s*(?:als|wanneer|zodra|when|if|once|dan|then)\b[\s,:]*(?=\S)", re.IGNORECASE)


class StepState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    SOMETHING_ELSE = "something_else"
    STILL_STUCK = "still_stuck"
    LET_GO = "let_go"


@dataclass(kw_only=True, eq=False)
class NextStep:
    """ "When CUE, then I do ACTION", small enough to start at once. `follow_up_at` is when Ritme comes back to it;
    `story_id` the story that set it in motion, if one did."""

    id: StepId
    movement_id: MovementId
    initiative_id: InitiativeId | None
    episode_id: EpisodeId | None
    story_id: StoryId | None = None
    person_id: PersonId
    cue: str
    action: str
    with_whom: str = ""
    on_my_own: bool = True
    follow_up_at: datetime
    state: StepState = StepState.PLANNED
    not_yet: int = 0
    posted: bool = False
    outcome: str = ""
    chosen_at: datetime
    closed_at: datetime | None = None

    @property
    def is_planned(self) -> bool:
        return self.state is StepState.PLANNED

    def close(self, state: StepState, now: datetime, outcome: str = "") -> None:
        self.state, self.closed_at, self.outcome = state, now, outcome

    def move_to(self, moment: datetime) -> None:
        self.not_yet += 1
        self.follow_up_at = moment

    def make_smaller(self, cue: str, action: str, with_whom: str, moment: datetime) -> None:
        """The same step in a form one can picture better."""
        self.cue, self.action, self.with_whom, self.on_my_own = cue, action, with_whom, True
        self.move_to(moment)


@dataclass(kw_only=True, eq=False)
class Chance:
    """An unplanned moment worth seizing (kairos), noted in one line."""

    id: ChanceId
    movement_id: MovementId
    person_id: PersonId
    text: str
    noted_at: datetime


def next_working_day(today: date, is_holiday: "frozenset[date]" = frozenset()) -> date:
    """The first Monday-to-Friday after `today` that is no holiday."""
    day = today + timedelta(days=1)
    while day.weekday() >= 5 or day in is_holiday:
        day += timedelta(days=1)
    return day


def moment_of(day: date, at: time, timezone: str) -> datetime:
    """A local day and time as a UTC moment: one that does not exist moves to the next that does, one that exists
    twice is the first of the two."""
    zone, local = ZoneInfo(timezone), datetime.combine(day, at.replace(second=0, microsecond=0, tzinfo=None))
    while (moment := local.replace(tzinfo=zone).astimezone(UTC)).astimezone(zone).replace(tzinfo=None) != local:
        local += timedelta(minutes=1)
    return moment


def usual_moment(now: datetime, timezone: str, *, today: bool = False) -> tuple[date, time]:
    """The local moment to propose: the next working day at nine, or (`today`) in a while, as long as the day lasts."""
    local = now.astimezone(ZoneInfo(timezone))
    soon = (local + timedelta(hours=2)).replace(minute=0)
    if today and soon.date() == local.date() and USUAL_TIME <= soon.time() <= LATEST_TODAY:
        return local.date(), time(soon.hour)
    return next_working_day(local.date()), USUAL_TIME


def days_to_choose(now: datetime, timezone: str) -> tuple[date, date]:
    """The first and the last local day a step can have."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    return today, today + timedelta(days=FURTHEST_DAYS)


def chosen_moment(day: date | None, at: time | None, now: datetime, timezone: str) -> datetime:
    """The moment (UTC) that was filled in; `Invalid` when it is past, or too far away."""
    if day is None or at is None:
        raise Invalid({"day": "missing"})
    earliest, latest = days_to_choose(now, timezone)
    if day < earliest:
        raise Invalid({"day": "too_early"}, {"day": {"earliest": earliest}})
    if day > latest:
        raise Invalid({"day": "too_late"}, {"day": {"latest": latest}})
    moment = moment_of(day, at, timezone)
    if moment <= now:
        raise Invalid({"at": "moment_passed"})
    return moment


def follow_up(step: NextStep, person: Person, now: datetime) -> Delivery:
    """Coming back to a step at its moment; one for every moment it gets."""
    return to_person(
        person,
        "follow_up",
        key=f"follow_up:{step.id}:{step.not_yet}",
        now=now,
        movement=step.movement_id,
        subject=step.id,
        priority=Priority.ASKED_FOR,
        due_at=step.follow_up_at,
        args={"round": step.not_yet},
    )


def without_lead(words: str) -> str:
    """A part of an if-then plan without the "when" or "then" that stands before it anyway."""
    return _LEAD.sub("", words)
