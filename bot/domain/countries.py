"""Name countries, and find the one that somebody names: as CLDR does, in the languages that Ritme speaks."""

import unicodedata
from difflib import get_close_matches
from functools import cache

from babel import Locale
from babel.core import get_global

from bot.domain.calendar import keeps_holidays
from bot.domain.person import Language

_LOCALES = {Language.NL: "nl", Language.EN: "en_GB"}
_ARTICLES = ("the ", "de ", "het ")


def name_country(country: str, language: Language) -> str:
    """Return the name of a country in a language; its code where CLDR has no name, empty for none."""
    return _names(language).get(country) or country


def parse_country(text: str) -> str:
    """Return the ISO 3166 code of the country that a text names, in either language or by its code; empty for none."""
    typed = text.strip()
    code = typed.upper()
    aliases: list[str] = get_global("territory_aliases").get(code, [])
    known = aliases if len(code) <= 3 and len(aliases) == 1 else []
    for one in (code, *known, _by_name().get(fold_name(typed), "")):
        if one in _names(Language.EN) and keeps_holidays(one):
            return one
    return ""


def guess_country(text: str, language: Language) -> str:
    """Return the name in a language of the country that a text resembles most; empty when it resembles none."""
    names = {fold_name(name): name for name in _names(language).values()}
    close = get_close_matches(fold_name(text), names, n=1, cutoff=0.6)
    return names[close[0]] if close and parse_country(names[close[0]]) else ""


@cache
def _names(language: Language) -> dict[str, str]:
    """Return the names of what has a code of two letters: countries, and a few that are none, such as the EU."""
    names = Locale.parse(_LOCALES[language]).territories
    return {code: str(name) for code, name in names.items() if len(code) == 2 and code.isalpha()}


@cache
def _by_name() -> dict[str, str]:
    return {fold_name(name): code for language in Language for code, name in _names(language).items()}


def fold_name(text: str) -> str:
    """Return a name without case, accents, signs and article, to compare."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    words = " ".join(letters.split())
    return next((words.removeprefix(one) for one in _ARTICLES if words.startswith(one)), words)
