"""Words fit where and when they are read: a file says its whole date, a page is not the chat."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot import wording
from bot.catalogue.groups import GroupsAsked
from bot.catalogue.holdouts import EffectLine, EffectShown
from bot.catalogue.meetings import CardDrawn
from bot.compiled import PROMPTS
from bot.domain.person import Language
from bot.wording import Reader

AT = datetime(2026, 11, 30, 8, tzinfo=UTC)
DUTCH = Reader(language=Language.NL, timezone="Europe/Amsterdam", now=AT, personal=True)
ENGLISH = replace(DUTCH, language=Language.EN)
_DATE_FOR_NOW = re.compile(r"\|\s*(day|moment)\(")


@pytest.mark.parametrize("language", list(Language))
def test_what_is_printed_or_kept_in_a_file_never_says_today(language: Language) -> None:
    root = PROMPTS / language.value
    lasting = [*(root / "print").glob("*.j2"), root / "takeaways/readme.md.j2", root / "people/export_page.md.j2"]
    assert [one.name for one in lasting if _DATE_FOR_NOW.search(one.read_text(encoding="utf-8"))] == []


def test_a_file_says_its_whole_date() -> None:
    made = {"made_at": AT}
    assert wording.render_sentence("takeaways/readme.md.j2", "made", DUTCH, made) == (
        "Gemaakt op maandag 30 november 2026 om 09:00"
    )
    assert wording.render_sentence("takeaways/readme.md.j2", "made", ENGLISH, made) == (
        "Made on Monday 30 November 2026 at 09:00"
    )


def test_the_first_letter_of_a_sentence_leaves_the_others_as_they_are() -> None:
    told = wording.render_entry(CardDrawn.example(), replace(ENGLISH, now=datetime(2027, 3, 1, tzinfo=UTC))).text
    assert re.search(r"[A-Z][a-z]+ \d+ [A-Z][a-z]+ at", told), told
    for template in PROMPTS.rglob("*.j2"):
        assert not re.search(r"\|\s*capitalize", template.read_text(encoding="utf-8")), template


def test_an_effect_below_nothing_is_told_as_fewer() -> None:
    line = EffectLine(what="stories", value=-1.2, low=-3.04, high=0.6, tells=False)
    shown = replace(EffectShown.example(), lines=(line,))
    assert "1,2 minder dan zonder (waarschijnlijk tussen 3,0 minder en 0,6 meer)" in (
        wording.render_entry(shown, DUTCH).text
    )
    told = wording.render_entry(shown, ENGLISH).text
    assert "1.2 fewer than without (probably between 3.0 fewer and 0.6 more)" in told
    assert "This can't tell us whether it makes a difference." in told


def test_a_page_does_not_call_itself_the_chat() -> None:
    assert "in deze chat" in wording.render_entry(GroupsAsked(), DUTCH).text
    assert "in je eigen chat met mij" in wording.render_entry(GroupsAsked(), replace(DUTCH, on_page=True)).text
