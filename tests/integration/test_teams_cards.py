"""Everything Ritme says in Teams is a valid card, which Microsoft's own library parses without a warning, and fits."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft6Validator
from playwright.async_api import Page

from adapters.teams import cards, dialogs
from adapters.teams.signer import Signer
from bot import wording
from bot.catalogue import CATALOGUE, Entry, FormEntry
from bot.chat import Field, FieldErrors, Form, Message, Option, Paragraph, Span
from bot.commands import HANDLERS, OPENS
from bot.domain.person import Language
from bot.wording import Reader
from tests.support.chromium import chromium
from tests.unit.test_slack_render import NASTY, buttons, extremes, paragraphs, with_words

LIBRARY = Path(__file__).parents[1] / "npm" / "node_modules" / "adaptivecards" / "dist" / "adaptivecards.min.js"
SCHEMA = Draft6Validator(
    json.loads((Path(__file__).parents[1] / "schemas" / "adaptive-card-1.5.0.json").read_text(encoding="utf-8"))
)
READ = """(cards) => JSON.stringify(JSON.parse(cards).map((one) => {
  const context = new AdaptiveCards.SerializationContext(), card = new AdaptiveCards.AdaptiveCard();
  card.parse(one, context);
  const said = [];
  for (let index = 0; index < context.eventCount; index++) said.push(context.getEventAt(index).message);
  const shown = card.render();
  return {said: said.concat(card.validateProperties().validationEvents.map((event) => event.message)),
          text: shown.textContent, links: shown.querySelectorAll("a,b,strong,em,img,script").length};
}))"""
SIGN = Signer("geheim").sign
Json = dict[str, Any]


def reader(language: Language) -> Reader:
    return Reader(language=language, timezone="Europe/Amsterdam", now=datetime(2027, 3, 1, 8, tzinfo=UTC))


def sign(packed: str) -> str:
    return SIGN("fatima", packed)


def render_card(entry: Entry, language: Language) -> Json:
    """Render an entry as a card, or as the card of its dialog."""
    if isinstance(entry, FormEntry):
        form = wording.render_form_entry(entry, reader(language))
        return dict(dialogs.render_dialog(form, {"channel": "19:x"}, sign)["card"]["content"])
    return cards.render_card(
        wording.render_entry(entry, reader(language)), opens=OPENS, origin={"channel": "c", "mark": "m"}
    )


def fits(card: Json) -> bool:
    return cards.card_bytes(card) <= cards.MAX_CARD_BYTES


def schema_errors(card: Json) -> list[str]:
    """List the errors of a card against the schema, without the people picker, which is newer than the schema."""
    plain = json.loads(json.dumps({name: value for name, value in card.items() if name != "msteams"}))
    for one in plain["body"]:
        one.pop("choices.data", None)
    return [error.message[:200] for error in SCHEMA.iter_errors(plain)]


@dataclass
class Library:
    """Microsoft's card library, in a page of Chromium."""

    page: Page

    async def read(self, made: list[Json]) -> list[Json]:
        """Parse cards; return what the library reports of each. A people picker, which it lacks, becomes a choice."""
        for one in (one for card in made for one in card["body"] if "choices.data" in one):
            one["choices"] = [{"title": "Jan", "value": "jan"}]
        # As text: Playwright takes a quarter of a minute to pass on ten megabytes of nested values.
        found: list[Json] = json.loads(await self.page.evaluate(READ, json.dumps(made)))
        return found


@pytest.fixture
async def library() -> AsyncIterator[Library]:
    if not LIBRARY.exists():
        pytest.fail("Microsoft's card library is not installed. Run: make test")
    async with chromium() as browser:
        page = await browser.new_page()
        await page.set_content("<!doctype html><title>Cards</title>")
        await page.add_script_tag(path=LIBRARY)
        yield Library(page)


@pytest.mark.parametrize("language", Language)
def test_the_whole_catalogue_is_what_the_schema_says(language: Language) -> None:
    made = {name: render_card(entry.example(), language) for name, entry in CATALOGUE.items()}
    assert {name: found for name, card in made.items() if (found := schema_errors(card))} == {}


async def test_the_whole_catalogue_is_read_without_a_word(library: Library) -> None:
    made = {}
    for name, entry in CATALOGUE.items():
        for language in Language:
            made[f"{name} {language}"] = render_card(entry.example(), language)
        for number, words in enumerate(NASTY):
            # Many fields at once never hold more than that each.
            typed = words[:250] if issubclass(entry, FormEntry) else words[:1500]
            made[f"{name} {number}"] = render_card(with_words(entry.example(), typed), Language.NL)
    assert [name for name, card in made.items() if not fits(card)] == []
    read = await library.read(list(made.values()))
    assert {name: one["said"] for name, one in zip(made, read, strict=True) if one["said"]} == {}
    assert {name for name, one in zip(made, read, strict=True) if one["links"]} == set(), (
        "someone's words became markup"
    )


async def test_what_anyone_wrote_is_shown_as_written(library: Library) -> None:
    words = "**vet** [klik](https://x.example) <at>iedereen</at> <b>b</b> {{DATE(2027-01-01)}} &amp; _x_"
    message = Message(paragraphs=(Paragraph(spans=(Span(text=words),), kind="quote"),))
    (read,) = await library.read([cards.render_card(message, opens=OPENS)])
    assert words in read["text"]
    assert "&lt;at&gt;" in cards.notification_summary(message)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(paragraphs, min_size=1, max_size=40), st.lists(buttons, max_size=14))
def test_any_message_fits_and_keeps_its_buttons(said: list[Paragraph], pressed: list[Any]) -> None:
    card = cards.render_card(Message(paragraphs=tuple(said), buttons=tuple(pressed)), opens=OPENS)
    assert fits(card)
    kept = [one for row in card["body"] if row["type"] == "ActionSet" for one in row["actions"]]
    assert len(kept) == len(pressed)


options = st.lists(
    st.builds(Option, value=st.uuids().map(str), label=extremes.map(lambda one: one[:75] or "x")), max_size=100
)
asked = st.builds(
    Field,
    name=st.uuids().map(lambda one: f"f{one.hex}"),
    kind=st.sampled_from(["text", "long_text", "choice", "choices", "date", "time", "person", "people", "place"]),
    label=extremes.map(lambda one: one[:200] or "x"),
    example=extremes.map(lambda one: one[:100]),
    required=st.booleans(),
    options=options.map(tuple),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(asked, max_size=5, unique_by=lambda one: one.name),
    st.dictionaries(st.text(max_size=9), st.text(max_size=99)),
)
def test_a_dialog_comes_back_as_it_went(questions: list[Field], hidden: Mapping[str, str]) -> None:
    form = Form(intent="story.save", title="t", submit="s", fields=tuple(questions), hidden=hidden)
    origin = {"channel": "19:x", "thread": "1"}
    data = dialogs.render_dialog(form, origin, sign)["card"]["content"]["actions"][0]["data"]
    sent = dialogs.parse_dialog(data, sign)
    assert (sent.intent, sent.origin) == ("story.save", origin)
    assert {name: sent.args[name] for name in hidden} == hidden
    again = dialogs.render_with_errors(sent, FieldErrors(errors={"elsewhere": "Dit past niet"}), sign)
    assert "Dit past niet" in json.dumps(again, ensure_ascii=False)


@pytest.mark.parametrize("change", ["ritme", "ritme_mark"])
def test_a_dialog_that_was_tampered_with_is_not_ours(change: str) -> None:
    form = Form(intent="story.save", title="t", submit="s", fields=())
    data = dialogs.render_dialog(form, {"channel": "19:x"}, sign)["card"]["content"]["actions"][0]["data"]
    with pytest.raises(ValueError, match="signed"):
        dialogs.parse_dialog({**data, change: data[change][:-2] + "AA"}, sign)
    with pytest.raises(ValueError, match="signed"):
        dialogs.parse_dialog(data, lambda packed: SIGN("jan", packed))


def test_what_opens_a_dialog_is_something_people_can_do() -> None:
    assert HANDLERS.keys() >= OPENS
