"""Invite somebody in one's own words, and answer an invitation."""

from bot import wording
from bot.catalogue.base import Entry, InPlace
from bot.catalogue.connecting import (
    InvitationAnswered,
    InvitationNews,
    InvitationReceived,
    InvitationSent,
    InviteDraft,
    InviteForm,
)
from bot.catalogue.forms import parse_form
from bot.domain.connectors import (
    ASK_AGAIN,
    MAX_INVITATIONS_PER_MONTH,
    MET_AFTER,
    MONTH,
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

UNANSWERED = (InvitationState.SENT, InvitationState.LATER)
"""States in which an invitation may still be sent (again)."""


async def invite(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form with a draft to make one's own, in the language of the one who is invited."""
    invitee, initiative = await _check_invitee(work, turn)
    movement = turn.require_movement()
    reader = Reader(
        language=language_for(invitee, None, movement), timezone=timezone_for(invitee, None, movement), now=turn.now
    )
    draft = InviteDraft(name=invitee.name, initiative=initiative.name if initiative else "", inviter=turn.person.name)
    return InviteForm(
        name=invitee.name,
        values={"text": wording.render_entry(draft, reader).text},
        hidden={"person": invitee.id, "initiative": initiative.id if initiative else ""},
    )


async def send(work: UnitOfWork, turn: Turn) -> Entry:
    """Send what was filled in, in the inviter's name: submitting the form is the confirmation."""
    invitee, initiative = await _check_invitee(work, turn)
    text = parse_form(InviteForm, turn.intent.args).text("text")
    movement = turn.require_movement()
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


async def _check_invitee(work: UnitOfWork, turn: Turn) -> tuple[Person, Initiative | None]:
    """Return whom to invite, and for which initiative.

    Raises `Refused` for one who has not agreed to be suggested, wants nothing now, was invited for this initiative
    within a month, or `MAX_INVITATIONS_PER_MONTH` times in all.
    """
    movement = turn.require_movement()
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
    if again or len(recent) >= MAX_INVITATIONS_PER_MONTH:
        raise Refused("asked_enough")
    return invitee, initiative


async def compose_invitation(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose an invitation. Raises `Unwanted` when it was answered meanwhile, or the inviter is gone."""
    invitation = await _load_invitation(work, outgoing)
    if invitation.state not in UNANSWERED:
        raise Unwanted("already_chosen")
    inviter = await work.people.get(invitation.inviter_id, invitation.movement_id)
    if inviter is None or inviter.account is None:
        raise Unwanted("taken_back")
    return InvitationReceived(
        invitation=invitation.id,
        inviter=inviter.name,
        initiative=await _initiative_name(work, invitation),
        text=invitation.text,
    )


async def accept(work: UnitOfWork, turn: Turn) -> InPlace:
    """Accept an invitation: its inviter is told now, and asked after `MET_AFTER` whether they met."""
    answer = await _record_answer(work, turn, InvitationState.ACCEPTED)
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
    return await _confirm(work, answer, inviter)


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Decline an invitation; its inviter is told."""
    answer = await _record_answer(work, turn, InvitationState.DECLINED)
    return await _confirm(work, answer, await work.people.get(answer.inviter_id, answer.movement_id))


async def postpone(work: UnitOfWork, turn: Turn) -> InPlace:
    """Answer later: the invitation is sent once more after `ASK_AGAIN`. Its key makes sure of once."""
    answer = await _record_answer(work, turn, InvitationState.LATER)
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
    return await _confirm(work, answer, await work.people.get(answer.inviter_id, answer.movement_id))


async def _record_answer(work: UnitOfWork, turn: Turn, state: InvitationState) -> Invitation:
    """Record an answer, which may be changed until they met (or not), and tell the inviter of a new one."""
    movement = turn.require_movement()
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


async def _confirm(work: UnitOfWork, invitation: Invitation, inviter: Person | None) -> InPlace:
    return InPlace(
        entry=InvitationAnswered(
            state=invitation.state.value,
            inviter=inviter.name if inviter is not None else "",
            initiative=await _initiative_name(work, invitation),
            initiative_id=invitation.initiative_id or "",
        )
    )


async def compose_answer(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news for an inviter how their invitation stands. Raises `Unwanted` when the invitee is gone."""
    invitation = await _load_invitation(work, outgoing)
    invitee = await work.people.get(invitation.invitee_id, invitation.movement_id)
    if invitee is None or invitee.account is None or invitation.state is InvitationState.SENT:
        raise Unwanted("taken_back")
    return InvitationNews(state=invitation.state.value, name=invitee.name)


async def _load_invitation(work: UnitOfWork, outgoing: Outgoing) -> Invitation:
    invitation = await work.connecting.invitation(
        InvitationId(outgoing.delivery.subject), outgoing.require_movement().id
    )
    if invitation is None:
        raise Unwanted("taken_back")
    return invitation


async def _initiative_name(work: UnitOfWork, invitation: Invitation) -> str:
    if invitation.initiative_id is None:
        return ""
    initiative = await work.initiatives.get(invitation.initiative_id, invitation.movement_id)
    return initiative.name if initiative is not None else ""
