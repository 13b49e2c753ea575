"""An experiment: what is tried, until when, and how it will be noticed; it ends in a decision."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, NewType
from zoneinfo import ZoneInfo

from bot.domain.delivery import PROMISED_IN, Delivery, Priority, to_person
from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId
from bot.domain.next_step import parse_day, propose_day
from bot.domain.person import Person, PersonId
from bot.domain.quiet_hours import FreeMoments
from bot.errors import Problems

ExperimentId = NewType("ExperimentId", str)

QUESTION = "experiment_ends"
"""The kind of the question at the end of an experiment."""
USUAL_DAYS, MAX_EXPERIMENT_DAYS = 14, 92
"""Days from now on which an experiment ends: what is proposed, and the most."""
ASKED_AGAIN_AFTER = timedelta(days=7)
"""How long after the question it comes back, once."""
RESTS_AFTER = timedelta(days=14)
"""How long after its end an experiment about which nothing was decided rests."""


class Decision(StrEnum):
    """The decision about what was tried: it goes on, is tried differently, or has stopped."""

    GOES_ON = "goes_on"
    DIFFERENTLY = "differently"
    STOPPED = "stopped"


class ExperimentState(StrEnum):
    """The state of an experiment: going on, over and to be decided about, decided, or resting without a decision."""

    GOING = "going"
    OVER = "over"
    RESTING = "resting"
    DECIDED = "decided"


@dataclass(kw_only=True, eq=False)
class Experiment:
    """An agreement to try something (`trying`) until `ends_at`, with the `sign` by which it will be noticed.

    Without an initiative it is the maker's own, and nobody else reads it. `moved` counts how often the end was moved.
    """

    id: ExperimentId
    movement_id: MovementId
    initiative_id: InitiativeId | None = None
    person_id: PersonId
    trying: str
    sign: str
    ends_at: datetime
    timezone: str
    moved: int = 0
    decision: Decision | None = None
    decided_at: datetime | None = None
    started_at: datetime

    def state_at(self, now: datetime) -> ExperimentState:
        """Return its state at a moment."""
        if self.decision is not None:
            return ExperimentState.DECIDED
        if now < self.ends_at:
            return ExperimentState.GOING
        return ExperimentState.OVER if now < self.rests_from else ExperimentState.RESTING

    @property
    def rests_from(self) -> datetime:
        """The moment from which it rests when nobody decides."""
        return self.ends_at + RESTS_AFTER

    def end_at(self, moment: datetime) -> None:
        """Move the end; the question comes anew."""
        self.ends_at = moment
        self.moved += 1

    def decide(self, decision: Decision, now: datetime) -> bool:
        """Record the decision. Returns False when there was one: the first stands."""
        if self.decision is not None:
            return False
        self.decision, self.decided_at = decision, now
        return True


@dataclass(kw_only=True, eq=False)
class ExperimentAnswer:
    """The answer at the end of somebody who took part, with a line of what was learned."""

    experiment_id: ExperimentId
    person_id: PersonId
    movement_id: MovementId
    answer: Decision
    learned: str = ""
    answered_at: datetime


class DecidedExperiment(NamedTuple):
    """The columns of a decided experiment that a look-back needs; `learned` are the lines of those who answered."""

    trying: str
    decision: Decision
    decided_at: datetime
    learned: tuple[str, ...]
    initiative_id: InitiativeId | None = None


def decides(person: PersonId, carriers: Collection[PersonId]) -> bool:
    """Return whether somebody's answer decides: that of the maker or of who carries the initiative; of anybody, where
    none of these takes part any more."""
    return person in carriers or not carriers


def propose_end(now: datetime, free: FreeMoments) -> date:
    """Return the local day to propose: the first from two weeks ahead on that is free."""
    zone = ZoneInfo(free.quiet.timezone)
    found = propose_day(now, free, ahead=USUAL_DAYS, most=MAX_EXPERIMENT_DAYS)
    return (found or now + timedelta(days=USUAL_DAYS)).astimezone(zone).date()


def parse_end(day: date | None, now: datetime, free: FreeMoments, problems: Problems) -> datetime | None:
    """Return the moment (UTC) at which an experiment ends; None for a day that cannot be, which is added to the
    problems of `day`."""
    return parse_day(day, now, free, problems, most=MAX_EXPERIMENT_DAYS)


def plan_question(experiment: Experiment, person: Person, now: datetime) -> Delivery:
    """Make the question at the end to one who takes part. To the maker it was promised."""
    is_maker = person.id == experiment.person_id
    return to_person(
        person,
        QUESTION,
        key=f"{QUESTION}:{experiment.id}:{person.id}:{experiment.moved}",
        now=now,
        movement=experiment.movement_id,
        subject=experiment.id,
        priority=Priority.ASKED_FOR if is_maker else Priority.FROM_A_PERSON,
        due_at=max(experiment.ends_at, now),
        expires_at=experiment.rests_from,
        args={"moved": experiment.moved, **({PROMISED_IN: experiment.timezone} if is_maker else {})},
    )


def plan_second_question(experiment: Experiment, person: Person, now: datetime) -> Delivery:
    """Make the question once more, lighter, a week after the first."""
    return to_person(
        person,
        QUESTION,
        key=f"{QUESTION}:{experiment.id}:{person.id}:{experiment.moved}:again",
        now=now,
        movement=experiment.movement_id,
        subject=experiment.id,
        priority=Priority.RHYTHM,
        due_at=now + ASKED_AGAIN_AFTER,
        expires_at=now + 2 * ASKED_AGAIN_AFTER,
        args={"moved": experiment.moved, "again": True},
    )
