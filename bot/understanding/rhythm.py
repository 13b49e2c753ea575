"""Read the rhythm that a sentence asks for: what comes, on which days, how often, at what time and where.

`prompts/<language>/rhythms/sentences.txt` says what the words mean, a line each: `phrase | phrase = what it means`.

- meanings: `kind:…`, `every:…` (a choice of the form; `m3` is every three months), `nth:…`, `days:…`, `date:…` (of the
  month), `cycle:…` (days), `at:…`, `part:…` (of the day), `starts:…`, `until:…` and `on:…` (`5-31`, `2027-5-31`, `+1`
  day on, `w6` weeks on, `week` for the next, or a weekday), `times:…`, `holiday:…`, `asks:…` (a question) and
  `unclear:…` (what no rhythm can do); a line without a meaning says nothing; `number:9` names the words for a number,
  `month:5` those for a month;
- slots: `<hour>` is 9, 9:30 or 9.30, or a word for a number; `<clock>` only such an hour with minutes; `<number>` a
  number or a word for one; `<date>` a day of the month, as 15 or 15th; `<month>` a word for a month, `<year>` a year;
  `<day>` any word for days. A digit makes it another slot: `<hour2>`. What stands there fills the same slot of the
  meaning: `half <hour> = at:<hour>-30`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import product

from bot.chat import Value
from bot.domain.person import Language
from bot.domain.recurrence import MAX_DAYS_BETWEEN, MAX_WEEKS_BETWEEN, WEEKDAYS, WORKING_DAY
from bot.understanding.phrasebook import PHRASES_ROOT
from bot.understanding.text import fold

_WORD = re.compile(r"<#(?P<channel>[^|>]+)(?:\|[^>]*)?>|(?P<word>\S+)")
_HOUR = re.compile(r"([01]?\d|2[0-4])(?:[:.]([0-5]\d))?")
_DATE = re.compile(r"(\d{1,2})[a-z]{0,3}")
_YEAR = re.compile(r"20\d\d")
_DAYS_IN_MONTH = 31
_MONTHS = {"m2": "two_monthly", "m3": "quarterly", "m6": "half_yearly", "m12": "yearly"}
_ALL_MONTHS = {"monthly", *_MONTHS}
_SEVERAL = ("days", "nth", "date")
"""Meanings that are added to each other: Monday and Thursday, the first and the third."""
_GLUED = re.compile(r"(\d)(am|pm|uur|u|h)$", re.IGNORECASE)
_DUTCH_CLOCK = re.compile(r"(\d)[uh](\d\d)$", re.IGNORECASE)
EARLIEST_HOUR = 7
"""An hour before this, without a word for the part of the day, is one in the afternoon: nobody works by these at
night."""
NOON = 12
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


@dataclass(frozen=True)
class _Word:
    """A word as it was typed, and as it is compared."""

    typed: str
    word: str
    channel: str = ""


@dataclass
class _Found:
    """The meanings found so far: one of each name, and those of which there may be more. `hours` are pairs of an hour
    and the part of the day that was said with it."""

    values: dict[str, str] = field(default_factory=dict)
    several: dict[str, set[str]] = field(default_factory=dict)
    hours: list[tuple[str, str]] = field(default_factory=list)
    part: str = ""
    missed: list[_Word] = field(default_factory=list)

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


_Phrase = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class _Table:
    """The phrases of a language, longest first, each with its meanings, by the word they begin with ("" for a slot);
    the words for numbers, for days and for months."""

    phrases: Mapping[str, Sequence[tuple[int, _Phrase]]]
    numbers: Mapping[str, int]
    days: Mapping[str, str]
    months: Mapping[str, int]


def read_rhythm(text: str, language: Language, places: Mapping[str, str], today: date) -> HeardRhythm:
    """Read a sentence in this language, or in another when more of it is understood in that. `places`: ids of places by
    the names and channels that people may write; `today`: the day on which it is said."""
    others = [one for one in Language if one is not language]
    readings = [_read(text, _table(one), _fold_names(places), today) for one in (language, *others)]
    return min(readings, key=lambda one: len(one.missed.split()))


def _fold_names(places: Mapping[str, str]) -> Mapping[tuple[str, ...], str]:
    return {tuple(_compare(word) for word in name.split()): place for name, place in places.items() if name.strip()}


def _compare(word: str) -> str:
    """Return a word as it is compared: folded, but with what an hour needs, and without marks around it."""
    bare = word.casefold().strip(".,;!?\"'’‘“”()#")
    return bare if _HOUR.fullmatch(bare) else fold(bare)


def _split(text: str) -> list[_Word]:
    words: list[_Word] = []
    for found in _WORD.finditer(text):
        if found["channel"]:
            words.append(_Word(found.group(), fold(found["channel"]), found["channel"]))
            continue
        bare = _DUTCH_CLOCK.sub(r"\1:\2", found["word"].strip(".,;!?"))
        words += [_Word(typed, _compare(typed)) for typed in _GLUED.sub(r"\1 \2", bare).split()]
    return [one for one in words if one.word or one.channel]


def _read(text: str, table: _Table, places: Mapping[tuple[str, ...], str], today: date) -> HeardRhythm:
    words, found, at = _split(text), _Found(), 0
    while at < len(words):
        length = _take_place(words[at:], places, found) or _take_phrase(words[at:], table, found)
        if not length or found.values.pop("unclear", ""):
            found.missed += words[at : at + (length or 1)]
        at += length or 1
    asks = "asks" in found.values or text.rstrip().endswith("?")
    return HeardRhythm(_to_values(found, today), " ".join(one.typed for one in found.missed), asks)


def _take_place(words: Sequence[_Word], places: Mapping[tuple[str, ...], str], found: _Found) -> int:
    """Take a place off the front: a channel that is mentioned, or the name of one. Returns how many words it was."""
    for length in range(min(4, len(words)), 0, -1):
        place = places.get(tuple(one.word for one in words[:length]))
        if place and found.take([("place", place)]):
            return length
    return 0


def _take_phrase(words: Sequence[_Word], table: _Table, found: _Found) -> int:
    """Take the longest phrase off the front that says nothing against what was found. Returns how many words it was."""
    begun = [*table.phrases.get(words[0].word, ()), *table.phrases.get("", ())]
    for _, (phrase, meanings) in sorted(begun):
        if len(phrase) > len(words):
            continue
        slots = [_fill(wanted, one.word, table) for wanted, one in zip(phrase, words, strict=False)]
        if any(one is None for one in slots):
            continue
        values = dict(zip(phrase, slots, strict=True))
        filled = [(name, _resolve(value, values)) for name, value in meanings]
        if all(_is_possible(name, value) for name, value in filled) and found.take(filled):
            return len(phrase)
    return 0


def _fill(wanted: str, word: str, table: _Table) -> str | None:
    """Return what a word of the sentence says at a place of a phrase; None when it does not fit there."""
    if not wanted.startswith("<"):
        return word if word == wanted else None
    match wanted.strip("<>0123456789"):
        case "hour" | "clock" as slot:
            return _fill_hour(word, table, words_too=slot == "hour")
        case "number":
            return word if word.isdecimal() else str(table.numbers[word]) if word in table.numbers else None
        case "date":
            found = _DATE.fullmatch(word)
            return found[1] if found and 0 < int(found[1]) <= _DAYS_IN_MONTH else None
        case "year":
            return word if _YEAR.fullmatch(word) else None
        case "month":
            return str(table.months[word]) if word in table.months else None
        case _:
            return table.days.get(word)


def _fill_hour(word: str, table: _Table, *, words_too: bool) -> str | None:
    hour = _HOUR.fullmatch(word)
    if hour and (hour[2] or words_too):
        return f"{int(hour[1])}:{hour[2] or '00'}"
    return f"{table.numbers[word]}:00" if word in table.numbers and words_too else None


def _resolve(value: str, slots: Mapping[str, str | None]) -> str:
    """Fill the slots of a meaning; `9:00-30` becomes 8:30."""
    for slot, said in slots.items():
        if slot.startswith("<"):
            value = value.replace(slot, said or "")
    shifted = re.fullmatch(r"(\d+):(\d\d)([+-]\d+)", value)
    if not shifted:
        return value
    minutes = int(shifted[1]) * 60 + int(shifted[2]) + int(shifted[3])
    return f"{minutes // 60 % 24}:{minutes % 60:02}"


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
        values["starts"] = (_find_day(day, today) or today).isoformat()
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
        day = _find_day(found.values.get(name, ""), today)
        if day is not None:
            values[name] = day.isoformat()
    on = _find_day(found.values.get("on", ""), today)
    if on is None:
        return values
    if found.values.get("every") in _ALL_MONTHS and not found.several:
        return {**values, "dates": str(on.day), "starts": on.isoformat()}
    often = found.values.keys() & {"every", "cycle"} or found.several
    return {**values, "starts": on.isoformat(), **({} if often else {"every": "once"})}


def _find_day(said: str, today: date) -> date | None:
    """Return the day that is meant: "5-31" is the next 31 May, "+7" in a week, "MO" the next Monday."""
    if said.startswith("+"):
        return today + timedelta(days=int(said))
    if said in WEEKDAYS:
        return today + timedelta(days=(WEEKDAYS.index(said) - today.weekday() - 1) % 7 + 1)
    if said == "week":
        return today + timedelta(days=7 - today.weekday())
    if said.startswith("w") and said[1:].isdecimal():
        return today + timedelta(weeks=int(said[1:]))
    numbers = [int(one) for one in said.split("-") if one.isdecimal()]
    years = (numbers[0],) if len(numbers) > 2 else (today.year, today.year + 1)
    found = [_to_day(year, *numbers[-2:]) for year in years if len(numbers) > 1]
    return next((day for day in found if day is not None and (day >= today or len(numbers) > 2)), None)


def _to_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


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


@cache
def _table(language: Language) -> _Table:
    """Read the phrases of a language, once."""
    phrases: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
    numbers: dict[str, int] = {}
    days: dict[str, str] = {}
    months: dict[str, int] = {}
    file = PHRASES_ROOT / language.value / "rhythms" / "sentences.txt"
    for line in file.read_text(encoding="utf-8").splitlines():
        said, _, meant = line.partition("=")
        if not said.strip() or line.lstrip().startswith("#"):
            continue
        meanings = [tuple(one.split(":", 1)) for one in meant.split()]
        for phrase in (words for one in said.split("|") for words in _expand(one)):
            if meanings and meanings[0][0] == "number":
                numbers[phrase[0]] = int(meanings[0][1])
                continue
            if meanings and meanings[0][0] == "month":
                months[phrase[0]] = int(meanings[0][1])
                continue
            if len(phrase) == 1 and len(meanings) == 1 and meanings[0][0] == "days":
                days[phrase[0]] = meanings[0][1]
            phrases[phrase] = tuple((name, value) for name, value in meanings)
    longest = sorted(phrases.items(), key=lambda one: (-len(one[0]), any(word.startswith("<") for word in one[0])))
    begun: dict[str, list[tuple[int, _Phrase]]] = {}
    for rank, one in enumerate(longest):
        begun.setdefault("" if one[0][0].startswith("<") else one[0][0], []).append((rank, one))
    return _Table(begun, numbers, days, months)


def _expand(phrase: str) -> list[tuple[str, ...]]:
    """Return the phrases of which `elke/iedere week (op)` is short for."""
    choices: list[list[str]] = []
    for optional, word in re.findall(r"\(([^)]*)\)|(\S+)", phrase):
        choices.append([*optional.split("/"), ""] if optional else word.split("/"))
    return [
        tuple(word if word.startswith("<") else _compare(word) for one in chosen for word in one.split())
        for chosen in product(*choices)
        if any(chosen)
    ]
