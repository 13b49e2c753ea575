"""Ask who carries an initiative which way it wants to go, at a moment that opened."""

from bot.catalogue.base import Entry
from bot.catalogue.steering import SteeringAsked
from bot.domain.initiative import InitiativeId
from bot.domain.steering import Occasion
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork


async def compose_steering(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question. Raises `Unwanted` when the initiative was closed, or the reader does not carry it any
    more."""
    movement, person = outgoing.require_movement(), outgoing.person
    initiative = await work.initiatives.get(InitiativeId(outgoing.delivery.subject), movement.id)
    part = (
        await work.initiatives.participant(initiative.id, person.id)
        if initiative is not None and person is not None
        else None
    )
    if initiative is None or initiative.closed_at is not None or part is None or not part.initiator or part.left_at:
        raise Unwanted("gone")
    return SteeringAsked(
        initiative=initiative.name,
        initiative_id=initiative.id,
        occasion=Occasion(str(outgoing.delivery.args.get("occasion"))),
        variant=outgoing.next_number(),
    )
