"""Everything Ritme says fits Slack's limits, and nothing people wrote can become a mention, a link or markup."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.slack import limits, render, views
from adapters.slack.views import read_submitted_view
from bot import wording
from bot.catalogue import CATALOGUE, Entry, FormEntry
from bot.chat import Button, Confirm, Field, FieldErrors, Form, Message, Option, Paragraph, Span
from bot.domain.person import Language
from bot.wording import Reader
from tests.fakes.slack.block_kit import problems_in_message, problems_in_view

NASTY = (
    "<!channel>",
    "<!here|hier>",
    "<@U1>",
    "<#C1|algemeen>",
    "@here @channel @everyone",
    "<https://example.org|klik>",
    "https://example.org",
    "*vet* _scheef_ ~weg~ `code` ```blok```",
    "&lt;!channel&gt; &amp; & < >",
    "{{ 7 * 7 }} {% include 'x' %} {# weg #}",
    "<script>alert(1)</script><b>",
    "👩‍👩‍👧‍👦🏳️‍🌈👍🏽" * 300,
    "שלום עולם مرحبا بالعالم " * 170,
    "\u202eomgekeerd\u202c",
    "x" * 4000,
    "woord " * 700,
    "\n" * 50 + "regels\n\n- geen lijst\n> geen citaat" * 40,
    ":seedling: 🌱",
    " ",
)
extremes = st.one_of(st.sampled_from(NASTY), st.text(max_size=200), st.lists(st.sampled_from(NASTY)).map(" ".join))
NAMES = {
    "variant",
    "timezone",
    "hidden",
    "episode",
    "story",
    "step",
    "initiative_id",
    "reason",
    "intent",
    "questions",
    "args",
    "meant",
    "kind",
    "scale",
    "point",
    "asks",
}
"""Fields with ids or names of templates rather than anyone's words."""


def reader(language: Language) -> Reader:
    return Reader(language=language, timezone="Europe/Amsterdam", now=datetime(2027, 3, 1, 8, tzinfo=UTC))


def assert_slack_accepts(message: Message) -> None:
    said = {"text": render.notification_text(message), "blocks": render.render_blocks(message)}
    assert problems_in_message(said) == []


def with_words(entry: Entry, words: str) -> Entry:
    """Return an entry with every text in it replaced by `words`."""
    values = {one.name: getattr(entry, one.name) for one in fields(entry) if one.name not in NAMES}
    return replace(entry, **{name: _replaced(value, words) for name, value in values.items()})


def _replaced(value: Any, words: str) -> Any:
    if type(value) is str:
        return words if value else value
    if isinstance(value, Entry):
        return with_words(value, words)
    if isinstance(value, Mapping):
        return {name: _replaced(one, words) for name, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_replaced(one, words) for one in value)
    return value


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_everything_in_the_catalogue_fits_whatever_people_write(name: str) -> None:
    example = CATALOGUE[name].example()
    for language in Language:
        _assert_fits(example, language)
        for words in NASTY:
            _assert_fits(with_words(example, words), language)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(sorted(CATALOGUE)), language=st.sampled_from(Language), words=extremes)
def test_it_fits_whatever_they_think_of(name: str, language: Language, words: str) -> None:
    _assert_fits(with_words(CATALOGUE[name].example(), words), language)


def _assert_fits(entry: Entry, language: Language) -> None:
    if isinstance(entry, FormEntry):
        form = wording.render_form_entry(entry, reader(language))
        assert problems_in_view(views.render_modal(form, {"channel": "C1"})) == []
    else:
        assert_slack_accepts(wording.render_entry(entry, reader(language)))


spans = st.builds(Span, text=extremes.filter(str.strip), bold=st.booleans(), italic=st.booleans())
paragraphs = st.builds(
    Paragraph,
    spans=st.lists(spans, min_size=1, max_size=4).map(tuple),
    kind=st.sampled_from(["text", "item", "quote", "small"]),
)
confirms = st.builds(Confirm, question=extremes, yes=extremes, no=extremes)
buttons = st.builds(
    Button,
    name=st.uuids().map(str),
    label=extremes,
    intent=st.just("story"),
    args=st.dictionaries(st.sampled_from(["prefill", "text"]), extremes),
    style=st.sampled_from(["normal", "primary", "danger"]),
    confirm=st.none() | confirms,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(paragraphs, min_size=1, max_size=70), st.lists(buttons, max_size=5))
def test_any_message_fits(said: list[Paragraph], pressed: list[Button]) -> None:
    assert_slack_accepts(Message(paragraphs=tuple(said), buttons=tuple(pressed)))


def test_any_number_of_buttons_fits() -> None:
    many = tuple(Button(name=f"b{number}", label="Ga", intent="x") for number in range(60))
    assert_slack_accepts(Message(paragraphs=(Paragraph(spans=(Span(text="Kies"),)),) * 60, buttons=many))


options = st.lists(
    st.builds(Option, value=st.uuids().map(str), label=extremes), max_size=130, unique_by=lambda one: one.value
).map(tuple)
asked = st.builds(
    Field,
    name=st.uuids().map(str),
    kind=st.sampled_from(["text", "long_text", "choice", "choices", "date", "time", "person", "people", "place"]),
    label=extremes,
    example=extremes,
    hint=extremes,
    required=st.booleans(),
    value=extremes | st.sampled_from(["2027-03-15", "09:00", "U123", "09:00:00"]) | st.just(("U1", "U2")),
    options=options,
    max_length=st.integers(1, 4000),
    max_items=st.integers(1, 25),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(asked, max_size=20), extremes, extremes)
def test_any_form_fits(questions: list[Field], title: str, note: str) -> None:
    always = Field(name="always", kind="text", label="Wat?")
    form = Form(
        intent="x", title=title, submit=title, cancel=title, note=note, fields=(always, *questions), hidden={"id": "1"}
    )
    assert problems_in_view(views.render_modal(form, {"channel": "C1"})) == []


class TestWhatAPersonWrote:
    def test_is_shown_as_typed(self) -> None:
        said = Message(paragraphs=(Paragraph(spans=(Span(text="<!channel> *x* & y"),)),))
        assert render.render_blocks(said)[0]["elements"][0]["elements"] == [
            {"type": "text", "text": "<!channel> *x* & y"}
        ]
        assert render.notification_text(said) == "&lt;!channel&gt; *x* &amp; y"

    def test_is_cut_at_a_word_and_says_so(self) -> None:
        shown = limits.truncate_text("aan het begin van de dienst", 14)
        assert shown == "aan het begin…"

    def test_already_saved_is_never_cut_in_its_field(self) -> None:
        field = Field(name="text", kind="long_text", label="Wat?", value="x" * 2500, max_length=1500)
        element = views.render_modal(Form(intent="x", title="T", submit="S", fields=(field,)), {})["blocks"][0][
            "element"
        ]
        assert element["initial_value"] == "x" * 2500
        assert element["max_length"] == 2500

    def test_chosen_before_is_offered_again_among_very_many(self) -> None:
        many = tuple(Option(value=f"o{number}", label=f"Optie {number}") for number in range(300))
        field = Field(name="which", kind="choice", label="Welke?", options=many, value="o299", required=False)
        element = views.render_modal(Form(intent="x", title="T", submit="S", fields=(field,)), {})["blocks"][0][
            "element"
        ]
        assert element["initial_option"]["value"] == "o299"


def test_an_id_too_long_to_travel_is_an_error_and_never_cut() -> None:
    form = Form(intent="x", title="T", submit="S", fields=(), hidden={"id": "x" * 3000})
    with pytest.raises(ValueError, match="hides"):
        views.render_modal(form, {})


def test_what_a_button_carries_comes_back_whole_and_free_of_what_slack_escapes() -> None:
    button = Button(name="go", label="Ga", intent="story", args={"prefill": "a & b <c> 🌱"})
    value = render.render_blocks(Message(paragraphs=(Paragraph(spans=(Span(text="?"),)),), buttons=(button,)))[-1][
        "elements"
    ][0]["value"]
    assert not set("&<>") & set(value)
    assert json.loads(value) == {"intent": "story", "args": {"prefill": "a & b <c> 🌱"}}


def test_an_error_without_its_field_stands_beside_the_first() -> None:
    view = views.render_modal(
        Form(
            intent="x",
            title="T",
            submit="S",
            fields=(Field(name="a", kind="text", label="A?"), Field(name="gone", kind="choice", label="?")),
        ),
        {},
    )
    assert views.errors_by_block(FieldErrors(errors={"a": "Kort.", "gone": "Kies."}), view) == {"a": "Kort. Kies."}


@pytest.mark.parametrize("odd", ["\ud800", "C1\x00", "C1\ufffe"])
@pytest.mark.parametrize("name", ["channel", "message", "thread", "name"])
def test_a_submitted_view_that_was_opened_at_an_odd_id_is_none_of_ours(name: str, odd: str) -> None:
    metadata = json.dumps({"hidden": {}, "origin": {"channel": "C1", name: odd}})
    with pytest.raises(ValueError, match="origin"):
        read_submitted_view({"private_metadata": metadata, "state": {"values": {}}})
