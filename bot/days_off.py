"""Load the days off of a place; below the use cases, which ask it."""

from bot.domain.calendar import Calendar, holidays_of
from bot.domain.movement import Movement, PlaceId
from bot.ports import UnitOfWork


async def load_calendar(work: UnitOfWork, movement: Movement, place: PlaceId) -> Calendar:
    """Return the days off that are kept in a place of a movement."""
    return holidays_of(movement, await work.movements.place(place))
