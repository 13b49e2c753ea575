"""Learning histories made together: who takes part in an initiative tells one moment and one result, before they are
given back as one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import PersonId

HistoryRoundId = NewType("HistoryRoundId", str)

ANSWERS_FOR = timedelta(days=7)
"""How long answers are gathered before the history is given back; later ones are added to it."""
HISTORY_AGAIN = timedelta(days=28)
"""How long after a round was begun the next one may begin."""
MIN_ANSWERS = 2
"""Answers from which on there is something to look back on together."""
MAX_HISTORY_CHARS = 300


@dataclass(kw_only=True, eq=False)
class HistoryRound:
    """One time that an initiative looks back together. It holds nobody's name: whoever carries it may begin one."""

    id: HistoryRoundId
    movement_id: MovementId
    initiative_id: InitiativeId
    asked_at: datetime
    told_at: datetime
    """When it is given back."""


@dataclass(kw_only=True, eq=False)
class HistoryAnswer:
    """The answer of one person, in their own words: a moment to look back on, and what came of it. `named`: with their
    name."""

    round_id: HistoryRoundId
    person_id: PersonId
    movement_id: MovementId
    moment: str
    result: str = ""
    named: bool = True
    answered_at: datetime


def can_begin_round(last: HistoryRound | None, now: datetime) -> bool:
    """Return whether a new round may begin: after a while, so that the last answers were given back."""
    return last is None or now >= last.asked_at + HISTORY_AGAIN
