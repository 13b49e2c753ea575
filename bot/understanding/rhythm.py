"""Read the rhythm that a sentence asks for: what comes, on which days, how often, at what time and where.

`prompts/<language>/rhythms/sentences.txt` says what the words mean (see `sayings`): `kind:…`, `every:…` (a choice of
the form; `m3` is every three months), `nth:…`, `days:…`, `date:…` (of the month), `cycle:…` (days), `at:…`, `part:…`
(of the day), `starts:…`, `until:…` and `on:…` (see `find_day`), `times:…`, `holiday:…`, `asks:…` (a question) and
`unclear:…` (what no rhythm can do).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.chat import Value
from bot.domain.person import Language
from bot.domain.recurrence import MAX_DAYS_BETWEEN, MAX_WEEKS_BETWEEN, WEEKDAYS, WORKING_DAY
from bot.understanding.sayings import SaidWord, Sayings, find_day, fold_word, read_sayings, split_said_words

_MONTHS = {"m2": "two_monthly", "m3": "quarterly", "m6": "half_yearly", "m12": "yearly"}
_ALL_MONTHS = {"monthly", *_MONTHS}
_SEVERAL = ("days", "nth", "date")
"""Meanings that are added to each other: Monday and Thursday, the first and the third."""
EARLIEST_HOUR = 7
"""An hour before this, without a word for the part of the day, is one in the afternoon: nobody works by these at
night."""
NOON = 12
LONGEST_PLACE = 4
"""Words of the name of a place at most."""
USUAL_HOURS = {"morning": 9, "afternoon": 14, "evening": 19, "night": 23}
"""The hour of a part of the day that is named alone."""


@dataclass(frozen=True)
class HeardRhythm:
    """The values of a rhythm's form that a sentence gives, and its words that were not understood. `asks`: it is a
    question, such as when the next one comes."""

    values: Mapping[str, Value]
    missed: str = ""
    asks: bool = False

    @property
    def is_wanted(self) -> bool:
        """True when somebody wants a rhythm: it says on which days or how often, maybe in words that are not
        understood."""
        often = self.values.keys() & {"weekdays", "every", "dates", "cycle", "starts"}
        return not self.asks and bool(often or (self.values and self.missed))


@dataclass
class _Found:
    """The meanings found so far: one of each name, and those of which there may be more. `hours` are pairs of an hour
    and the part of the day that was said with it."""

    values: dict[str, str] = field(default_factory=dict)
    several: dict[str, set[str]] = field(default_factory=dict)
    hours: list[tuple[str, str]] = field(default_factory=list)
    part: str = ""
    missed: list[SaidWord] = field(default_factory=list)

    def take(self, meanings: Sequence[tuple[str, str]]) -> bool:
        """Add meanings; False when one contradicts what was found before."""
        if any(self._contradicts(name, value) for name, value in meanings):
            return False
        for name, value in sorted(meanings, key=lambda one: one[0] == "part"):
            if name in _SEVERAL:
                self.several.setdefault(name, set()).update(value.split(","))
            elif name == "at":
                self.hours.append((value, self.part))
                self.part = ""
            elif name == "part":
                self._take_part(value)
            elif name == "every" and value == "monthly" and self.values.get("every") in _MONTHS:
                pass  # "every quarter on the first Monday of the month"
            else:
                self.values[name] = value
        return True

    def _contradicts(self, name: str, value: str) -> bool:
        before = self.values.get(name, value)
        return before != value and not (
            name == "every" and "monthly" in (before, value) and {before, value} <= _ALL_MONTHS
        )

    def _take_part(self, part: str) -> None:
        """Let a part of the day say which hour is meant: the one before it, or else the one that comes."""
        if self.hours and not self.hours[-1][1]:
            self.hours[-1] = (self.hours[-1][0], part)
        else:
            self.part = part


def read_rhythm(text: str, language: Language, places: Mapping[str, str], today: date) -> HeardRhythm:
    """Read a sentence in this language, or in another when more of it is understood in that. `places`: ids of places by
    the names and channels that people may write; `today`: the day on which it is said."""
    others = [one for one in Language if one is not language]
    words, named = split_said_words(text), _fold_names(places)
    is_question = text.rstrip().endswith("?")
    readings = [_read(words, _sayings(one), named, today, is_question=is_question) for one in (language, *others)]
    return min(readings, key=lambda one: len(one.missed.split()))


def read_day(text: str, language: Language, today: date) -> date | None:
    """Return the one day that a sentence speaks of, such as a date or the next Tuesday; None where there is none, or
    more than one."""
    values = read_rhythm(text, language, {}, today).values
    if values.get("every") == "once" and "starts" in values:
        return date.fromisoformat(str(values["starts"]))
    days = values.get("weekdays", ())
    return find_day(days[0], today) if len(days) == 1 and not values.keys() & {"every", "nth", "dates"} else None


def _fold_names(places: Mapping[str, str]) -> Mapping[tuple[str, ...], str]:
    return {tuple(fold_word(word) for word in name.split()): place for name, place in places.items() if name.strip()}


def _read(
    words: Sequence[SaidWord],
    sayings: Sayings,
    places: Mapping[tuple[str, ...], str],
    today: date,
    *,
    is_question: bool,
) -> HeardRhythm:
    found, at = _Found(), 0
    while at < len(words):
        length = _take_place(words[at:], places, found) or _take_phrase(words[at:], sayings, found)
        if not length or found.values.pop("unclear", ""):
            found.missed += words[at : at + (length or 1)]
        at += length or 1
    asks = "asks" in found.values or is_question
    return HeardRhythm(_to_values(found, today), " ".join(one.typed for one in found.missed), asks)


def _take_place(words: Sequence[SaidWord], places: Mapping[tuple[str, ...], str], found: _Found) -> int:
    """Take a place off the front: a channel that is mentioned, or the name of one. Returns how many words it was."""
    said = tuple(one.word for one in words[:LONGEST_PLACE])
    for length in range(len(said), 0, -1):
        place = places.get(said[:length])
        if place and found.take([("place", place)]):
            return length
    return 0


def _take_phrase(words: Sequence[SaidWord], sayings: Sayings, found: _Found) -> int:
    """Take the longest phrase off the front that says nothing against what was found. Returns how many words it was."""
    for length, meanings in sayings.find(words):
        if all(_is_possible(name, value) for name, value in meanings) and found.take(meanings):
            return length
    return 0


def _is_possible(name: str, value: str) -> bool:
    """Return whether a rhythm can be so: every six weeks is not among what people can choose."""
    if name == "every":
        named = value in _MONTHS or value.isalpha() or "_" in value
        return named or (value.isdecimal() and 1 <= int(value) <= MAX_WEEKS_BETWEEN)
    if name == "cycle":
        return all(one.isdecimal() and 0 < int(one) <= MAX_DAYS_BETWEEN for one in value.split("-"))
    return name not in ("starts", "until", "on") or not value.isupper() or value in WEEKDAYS


def _to_values(found: _Found, today: date) -> dict[str, Value]:
    """Return the values of the form that were found."""
    values: dict[str, Value] = {
        name: found.values[name] for name in ("kind", "place", "every", "cycle", "times") if name in found.values
    }
    every = found.values.get("every", "")
    if every:
        values["every"] = _MONTHS.get(every, every)
    days, nth, dates = (found.several.get(name, set()) for name in ("days", "nth", "date"))
    if days:
        values["weekdays"] = tuple(day for day in (*WEEKDAYS, WORKING_DAY) if day in days)
    if nth:
        values["nth"] = tuple(sorted(nth, key=lambda one: (one == "last", one)))
    if dates:
        values["dates"] = ", ".join(sorted(dates, key=int))
    if nth or dates:
        values.setdefault("every", "monthly")
    values |= _to_times(found) | _to_dates(found, today)
    if values.get("every") == "once" and len(days) == 1 and days < set(WEEKDAYS):
        # "once, on Monday"
        (day,), _ = days, values.pop("weekdays")
        values["starts"] = (find_day(day, today) or today).isoformat()
    if "holiday" in found.values:
        values["on_holiday"] = found.values["holiday"]
    return values


def _to_times(found: _Found) -> dict[str, Value]:
    hours = [_clock(at, part) for at, part in found.hours] or ([_clock("", found.part)] if found.part else [])
    first, *others = sorted(set(hours)) or [""]
    return {name: value for name, value in (("at", first), ("also_at", ", ".join(others))) if value}


def _to_dates(found: _Found, today: date) -> dict[str, Value]:
    """Return the first and the last day. A day without how often is the only one."""
    values: dict[str, Value] = {}
    for name in ("starts", "until"):
        day = find_day(found.values.get(name, ""), today)
        if day is not None:
            values[name] = day.isoformat()
    on = find_day(found.values.get("on", ""), today)
    if on is None:
        return values
    if found.values.get("every") in _ALL_MONTHS and not found.several:
        return {**values, "dates": str(on.day), "starts": on.isoformat()}
    often = found.values.keys() & {"every", "cycle"} or found.several
    return {**values, "starts": on.isoformat(), **({} if often else {"every": "once"})}


def _clock(at: str, part: str) -> str:
    """Return the time that is meant, such as "14:30" by "half past two" or "two thirty in the afternoon"."""
    if not at:
        return f"{USUAL_HOURS[part]:02}:00"
    hour, minute = (int(one) for one in at.split(":"))
    if part == "night" and hour <= NOON:  # eleven at night, two at night, twelve at night
        late_hour = NOON if EARLIEST_HOUR <= hour < NOON else 0
        return f"{hour % NOON + late_hour:02}:{minute:02}"
    late = part in ("afternoon", "evening") or (not part and hour < EARLIEST_HOUR)
    return f"{(hour + NOON if late and hour < NOON else hour) % 24:02}:{minute:02}"


def _sayings(language: Language) -> Sayings:
    return read_sayings(language, "rhythms/sentences.txt")
