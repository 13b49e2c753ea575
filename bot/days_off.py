"""Load the days off of a place, and find the next moments of rhythms again when they changed; below the use cases,
which ask it."""

from datetime import datetime

from bot.domain import quiet_hours
from bot.domain.calendar import Calendar, holidays_of
from bot.domain.movement import Movement, PlaceId
from bot.domain.rhythm import MOMENTS_SHOWN, Rhythm, expect_moments, update_next_at
from bot.ports import UnitOfWork


async def load_calendar(work: UnitOfWork, movement: Movement, place: PlaceId) -> Calendar:
    """Return the days off that are kept in a place of a movement."""
    return holidays_of(movement, await work.movements.place(place))


async def find_next_moments(work: UnitOfWork, movement: Movement, now: datetime) -> None:
    """Find the next moments of all rhythms of a movement again. What is due by now is left to the planner."""
    for rhythm in await work.rhythms.of_movement(movement.id):
        if rhythm.next_at is None or rhythm.next_at > now:
            changes = await work.rhythms.changes(rhythm, now)
            update_next_at(rhythm, changes, await load_calendar(work, movement, rhythm.place_id), after=now)


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
