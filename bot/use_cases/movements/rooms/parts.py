"""Load requests for room with whom they are between, and plan what who asked hears of them."""

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.delivery import Priority, to_person
from bot.domain.initiative import Initiative
from bot.domain.person import Person
from bot.domain.room import Room, RoomId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

MANY_ENDORSEMENTS = 50
"""More than an initiative gets."""


async def load_request(work: UnitOfWork, turn: Turn) -> Room:
    """Load a request that was made of the actor, of whichever movement: who is asked need not be a member."""
    room = await work.initiatives.room_to(RoomId(turn.text("room")), turn.person.id)
    if room is None:
        raise Refused("not_found")
    return room


async def tell_asker(
    work: UnitOfWork, room: Room, asker: Person, kind: str, turn: Turn, due_in: timedelta = timedelta()
) -> None:
    """Plan a message about a request for who made it, once for each answer."""
    await work.deliveries.add(
        to_person(
            asker,
            kind,
            key=f"{kind}:{room.id}:{room.state.value}",
            now=turn.now,
            movement=room.movement_id,
            subject=room.id,
            priority=Priority.ASKED_FOR,
            due_at=turn.now + due_in,
            # Held while Ritme is quiet towards them, as long as there is something to say.
            expires_at=room.ends_at,
        )
    )


async def is_over(work: UnitOfWork, room: Room, asker: Person | None) -> bool:
    """Return whether nobody needs an answer any more: who asked is gone, or the initiative is finished."""
    if asker is None or asker.account is None or asker.deactivated_at is not None:
        return True
    about = await work.initiatives.get(room.initiative_id, room.movement_id) if room.initiative_id else None
    return about is not None and about.closed_at is not None


async def is_endorsed_by(work: UnitOfWork, room: Room) -> bool:
    """Return whether who was asked supports the initiative already, through another request."""
    if room.initiative_id is None:
        return False
    said = await work.initiatives.endorsements(room.initiative_id, room.movement_id, MANY_ENDORSEMENTS)
    return any(other.giver_id == room.giver_id for other, _ in said)


@dataclass(frozen=True)
class RoomParts:
    """A request for room with whom and what it is about."""

    room: Room
    asker: Person
    giver: Person
    initiative: Initiative | None


async def load_parts(work: UnitOfWork, outgoing: Outgoing) -> RoomParts:
    """Load the request of a message with its people and its initiative. Raises `Unwanted` when one of them is gone, or
    the initiative is finished."""
    movement = outgoing.require_movement()
    room = await work.initiatives.room(RoomId(outgoing.delivery.subject), movement.id)
    asker = await work.people.get(room.asker_id, movement.id) if room is not None else None
    # Who is asked need not be a member, but is of the workspace of who asks.
    giver = await work.people.in_workspace(room.giver_id, asker.workspace_id) if room and asker else None
    if room is None or asker is None or giver is None or asker.account is None or giver.account is None:
        raise Unwanted("gone")
    initiative = await work.initiatives.get(room.initiative_id, movement.id) if room.initiative_id else None
    if initiative is not None and initiative.closed_at is not None:
        raise Unwanted("gone")
    return RoomParts(room=room, asker=asker, giver=giver, initiative=initiative)
