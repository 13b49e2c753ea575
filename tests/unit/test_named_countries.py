"""The country that a sentence names, in both languages; and sentences that name one and are about something else."""

import pytest

from bot.understanding import understand_sentence
from bot.understanding.countries import read_country

ABOUT_THE_COUNTRY = {
    "we zitten in België": "BE",
    "wij werken in Vlaanderen": "BE",
    "Ons team zit in Duitsland.": "DE",
    "wij zitten in Schotland": "GB SCT",
    "wij zijn in België gevestigd": "BE",
    "we zitten niet in Nederland maar in België": "NL",
    "kun je de feestdagen van Duitsland gebruiken?": "DE",
    "welke feestdagen gelden er voor ons?": "",
    "de feestdagen kloppen niet": "",
    "ons weekend is op vrijdag": "",
    "we're in Germany": "DE",
    "we work in Flanders": "BE",
    "We're based in the UK": "GB",
    "our team is in Northern Ireland": "GB NIR",
    "we are in the United States": "US",
    "use the holidays of Ireland": "IE",
    "set our country to France": "FR",
    "which bank holidays do you skip?": "",
    "our holidays are wrong": "",
}


@pytest.mark.parametrize("said", ABOUT_THE_COUNTRY)
def test_a_sentence_about_the_country(said: str) -> None:
    read, named = understand_sentence(said), read_country(said)
    assert (read.meaning, read.sure) == ("country", True)
    assert f"{named.country} {named.region}".strip() == ABOUT_THE_COUNTRY[said]


@pytest.mark.parametrize(
    "said",
    [
        "we zitten in de knel met het rooster",
        "we zitten vast in de vergadering",
        "gisteren in Frankrijk deed een verpleegkundige iets moois met een bewoner",
        "op vakantie in Spanje",
        "ik ben volgende week in Duitsland",
        "we are stuck in Germany with the visa for our nurse",
        "I'm in France next week",
        "is this with us?",
        "we are in a meeting",
    ],
)
def test_a_sentence_about_something_else(said: str) -> None:
    read = understand_sentence(said)
    assert not (read.meaning == "country" and read.sure)


def test_small_words_are_no_countries() -> None:
    for said in ("is it all of us", "we zitten in de hal", "at no time", ""):
        assert read_country(said).country == ""
    for said in ("US", "nl", "the U.S.", "VS"):
        assert read_country(said).country in ("US", "NL")
