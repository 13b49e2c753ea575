"""One person asking another along, in their own words; the answer; and whether they met."""

from bot import wording
from bot.catalogue.base import Entry, InPlace
from bot.catalogue.connecting import (
    DidYouMeet,
    InvitationAnswered,
    InvitationNews,
    InvitationReceived,
    InvitationSent,
    InviteDraft,
    InviteForm,
    MeetingNoted,
)
from bot.catalogue.forms import read
from bot.domain.connectors import (
    ASK_AGAIN,
    MET_AFTER,
    MONTH,
    MOST_ASKED_A_MONTH,
    Invitation,
    InvitationId,
    InvitationState,
)
from bot.domain.delivery import Priority, to_person
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.person import Person, PersonId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.ports.turn import language_for, timezone_for
from bot.wording import Reader

OPEN = (InvitationState.SENT, InvitationState.LATER)


async def invite(work: UnitOfWork, turn: Turn) -> Entry:
    """A draft to make one's own, in the language of whoever is invited."""
    invitee, initiative = await _about(work, turn)
    movement = turn.the_movement()
    reader = Reader(
        language=language_for(invitee, None, movement), timezone=timezone_for(invitee, None, movement), now=turn.now
    )
    draft = InviteDraft(name=invitee.name, initiative=initiative.name if initiative else "", inviter=turn.person.name)
    return InviteForm(
        name=invitee.name,
        values={"text": wording.message(draft, reader).text},
        hidden={"person": invitee.id, "initiative": initiative.id if initiative else ""},
    )


async def send(work: UnitOfWork, turn: Turn) -> Entry:
    """Submitting the form confirms: it goes out in the inviter's name."""
    invitee, initiative = await _about(work, turn)
    text = read(InviteForm, turn.intent.args).text("text")
    movement = turn.the_movement()
    invitation = Invitation(
        id=InvitationId(new_id()),
        movement_id=movement.id,
        initiative_id=initiative.id if initiative else None,
        inviter_id=turn.person.id,
        invitee_id=invitee.id,
        text=text,
        place_id=turn.place.id if turn.place else None,
        sent_at=turn.now,
    )
    work.connecting.add(invitation)
    await work.deliveries.add(
        to_person(
            invitee,
            "invitation",
            key=f"invitation:{invitation.id}:0",
            now=turn.now,
            movement=movement.id,
            subject=invitation.id,
            priority=Priority.FROM_A_PERSON,
        )
    )
    return InvitationSent(name=invitee.name, text=text)


async def _about(work: UnitOfWork, turn: Turn) -> tuple[Person, Initiative | None]:
    """Whom, and for what; refuses who did not say yes, or was asked often enough this month."""
    movement = turn.the_movement()
    invitee = await work.people.get(PersonId(turn.text("person")), movement.id)
    if invitee is None or invitee.id == turn.person.id or not invitee.suggestible:
        raise Refused("not_found")
    if not invitee.can_be_suggested(turn.now):
        raise Refused("cannot_be_asked")
    initiative = None
    if turn.text("initiative"):
        initiative = await work.initiatives.get(InitiativeId(turn.text("initiative")), movement.id)
        if initiative is None:
            raise Refused("not_found")
    recent = [
        one for one in await work.connecting.invitations(movement.id, turn.now - MONTH) if one.invitee_id == invitee.id
    ]
    again = initiative is not None and any(one.initiative_id == initiative.id for one in recent)
    if again or len(recent) >= MOST_ASKED_A_MONTH:
        raise Refused("asked_enough")
    return invitee, initiative


async def compose_invitation(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    invitation = await _sent(work, outgoing)
    if invitation.state not in OPEN:
        raise Unwanted("already_chosen")
    inviter = await work.people.get(invitation.inviter_id, invitation.movement_id)
    if inviter is None or inviter.account is None:
        raise Unwanted("taken_back")
    return InvitationReceived(
        invitation=invitation.id,
        inviter=inviter.name,
        initiative=await _name(work, invitation),
        text=invitation.text,
    )


async def accept(work: UnitOfWork, turn: Turn) -> InPlace:
    """Yes: the inviter hears it now, and is asked in a week whether they met."""
    answer = await _answer(work, turn, InvitationState.ACCEPTED)
    inviter = await work.people.get(answer.inviter_id, answer.movement_id)
    if inviter is not None and inviter.account is not None:
        await work.deliveries.add(
            to_person(
                inviter,
                "did_you_meet",
                key=f"did_you_meet:{answer.id}",
                now=turn.now,
                movement=answer.movement_id,
                subject=answer.id,
                priority=Priority.ASKED_FOR,
                due_at=turn.now + MET_AFTER,
            )
        )
    return await _answered(work, answer, inviter)


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    answer = await _answer(work, turn, InvitationState.DECLINED)
    return await _answered(work, answer, await work.people.get(answer.inviter_id, answer.movement_id))


async def later(work: UnitOfWork, turn: Turn) -> InPlace:
    """Asked once more in two weeks, and then no more."""
    answer = await _answer(work, turn, InvitationState.LATER)
    await work.deliveries.add(
        to_person(
            turn.person,
            "invitation",
            key=f"invitation:{answer.id}:1",
            now=turn.now,
            movement=answer.movement_id,
            subject=answer.id,
            priority=Priority.FROM_A_PERSON,
            due_at=turn.now + ASK_AGAIN,
        )
    )
    return await _answered(work, answer, await work.people.get(answer.inviter_id, answer.movement_id))


async def _answer(work: UnitOfWork, turn: Turn, state: InvitationState) -> Invitation:
    """The invitation with its new answer; a mind may be changed until they met. The inviter hears of a new answer."""
    movement = turn.the_movement()
    invitation = await work.connecting.invitation(InvitationId(turn.text("invitation")), movement.id)
    if invitation is None or invitation.invitee_id != turn.person.id:
        raise Refused("not_found")
    if invitation.state in (InvitationState.MET, InvitationState.NOT_MET):
        raise Refused("already_answered")
    if invitation.state is state:
        return invitation
    invitation.state, invitation.answered_at = state, turn.now
    await work.deliveries.cancel("did_you_meet", invitation.id, "already_chosen")
    inviter = await work.people.get(invitation.inviter_id, movement.id)
    if inviter is not None and inviter.account is not None:
        await work.deliveries.add(
            to_person(
                inviter,
                "invitation_answered",
                key=f"invitation_answered:{invitation.id}:{turn.now.isoformat()}",
                now=turn.now,
                movement=movement.id,
                subject=invitation.id,
                priority=Priority.ASKED_FOR,
            )
        )
    return invitation


async def _answered(work: UnitOfWork, invitation: Invitation, inviter: Person | None) -> InPlace:
    return InPlace(
        entry=InvitationAnswered(
            state=invitation.state.value,
            inviter=inviter.name if inviter is not None else "",
            initiative=await _name(work, invitation),
            initiative_id=invitation.initiative_id or "",
        )
    )


async def compose_answered(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    invitation = await _sent(work, outgoing)
    invitee = await work.people.get(invitation.invitee_id, invitation.movement_id)
    if invitee is None or invitee.account is None or invitation.state is InvitationState.SENT:
        raise Unwanted("taken_back")
    return InvitationNews(state=invitation.state.value, name=invitee.name)


async def compose_did_you_meet(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    invitation = await _sent(work, outgoing)
    invitee = await work.people.get(invitation.invitee_id, invitation.movement_id)
    if invitation.state is not InvitationState.ACCEPTED or invitee is None or invitee.account is None:
        raise Unwanted("already_chosen")
    return DidYouMeet(invitation=invitation.id, name=invitee.name)


async def met(work: UnitOfWork, turn: Turn) -> InPlace:
    """They met: they know each other now, and there may be a story in it."""
    return await _meeting(work, turn, InvitationState.MET)


async def not_met(work: UnitOfWork, turn: Turn) -> InPlace:
    return await _meeting(work, turn, InvitationState.NOT_MET)


async def _meeting(work: UnitOfWork, turn: Turn, state: InvitationState) -> InPlace:
    movement = turn.the_movement()
    invitation = await work.connecting.invitation(InvitationId(turn.text("invitation")), movement.id)
    if invitation is None or invitation.inviter_id != turn.person.id:
        raise Refused("not_found")
    if invitation.state not in (InvitationState.ACCEPTED, InvitationState.NOT_MET, state):
        raise Refused("already_answered")
    invitee = await work.people.get(invitation.invitee_id, movement.id)
    if state is InvitationState.MET and invitation.state is not state:
        await work.connecting.strengthen(movement.id, invitation.inviter_id, invitation.invitee_id, turn.now)
    invitation.state = state
    return InPlace(
        entry=MeetingNoted(
            met=state is InvitationState.MET,
            name=invitee.name if invitee is not None else "",
            initiative=invitation.initiative_id or "",
        )
    )


async def _sent(work: UnitOfWork, outgoing: Outgoing) -> Invitation:
    invitation = await work.connecting.invitation(InvitationId(outgoing.delivery.subject), outgoing.the_movement().id)
    if invitation is None:
        raise Unwanted("taken_back")
    return invitation


async def _name(work: UnitOfWork, invitation: Invitation) -> str:
    if invitation.initiative_id is None:
        return ""
    initiative = await work.initiatives.get(invitation.initiative_id, invitation.movement_id)
    return initiative.name if initiative is not None else ""
