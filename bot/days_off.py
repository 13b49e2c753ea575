"""Load the days off of a place, and let people follow those of where they work; below the use cases, which ask it."""

from datetime import datetime

from bot.domain.calendar import Calendar, find_country, holidays_of
from bot.domain.followed_days import DAYS, follow_days, works_in
from bot.domain.movement import Movement, Place, PlaceId
from bot.domain.person import Person
from bot.ports import UnitOfWork


async def load_calendar(work: UnitOfWork, movement: Movement, place: PlaceId) -> Calendar:
    """Return the days off that are kept in a place of a movement."""
    return holidays_of(movement, await work.movements.place(place))


def follow_place(person: Person, place: Place, now: datetime) -> None:
    """Let somebody who acts in a place of a movement keep the days off there, if they may be taken to work there."""
    if works_in(person, place, now):
        follow_days(person, place)


async def follow_country(work: UnitOfWork, person: Person, movement: Movement) -> None:
    """Let somebody whose time zone is of another country than the movement keep the days off of a place that it has in
    that country, until they act in a place."""
    country = find_country(person.timezone or "")
    if DAYS in person.chose or person.days_off or country in ("", movement.country):
        return
    for place in await work.movements.places_abroad(movement.id):
        if place.country == country:
            follow_days(person, place)
            return


async def update_followers(work: UnitOfWork, place: Place) -> None:
    """Let those who keep the days off of a place keep what these are now; of one that left its movement none."""
    for person in await work.people.keeping_days_of(place.id, place.workspace_id):
        follow_days(person, place if place.movement_id is not None else None)
