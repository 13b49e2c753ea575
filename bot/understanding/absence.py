"""Read from which day somebody who will be away may be written to again.

`prompts/<language>/people/absences.txt` says what the words mean (see `sayings`): `back:…` is a day as `find_day` knows
it, or `month` and `month2` (the first of the next month, and of the one after), `m3` (three months on), `week2` (the
Monday after next) and `easter` (the Tuesday after the next Easter); with `+1` behind it, the day after.
"""

import re
from datetime import date, timedelta

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

from bot.domain.person import Language
from bot.understanding.sayings import SaidWord, find_day, read_sayings, split_said_words

_SPAN = re.compile(r"\b\d{1,2} ?[-–] ?(?=\d{1,2}\b(?! ?[-–]))")
"""The first day of a span: "24-26 december" lasts until the last."""
_LATER = re.compile(r"(.+)\+(\d+)")
_AFTER_EASTER = timedelta(days=2)


def read_return(text: str, language: Language, today: date) -> date | None:
    """Return the day from which somebody may be written to again, by what they typed in this language, or in another
    when more of it is understood in that: the last day it speaks of. None where it says nothing of a day to come."""
    others = [one for one in Language if one is not language]
    words = split_said_words(_SPAN.sub("", text))
    _, days = max((_find_returns(words, one, today) for one in (language, *others)), key=lambda one: one[0])
    return max((day for day in days if day > today), default=None)


def _find_returns(words: list[SaidWord], language: Language, today: date) -> tuple[int, list[date]]:
    """Return how many words are understood, and the days they speak of."""
    sayings = read_sayings(language, "people/absences.txt", "rhythms/sentences.txt")
    understood = 0
    days: list[date] = []
    while words:
        length, meanings = next(sayings.find(words), (0, []))
        found = [_find_return(value, today) for name, value in meanings if name == "back"]
        days += [day for day in found if day is not None]
        understood += length
        words = words[length or 1 :]
    return understood, days


def _find_return(said: str, today: date) -> date | None:
    later = _LATER.fullmatch(said)
    if later:
        day = _find_return(later[1], today)
        return day + timedelta(days=int(later[2])) if day is not None else None
    if said == "week2":
        return today + timedelta(days=14 - today.weekday())
    if said in ("month", "month2"):
        return today.replace(day=1) + relativedelta(months=2 if said == "month2" else 1)
    if said.startswith("m") and said[1:].isdecimal():
        return today + relativedelta(months=int(said[1:]))
    if said == "easter":
        found = (easter(year) + _AFTER_EASTER for year in (today.year, today.year + 1))
        return next(day for day in found if day > today)
    return find_day(said, today + timedelta(days=1) if said[0].isdecimal() else today)
