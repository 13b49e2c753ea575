"""Find the country that somebody names in a sentence, or the region of one.

`prompts/<language>/countries/names.txt` says what people call otherwise than CLDR does, a line each:
`what they say | or this = code`, with a region as `holidays` names it after the code.
"""

import re
from functools import cache
from typing import NamedTuple

from bot.domain.countries import parse_country
from bot.domain.person import Language
from bot.understanding.phrasebook import PHRASES_ROOT, PhraseBook
from bot.understanding.text import fold, tokenize

_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*\.?")
COUNTRY_MEANING = "country"
LONGEST_NAME = 5
"""Words of a country's name at most: "de Verenigde Arabische Emiraten"."""
SHORTEST_NAME = 4
"""Letters of a country's name at least, among other words: "is" and "de" are codes too."""
WORDS_OF_A_DAY = 2
"""Words that may say which day is meant, where no country is: "bij ons is 11 juli een feestdag"."""


class NamedCountry(NamedTuple):
    """A country (ISO 3166) and a region of it as `holidays` names it, each empty for none, and the words that name
    it."""

    country: str = ""
    region: str = ""
    words: str = ""


def read_country(text: str) -> NamedCountry:
    """Return the country, and the region, that a text is the name of or that a sentence names."""
    whole = _read_name(text, alone=True)
    if whole.country:
        return whole
    words = [found.group() for found in _WORD.finditer(text)]
    for length in range(min(LONGEST_NAME, len(words)), 0, -1):
        for begin in range(len(words) - length + 1):
            found = _read_name(" ".join(words[begin : begin + length]), alone=False)
            if found.country:
                return found
    return NamedCountry()


def tells_more_than_country(text: str, book: PhraseBook) -> bool:
    """Return whether a sentence about a country or its holidays says more than that: "my mother lives in Belgium" is
    told, and no wish."""
    named = read_country(text)
    words = {token.word for token in tokenize(text, book.spellings)} - {"?", ":"}
    frame = book.phrases.list_words(COUNTRY_MEANING)
    more = words - frame - book.greetings - {token.word for token in tokenize(named.words, book.spellings)}
    return len(more) > (0 if named.country else WORDS_OF_A_DAY)


def _read_name(name: str, *, alone: bool) -> NamedCountry:
    folded = " ".join(fold(word) for word in _WORD.findall(name.replace(".", "")))
    if not alone and folded == "us" and not name.isupper():
        return NamedCountry()  # "with us"
    found = _other_names().get(folded)
    if found is not None:
        return found._replace(words=name)
    country = parse_country(name) if alone or len(folded) >= SHORTEST_NAME else ""
    return NamedCountry(country, words=name) if country else NamedCountry()


@cache
def _other_names() -> dict[str, NamedCountry]:
    found: dict[str, NamedCountry] = {}
    for language in Language:
        file = PHRASES_ROOT / language.value / "countries" / "names.txt"
        for line in file.read_text(encoding="utf-8").splitlines():
            said, _, meant = line.partition("=")
            if not meant or line.lstrip().startswith("#"):
                continue
            country, _, region = meant.strip().partition(" ")
            found |= {
                " ".join(fold(word) for word in one.split()): NamedCountry(country, region) for one in said.split("|")
            }
    return found
