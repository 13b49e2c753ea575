"""Key figures and the ties between people: who could be invited, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from bot.domain.initiative import InitiativeId, StuckKind
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId

NominationId = NewType("NominationId", str)
InvitationId = NewType("InvitationId", str)

MOST_NOMINEES = 5
MOST_ASKED_A_MONTH = 2
FEWEST_SHOWN_AS_GROUP = 5
"""Groups under five are never shown as a group."""


class KeyFigure(StrEnum):
    CONNECTOR = "connector"
    MAVEN = "maven"
    INSPIRER = "inspirer"


FITS: dict[StuckKind, KeyFigure] = {
    StuckKind.REACH: KeyFigure.CONNECTOR,
    StuckKind.KNOW_HOW: KeyFigure.MAVEN,
    StuckKind.OPPOSITION: KeyFigure.INSPIRER,
    StuckKind.ENERGY: KeyFigure.INSPIRER,
    StuckKind.RULES: KeyFigure.MAVEN,
    StuckKind.OTHER: KeyFigure.CONNECTOR,
}
"""Reach asks for a connector, know-how for a maven, resistance for an inspirer."""


@dataclass(kw_only=True, eq=False)
class Nomination:
    """That someone named a colleague as a key figure. Only what peers say, never rank."""

    id: NominationId
    movement_id: MovementId
    nominator_id: PersonId
    nominee_id: PersonId
    figure: KeyFigure
    topic: str = ""
    at: datetime


@dataclass(kw_only=True, eq=False)
class Tie:
    """That two people know or answer each other: from nominations and threads the bot is part of, nothing else.

    Undirected: `one_id` < `other_id`. `strength` counts the occasions.
    """

    movement_id: MovementId
    one_id: PersonId
    other_id: PersonId
    strength: int = 1
    last_at: datetime


class InvitationState(StrEnum):
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LATER = "later"
    MET = "met"
    NOT_MET = "not_met"


@dataclass(kw_only=True, eq=False)
class Invitation:
    """One person asking another along, in their own words, after confirming."""

    id: InvitationId
    movement_id: MovementId
    initiative_id: InitiativeId | None
    inviter_id: PersonId
    invitee_id: PersonId
    text: str
    state: InvitationState = InvitationState.SENT
    place_id: PlaceId | None = None
    sent_at: datetime
    answered_at: datetime | None = None
