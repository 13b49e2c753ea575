"""Ask the inviter whether two people met after an invitation was accepted."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.connecting import (
    DidYouMeet,
    MeetingNoted,
)
from bot.domain.connectors import (
    Invitation,
    InvitationId,
    InvitationState,
)
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question whether they met. Raises `Unwanted` unless the invitation is accepted, and not answered."""
    invitation = await _load_invitation(work, outgoing)
    invitee = await work.people.get(invitation.invitee_id, invitation.movement_id)
    if invitation.state is not InvitationState.ACCEPTED or invitee is None or invitee.account is None:
        raise Unwanted("already_chosen")
    return DidYouMeet(invitation=invitation.id, name=invitee.name)


async def confirm(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that they met, which ties them, and offer to tell it as a story."""
    return await _record(work, turn, InvitationState.MET)


async def deny(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that they did not meet (yet); it may still be confirmed later."""
    return await _record(work, turn, InvitationState.NOT_MET)


async def _record(work: UnitOfWork, turn: Turn, state: InvitationState) -> InPlace:
    movement = turn.require_movement()
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


async def _load_invitation(work: UnitOfWork, outgoing: Outgoing) -> Invitation:
    invitation = await work.connecting.invitation(
        InvitationId(outgoing.delivery.subject), outgoing.require_movement().id
    )
    if invitation is None:
        raise Unwanted("taken_back")
    return invitation
