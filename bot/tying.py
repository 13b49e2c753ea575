"""Note that two people answered or met each other: the one place where who knows whom is written."""

from bot.domain.movement import Movement
from bot.domain.person import PersonId
from bot.ports import Turn, UnitOfWork


async def note_tie(work: UnitOfWork, turn: Turn, other: PersonId, movement: Movement | None = None) -> None:
    """Strengthen the tie between the actor and another in a movement, else the one this happens in; nothing where the
    works council has to agree first, or in no movement."""
    movement = movement or turn.movement
    if movement is not None and movement.may_name_people(turn.works_council):
        await work.connecting.strengthen(movement.id, turn.person.id, other, turn.now)
