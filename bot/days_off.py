"""Load the days off of a place, and find the rhythms that are silent there; below the use cases, which ask it."""

from datetime import datetime

from bot.domain import quiet_hours
from bot.domain.calendar import Calendar, holidays_of
from bot.domain.movement import Movement, PlaceId
from bot.domain.rhythm import MOMENTS_SHOWN, Rhythm, expect_moments
from bot.ports import UnitOfWork


async def load_calendar(work: UnitOfWork, movement: Movement, place: PlaceId) -> Calendar:
    """Return the days off that are kept in a place of a movement."""
    return holidays_of(movement, await work.movements.place(place))


async def find_silent_rhythms(work: UnitOfWork, movement: Movement, now: datetime) -> list[Rhythm]:
    """Return the rhythms of a movement with a moment, of the next few, in the quiet hours of their place."""
    silenced = []
    for rhythm in await work.rhythms.of_movement(movement.id):
        place = await work.movements.place(rhythm.place_id)
        if place is None:
            continue
        changes = await work.rhythms.changes(rhythm, now)
        quiet, calendar = quiet_hours.of_place(place, movement), holidays_of(movement, place)
        expected = expect_moments(rhythm.timing, changes, calendar, quiet, after=now, count=MOMENTS_SHOWN)
        if any(one.because == "quiet" for one in expected):
            silenced.append(rhythm)
    return silenced
