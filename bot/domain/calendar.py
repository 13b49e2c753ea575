"""Days off: the holidays of a country or region, those of them that a movement keeps, and the weekend there; and which
days are working days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from hashlib import blake2s
from unicodedata import name as name_sign

import holidays
from babel.core import get_global

from bot.domain.movement import Movement, Place
from bot.domain.person import Language
from bot.domain.stretches import Stretch, parse_stretches

SATURDAY_AND_SUNDAY = (5, 6)
MAX_ABBREVIATION = 3
LONGEST_REST = 400
"""Days in a row that are looked through for the next working day: nothing that people keep lasts longer."""
KEPT, WORKED = "+", "-"
"""Before the name of a holiday: a movement keeps it, or works on it, other than most people in its country."""
YEAR = timedelta(days=366)
YEARS_AROUND = 3
"""Years before and after one in which a holiday may be a day off where it is none that year."""
_NOT_FOR_ALL = {"workday", "school", "half_day"}
"""Categories of days that are not days off."""
_WORKED_BY_MOST: Mapping[str, frozenset[str]] = {"NL": frozenset({"Goede vrijdag"})}
"""Public holidays, by country and by the name they have there, on which most people work all the same: only a movement
that says so keeps them. `holidays` does not tell these apart."""


@dataclass(frozen=True)
class Holiday:
    """A holiday as `holidays` names it in the language of its country, and its first day of the coming year; `usual`:
    most people there keep it, `kept`: these do."""

    name: str
    day: date
    usual: bool
    kept: bool


@dataclass(frozen=True)
class Calendar:
    """The days off that are kept somewhere. Called with a day, it tells whether that is a holiday there.

    `country` is an ISO 3166 code, `region` a subdivision as `holidays` names it, `weekend` weekdays (0 = Monday).
    `changed` are the holidays on which they do otherwise than most people there, each after `KEPT` or `WORKED`.
    Hashable, so that what follows from equal ones is computed once.
    """

    country: str = ""
    weekend: tuple[int, ...] = SATURDAY_AND_SUNDAY
    closed: tuple[Stretch, ...] = ()
    """Days on which the movement is closed: as good as holidays."""
    region: str = ""
    changed: tuple[str, ...] = ()

    def __call__(self, day: date) -> bool:
        return self.is_closed(day) or bool(self._kept_on(day))

    def is_closed(self, day: date) -> bool:
        """Return whether the movement itself is closed on a day."""
        return any(one.covers(day) for one in self.closed)

    def _kept_on(self, day: date) -> tuple[str, ...]:
        return _kept_days(self.country, self.region, self.changed, day.year).get(day, ())

    def name_day(self, day: date, language: Language, *, foreign: bool = False) -> str:
        """Return the name of a holiday that is kept, in a language; without names in that language it is empty, or with
        `foreign` the name it has there, or in English where that is in other letters than ours."""
        words = (self._name(day, name, language, foreign=foreign) for name in self._kept_on(day))
        return " / ".join(dict.fromkeys(one for one in words if one))

    def _name(self, day: date, name: str, language: Language, *, foreign: bool) -> str:
        """Return the name of a holiday in a language; empty when it has none."""
        for region in (self.region, _find_elsewhere(self.country, day.year).get((day, name))):
            names = _names_in(self.country, region, day.year, language.value, foreign) if region is not None else {}
            if (day, name) in names:
                return names[day, name]
        return ""

    def next_days(self, today: date, count: int) -> list[date]:
        """Return the next holidays that are kept, within a year."""
        ahead = (today + timedelta(days=number) for number in range(YEAR.days))
        return [day for day in ahead if self._kept_on(day)][:count]

    def list_holidays(self, today: date) -> list[Holiday]:
        """List the holidays of the coming year that people here may keep, those that most people there keep first."""
        found: dict[str, Holiday] = {}
        for year in (today.year, today.year + 1):
            for day, names in sorted(_list_days(self.country, self.region, self.changed, year).items()):
                if not today <= day < today + YEAR:
                    continue
                for name, public in names:
                    if name not in found or (public and not found[name].usual):
                        found[name] = Holiday(name, day, usual=public, kept=self._keeps(name, public=public))
        return sorted(found.values(), key=lambda one: (not one.usual, one.day, one.name))

    def _keeps(self, name: str, *, public: bool) -> bool:
        return f"{KEPT}{name}" in self.changed or (public and f"{WORKED}{name}" not in self.changed)

    def choose_holidays(self, today: date, kept: Sequence[str]) -> tuple[str, ...]:
        """Return what is `changed` when of the holidays of the coming year these are kept. Of others it stays; and so
        does what agrees: a day that most people keep this year, they may not keep every year."""
        chosen = {one.name: KEPT if one.name in kept else WORKED for one in self.list_holidays(today)}
        stays = {one for one in self.changed if chosen.get(one[1:], one[0]) == one[0]}
        differs = {
            f"{chosen[one.name]}{one.name}" for one in self.list_holidays(today) if (one.name in kept) is not one.usual
        }
        return tuple(sorted(stays | differs))

    def name_holidays(self, listed: Sequence[Holiday], language: Language) -> dict[str, str]:
        """Return the names of holidays in a language, or else as they are called there (in English where that is in
        other letters than ours), by the name they have there."""
        return {one.name: self._name(one.day, one.name, language, foreign=True) or one.name for one in listed}

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


def hash_holiday(name: str) -> str:
    """Return a short name for a holiday, for choices and buttons: it fits on every platform."""
    return blake2s(name.encode(), digest_size=4).hexdigest()


def encode_changes(changed: Sequence[str]) -> str:
    """Return what is `changed` of a calendar as a button sends it."""
    return " ".join(f"{one[0]}{hash_holiday(one[1:])}" for one in changed)


def decode_changes(text: str, country: str, today: date, before: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what is `changed` as a button sent it; what is neither among the holidays of any region of a country in
    the coming year, nor was changed `before`, is left out. Not every holiday is listed in every year."""
    known = {name for year in (today.year, today.year + 1) for _, name in _find_elsewhere(country, year)}
    names = {hash_holiday(one): one for one in (*known, *(one[1:] for one in before))}
    return tuple(sorted(f"{one[0]}{names[one[1:]]}" for one in text.split() if one[0] in "+-" and one[1:] in names))


@cache
def _load(country: str, region: str, category: str, year: int, language: str) -> Mapping[date, tuple[str, ...]]:
    """Load the days of one category, with their names, without "observed" and the like. Without a language it is that
    of the country: never that of this process, which the library would take."""
    if not country:
        return {}
    known = _country(country)
    if known is None or category not in known.supported_categories:
        return {}
    subdivision = region if region in known.subdivisions else None
    found = holidays.country_holidays(
        country, subdiv=subdivision, years=year, categories=category, language=language or known.default_language
    )
    labels = [str(getattr(found, one, "%s")).partition("%s") for one in _LABELS]
    if language and language != known.default_language:
        labels = [str(found.tr(before + "%s" + after)).partition("%s") for before, _, after in labels]
    return {
        day: tuple(dict.fromkeys(_strip_label(one, labels) for one in names.split("; ")))
        for day, names in found.items()
    }


_LABELS = ("observed_estimated_label", "observed_label", "estimated_label")


def _strip_label(name: str, labels: Sequence[tuple[str, str, str]]) -> str:
    for before, _, after in labels:
        if (before or after) and name.startswith(before) and name.endswith(after):
            return name[len(before) : len(name) - len(after)]
    return name


def keeps_holidays(country: str) -> bool:
    """Return whether the holidays of a country are known."""
    return _country(country) is not None


@cache
def _country(country: str) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        # The library does not know the country. Asking it first for the list of those it knows would import them all.
        return None


@cache
def _find_days(country: str, region: str, year: int) -> Mapping[date, tuple[tuple[str, bool], ...]]:
    """Return all days that people in a country or region may keep, each with its names, and whether most people do."""
    known = _country(country) if country else None
    found: dict[date, dict[str, bool]] = {}
    categories = set(known.supported_categories) - _NOT_FOR_ALL if known is not None else set[str]()
    for category in sorted(categories, key=lambda one: (one != "public", one)):
        for day, names in _load(country, region, category, year, "").items():
            for name in names:
                usual = category == "public" and name not in _WORKED_BY_MOST.get(country, ())
                found.setdefault(day, {}).setdefault(name, usual)
    return {day: tuple(names.items()) for day, names in found.items()}


@cache
def _find_elsewhere(country: str, year: int) -> Mapping[tuple[date, str], str]:
    """Return all days of a country, each with its name, and a region that has it; the empty one has what all have."""
    known = _country(country) if country else None
    regions = ("", *known.subdivisions) if known is not None else ()
    found: dict[tuple[date, str], str] = {}
    for region in regions:
        for day, names in _find_days(country, region, year).items():
            for name, _ in names:
                found.setdefault((day, name), region)
    return found


@cache
def _list_days(
    country: str, region: str, changed: tuple[str, ...], year: int
) -> Mapping[date, tuple[tuple[str, bool], ...]]:
    """Return what `_find_days` does, and the days that are kept although this region does not know them, and another
    does. One that this region knows in other years is not among them: this year it is no day off here."""
    own = _find_days(country, region, year)
    chosen = {one[1:] for one in changed if one.startswith(KEPT)} - {name for day in own.values() for name, _ in day}
    if not chosen:
        return own
    around = range(year - YEARS_AROUND, year + YEARS_AROUND + 1)
    chosen -= {name for one in around for day in _find_days(country, region, one).values() for name, _ in day}
    found = dict(own)
    for day, name in _find_elsewhere(country, year) if chosen else ():
        if name in chosen:
            found[day] = (*found.get(day, ()), (name, False))
    return found


@cache
def _kept_days(country: str, region: str, changed: tuple[str, ...], year: int) -> Mapping[date, tuple[str, ...]]:
    """Return the holidays that are kept in a year, with their names there."""
    keeper = Calendar(country=country, region=region, changed=changed)
    found = {
        day: tuple(name for name, public in names if keeper._keeps(name, public=public))
        for day, names in _list_days(country, region, changed, year).items()
    }
    return {day: names for day, names in found.items() if names}


@cache
def _names_in(country: str, region: str, year: int, language: str, foreign: bool) -> Mapping[tuple[date, str], str]:
    """Return the names of holidays in a language, by day and by the name they have there."""
    known = _country(country) if country else None
    if known is None:
        return {}
    own = known.default_language or "en"
    spoken = [own, *known.supported_languages]
    code = next((one for one in spoken if one.split("_")[0] == language), "")
    if not code and foreign:
        readable = _is_latin(name for names in _load(country, region, "public", year, "").values() for name in names)
        code = own if readable else next((one for one in spoken if one.split("_")[0] == "en"), own)
    if not code:
        return {}
    translated: dict[tuple[date, str], str] = {}
    speaker = holidays.country_holidays(country, language=code) if code != own else None
    for category in known.supported_categories:
        there = _load(country, region, category, year, "")
        here = _load(country, region, category, year, "" if speaker is None else code)
        for day, names in there.items():
            words = here.get(day, ())
            # Several names of a day are in the order of the alphabet, which is another one in each language.
            if len(names) != 1 or len(words) != 1:
                words = tuple(str(speaker.tr(name)) if speaker is not None else name for name in names)
            translated |= {(day, name): word for name, word in zip(names, words, strict=True)}
    return translated


def _is_latin(names: Iterable[str]) -> bool:
    return all(name_sign(sign, "").startswith("LATIN") for name in names for sign in name if sign.isalpha())


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


@lru_cache(maxsize=256)
def list_regions(country: str, today: date) -> tuple[tuple[str, str], ...]:
    """List the regions of a country that have other holidays than all of it in the coming year, each with its name."""
    known = _country(country) if country else None
    if known is None:
        return ()
    everywhere = [_find_days(country, "", year) for year in (today.year, today.year + 1)]
    named: dict[str, str] = {}
    for name, code in known.subdivisions_aliases.items():
        # Of several names of a region the first that is no abbreviation.
        if len(named.get(code, "")) <= MAX_ABBREVIATION:
            named[code] = name
    found = [
        (code, named.get(code, code))
        for code in known.subdivisions
        if [_find_days(country, code, year) for year in (today.year, today.year + 1)] != everywhere
    ]
    return tuple(sorted(found, key=lambda one: one[1]))


def weekend_of(movement: Movement | None, timezone: str, place: Place | None = None) -> tuple[int, ...]:
    """Return the weekdays on which people of a movement, or in a place of it, do not work; without a movement, people
    in a time zone."""
    if movement is None:
        return find_weekend(find_country(timezone))
    owner = place if place is not None and place.country else movement
    return parse_weekend(owner.weekend) or find_weekend(owner.country)


@lru_cache(maxsize=64)
def parse_weekend(text: str) -> tuple[int, ...]:
    """Return the weekdays that are stored in a text, a digit each."""
    return tuple(int(one) for one in text)


def holidays_of(movement: Movement, place: Place | None = None) -> Calendar:
    """Return the days off that a movement keeps, or one of its places, which may be in another country."""
    owner = place if place is not None and place.country else movement
    return Calendar(
        country=owner.country,
        region=owner.region,
        weekend=weekend_of(movement, movement.timezone, place),
        changed=tuple(owner.holidays),
        closed=parse_stretches(movement.closed),
    )
