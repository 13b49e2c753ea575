"""Regions are named in the language of who reads them, every one of the countries whose regions have names here."""

from datetime import date

import pytest

from bot.domain.calendar import Calendar, list_regions
from bot.domain.person import Language
from bot.domain.regions import find_region, name_regions, read_regions

TODAY = date(2027, 3, 1)
NAMED = ("DE", "AT", "CH", "GB", "FR", "ES", "PT")


@pytest.mark.parametrize("country", NAMED)
@pytest.mark.parametrize("language", Language)
def test_every_region_that_the_form_offers_has_a_name(country: str, language: Language) -> None:
    known = {key.removeprefix(f"{country} ") for key in read_regions(language) if key.startswith(f"{country} ")}
    offered = {code for year in range(2025, 2033) for code, _ in list_regions(country, date(year, 1, 1))}
    assert offered <= known
    assert {code for code, _ in list_regions(country, TODAY)} == set(name_regions(country, TODAY, language))
    assert len(set(name_regions(country, TODAY, language).values())) == len(name_regions(country, TODAY, language))


def test_both_languages_name_the_same_regions() -> None:
    assert read_regions(Language.NL).keys() == read_regions(Language.EN).keys()
    assert {key.split()[0] for key in read_regions(Language.NL)} == {*NAMED, "BE"}
    assert all(name for language in Language for name in read_regions(language).values())


@pytest.mark.parametrize(
    ("code", "dutch", "english"),
    [
        ("BY", "Beieren", "Bavaria"),
        ("NW", "Noordrijn-Westfalen", "North Rhine-Westphalia"),
        ("BE", "Berlijn", "Berlin"),
    ],
)
def test_a_region_is_found_by_either_name_and_as_it_is_called_there(code: str, dutch: str, english: str) -> None:
    assert name_regions("DE", TODAY, Language.NL)[code] == dutch
    assert name_regions("DE", TODAY, Language.EN)[code] == english
    there = dict(list_regions("DE", TODAY))[code]
    assert {find_region(one, "DE", TODAY) for one in (dutch, english.upper(), there, code.lower())} == {code}
    assert find_region("Atlantis", "DE", TODAY) == find_region("", "DE", TODAY) == ""


def test_another_country_keeps_the_names_it_has_there() -> None:
    assert name_regions("IT", TODAY, Language.NL) == dict(list_regions("IT", TODAY))
    assert Calendar(country="IT", region="FI")
