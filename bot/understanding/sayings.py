"""Read what the words of a sentence mean, by tables of sayings.

A table in `prompts/<language>/` has a line for each meaning: `phrase | phrase = what it means`.

- meanings: names and values, such as `every:monthly`; a line without a meaning says nothing; `number:9` names the words
  for a number, `month:5` those for a month;
- slots: `<hour>` is 9, 9:30 or 9.30, or a word for a number; `<clock>` only such an hour with minutes; `<number>` a
  number or a word for one; `<date>` a day of the month, as 15 or 15th; `<month>` a word for a month, `<year>` a year;
  `<day>` any word for days. A digit makes it another slot: `<hour2>`. What stands there fills the same slot of the
  meaning: `half <hour> = at:<hour>-30`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import product

from bot.domain.person import Language
from bot.domain.recurrence import WEEKDAYS
from bot.understanding.phrasebook import PHRASES_ROOT
from bot.understanding.text import fold

_WORD = re.compile(r"<#(?P<channel>[^|>]+)(?:\|[^>]*)?>|(?P<word>\S+)")
_HOUR = re.compile(r"([01]?\d|2[0-4])(?:[:.]([0-5]\d))?")
_DATE = re.compile(r"(\d{1,2})[a-z]{0,3}")
_YEAR = re.compile(r"20\d\d")
_DAYS_IN_MONTH = 31
_MOST_DIGITS = 3
"""Of a number of days, weeks or months: longer ones lead beyond all calendars."""
_SHIFTED = re.compile(r"(\d+):(\d\d)([+-]\d+)")
_GLUED = re.compile(r"(\d)(am|pm|uur|u|h)$", re.IGNORECASE)
_DUTCH_CLOCK = re.compile(r"(\d)[uh](\d\d)$", re.IGNORECASE)


@dataclass(frozen=True)
class SaidWord:
    """A word as it was typed, and as it is compared."""

    typed: str
    word: str
    channel: str = ""


_Phrase = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Node:
    """The words and slots (each by its name, with its kind) that may follow the words of a phrase so far; where these
    are a phrase already, its rank among all and its meanings."""

    words: "dict[str, _Node]" = field(default_factory=dict)
    slots: "dict[str, tuple[str, _Node]]" = field(default_factory=dict)
    rank: int = -1
    meanings: tuple[tuple[str, str], ...] = ()

    def add(self, phrase: Sequence[str], rank: int, meanings: tuple[tuple[str, str], ...]) -> None:
        """Add a phrase that follows."""
        node = self
        for word in phrase:
            if word.startswith("<"):
                _, node = node.slots.setdefault(word, (word.strip("<>0123456789"), _Node()))
            else:
                node = node.words.setdefault(word, _Node())
        node.rank, node.meanings = rank, meanings


_Begun = tuple[int, int, _Node, dict[str, str]]
"""A phrase that a sentence begins with: its rank, how many words, its node, and what stands in its slots."""


@dataclass(frozen=True)
class Sayings:
    """The phrases of a language, each with its meanings, the longest ranked first; the words for numbers, for days and
    for months."""

    phrases: _Node
    numbers: Mapping[str, int]
    days: Mapping[str, str]
    months: Mapping[str, int]

    def find(self, words: Sequence[SaidWord]) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """Yield the phrases that these words begin with, the longest first: how many words, and what they mean."""
        for _, length, node, slots in sorted(self._follow(self.phrases, words, 0, {}), key=lambda one: one[0]):
            yield length, [(name, _resolve(value, slots)) for name, value in node.meanings]

    def _follow(self, node: _Node, words: Sequence[SaidWord], at: int, slots: dict[str, str]) -> Iterator[_Begun]:
        if node.rank >= 0:
            yield node.rank, at, node, slots
        if at == len(words):
            return
        word = words[at].word
        following = node.words.get(word)
        if following is not None:
            yield from self._follow(following, words, at + 1, slots)
        for slot, (kind, after) in node.slots.items():
            said = _fill(kind, word, self)
            if said is not None:
                yield from self._follow(after, words, at + 1, {**slots, slot: said})


def fold_word(word: str) -> str:
    """Return a word as it is compared: folded, but with what an hour needs, and without marks around it."""
    bare = word.casefold().strip(".,;!?\"'’‘“”()#")
    return bare if _HOUR.fullmatch(bare) else fold(bare)


def split_said_words(text: str) -> list[SaidWord]:
    """Return the words of a sentence, each as it was typed and as it is compared; "9h30" and "9am" as an hour."""
    words: list[SaidWord] = []
    for found in _WORD.finditer(text):
        if found["channel"]:
            words.append(SaidWord(found.group(), fold(found["channel"]), found["channel"]))
            continue
        bare = _DUTCH_CLOCK.sub(r"\1:\2", found["word"].strip(".,;!?"))
        words += [SaidWord(typed, fold_word(typed)) for typed in _GLUED.sub(r"\1 \2", bare).split()]
    return [one for one in words if one.word or one.channel]


def _fill(slot: str, word: str, sayings: Sayings) -> str | None:
    """Return what a word of the sentence says in a kind of slot; None when it does not fit there."""
    match slot:
        case "hour" | "clock":
            return _fill_hour(word, sayings, words_too=slot == "hour")
        case "number":
            return (
                word
                if word.isdecimal() and len(word) <= _MOST_DIGITS
                else str(sayings.numbers[word])
                if word in sayings.numbers
                else None
            )
        case "date":
            found = _DATE.fullmatch(word)
            return found[1] if found and 0 < int(found[1]) <= _DAYS_IN_MONTH else None
        case "year":
            return word if _YEAR.fullmatch(word) else None
        case "month":
            return str(sayings.months[word]) if word in sayings.months else None
        case _:
            return sayings.days.get(word)


def _fill_hour(word: str, sayings: Sayings, *, words_too: bool) -> str | None:
    hour = _HOUR.fullmatch(word)
    if hour and (hour[2] or words_too):
        return f"{int(hour[1])}:{hour[2] or '00'}"
    return f"{sayings.numbers[word]}:00" if word in sayings.numbers and words_too else None


def _resolve(value: str, slots: Mapping[str, str]) -> str:
    """Fill the slots of a meaning; `9:00-30` becomes 8:30."""
    for slot, said in slots.items():
        value = value.replace(slot, said)
    shifted = _SHIFTED.fullmatch(value)
    if not shifted:
        return value
    minutes = int(shifted[1]) * 60 + int(shifted[2]) + int(shifted[3])
    return f"{minutes // 60 % 24}:{minutes % 60:02}"


def find_day(said: str, today: date) -> date | None:
    """Return the day that is meant: "5-31" is the next 31 May, "2027-5-31" that day, "+1" a day on, "w6" six weeks on,
    "week" the Monday of the next week, "week-WE" its Wednesday, and "MO" the next Monday."""
    if said.startswith("+"):
        return today + timedelta(days=int(said))
    if said in WEEKDAYS:
        return today + timedelta(days=(WEEKDAYS.index(said) - today.weekday() - 1) % 7 + 1)
    monday = today + timedelta(days=7 - today.weekday())
    if said == "week":
        return monday
    if said.startswith("week-"):
        day = said.removeprefix("week-")
        return monday + timedelta(days=WEEKDAYS.index(day)) if day in WEEKDAYS else None
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


@cache
def read_sayings(language: Language, file: str, words_from: str = "") -> Sayings:
    """Read the phrases of a language from a file in `prompts/<language>/`, once; with the words for numbers, days and
    months of another, if any."""
    phrases: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
    numbers: dict[str, int] = {}
    days: dict[str, str] = {}
    months: dict[str, int] = {}
    words = _read_phrases(language, words_from) if words_from else ()
    for phrase, meanings in (*words, *_read_phrases(language, file)):
        match meanings:
            case (("number", value),):
                numbers[phrase[0]] = int(value)
                continue
            case (("month", value),):
                months[phrase[0]] = int(value)
                continue
            case (("days", value),) if len(phrase) == 1:
                days[phrase[0]] = value
        phrases[phrase] = meanings
    if words_from:
        phrases = dict(_read_phrases(language, file))
    longest = sorted(phrases.items(), key=lambda one: (-len(one[0]), any(word.startswith("<") for word in one[0])))
    begun = _Node()
    for rank, (phrase, meanings) in enumerate(longest):
        begun.add(phrase, rank, meanings)
    return Sayings(begun, numbers, days, months)


def _read_phrases(language: Language, file: str) -> Iterator[_Phrase]:
    for line in (PHRASES_ROOT / language.value / file).read_text(encoding="utf-8").splitlines():
        said, _, meant = line.partition("=")
        if not said.strip() or line.lstrip().startswith("#"):
            continue
        meanings = tuple((name, value) for name, _, value in (one.partition(":") for one in meant.split()))
        for one in said.split("|"):
            for phrase in _expand(one):
                yield phrase, meanings


def _expand(phrase: str) -> list[tuple[str, ...]]:
    """Return the phrases of which `elke/iedere week (op)` is short for."""
    choices: list[list[str]] = []
    for optional, word in re.findall(r"\(([^)]*)\)|(\S+)", phrase):
        choices.append([*optional.split("/"), ""] if optional else word.split("/"))
    return [
        tuple(word if word.startswith("<") else fold_word(word) for one in chosen for word in one.split())
        for chosen in product(*choices)
        if any(chosen)
    ]
