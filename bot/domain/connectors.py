"""Key figures and the ties between people, from which invitations are suggested."""

from collections.abc import Container, Iterable, Sequence
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

    It leads to a question to the one who is named, and to nothing else: who named whom is shown to nobody, and no
    suggestion depends on it. A nominator who is forgotten takes it with them; the question that was sent stays, for it
    holds no name.
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


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Someone who agreed to being suggested, as these figures."""

    id: PersonId
    group: str
    figures: frozenset[KeyFigure]
    knows: frozenset[PersonId]


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A person to invite and the reasons: as which figure, who of the initiative knows them, and the group they would
    bring; `new_group` is empty when it is not new."""

    id: PersonId
    figure: KeyFigure
    known_by: PersonId | None
    new_group: str


def suggest(
    candidates: Sequence[Candidate],
    *,
    wanted: KeyFigure,
    inside: Sequence[PersonId],
    groups: frozenset[str],
    nameable: Container[PersonId],
) -> list[Suggestion]:
    """Suggest up to three people who together reach furthest: people and groups the initiative does not have yet.

    `inside` are the asker (first) and the participants; `groups` theirs; only the `nameable` of them are given as a
    reason. Only people who agreed to be suggested as the
    wanted figure, and only those who add something: themselves, when nobody chosen before knows them. A greedy choice:
    each next one for what those before do not reach, which gives bridge-builders together rather than one hub.
    """
    reached, covered = set(inside), set(groups)
    left = [one for one in candidates if wanted in one.figures and one.id not in reached]
    chosen: list[Suggestion] = []

    def gain(one: Candidate) -> tuple[bool, int]:
        return (bool(one.group) and one.group not in covered, len({one.id, *one.knows} - reached))

    while left and len(chosen) < MAX_SUGGESTIONS:
        # The id decides between equals, so that the answer does not depend on the order of the candidates.
        best = min(left, key=lambda one: (*(-part for part in gain(one)), one.id))
        new_group, new_people = gain(best)
        if not new_group and not new_people:
            break
        chosen.append(
            Suggestion(
                id=best.id,
                figure=wanted,
                known_by=next((one for one in inside if one in best.knows and one in nameable), None),
                new_group=best.group if new_group else "",
            )
        )
        reached |= {best.id, *best.knows}
        covered.add(best.group)
        left.remove(best)
    return chosen
