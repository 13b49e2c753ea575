"""The guard sees what gives a client away: by corpora, by kinds, and by what must raise no alarm."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapters.cli.commands import ritme
from bot.domain.person import Language
from bot.guard import Trace, guess_language, look_through
from bot.guard.replacing import replace_giveaways
from bot.guard.word_lists import LISTS_ROOT, word_lists
from bot.use_cases.stories.held_words import propose_texts
from tests.guard import score_stories
from tests.understanding import corpus

CORPORA = Path(__file__).resolve().parents[1] / "corpora"
NL, EN = Language.NL, Language.EN


@pytest.mark.parametrize("name", ["guard_open", "guard_nl", "guard_en"])
def test_stories_are_seen_through_and_clean_ones_raise_no_alarm(name: str) -> None:
    result = score_stories(corpus(CORPORA / f"{name}.jsonl"))
    assert result.share("easy") >= 0.98, result.missed
    assert result.share("hard") >= 0.95, result.missed
    assert result.alarms == []


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_plain_sentences_hardly_ever_raise_an_alarm(language: Language) -> None:
    rows = corpus(CORPORA / f"understanding_{language.value}.jsonl")
    seen = ((row["text"], {one.kind for one in look_through(row["text"], language)}) for row in rows)
    alarmed = [text for text, kinds in seen if kinds - {Trace.TITLED_NAME}]  # "mevrouw Bos" is one
    assert len(alarmed) / len(rows) < 0.01, alarmed


@pytest.mark.parametrize(
    ("language", "text", "span", "kind"),
    [
        (NL, "Vandaag zei mevr. j. bakker nee.", "mevr. j. bakker", Trace.TITLED_NAME),
        (NL, "De bewoner Zbyszko Grzyb zong mee.", "Zbyszko Grzyb", Trace.FULL_NAME),
        (NL, "Zij heet Fenna Wildeboer en lachte.", "Fenna Wildeboer", Trace.FULL_NAME),
        (NL, "Ze woont Kersenstraat nummer 12.", "Kersenstraat nummer 12", Trace.ADDRESS),
        (NL, "Kamer 12 belde vannacht vier keer.", "Kamer 12", Trace.ROOM_ILLNESS),
        (NL, "Bsn 123456789 klopt niet.", "123456789", Trace.BSN),
        (NL, "Jan-Willem (7) tekende het.", "Jan-Willem (7)", Trace.INITIALS_AGE_ILLNESS),
        (EN, "Mrs Bo's radio plays again.", "Mrs Bo", Trace.TITLED_NAME),
        (EN, "She was born in 1932 and sang.", "born in 1932", Trace.BIRTH_DATE),
        (EN, "Her NHS no 943 476 5919 was wrong.", "943 476 5919", Trace.PATIENT_NUMBER),
        (EN, "Ann has dementia and sings.", "Ann has dementia", Trace.NAME_DIAGNOSIS),
    ],
)
def test_what_gives_somebody_away_is_found_where_it_stands(
    language: Language, text: str, span: str, kind: Trace
) -> None:
    (one,) = look_through(text, language)
    assert (one.text, one.kind, text[one.start : one.end]) == (span, kind, span)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (NL, "Mevrouw van hiernaast bracht soep, meneer de wethouder at mee."),
        (NL, "In het Willem Drees huis en de Johan Cruijff Foundation vieren ze het op 12 maart om 19.30 uur."),
        (NL, "Mijn collega Jeroen van Dalen en dokter Visser kwamen maandag in kamer 2."),
        (NL, "Onze teamleider, Anna de Boer, leert ons over dementie."),
        (NL, "Ik ben Els de Groot en ik werk in Utrecht-Oost."),
        (NL, "Mijn zus Marieke kwam helpen."),
        (NL, "Mijn collega mevrouw Visser uit kamer 2 zong, de vergadering is in kamer 12."),
        (NL, "We telden een twee drie vier vijf zes zeven."),
        (NL, "Aanmelden? Bel ons op 030 123 45 67 of mail naar ontmoeten@example.org."),
        (NL, "Het gebouw is van 1953, de foto is van 1962."),
        (EN, "The only ward without a rota in Leeds shared how it works."),
        (EN, "At Robin Hood's Bay we met on 4 May 2024, in room 2."),
        (EN, "Grace, our cook, and staff nurse Joe Baxter swapped shifts."),
    ],
)
def test_colleagues_places_weekdays_and_numbers_raise_no_alarm(language: Language, text: str) -> None:
    assert look_through(text, language) == ()


class TestMembers:
    def test_a_member_is_no_client(self) -> None:
        text = "Toos Verhagen en mevrouw Bos dronken koffie"
        assert [one.text for one in look_through(text, NL, ["Toos Verhagen"])] == ["mevrouw Bos"]
        assert look_through(text, NL, ["Toos Verhagen", "Ineke Bos"]) == ()

    def test_the_first_name_of_a_member_says_nothing_of_who_is_ill(self) -> None:
        text = "Truus heeft dementie en zingt"
        assert look_through(text, NL, ["Truus de Boer"])
        assert look_through(text, NL, ["Truus"]) == ()


@given(st.text(max_size=300), st.sampled_from(Language))
def test_whatever_is_typed_is_looked_through_and_what_is_found_stands_there_once(text: str, language: Language) -> None:
    found = look_through(text, language)
    assert all(text[one.start : one.end] == one.text and one.text for one in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("text", "language"),
    [("vandaag was het een mooie dag", NL), ("today was a good day", EN), ("🌱", EN), ("", NL)],
)
def test_a_text_tells_its_language_or_keeps_the_one_of_its_writer(text: str, language: Language) -> None:
    assert guess_language(text, language) is language
    assert text in ("🌱", "") or guess_language(text, NL if language is EN else EN) is language


def test_both_languages_have_the_same_lists_and_none_is_without_a_remark_that_says_what_it_is() -> None:
    names = {one: {file.name for file in (LISTS_ROOT / one.value / "guard").glob("*.txt")} for one in Language}
    assert names[NL] == names[EN]
    for language, files in names.items():
        for name in files:
            assert (LISTS_ROOT / language.value / "guard" / name).read_text(encoding="utf-8").startswith("# "), name
            assert word_lists(language)[name.removesuffix(".txt")].words is not None


def propose(text: str, language: Language) -> str:
    return replace_giveaways(text, language, look_through(text, language))


@pytest.mark.parametrize(
    ("language", "text", "proposed"),
    [
        (NL, "Met de heer Ramlal doen we boodschappen.", "Met een cliënt doen we boodschappen."),
        (NL, "Mevrouw Bos zong. Mevrouw Bos huilde.", "Een cliënt zong. De cliënt huilde."),
        (NL, "Bewoner Cornelis van den Bosch zong.", "Een bewoner zong."),
        (NL, "De patiënt, Sandra de Wit, zong.", "De patiënt zong."),
        (NL, "Cliënt (geb. 07/11/1958) wilde niet.", "Cliënt wilde niet."),
        (NL, "Ze is geboren in 1932 en danst.", "Ze is niet meer de jongste en danst."),
        (NL, "Loes (borstkanker) zong en Loes lachte.", "Een cliënt (borstkanker) zong en de cliënt lachte."),
        (NL, "Mw. B., 83 jaar, dementie, dekte de tafel.", "Een cliënt dekte de tafel."),
        (NL, "Zijn zus Annelies die in de Spar werkt brengt brood.", "Zijn zus brengt brood."),
        (
            NL,
            "Hij woont op Kerkstraat 3, bel 06-12345678.",
            "Hij woont op een adres in de buurt, bel een telefoonnummer.",
        ),
        (NL, "We hebben het BSN 999955007 doorgegeven.", "We hebben het BSN doorgegeven."),
        (NL, "Foto: v.l.n.r. Riet Aalbers en Nel (93) aan tafel.", "Foto: enkele cliënten aan tafel."),
        (NL, "Mijn moeder mevrouw Bos van kamer 12 zong.", "Mijn moeder zong."),
        (NL, "Mijn moeder, mw. Bos, van kamer 12, zong. Mw. Bos lachte.", "Mijn moeder zong. Mijn moeder lachte."),
        (NL, "Mijn oma Riet Jansen (83) woont op kamer 12.", "Mijn oma (83) woont op een kamer."),
        (NL, "Mijn moeder mevrouw Bos en mijn vader meneer Bos zongen.", "Mijn moeder en mijn vader zongen."),
        (NL, "Mijn moeder (Riet Jansen) zong.", "Mijn moeder zong."),
        (NL, "Mevrouw Bos (83) van kamer 12 zong.", "Een cliënt (83) zong."),
        (EN, "My mother Mrs Bo from room 12 sang.", "My mother sang."),
        (EN, "My gran lives in room 12.", "My gran lives in a room."),
        (EN, "Mrs Bo's radio plays.", "A resident's radio plays."),
        (EN, "Our client Tariq Hussain had tea.", "Our client had tea."),
        (EN, "Her name is Zainab Malik.", "Her name is something else."),
        (EN, "Room 14, the one with COPD, sits outside.", "A resident sits outside."),
        (EN, "At 12 Barge Lane stands a bench.", "At an address nearby stands a bench."),
        (EN, "The only woman who ever skippered a barge out of Lutterdam sang.", "A resident sang."),
        (EN, "Nothing here.", "Nothing here."),
    ],
)
def test_what_is_proposed_instead_reads_well(language: Language, text: str, proposed: str) -> None:
    assert propose(text, language) == proposed


def test_a_proposal_is_looked_through_once_more_and_members_stay_in_it() -> None:
    text = "Toos Verhagen liep mee met mijn moeder mevrouw Bos van kamer 12."
    texts, found = {"text": text}, {"text": look_through(text, NL, ["Toos Verhagen"])}
    assert propose_texts(texts, found, NL) == {"text": "Toos Verhagen liep mee met mijn moeder."}


@pytest.mark.parametrize("name", ["guard_open", "guard_nl", "guard_en"])
def test_what_is_proposed_gives_nobody_away(name: str) -> None:
    rows = corpus(CORPORA / f"{name}.jsonl")
    proposals = {propose(row["text"], Language(row["lang"])): Language(row["lang"]) for row in rows}
    left = [text for text, language in proposals.items() if look_through(text, language)]
    assert len(left) <= 1, left


class TestTheCommand:
    def test_says_what_it_finds(self) -> None:
        said = CliRunner().invoke(ritme, ["guard", "mevrouw Bos woont Kerkstraat 3", "--lang", "nl"])
        assert said.stdout.splitlines() == [
            "titled_name: mevrouw Bos",
            "address: Kerkstraat 3",
            "instead: een cliënt woont een adres in de buurt",
        ]
        assert CliRunner().invoke(ritme, ["guard", "we ate soup"]).stdout == "nothing found\n"

    def test_reads_and_answers_lines_of_json(self) -> None:
        line = json.dumps({"id": "7", "lang": "en", "text": "Mrs Bo sang"})
        said = CliRunner().invoke(ritme, ["guard", "--jsonl"], input=f"{line}\n\n")
        assert json.loads(said.stdout) == {"id": "7", "spans": [["Mrs Bo", "titled_name"]]}

    def test_says_which_line_it_cannot_read_and_asks_for_a_story(self) -> None:
        said = CliRunner().invoke(ritme, ["guard", "--jsonl"], input="no json\n")
        assert (said.exit_code, "Line 1 is not like" in said.stderr) == (2, True)
        said = CliRunner().invoke(ritme, ["guard"])
        assert (said.exit_code, "Give a story" in said.stderr) == (2, True)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (NL, "Toen kwam meneer. Hij lachte."),
        (NL, "We belden de familie. De dochter kwam langs."),
        (NL, "Ik sprak mevrouw. Daarna ging het beter! Een echtpaar. Samen aten ze."),
        (EN, "I helped the sir. Then we ate. It was for madam. Good soup."),
    ],
)
def test_a_title_at_the_end_of_a_sentence_has_no_name(language: Language, text: str) -> None:
    assert look_through(text, language) == ()


@pytest.mark.parametrize("text", ["Fam. Jansen kwam.", "Dhr. de Boer at mee.", "En mevr. Klein ook."])
def test_the_full_stop_of_a_shortened_title_ends_no_sentence(text: str) -> None:
    assert [one.kind for one in look_through(text, NL)] == [Trace.TITLED_NAME]
