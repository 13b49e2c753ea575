"""A next step: an if-then plan with a moment at which Ritme follows it up."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

from bot.domain.calendar import Calendar
from bot.domain.delivery import PROMISED_IN, Delivery, DeliveryState, Priority, to_person
from bot.domain.initiative import EpisodeId, InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId
from bot.domain.quiet_hours import USUAL_TIME, FreeMoments, to_utc
from bot.domain.story import StoryId
from bot.errors import Problems

StepId = NewType("StepId", str)
ChanceId = NewType("ChanceId", str)

LATEST_TODAY = time(18)
CHANCE_DAYS, MAX_CHANCE_DAYS = 7, 92
"""Days from now on which a chance comes back: what is usual, and the most."""
MAX_DAYS_AHEAD = 14
"""A step lies at most two weeks ahead; further away it is a plan, not a step."""
AGAIN, FOR_OUTCOME = "again", "for_outcome"
"""The arguments of a follow-up that comes once more: to a step that nobody answered about, or for what happened."""
MIDDAY, MORNING, AFTERNOON = time(12), time(10), time(15)
"""Local times: a follow-up unanswered in the morning comes once more in the afternoon, and the other way round."""
ONCE_MORE_TTL = timedelta(days=7)
"""How long what comes once more may wait for room in the attention budget."""


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
    in motion, if one did; `experiment_id` the experiment it belongs to.
    """

    id: StepId
    movement_id: MovementId
    initiative_id: InitiativeId | None
    episode_id: EpisodeId | None
    story_id: StoryId | None = None
    experiment_id: str | None = None
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


class ChanceState(StrEnum):
    """The state of a chance: open, or what became of it."""

    OPEN = "open"
    SEIZED = "seized"
    GONE = "gone"


@dataclass(kw_only=True, eq=False)
class Chance:
    """An unplanned moment worth seizing (kairos), noted in one line.

    `comes_back_at` is when Ritme asks about it, None when it does not (any more); `round` counts those moments.
    `shared`: it may stand in the look-back of the movement, without a name.
    """

    id: ChanceId
    movement_id: MovementId
    person_id: PersonId
    text: str
    noted_at: datetime
    shared: bool = False
    state: ChanceState = ChanceState.OPEN
    comes_back_at: datetime | None = None
    round: int = 0
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is ChanceState.OPEN

    def close(self, state: ChanceState, now: datetime) -> None:
        """Record what became of it; the first that was said stands."""
        if self.is_open:
            self.state, self.closed_at = state, now

    def keep(self, moment: datetime | None) -> bool:
        """Leave it open; the first time it comes back once more, at `moment`. Returns whether it does."""
        comes = self.round == 0 and moment is not None
        self.round += 1
        self.comes_back_at = moment if comes else None
        return comes


def next_working_day(today: date, calendar: Calendar) -> date:
    """Return the first day after `today` that is neither a weekend day nor a holiday."""
    day = today + timedelta(days=1)
    while not calendar.is_working(day):
        day += timedelta(days=1)
    return day


def propose_moment(now: datetime, free: FreeMoments, *, today: bool = False) -> tuple[date, time]:
    """Return the local day and time to propose: the next working day at the usual time, or with `today` the whole
    hour one to two hours ahead if that is still between nine and six. Never a moment that is not free."""
    zone = ZoneInfo(free.quiet.timezone)
    local = now.astimezone(zone)
    soon = (local + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    usual = free.quiet.usual_time
    # Who is awake at night may do it at any hour of the day that is left.
    in_the_day = USUAL_TIME <= soon.time() <= LATEST_TODAY or usual != USUAL_TIME
    if today and soon.date() == local.date() and in_the_day and free.are_free(soon):
        return local.date(), time(soon.hour)
    day = next_working_day(local.date(), free.calendar)
    earliest, latest = allowed_days(now, free.quiet.timezone)
    found = free.nearest_to(day, usual, now=now, earliest=earliest, latest=latest)
    moment = found.astimezone(zone) if found is not None else datetime.combine(day, usual)
    return moment.date(), moment.time()


def allowed_days(now: datetime, timezone: str) -> tuple[date, date]:
    """Return the first and the last local day a step can have."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    return today, today + timedelta(days=MAX_DAYS_AHEAD)


def parse_moment(
    day: date | None, at: time | None, now: datetime, free: FreeMoments, problems: Problems
) -> datetime | None:
    """Return the moment (UTC) that was filled in.

    None when it is missing, past, too far ahead or not free: that is added to the problems of `day` and `at`, with the
    next moment that is free.
    """
    zone = free.quiet.timezone
    earliest, latest = allowed_days(now, zone)
    moment = to_utc(day, at, zone) if day is not None and at is not None else None
    if moment is not None:
        # The clocks may skip the time that was filled in: then it is the one after it that counts.
        local = moment.astimezone(ZoneInfo(zone))
        day, at = local.date(), local.time()
    nearest = free.nearest_to(
        min(max(day or earliest, earliest), latest),
        at or free.quiet.usual_time,
        now=now,
        earliest=earliest,
        latest=latest,
    )
    if day is not None and day < earliest:
        problems.add("day", "too_early", earliest=earliest)
    elif day is not None and day > latest:
        problems.add("day", "too_late", latest=latest)
    elif day is not None and (reason := free.day_problem(day)):
        problems.add("day", reason, free=nearest)
    elif moment is not None and moment <= now:
        problems.add("at", "moment_passed")
    if at is not None and free.quiet.covers_time(at):
        problems.add("at", "quiet_moment", free=nearest)
    return moment if not problems else None


def propose_day(now: datetime, free: FreeMoments, *, ahead: int, most: int) -> datetime | None:
    """Return the first free moment (UTC) from the local day `ahead` days from now on, at most `most` days ahead."""
    today = now.astimezone(ZoneInfo(free.quiet.timezone)).date()
    wanted = today + timedelta(days=ahead)
    return free.nearest_to(wanted, free.quiet.usual_time, now=now, earliest=wanted, latest=today + timedelta(days=most))


def parse_day(day: date | None, now: datetime, free: FreeMoments, problems: Problems, *, most: int) -> datetime | None:
    """Return a moment (UTC) on the local day that was filled in, at the usual time where that is free.

    None for a day that is missing, today or past, more than `most` days ahead or not free: that is added to the
    problems of `day`.
    """
    if day is None:
        return None
    today = now.astimezone(ZoneInfo(free.quiet.timezone)).date()
    earliest, latest = today + timedelta(days=1), today + timedelta(days=most)
    moment = free.nearest_to(
        min(max(day, earliest), latest), free.quiet.usual_time, now=now, earliest=earliest, latest=latest
    )
    if day < earliest:
        problems.add("day", "too_early", earliest=earliest)
    elif day > latest:
        problems.add("day", "too_late", latest=latest)
    elif reason := free.day_problem(day):
        problems.add("day", reason, free=moment)
    return moment if not problems else None


def plan_follow_up(step: NextStep, person: Person, now: datetime, timezone: str) -> Delivery:
    """Make the message that follows up a step at its moment, chosen in this time zone; its key allows one for every
    moment it gets."""
    return to_person(
        person,
        "follow_up",
        key=follow_up_key(step),
        now=now,
        movement=step.movement_id,
        subject=step.id,
        priority=Priority.ASKED_FOR,
        due_at=step.follow_up_at,
        args={"round": step.not_yet, PROMISED_IN: timezone},
    )


def plan_chance_question(chance: Chance, person: Person, now: datetime, timezone: str) -> Delivery | None:
    """Make the question what became of a chance, at its moment; None when it does not come back."""
    if chance.comes_back_at is None:
        return None
    return to_person(
        person,
        "chance_asked",
        key=f"chance_asked:{chance.id}:{chance.round}",
        now=now,
        movement=chance.movement_id,
        subject=chance.id,
        priority=Priority.ASKED_FOR,
        due_at=chance.comes_back_at,
        args={"round": chance.round, PROMISED_IN: timezone},
    )


def propose_return(asked_at: datetime, free: FreeMoments) -> datetime:
    """Return when to come back once to what was asked at a moment: the next working day, at another time of day."""
    local = asked_at.astimezone(ZoneInfo(free.quiet.timezone))
    day = next_working_day(local.date(), free.calendar)
    at = AFTERNOON if local.time() < MIDDAY else MORNING
    latest = day + timedelta(days=MAX_DAYS_AHEAD)
    return free.nearest_to(day, at, now=asked_at, earliest=day, latest=latest) or to_utc(day, at, free.quiet.timezone)


def plan_second_follow_up(step: NextStep, person: Person, now: datetime, at: datetime, about: str) -> Delivery:
    """Make the message that comes back to a step once more: `about` is AGAIN or FOR_OUTCOME. It is no promise: it waits
    for its turn, and is left out when that takes too long."""
    return to_person(
        person,
        "follow_up",
        key=f"{follow_up_key(step)}:{about}",
        now=now,
        movement=step.movement_id,
        subject=step.id,
        priority=Priority.NEWS,
        due_at=at,
        expires_at=at + ONCE_MORE_TTL,
        args={"round": step.not_yet, about: True},
    )


def rests_since(step: NextStep, rows: Iterable[Delivery], now: datetime) -> datetime | None:
    """Return since when nothing comes about a planned step any more; None while something does. `rows`: every delivery
    of its follow-ups."""
    if not step.is_planned or step.follow_up_at > now:
        return None
    of_now = [row for row in rows if row.args.get("round", 0) == step.not_yet]
    if any(row.state in (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN) for row in of_now):
        return None
    return max((row.sent_at for row in of_now if row.sent_at is not None), default=step.follow_up_at)


def follow_up_key(step: NextStep) -> str:
    """Return the idempotency key of the follow-up at the moment that a step has now."""
    return f"follow_up:{step.id}:{step.not_yet}"


def strip_lead_in(words: str) -> str:
    """Return a part of an if-then plan without a leading "when" or "then": the screen shows that word anyway."""
    return _LEAD.sub("", words)
