"""Find when somebody was born."""

import re
from collections.abc import Iterator

from bot.guard.giveaways import Giveaway, GuardedText, Trace

_OLD_DATE = re.compile(r"(?<![\w./-])\d{1,2}([-/.])\d{1,2}\1(?:19)\d{2}(?![\w/-])")
_FIRST_YEAR, _LAST_YEAR = 1900, 2012
_OLD = 60
"""An age from which a round birthday is told of a client."""
_NEAR = 8


def find_birth_dates(reading: GuardedText) -> Iterator[Giveaway]:
    """Find dates and years of birth: "geb. 07/11/1958", "born in 1932", "hij is van zes juni vierenveertig"."""
    for begin, end in reading.phrases("birth").find(reading.words):
        last, tells = _read_date(reading, end)
        if tells:
            yield reading.make_finding(Trace.BIRTH_DATE, begin, last)
    for begin, end in reading.phrases("is_of").find(reading.words):
        last, tells = _read_date(reading, end)
        is_person = any(reading.has("persons", at) or reading.has("clients", at) for at in range(begin - 3, begin))
        if tells and is_person:
            yield reading.make_finding(Trace.BIRTH_DATE, end, last)
    for found in _OLD_DATE.finditer(reading.text):
        yield reading.cut(Trace.BIRTH_DATE, *found.span())
    yield from _find_birthdays(reading)


def _read_date(reading: GuardedText, at: int) -> tuple[int, bool]:
    """Return where a date ends, and whether it tells a year of birth, or a day and a month."""
    end, here, is_day, is_month, is_year = at, at, False, False, False
    while (
        here < len(reading.words) and here < at + 9 and reading.words[here].sentence == reading.words[at - 1].sentence
    ):
        if _is_year(reading, here):
            is_year = True
            here += _is_long_year(reading, here) and read_number_word(reading, here + 1) > 0
        elif reading.has("month_names", here):
            is_month = True
        elif 0 < _day(reading, here) <= 31:
            is_month = is_month or is_day  # 12-04
            is_day = True
        elif not reading.has("date_links", here) or is_year:
            break
        else:
            here += 1
            continue
        here += 1
        end = here
        if is_year:
            break
    return end, is_year or (is_day and is_month)


def _is_year(reading: GuardedText, at: int) -> bool:
    word = reading.words[at]
    if word.is_number:
        is_short = reading.text[word.start - 1 : word.start] in ("'", "’") and len(word.plain) == 2
        return is_short or (word.plain.isdigit() and _FIRST_YEAR <= word.number <= _LAST_YEAR)
    return 32 <= read_number_word(reading, at) <= 99 or _is_long_year(reading, at)


def _is_long_year(reading: GuardedText, at: int) -> bool:
    """Return whether a word is a year in words: "negentienachtendertig", "nineteen thirty-eight"."""
    word, values = reading.words[at].plain, reading.lists.values("number_words")
    century = next((one for one, value in values.items() if value == "19"), "")
    return word.startswith(century) and (word != century or read_number_word(reading, at + 1) > 0)


def _day(reading: GuardedText, at: int) -> int:
    word = reading.words[at]
    return word.number if word.is_number else read_number_word(reading, at)


def read_number_word(reading: GuardedText, at: int) -> int:
    """Return the number that a word is: "vierenveertig", "eighty-nine"; -1 when it is none."""
    if not 0 <= at < len(reading.words):
        return -1
    values, word = reading.lists.values("number_words"), reading.words[at].plain
    if word in values:
        return int(values[word])
    before, _, after = word.rpartition("-")
    if before in values and after in values:
        return int(values[before]) + int(values[after])
    for tens in reading.lists.tens if word.endswith(reading.lists.tens) else ():
        unit = word.removesuffix(tens).removesuffix("en")
        if word.endswith(tens) and unit in values:
            return int(values[unit]) + int(values[tens])
    return -1


def _find_birthdays(reading: GuardedText) -> Iterator[Giveaway]:
    """Find an age beside the day it was reached: "ze werd op de eerste dag van de lente negentig"."""
    for at in range(len(reading.words)):
        age = read_number_word(reading, at) if not reading.words[at].is_number else reading.words[at].number
        if not _OLD <= age <= 112:
            continue
        begin, end = reading.sentence_of(at)
        if not any(reading.has("turned", here) for here in range(begin, end)) and begin != at:
            continue
        for first, last in _find_days(reading, max(begin, at - _NEAR), min(end, at + _NEAR)):
            yield reading.make_finding(Trace.BIRTH_DATE, min(first, at), max(last, at + 1))
            break


def _find_days(reading: GuardedText, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the days of a year in a part of a text: feasts, and a day beside a month."""
    for first, last in reading.phrases("feasts").find(reading.words, begin, end):
        yield first - 1 if reading.has("the", first - 1) else first, last
    for at in range(begin, end):
        if reading.has("month_names", at):
            near = [here for here in range(max(at - 3, begin), min(at + 2, end)) if 0 < _day(reading, here) <= 31]
            if near:
                yield min(near[0], at), max(near[-1], at) + 1
