"""Fuzzing: every intent with any arguments, and any typed command, is answered in words and never with an apology."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, bindparam, cast, select

from bot.catalogue import CATALOGUE, FormEntry
from bot.chat import Answer, FieldErrors, Form, Value
from bot.commands import HANDLERS
from bot.domain.plain_text import clean_text
from tests.support.world import World, open_world

NASTY = [
    "",
    " ",
    "x",
    "x" * 4000,
    "<!channel> <@U1> @here",
    "{{ 7 * 7 }}{% for x in y %}",
    "<script>alert(1)</script>",
    "'; DROP TABLE people; --",
    "مرحبا بالعالم",
    "👩🏽‍⚕️" * 200,
    "\x00\x1f\u2028\ue000\ue001\ue002",
    "2027-02-30",
    "2027-03-05",
    "1999-01-01",
    "25:61",
    "09:00",
    "-1",
    "NaN",
    "null",
    "weekly",
    "me",
    "channel",
    "nl",
    "fatima",
    "stranger",
    "elsewhere",
]
FORMS = {entry.intent: entry for entry in CATALOGUE.values() if issubclass(entry, FormEntry)}
LOOSE = ("text", "episode", "initiative", "step", "story", "rhythm", "chance", "invitation", "company", "person", "on")
TYPED = ["help", "kans ", "purpos", "stop", "me", "ik", "rhythm", "noem", "terugblik", "verbind", "initi"]
value = st.one_of(st.sampled_from(NASTY), st.text(max_size=60))
anything = st.one_of(value, st.lists(value, max_size=7).map(tuple))


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Value]]:
    name = draw(st.sampled_from(sorted(HANDLERS)))
    args: dict[str, Value] = {}
    if name in FORMS:
        for ask in FORMS[name].asks:
            fitting = [*ask.options] or ["fatima"]
            args[ask.name] = draw(st.one_of(anything, st.sampled_from(fitting)))
    for loose in draw(st.sets(st.sampled_from(LOOSE), max_size=3)):
        args.setdefault(loose, draw(anything))
    return name, args


@pytest.fixture
async def small_world(tmp_path: Path) -> "World":
    async with open_world(tmp_path) as world:
        await world.movement("fatima", "jan")
        yield world


@given(request=requests(), personal=st.booleans(), who=st.sampled_from(["iris", "fatima", "stranger"]))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_intent_is_answered_in_words(
    small_world: World, request: tuple[str, dict[str, Value]], personal: bool, who: str
) -> None:
    name, args = request
    reply = await small_world.ritme.handle(small_world.intent(who, name, args, channel=None if personal else "general"))
    assert reply is None or isinstance(reply, Form | FieldErrors | Answer)
    if isinstance(reply, Answer):
        assert reply.reference is None, (name, args)
        assert reply.message.text.strip()
    if isinstance(reply, FieldErrors):
        assert all(sentence.strip() for sentence in reply.errors.values())


@given(
    command=st.sampled_from(["/stuck", "/vast", "/story", "/verhaal", "/ritme", ""]),
    text=st.one_of(value, st.sampled_from(TYPED)),
    more=value,
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_anything_typed_is_answered(small_world: World, command: str, text: str, more: str) -> None:
    reply = await small_world.ritme.handle(
        small_world.intent("fatima", "command", {"command": command, "text": f"{text} {more}".strip()})
    )
    assert isinstance(reply, Form | FieldErrors | Answer)
    if isinstance(reply, Answer):
        assert reply.reference is None, (command, text, more)


async def test_what_was_cleaned_is_kept_by_every_database(world: World) -> None:
    everything = clean_text("".join(map(chr, range(0x110000))))
    async with world.database.connect() as connection:
        kept = await connection.scalar(select(cast(bindparam("text", everything), Text)))
    assert kept == everything
