"""Days off: public holidays of a country and the weekend there; and which days are working days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays
from babel.core import get_global
from dateutil.easter import easter

from bot.domain.movement import Movement
from bot.domain.person import Language
from bot.domain.stretches import Stretch, parse_stretches

SATURDAY_AND_SUNDAY = (5, 6)
LONGEST_REST = 400
"""Days in a row that are looked through for the next working day: nothing that people keep lasts longer."""


@dataclass(frozen=True)
class Calendar:
    """The days off that are kept somewhere. Called with a day, it tells whether that is a holiday there.

    `country` is an ISO 3166 code, `weekend` weekdays (0 = Monday). In the Netherlands Good Friday counts only with
    `good_friday`: most people work on it. Hashable, so that what follows from equal ones is computed once.
    """

    country: str = ""
    weekend: tuple[int, ...] = SATURDAY_AND_SUNDAY
    good_friday: bool = False
    closed: tuple[Stretch, ...] = ()
    """Days on which the movement is closed: as good as holidays."""

    def __call__(self, day: date) -> bool:
        return self.is_closed(day) or self._is_public(day)

    def is_closed(self, day: date) -> bool:
        """Return whether the movement itself is closed on a day."""
        return any(one.covers(day) for one in self.closed)

    def _is_public(self, day: date) -> bool:
        if self.country and good_friday_is_chosen(self.country) and not self.good_friday and _is_good_friday(day):
            return False
        return day in _public_holidays(self.country, day.year)

    def is_weekend(self, day: date) -> bool:
        """Return whether a day is one of the weekend."""
        return day.weekday() in self.weekend

    def is_working(self, day: date) -> bool:
        """Return whether people work on a day: not in the weekend, and not on a holiday."""
        return not self.is_weekend(day) and not self(day)

    def borders_holiday(self, day: date, direction: int) -> bool:
        """Return whether a day is the last working day before a holiday (`direction` 1), or the first after one (-1). A
        holiday in a weekend frees nobody, and counts for neither."""
        if not self.is_working(day):
            return False
        freed = False
        for number in range(1, LONGEST_REST):
            near = day + timedelta(days=direction * number)
            if self.is_working(near):
                break
            freed = freed or not self.is_weekend(near)
        return freed


def _is_good_friday(day: date) -> bool:
    return day == easter(day.year) - timedelta(days=2)


@cache
def _public_holidays(country: str, year: int) -> frozenset[date]:
    if not country:
        return frozenset()
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        # The library does not know the country. Asking it first for the list of those it knows would import them all.
        return frozenset()


@cache
def find_weekend(country: str) -> tuple[int, ...]:
    """Return the weekdays on which people in a country do not work."""
    try:
        return tuple(sorted(holidays.country_holidays(country).weekend))
    except NotImplementedError:
        return SATURDAY_AND_SUNDAY


@cache
def find_country(timezone: str) -> str:
    """Return the ISO 3166 code of the country of a time zone (IANA name); empty for one of none, such as UTC."""
    canonical = get_global("zone_aliases").get(timezone, timezone)
    country = get_global("zone_territories").get(canonical, "")
    # ZZ is of no country, and numbers are parts of the world.
    return country if country.isalpha() and country != "ZZ" else ""


def weekend_of(movement: Movement | None, timezone: str) -> tuple[int, ...]:
    """Return the weekdays on which people of a movement do not work; without one, people in a time zone."""
    return find_weekend(movement.country if movement is not None else find_country(timezone))


def holidays_of(movement: Movement) -> Calendar:
    """Return the days off that a movement keeps."""
    return Calendar(
        country=movement.country,
        weekend=weekend_of(movement, movement.timezone),
        good_friday=movement.good_friday,
        closed=parse_stretches(movement.closed),
    )


def good_friday_is_chosen(country: str) -> bool:
    """Return whether people in a country choose for themselves if Good Friday is a day off."""
    return country == "NL"


def name_holiday(country: str, day: date, language: Language) -> str:
    """Return the name of a public holiday; empty when there are no names for that country in that language."""
    return _holiday_names(country, day.year, language).get(day, "")


@cache
def _holiday_names(country: str, year: int, language: Language) -> Mapping[date, str]:
    try:
        known = holidays.country_holidays(country).supported_languages
        code = next((one for one in known if one.split("_")[0] == language.value), "")
        found = holidays.country_holidays(country, years=year, language=code) if code else {}
    except NotImplementedError:
        return {}
    return {day: " / ".join(name.split("; ")) for day, name in found.items()}
