"""Words that come in are cleaned, and stay as they are where nothing is wrong with them."""

import json
import re
from unicodedata import bidirectional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.playground.render import render_content
from adapters.slack.render import notification_text, render_blocks
from adapters.teams.cards import notification_summary, render_card
from bot.chat import Account, Button, ChatPlace, Intent, Message
from bot.domain.plain_text import MAX_NAME, clean_name, clean_text, isolate_text
from bot.markup import parse_paragraphs, wrap_atom

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


@pytest.mark.parametrize("name", ["\u200b", " \u3164 ", "\u2800\u0301", "\u202e\u2069"])
def test_a_name_that_shows_nothing_is_none(name: str) -> None:
    assert clean_name(name) == ""


@pytest.mark.parametrize("name", ["李", "🎉", "فاطمة", "☺"])
def test_a_name_of_any_script_is_one(name: str) -> None:
    assert clean_name(name) == name


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


# -- how it is shown ------------------------------------------------------------------------------------------------

CLOSED_BY = {"LRE": "PDF", "RLE": "PDF", "LRI": "PDI", "RLI": "PDI", "FSI": "PDI"}
"""Directional mark → what closes it, by the classes of the Unicode Bidirectional Algorithm."""
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
mixed = st.text(
    alphabet=st.one_of(st.sampled_from(BIDI), st.sampled_from("ab 1.،\n"), st.sampled_from("שםمر١")), max_size=24
)


def keeps_its_direction_to_itself(line: str) -> bool:
    """Return whether what stands around a line is ordered as if it were not there: no override, every mark closed in
    order, and what runs from right to left within an isolate."""
    open_marks: list[str] = []
    for letter in line:
        kind = bidirectional(letter)
        if kind in CLOSED_BY:
            open_marks.append(CLOSED_BY[kind])
        elif kind in ("PDF", "PDI"):
            if not open_marks or open_marks.pop() != kind:
                return False
        elif kind in ("LRO", "RLO", "B") or (kind in ("R", "AL", "AN") and "PDI" not in open_marks):
            return False
    return not open_marks


@pytest.mark.parametrize("text", ORDINARY[:3])
def test_text_that_runs_our_way_is_shown_as_it_is(text: str) -> None:
    assert isolate_text(text) is text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("مرحبا", "\u2068مرحبا\u2069"),
        ("a \u202etxt.exe", "a txt.exe"),
        ("a \u202etxt\u202c b", "a txt b"),
        ("\u202bb\u2069 c", "\u2068\u202bb c\u202c\u2069"),
        ("\u2067مر", "\u2067مر\u2069"),
        ("one\nשלום!\nthree", "one\n\u2068שלום!\u2069\nthree"),
        ("\u2067a\u2069 b", "\u2068\u2067a\u2069 b\u2069"),
        ("a\u2069\u202c b", "a b"),
    ],
)
def test_what_turns_the_direction_is_kept_to_itself(text: str, shown: str) -> None:
    assert isolate_text(text) == shown


@given(mixed)
@settings(max_examples=400, deadline=None)
def test_shown_text_leaves_the_words_around_it_in_their_order(text: str) -> None:
    shown = isolate_text(clean_text(text))
    assert all(keeps_its_direction_to_itself(line) for line in shown.split("\n"))
    assert isolate_text(shown) == shown
    assert re.sub(f"[{BIDI[:9]}]", "", shown) == re.sub(f"[{BIDI[:9]}]", "", clean_text(text))


@given(mixed, st.integers(min_value=0, max_value=24))
@settings(max_examples=100, deadline=None)
def test_what_is_cut_and_shown_again_is_closed_again(text: str, at: int) -> None:
    again = isolate_text(isolate_text(clean_text(text))[:at])
    assert all(keeps_its_direction_to_itself(line) for line in again.split("\n"))


SLY = [
    "<!channel> <@U1> <https://boos.example|Ritme> @here #zorg",
    "<\u200b!channel> <\u2060@U1>",
    "\ufe64!channel\ufe65 \uff20channel \u2039@U1\u203a",
    "[Ritme](https://boos.example) <at>Iris</at> <at id='0'>Iris</at>",
    "[\u200bRitme]\u200b(https://boos.example)",
    "<script>x</script> <a href='https://boos.example'>x</a>",
    "\ue000**x**\ue001 _y_",
    "\u202e<!channel>\u202c \u2067https://boos.example",
]


@pytest.mark.parametrize("text", SLY)
def test_what_someone_typed_is_no_mention_and_no_link_on_any_platform(text: str) -> None:
    atom = wrap_atom(text)
    said = Message(
        paragraphs=parse_paragraphs(f"{atom} zei:\n\n> {atom}\n\n- {atom}\n\n~ {atom}"),
        buttons=(Button(name="one", label=isolate_text(clean_text(text)), intent="help"),),
    )
    assert said.paragraphs[0].text == isolate_text(re.sub("[\ue000-\ue002]", "", text)) + " zei:"
    assert not any(span.bold or span.italic for one in said.paragraphs for span in one.spans)

    slack, teams = render_blocks(said), render_card(said, opens=frozenset())
    kinds = set(re.findall(r'"type": "(\w[\w.]*)"', json.dumps([slack, teams])))
    text_only = {"rich_text", "rich_text_section", "rich_text_quote", "rich_text_list", "text", "plain_text", "context"}
    cards = {"AdaptiveCard", "RichTextBlock", "TextRun", "Container", "ActionSet", "Action.Execute"}
    assert kinds <= text_only | cards | {"actions", "button"}
    assert "<" not in notification_text(said) + notification_summary(said)
    assert {span["text"] for one in render_content(said)["paragraphs"] for span in one["spans"]} == {
        span.text for one in said.paragraphs for span in one.spans
    }
