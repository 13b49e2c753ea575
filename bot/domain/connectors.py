"""Key figures and the ties between people, from which invitations are suggested."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.forgetting import replace_message
from bot.domain.initiative import InitiativeId, StuckKind
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import Person, PersonId
from bot.domain.story import StoryId

NominationId = NewType("NominationId", str)
InvitationId = NewType("InvitationId", str)
TieAnswerId = NewType("TieAnswerId", str)
SuggestionId = NewType("SuggestionId", str)

MAX_NOMINEES = 5
"""Colleagues that one person can name at a time."""
MIN_GROUP_SIZE = 5
"""Groups under five are never shown as a group."""


class KeyFigure(StrEnum):
    """A role in spreading a movement. CONNECTOR: a wide network across circles; MAVEN: deep craft, collects and shares
    knowledge; INSPIRER: trusted, moves others."""

    CONNECTOR = "connector"
    MAVEN = "maven"
    INSPIRER = "inspirer"


FIGURE_FOR: dict[StuckKind, KeyFigure] = {
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
    """A colleague named as a key figure by a peer. Rank plays no part.

    It leads to a question to the one who is named. Who named whom is shown to nobody; that colleagues did, only of
    somebody who agreed to be named so, and from `NAMED_FROM` others on: fewer weigh nothing in a suggestion either, so
    that none shows that somebody was named. A nominator who is forgotten takes it with them; the question that was sent
    stays, for it holds no name.
    """

    id: NominationId
    movement_id: MovementId
    nominator_id: PersonId
    nominee_id: PersonId
    figure: KeyFigure
    topic: str = ""
    at: datetime
    refused: bool = False
    """True once the nominee answered that they do not want to be suggested so."""


@dataclass(kw_only=True, eq=False)
class Tie:
    """Two people who know or answer each other, made in the open: in a thread the bot is part of, or by what both said:
    that they met, or ask each other things (`TieAnswer`). Nothing else makes one, because it is shown as "she knows
    him".

    Undirected: `one_id` < `other_id`. `strength` counts the occasions.
    """

    movement_id: MovementId
    one_id: PersonId
    other_id: PersonId
    strength: int = 1
    last_at: datetime


@dataclass(kw_only=True, eq=False)
class TieAnswer:
    """An answer in a round of ties, that nobody else reads: somebody lately asked another person something.

    It is no `Tie`: it counts only in how far the one who answered is reached, and is never a reason. It becomes a tie
    when the other says so too, in an answer of their own or where they look at what is kept of them; there they read
    whose answer it is if that is `shown`. Then, and when they say that it is not so, it is gone.
    """

    id: TieAnswerId
    movement_id: MovementId
    person_id: PersonId
    other_id: PersonId
    shown: bool = False
    at: datetime


MAX_TIES_NAMED = 3
"""People that one answer in a round of ties names."""


class InvitationState(StrEnum):
    """The invitee's answer; after ACCEPTED the inviter may tell whether they met. TAKEN_BACK by the inviter, before it
    was answered."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LATER = "later"
    MET = "met"
    NOT_MET = "not_met"
    TAKEN_BACK = "taken_back"


@dataclass(kw_only=True, eq=False)
class Invitation:
    """An invitation from one person to another, in the inviter's own words, sent after they confirmed.

    With a `story_id` it is an offer to be introduced to who told that story, by somebody who does this too: without
    words of its own. `text` is the only thing in it that somebody wrote. It is also in the invitee's chat, in the
    message whose delivery has the kind "invitation" and this id as its subject; deliveries of the kinds
    "invitation_answered", "invitation_quiet" and "did_you_meet" about it name the invitee to the inviter, and (the
    last, by its key) the inviter to the invitee.
    `confirmed`: what the invitee says to the inviter's "we met".
    """

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
    confirmed: bool | None = None
    story_id: StoryId | None = None

    @property
    def awaits_answer(self) -> bool:
        """True while it may be sent, the first time or once more."""
        return self.state in (InvitationState.SENT, InvitationState.LATER)

    @property
    def said_yes(self) -> bool:
        """True once the invitee wanted it, whether they met since or not."""
        return self.state in (InvitationState.ACCEPTED, InvitationState.MET, InvitationState.NOT_MET)

    def take_back(self) -> None:
        """Take it back: what it said is kept no longer."""
        self.state, self.text = InvitationState.TAKEN_BACK, ""


MAX_SUGGESTIONS = 3
ASK_AGAIN = timedelta(days=14)
"""How long after LATER an invitation is sent once more."""
MET_AFTER = timedelta(days=7)
"""How long after ACCEPTED the inviter is asked whether they met."""
QUIET_AFTER = timedelta(days=7)
"""How long after an invitation arrived without an answer its inviter hears that it stayed quiet."""
TAKEN_BACK_KIND = "invitation_taken_back"
ANSWER_KINDS = ("invitation_answered", "invitation_quiet")
"""Kinds of deliveries that tell an inviter how their invitation stands."""


def invitation_key(invitation: InvitationId, number: int) -> str:
    """Return the key of the message of an invitation; `number` counts how often it was sent before."""
    return f"invitation:{invitation}:{number}"


def plan_invitation(
    invitation: Invitation, invitee: Person, now: datetime, *, number: int, due_at: datetime | None = None
) -> Delivery:
    """Make the message of an invitation; `number` counts how often it was sent before, and makes its key."""
    return to_person(
        invitee,
        "invitation",
        key=invitation_key(invitation.id, number),
        now=now,
        movement=invitation.movement_id,
        subject=invitation.id,
        args={"number": number},
        priority=Priority.FROM_A_PERSON,
        due_at=due_at,
    )


def plan_quiet_news(invitation: Invitation, inviter: Person, now: datetime, *, number: int) -> Delivery:
    """Make the news for an inviter that nothing was heard, from which they can look further; see `QUIET_AFTER`."""
    return to_person(
        inviter,
        "invitation_quiet",
        key=f"invitation_quiet:{invitation.id}:{number}",
        now=now,
        movement=invitation.movement_id,
        subject=invitation.id,
        priority=Priority.ASKED_FOR,
        due_at=now + QUIET_AFTER,
    )


def plan_withdrawal(sent: Iterable[Delivery], now: datetime) -> list[Delivery]:
    """Make the changes that replace an invitation, where it may have arrived, by the words that it was taken back."""
    return [replace_message(one, TAKEN_BACK_KIND, now) for one in sent if one.may_have_arrived]


RESTS = timedelta(days=60)
"""How long somebody is not suggested again to who said "not now" or "someone else", for the same initiative."""
NAMED_FROM = 2
"""From so many others on, that colleagues named somebody weighs, and may be told; never who, and never of fewer."""


@dataclass(kw_only=True, eq=False)
class Suggestion:
    """Somebody was suggested to `asker_id`, last at `at`. Until `rests_until` they are not suggested again to them for
    this initiative: no reason is asked, and the one who rests is not told."""

    id: SuggestionId
    movement_id: MovementId
    initiative_id: InitiativeId | None
    asker_id: PersonId
    person_id: PersonId
    at: datetime
    rests_until: datetime | None = None

    def rest(self, now: datetime) -> None:
        """Leave them out for a while."""
        self.rests_until = now + RESTS

    def rests(self, now: datetime) -> bool:
        """Return whether they are still left out."""
        return self.rests_until is not None and now < self.rests_until


@dataclass(frozen=True, kw_only=True)
class Acquaintance:
    """That `person_id` knows `other_id`, who is of this group: an open tie that may be told."""

    person_id: PersonId
    other_id: PersonId
    group: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Somebody who may be suggested: their group, the figures they agreed to be named as (`says`), whether colleagues
    named them as what is wanted, the groups they know people of, and whom of the initiative they know, if anybody."""

    id: PersonId
    group: str
    says: frozenset[KeyFigure]
    is_named: bool
    reaches: tuple[str, ...] = ()
    known_by: PersonId | None = None


class Reason(StrEnum):
    """Why somebody is suggested: NAMED by colleagues, or SAID of oneself, to be what is wanted; REACHES a group that is
    not in it yet; BELONGS to one; or only AGREED to be asked."""

    NAMED = "named"
    SAID = "said"
    REACHES = "reaches"
    BELONGS = "belongs"
    AGREED = "agreed"


def give_reason(one: Candidate, wanted: KeyFigure, new_groups: Container[str]) -> Reason:
    """Return the first reason that is true. What others think of somebody is told only as what they agreed to be named
    as, and a group only when it may be shown as a group and is not in it yet (`new_groups`)."""
    if wanted in one.says:
        return Reason.NAMED if one.is_named else Reason.SAID
    if any(group in new_groups for group in one.reaches):
        return Reason.REACHES
    return Reason.BELONGS if one.group in new_groups else Reason.AGREED


def find_reach(acquaintances: Iterable[Acquaintance], sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Return the groups that somebody knows at least two people of, most first, without groups too small to show."""
    known = Counter(one.group for one in acquaintances if sizes.get(one.group, 0) >= MIN_GROUP_SIZE)
    return tuple(group for group, many in sorted(known.items(), key=lambda one: (-one[1], one[0])) if many > 1)
