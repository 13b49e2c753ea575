"""Read the rhythm that a sentence asks for: what comes, on which days, how often, at what time and where.

`prompts/<language>/rhythms/sentences.txt` says what the words mean, a line each: `phrase | phrase = what it means`.

- meanings: `kind:…`, `every:…` (weeks, or monthly), `nth:…`, `days:…`, `at:…`, `part:…` (of the day), `holiday:…` and
  `asks:…` (a question); a line without a meaning says nothing, and `number:9` names the words for a number;
- slots: `<hour>` is 9, 9:30 or 9.30, or a word for a number; `<clock>` only such an hour with minutes; `<number>` a
  number or a word for one; `<day>` any word for days. What stands there fills the same slot of the meaning:
  `half <hour> = at:<hour>-30`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from bot.chat import Value
from bot.domain.person import Language
from bot.domain.rhythm import MAX_WEEKS_BETWEEN, WEEKDAYS
from bot.understanding.phrasebook import PHRASES_ROOT
from bot.understanding.text import fold

_WORD = re.compile(r"<#(?P<channel>[^|>]+)(?:\|[^>]*)?>|(?P<word>\S+)")
_HOUR = re.compile(r"([01]?\d|2[0-4])(?:[:.]([0-5]\d))?")
_GLUED = re.compile(r"(\d)(am|pm|uur|u|h)$", re.IGNORECASE)
_DUTCH_CLOCK = re.compile(r"(\d)[uh](\d\d)$", re.IGNORECASE)
EARLIEST_HOUR = 7
"""An hour before this, without a word for the part of the day, is one in the afternoon: nobody works by these at
night."""
NOON = 12
USUAL_HOURS = {"morning": 9, "afternoon": 14, "evening": 19}
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
        """True when somebody wants a rhythm: it says on which days or how often."""
        return not self.asks and ("weekdays" in self.values or "every" in self.values)


@dataclass(frozen=True)
class _Word:
    """A word as it was typed, and as it is compared."""

    typed: str
    word: str
    channel: str = ""


@dataclass
class _Found:
    """The meanings found so far."""

    values: dict[str, str] = field(default_factory=dict)
    days: set[str] = field(default_factory=set)
    missed: list[_Word] = field(default_factory=list)
    parts: int = 0

    def take(self, meanings: Sequence[tuple[str, str]]) -> bool:
        """Add meanings; False when one contradicts what was found before."""
        if any(name != "days" and self.values.get(name, value) != value for name, value in meanings):
            return False
        for name, value in meanings:
            if name == "days":
                self.days |= set(value.split(","))
            else:
                self.values[name] = value
        return True


@dataclass(frozen=True)
class _Table:
    """The phrases of a language, longest first, each with its meanings; the words for numbers and for days."""

    phrases: tuple[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], ...]
    numbers: Mapping[str, int]
    days: Mapping[str, str]


def read_rhythm(text: str, language: Language, places: Mapping[str, str]) -> HeardRhythm:
    """Read a sentence in this language, or in another when more of it is understood in that. `places`: ids of places by
    the names and channels that people may write."""
    others = [one for one in Language if one is not language]
    readings = [_read(text, _table(one), _fold_names(places)) for one in (language, *others)]
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


def _read(text: str, table: _Table, places: Mapping[tuple[str, ...], str]) -> HeardRhythm:
    words, found, at = _split(text), _Found(), 0
    while at < len(words):
        length = _take_place(words[at:], places, found) or _take_phrase(words[at:], table, found)
        if not length:
            found.missed.append(words[at])
        at += length or 1
    asks = "asks" in found.values or text.rstrip().endswith("?")
    return HeardRhythm(_to_values(found), " ".join(one.typed for one in found.missed), asks)


def _take_place(words: Sequence[_Word], places: Mapping[tuple[str, ...], str], found: _Found) -> int:
    """Take a place off the front: a channel that is mentioned, or the name of one. Returns how many words it was."""
    for length in range(min(4, len(words)), 0, -1):
        place = places.get(tuple(one.word for one in words[:length]))
        if place and found.take([("place", place)]):
            return length
    return 0


def _take_phrase(words: Sequence[_Word], table: _Table, found: _Found) -> int:
    """Take the longest phrase off the front that says nothing against what was found. Returns how many words it was."""
    for phrase, meanings in table.phrases:
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
    if wanted in ("<hour>", "<clock>"):
        hour = _HOUR.fullmatch(word)
        if hour and (hour[2] or wanted == "<hour>"):
            return f"{int(hour[1])}:{hour[2] or '00'}"
        return f"{table.numbers[word]}:00" if word in table.numbers and wanted == "<hour>" else None
    if wanted == "<number>":
        return word if word.isdigit() else str(table.numbers[word]) if word in table.numbers else None
    if wanted == "<day>":
        return table.days.get(word)
    return word if word == wanted else None


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
    return name != "every" or value == "monthly" or (value.isdigit() and 1 <= int(value) <= MAX_WEEKS_BETWEEN)


def _to_values(found: _Found) -> dict[str, Value]:
    values: dict[str, Value] = {name: found.values[name] for name in ("kind", "place", "every") if name in found.values}
    if "nth" in found.values:
        values = {**values, "nth": found.values["nth"], "every": "monthly"}
    if found.days:
        values["weekdays"] = tuple(day for day in WEEKDAYS if day in found.days)
    at = _clock(found.values.get("at", ""), found.values.get("part", ""))
    if at:
        values["at"] = at
    if "holiday" in found.values:
        values["on_holiday"] = found.values["holiday"]
    return values


def _clock(at: str, part: str) -> str:
    """Return the time that is meant, such as "14:30" by "half past two" or "two thirty in the afternoon"."""
    if not at:
        return f"{USUAL_HOURS[part]:02}:00" if part else ""
    hour, minute = (int(one) for one in at.split(":"))
    late = part in ("afternoon", "evening") or (not part and hour < EARLIEST_HOUR)
    return f"{(hour + NOON if late and hour < NOON else hour) % 24:02}:{minute:02}"


@cache
def _table(language: Language) -> _Table:
    """Read the phrases of a language, once."""
    phrases: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
    numbers: dict[str, int] = {}
    days: dict[str, str] = {}
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
            if len(phrase) == 1 and len(meanings) == 1 and meanings[0][0] == "days":
                days[phrase[0]] = meanings[0][1]
            phrases[phrase] = tuple((name, value) for name, value in meanings)
    longest = sorted(phrases.items(), key=lambda one: (-len(one[0]), any(word.startswith("<") for word in one[0])))
    return _Table(tuple(longest), numbers, days)


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
