"""A next step: an if-then plan with a moment at which Ritme follows it up."""

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
from bot.errors import Problems

StepId = NewType("StepId", str)
ChanceId = NewType("ChanceId", str)

USUAL_TIME = time(9)
LATEST_TODAY = time(18)
MAX_DAYS_AHEAD = 14
"""A step lies at most two weeks ahead; further away it is a plan, not a step."""


_LEAD = re.compile(r"^(?:…|\.{3})?\s*(?:als|wanneer|zodra|when|if|once|dan|then)\b[\s,:]*(?=\S)", re.IGNORECASE)


class StepState(StrEnum):
    """The state of a step: planned, or the answer to its follow-up."""

    PLANNED = "planned"
    DONE = "done"
    SOMETHING_ELSE = "something_else"
    STILL_STUCK = "still_stuck"
    LET_GO = "let_go"


@dataclass(kw_only=True, eq=False)
class NextStep:
    """An if-then plan, "when CUE, then I do ACTION", small enough to start at once.

    `follow_up_at` is when Ritme asks how it went, `not_yet` how often it was put off, `story_id` the story that set it
    in motion, if one did.
    """

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
        """End the step in a state other than PLANNED."""
        self.state, self.closed_at, self.outcome = state, now, outcome

    def move_to(self, moment: datetime) -> None:
        """Put the follow-up off until a later moment."""
        self.not_yet += 1
        self.follow_up_at = moment

    def make_smaller(self, cue: str, action: str, with_whom: str, moment: datetime) -> None:
        """Replace the plan by one that is easier to picture, followed up at `moment`."""
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
    """Return the first day after `today` that is neither a weekend day nor a holiday."""
    day = today + timedelta(days=1)
    while day.weekday() >= 5 or day in is_holiday:
        day += timedelta(days=1)
    return day


def to_utc(day: date, at: time, timezone: str) -> datetime:
    """Convert a local day and time to UTC. A time that the clocks skip becomes the next that exists; of one that occurs
    twice it is the first."""
    zone, local = ZoneInfo(timezone), datetime.combine(day, at.replace(second=0, microsecond=0, tzinfo=None))
    # A skipped time does not survive the way to UTC and back.
    while (moment := local.replace(tzinfo=zone).astimezone(UTC)).astimezone(zone).replace(tzinfo=None) != local:
        local += timedelta(minutes=1)
    return moment


def propose_moment(now: datetime, timezone: str, *, today: bool = False) -> tuple[date, time]:
    """Return the local day and time to propose: the next working day at nine, or with `today` the whole hour one to two
    hours ahead if that is still between nine and six."""
    local = now.astimezone(ZoneInfo(timezone))
    soon = (local + timedelta(hours=2)).replace(minute=0)
    if today and soon.date() == local.date() and USUAL_TIME <= soon.time() <= LATEST_TODAY:
        return local.date(), time(soon.hour)
    return next_working_day(local.date()), USUAL_TIME


def allowed_days(now: datetime, timezone: str) -> tuple[date, date]:
    """Return the first and the last local day a step can have."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    return today, today + timedelta(days=MAX_DAYS_AHEAD)


def parse_moment(
    day: date | None, at: time | None, now: datetime, timezone: str, problems: Problems
) -> datetime | None:
    """Return the moment (UTC) that was filled in; None when it is missing, past or too far ahead, which is added to the
    problems of `day` or `at`."""
    if day is None:
        return None
    earliest, latest = allowed_days(now, timezone)
    if day < earliest:
        problems.add("day", "too_early", earliest=earliest)
    elif day > latest:
        problems.add("day", "too_late", latest=latest)
    elif at is not None and (moment := to_utc(day, at, timezone)) <= now:
        problems.add("at", "moment_passed")
    elif at is not None:
        return moment
    return None


def plan_follow_up(step: NextStep, person: Person, now: datetime) -> Delivery:
    """Make the message that follows up a step at its moment; its key allows one for every moment it gets."""
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


def strip_lead_in(words: str) -> str:
    """Return a part of an if-then plan without a leading "when" or "then": the screen shows that word anyway."""
    return _LEAD.sub("", words)
