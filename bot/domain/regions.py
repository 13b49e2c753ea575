"""Name the regions of a country in the languages that Ritme speaks, and find the one that somebody names.

`prompts/<language>/countries/regions.txt` says what a region is called, as Babel has no names for them; one that is not
there is called as `holidays` names it.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

from bot.compiled import PROMPTS
from bot.domain.calendar import list_regions
from bot.domain.countries import fold_name
from bot.domain.person import Language


@lru_cache(maxsize=256)
def name_regions(country: str, today: date, language: Language) -> Mapping[str, str]:
    """Return the names in a language of the regions of a country that have other holidays than all of it, by their
    codes, in the order of these names."""
    words = read_regions(language)
    found = [(code, words.get(f"{country} {code}", name)) for code, name in list_regions(country, today)]
    return dict(sorted(found, key=lambda one: fold_name(one[1])))


def find_region(text: str, country: str, today: date) -> str:
    """Return the code of the region that a text names: in either language, as it is called there, or by its code;
    empty for none."""
    there = list_regions(country, today)
    names = [name_regions(country, today, language) for language in Language]
    typed = fold_name(text)
    for code, name in there:
        if typed and typed in {fold_name(one) for one in (code, name, *(named[code] for named in names))}:
            return code
    return ""


@cache
def read_regions(language: Language) -> Mapping[str, str]:
    """Read the names of regions in a language, by country and code: "DE BY"."""
    lines = (PROMPTS / language.value / "countries" / "regions.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {key.strip(): name.strip() for key, _, name in rows}
