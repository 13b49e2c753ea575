"""Ask two people whether they met after an invitation was accepted: who invited first, then the other."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.connecting import (
    DidYouMeet,
    MeetingNoted,
)
from bot.domain.asks import MONTH
from bot.domain.connectors import (
    Invitation,
    InvitationId,
    InvitationState,
)
from bot.domain.delivery import Priority, to_person
from bot.domain.person import Person
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.tying import note_tie


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question whether they met: to the inviter of an accepted invitation, and to the invitee when the
    inviter says so. Raises `Unwanted` when it was answered, or the other is gone."""
    invitation = await _load_invitation(work, outgoing)
    to_invitee = outgoing.delivery.person_id == invitation.invitee_id
    if to_invitee:
        is_open = invitation.state is InvitationState.MET and invitation.confirmed is None
    else:
        is_open = invitation.state is InvitationState.ACCEPTED
    other = await work.people.get(
        invitation.inviter_id if to_invitee else invitation.invitee_id, invitation.movement_id
    )
    if not is_open or other is None or other.account is None:
        raise Unwanted("already_chosen")
    return DidYouMeet(
        invitation=invitation.id,
        name=other.name,
        to_confirm=to_invitee,
        introduced=invitation.story_id is not None,
    )


async def confirm(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that they met, and offer to tell it as a story. It ties them once both said so."""
    return await _record(work, turn, met=True)


async def deny(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that they did not meet (yet); it may still be confirmed later. The inviter may look further, unless that
    was offered before."""
    return await _record(work, turn, met=False)


async def _record(work: UnitOfWork, turn: Turn, *, met: bool) -> InPlace:
    """Record what one of the two says. What was said first about a meeting that was stands."""
    movement = turn.require_movement()
    invitation = await work.connecting.invitation(InvitationId(turn.text("invitation")), movement.id)
    if invitation is None or turn.person.id not in (invitation.inviter_id, invitation.invitee_id):
        raise Refused("invitation_gone")
    by_inviter = turn.person.id == invitation.inviter_id
    other = await work.people.get(invitation.invitee_id if by_inviter else invitation.inviter_id, movement.id)
    if by_inviter:
        await _record_of_inviter(work, turn, invitation, other, met=met)
        stands = invitation.state is InvitationState.MET
    else:
        if invitation.state is InvitationState.MET and not invitation.confirmed:
            invitation.confirmed = met
            if met:
                await note_tie(work, turn, invitation.inviter_id)
        stands = bool(invitation.confirmed)
    looks_further = by_inviter and not stands and not await _was_offered(work, invitation)
    return InPlace(
        entry=MeetingNoted(
            met=stands,
            name=other.name if other is not None else "",
            initiative=invitation.initiative_id or "",
            invitation=invitation.id if looks_further else "",
        )
    )


async def _was_offered(work: UnitOfWork, invitation: Invitation) -> bool:
    """Return whether the inviter was offered to look further before; for an introduction there is nobody else."""
    quiet = await work.deliveries.about("invitation_quiet", invitation.id, invitation.movement_id)
    return invitation.story_id is not None or any(one.may_have_arrived for one in quiet)


async def _record_of_inviter(
    work: UnitOfWork, turn: Turn, invitation: Invitation, invitee: Person | None, *, met: bool
) -> None:
    """Record what the inviter says, and ask the invitee whether it is so."""
    if invitation.state not in (InvitationState.ACCEPTED, InvitationState.NOT_MET):
        return
    invitation.state = InvitationState.MET if met else InvitationState.NOT_MET
    if met and invitee is not None and invitee.account is not None:
        await work.deliveries.add(
            to_person(
                invitee,
                "did_you_meet",
                key=f"did_you_meet:{invitation.id}:invitee",
                now=turn.now,
                movement=invitation.movement_id,
                subject=invitation.id,
                priority=Priority.NEWS,
                expires_at=turn.now + MONTH,
            )
        )


async def _load_invitation(work: UnitOfWork, outgoing: Outgoing) -> Invitation:
    invitation = await work.connecting.invitation(
        InvitationId(outgoing.delivery.subject), outgoing.require_movement().id
    )
    if invitation is None:
        raise Unwanted("taken_back")
    return invitation
