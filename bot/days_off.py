"""Load the days off of a place, and let people follow those of where they work; below the use cases, which ask it."""

from collections.abc import Sequence
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
    if place.workspace_id == person.workspace_id and works_in(person, place, now):
        follow_days(person, place)


async def follow_country(work: UnitOfWork, person: Person, movement: Movement) -> None:
    """Let somebody whose time zone is new keep the days off of a place that the movement has in the country of that,
    until they act in a place; where it has none, or that is its own country, those of the movement."""
    if DAYS in person.chose:
        return
    country = find_country(person.timezone or "")
    abroad = await list_own_abroad(work, person, movement) if country not in ("", movement.country) else ()
    follow_days(person, next((one for one in abroad if one.country == country), None))


async def list_own_abroad(work: UnitOfWork, person: Person, movement: Movement) -> Sequence[Place]:
    """Return the places with days off of their own that somebody may follow: of their own workspace, whose coordinators
    say what these are."""
    return [one for one in await work.movements.places_abroad(movement.id) if one.workspace_id == person.workspace_id]


async def update_followers(work: UnitOfWork, place: Place) -> None:
    """Let those who keep the days off of a place keep what these are now; of one that left its movement none."""
    for person in await work.people.keeping_days_of(place.id, place.workspace_id):
        follow_days(person, place if place.movement_id is not None else None)
