"""A button that is pressed twice, or a form that is sent twice, has its effect once and is answered once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.database.tables import metadata
from bot import commands
from bot.catalogue.base import CATALOGUE, FormEntry
from bot.chat import CARD, FORM, Answer, FieldErrors, Form, Intent, Reply
from bot.domain.delivery import Delivery
from tests.support.pressing import PRESSES, SUBMISSIONS, Act, fill
from tests.support.world import World, button_of, open_world, text_of

EVENTS = {*commands.PASSIVE_EVENTS, *commands.PLATFORM_EVENTS, "place.joined", "home.opened", "thread.mentioned"}
TYPED = {name for name in commands.COMMANDS if name.startswith("conversation.")} | {"story.save_message"}
"""Intents of sentences and shortcuts."""
FORMS = {entry.intent for entry in CATALOGUE.values() if issubclass(entry, FormEntry) and entry.intent}


@dataclass
class Outcomes:
    """A `Telemetry` that keeps how intents ended."""

    intents: list[tuple[str, str]] = field(default_factory=list)

    def span(self, what: str, correlation: str, **about: str) -> Any:
        return nullcontext()

    def record_intent(self, intent: str, outcome: str, seconds: float) -> None:
        self.intents.append((intent, outcome))

    def record_planning(self, moments: int) -> None: ...

    def record_delivery(self, delivery: Delivery) -> None: ...


@pytest.fixture(params=["sqlite", "postgresql"])
async def pressed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[World, Outcomes]]:
    outcomes = Outcomes()
    async with open_world(tmp_path, kind=request.param, telemetry=outcomes, pages=True) as world:
        await fill(world)
        yield world, outcomes


async def rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Return all that is stored but for the keys of requests."""
    async with world.database.connect() as connection:
        return {
            table.name: sorted(map(tuple, await connection.execute(table.select())), key=repr)
            for table in metadata.sorted_tables
            if table.name not in ("inbox", "page_sessions")  # a link to the pages is another one each time
        }


def intent(world: World, name: str, act: Act, *, answerable: bool = True, **more: Any) -> Intent:
    args = {**act.args, **more}
    where = {"message": "m9"} if name == "story.save_message" else {}
    return world.intent(act.who, name, args, channel=act.channel, answerable=answerable, **where)


def test_every_handler_that_a_button_or_form_leads_to_is_pressed_here() -> None:
    assert set(PRESSES) == set(commands.COMMANDS) - FORMS - EVENTS - TYPED
    assert set(SUBMISSIONS) == FORMS


def test_only_what_shows_something_or_can_be_undone_may_be_pressed_again() -> None:
    shows = {"help", "home", "home.switch", "code", "purpose", "purpose.earlier", "initiative", "initiative.look"}
    shows |= {
        "rhythm",
        "rhythm.look",
        "rhythm.closed",
        "api",
        "webhook",
        "calendar",
        "rhythm.year",
        "lookback.draw",
        "quilt.draw",
        "cloud",
        "map",
        "meaning",  # the last one holds, and the same twice is once
        "meaning.other",
        "meaning.clear",
        "country",
        "changes",
        "effect",
        "council",
        "trouble",
        "hours",
        "company",
        "stuck.solved",
        "connect.why",
        "experiment.look",
        "chance.look",
        "lookback",
        "me",
        "reach",
        "story.mine",
        "story.read",
        "search",
        "harvest",
        "magazine",
        "magazine.look",
        "magazine.print",  # comes once a minute
        "door",
        "door.look",
        "door.card",
        "door.read",
        "takeaway",
    }
    opens = {name for name in commands.OPENS if commands.COMMANDS[name].again is None}
    # "me.export" counts for itself: the same file within the hour, one of two presses within a minute. And of two links
    # to the pages the last one works.
    assert shows | opens | {"ripple", "behaviour", "me.export", "board"} == commands.REPEATABLE


@pytest.mark.parametrize("name", PRESSES)
async def test_a_button_pressed_twice_is_pressed_once(pressed: tuple[World, Outcomes], name: str) -> None:
    world, outcomes = pressed
    first = await world.ritme.handle(intent(world, name, PRESSES[name], card="c1"))
    assert outcomes.intents == [(name, "ok")], first
    once = await rows(world)
    again = await world.ritme.handle(intent(world, name, PRESSES[name], card="c1"))
    assert await rows(world) == once
    if name in commands.REPEATABLE or isinstance(first, Form):
        assert type(again) is type(first)
        if isinstance(first, Form) and isinstance(again, Form):
            assert first.hidden[FORM] == again.hidden[FORM]  # it was not sent yet: it is the same form
    else:
        assert again is None
        # What a press decides is answered in place of the card.
        assert first is None or name in commands.LASTING or (isinstance(first, Answer) and first.replaces)


@pytest.mark.parametrize("name", PRESSES)
async def test_two_presses_at_the_same_moment_are_one(pressed: tuple[World, Outcomes], name: str) -> None:
    world, outcomes = pressed
    both = [intent(world, name, PRESSES[name], card="c1", answerable=False) for _ in range(2)]
    replies = await asyncio.gather(*map(world.ritme.handle, both))
    assert [outcome for _, outcome in outcomes.intents] == ["ok", "ok"]
    assert all(one is None or isinstance(one, Form) for one in replies)
    answers = [row for row in (await rows(world))["deliveries"] if "answer" in row]
    assert len(answers) <= (2 if name in commands.REPEATABLE else 1)


@pytest.mark.parametrize("name", SUBMISSIONS)
async def test_a_form_sent_twice_is_sent_once(pressed: tuple[World, Outcomes], name: str) -> None:
    world, outcomes = pressed
    act = SUBMISSIONS[name]
    forms = [await world.ritme.handle(intent(world, act.opener, act, card="c1")) for _ in range(2)]
    sent = [_filled(world, name, act, one) for one in forms]  # from two devices
    await asyncio.gather(*map(world.ritme.handle, sent))
    assert outcomes.intents[2:] == [(name, "ok")] * 2
    once = await rows(world)
    assert await world.ritme.handle(_filled(world, name, act, forms[0])) is None
    assert await rows(world) == once


def _filled(world: World, name: str, act: Act, form: Reply) -> Intent:
    assert isinstance(form, Form), form
    assert form.intent == name
    values = {one.name: one.value for one in form.fields}
    assert not set(act.values) - set(values), set(values)
    args = {**act.args, **values, **form.hidden, **act.values}
    where = {"message": "m9"} if name == "saving.ask" else {}
    return world.intent(act.who, name, args, channel=act.channel, **where)


async def test_a_form_opened_again_after_it_was_sent_is_another_one(pressed: tuple[World, Outcomes]) -> None:
    world, _ = pressed
    act = SUBMISSIONS["chance.save"]
    first = await world.ritme.handle(intent(world, "chance", act, card="c1"))
    await world.ritme.handle(_filled(world, "chance.save", act, first))
    second = await world.ritme.handle(intent(world, "chance", act, card="c1"))
    assert isinstance(await world.ritme.handle(_filled(world, "chance.save", act, second)), Answer)
    assert len((await rows(world))["chances"]) == 3  # there was one


async def test_other_words_in_the_same_form_are_not_lost(pressed: tuple[World, Outcomes]) -> None:
    world, _ = pressed
    act = SUBMISSIONS["story.save"]
    forms = [await world.ritme.handle(intent(world, "story", act, card="c1")) for _ in range(2)]
    for form, text in zip(forms, ("We liepen.", "We zongen ook."), strict=True):
        other = Act(act.who, act.args, act.channel, act.opener, {"text": text})
        assert isinstance(await world.ritme.handle(_filled(world, "story.save", other, form)), Answer)


async def test_a_form_with_a_mistake_can_be_sent_again(pressed: tuple[World, Outcomes]) -> None:
    world, _ = pressed
    act = SUBMISSIONS["chance.save"]
    form = await world.ritme.handle(intent(world, "chance", act, card="c1"))
    empty = Act(act.who, values={"text": " "})
    for _ in range(2):
        assert isinstance(await world.ritme.handle(_filled(world, "chance.save", empty, form)), FieldErrors)
    assert isinstance(await world.ritme.handle(_filled(world, "chance.save", act, form)), Answer)


async def test_a_refusal_is_said_once_and_the_button_works_once_it_can(pressed: tuple[World, Outcomes]) -> None:
    world, _ = pressed
    act = Act("fatima", {CARD: "c1"})
    assert "coördinator" in text_of(await world.ritme.handle(intent(world, "code.make", act)))
    assert await world.ritme.handle(intent(world, "code.make", act)) is None
    await world.pass_(minutes=2)
    assert "coördinator" in text_of(await world.ritme.handle(intent(world, "code.make", act)))
    async with world.begin() as work:
        await _make_coordinator(work, "fatima")
    assert isinstance(await world.ritme.handle(intent(world, "code.make", act)), Answer)


async def _make_coordinator(work: Any, who: str) -> None:
    member = await work.movements.membership("movement", who)
    member.role = "coordinator"


async def test_a_button_without_its_card_is_known_by_its_message(pressed: tuple[World, Outcomes]) -> None:
    """As on messages from before buttons carried it."""
    world, _ = pressed
    act = PRESSES["stuck.not_now"]
    old = [replace(intent(world, "stuck.not_now", act), answer_to="1.0") for _ in range(2)]
    assert isinstance(await world.ritme.handle(old[0]), Answer)
    assert await world.ritme.handle(old[1]) is None
    assert isinstance(await world.ritme.handle(replace(old[1], key="other", answer_to="2.0")), Answer)


async def test_another_button_of_a_card_says_how_things_stand_by_then(pressed: tuple[World, Outcomes]) -> None:
    """Done and then Let go, on two devices: what was decided stays, and is said."""
    world, _ = pressed
    for decided, other, table in (
        ("step.let_go", "step.done", "next_steps"),
        ("stuck.let_go", "stuck.not_now", "stuck_episodes"),
        ("company.decline", "company.give", "companies"),
        ("saving.no", "saving.keep", "story_requests"),
        ("story.take_back", "saving.readers", "stories"),
    ):
        first = await world.ritme.handle(intent(world, decided, PRESSES[decided], card="c1"))
        assert isinstance(first, Answer), decided
        once = (await rows(world))[table]
        second = await world.ritme.handle(intent(world, other, PRESSES[other], card="c1"))
        assert isinstance(second, Answer), (other, second)
        assert (await rows(world))[table] == once, other
        assert await world.ritme.handle(intent(world, other, PRESSES[other], card="c1")) is None


async def test_a_card_that_comes_back_can_be_pressed_again(pressed: tuple[World, Outcomes]) -> None:
    world, _ = pressed
    shown = await world.type("jan", "/ritme initiatief wandel")
    for _ in range(2):
        shown = await world.press("jan", shown, "join")
        shown = await world.press("jan", shown, "leave")
    assert button_of(shown, "join")


async def test_what_was_claimed_is_swept_like_other_keys(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await fill(world)
        await world.ritme.handle(intent(world, "stuck.not_now", PRESSES["stuck.not_now"], card="c1"))
        async with world.begin() as work:
            assert await work.inbox.forget(world.clock.now().replace(year=2030), 99) == 2
