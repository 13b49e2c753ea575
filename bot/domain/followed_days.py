"""The days off of people who work abroad: those of the place where they work, until they choose others."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.calendar import Calendar, find_weekend, holidays_of, parse_weekend, weekend_of
from bot.domain.movement import Movement, Place
from bot.domain.person import Person
from bot.domain.stretches import parse_stretches

DAYS = "days"
"""Among what somebody chose: whose days off they keep."""


def works_in(person: Person, place: Place, now: datetime) -> bool:
    """Return whether somebody who acts in a place may be taken to work there: not where clocks there show another time
    than theirs. Who chose whose days off they keep is taken for nothing else."""
    if DAYS in person.chose:
        return False
    zones = (person.timezone or place.timezone, place.timezone)
    here, there = (now.astimezone(ZoneInfo(one)).utcoffset() for one in zones)
    return here == there


def follow_days(person: Person, place: Place | None) -> None:
    """Let a person keep the days off of a place that has its own; else those of whichever movement a message is
    from."""
    where: str = ""
    kept: dict[str, object] = {}
    if place is not None and place.country:
        where = place.id
        kept = {
            "country": place.country,
            "region": place.region,
            "weekend": place.weekend,
            "holidays": list(place.holidays),
        }
    if (person.days_place, person.days_off) != (where, kept):
        person.days_place, person.days_off = where, kept


def days_off_of(person: Person, movement: Movement) -> Calendar:
    """Return the days off of a person, for what comes from a movement: on days on which that is closed nothing does."""
    if not person.days_off:
        return holidays_of(movement)
    holidays = person.days_off["holidays"]
    return Calendar(
        country=str(person.days_off["country"]),
        region=str(person.days_off["region"]),
        weekend=weekend_of_person(person, movement, movement.timezone),
        changed=tuple(map(str, holidays)) if isinstance(holidays, list) else (),
        closed=parse_stretches(movement.closed),
    )


def weekend_of_person(person: Person, movement: Movement | None, timezone: str) -> tuple[int, ...]:
    """Return the weekdays on which a person does not work."""
    if not person.days_off:
        return weekend_of(movement, timezone)
    return parse_weekend(str(person.days_off["weekend"])) or find_weekend(str(person.days_off["country"]))
