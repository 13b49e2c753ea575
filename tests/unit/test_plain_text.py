"""Words that come in are cleaned, and stay as they are where nothing is wrong with them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import Account, ChatPlace, Intent
from bot.domain.plain_text import MAX_NAME, clean_name, clean_text

ORDINARY = [
    "",
    "Het lukte 🎉 — écht waar!\n\tEn toen?",
    "👩🏽‍⚕️ 🏳️‍🌈 🇳🇱 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️",
    "مرحبا بالعالم",
    "שלום \u200fעולם\u200e",
    "می\u200cخواهم",
    "नमस्ते ಕನ್ನಡ 中文 ไทย",
    "\ufeff\u00a0\u200b",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean_text(text) is text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\x00b\x07c\x1b[0m\x7f\x9f", "abc[0m"),
        ("a\r\nb\rc\x0bd\x85e\u2028f\u2029g", "a\nb\nc\nd\ne\nf\ng"),
        ("a\ud800b\udc00", "ab"),
        ("\ud83d\ude00", "😀"),
        ("a\ufdd0\ufffe\U0010ffffb", "ab"),
    ],
)
def test_what_no_one_types_is_left_out(text: str, kept: str) -> None:
    assert clean_text(text) == kept


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\x00\r\n\x85\u2028\ud800\udc00\ufffe"))))
@settings(max_examples=200, deadline=None)
def test_clean_text_can_be_kept_anywhere_and_is_clean(text: str) -> None:
    kept = clean_text(text)
    kept.encode()
    assert clean_text(kept) == kept
    assert not any((ord(one) < 32 and one not in "\n\t") or 127 <= ord(one) < 160 for one in kept)


def test_a_name_is_one_line_that_fits() -> None:
    assert clean_name("Jan\r\n\tde Wit\x00") == "Jan de Wit"
    assert len(clean_name("x" * 5000)) == MAX_NAME


def test_whatever_way_words_come_in_they_are_clean() -> None:
    someone = Account(workspace="slack:T1", id="U1", name="Jan\x00")
    intent = Intent(
        name="command",
        args={"text": "a\x00", "people": ("U\ud800", "b")},
        actor=someone,
        place=ChatPlace(workspace="slack:T1", channel="C1", name="zorg\x07"),
        key="k",
    )
    assert (intent.actor.name, intent.place.name) == ("Jan", "zorg")
    assert intent.args == {"text": "a", "people": ("U", "b")}
