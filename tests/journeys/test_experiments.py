"""An experiment has an end, at which those who took part say what becomes of it."""

from datetime import timedelta

import pytest

from bot.chat import Answer, Form, Reply
from bot.domain.movement import MovementId
from tests.fakes.messenger import Sent
from tests.journeys.test_stuck import submit_step
from tests.support.world import MONDAY, World, text_of

END = "2027-03-16"
TRYING = "We lopen na het eten een rondje"
SIGN = "Ze vragen er zelf om"


@pytest.fixture
async def tried(world: World) -> World:
    """Return a world in which Fatima carries an initiative, and Jan and Noor take part."""
    await world.movement("fatima", "jan", "noor", "wim")
    shown = await world.do("fatima", "initiative.save", args={"name": "Wandelen", "description": ""})
    for who in ("jan", "noor"):
        listed = await world.do(who, "initiative", channel=None)
        one = await world.press(who, listed, "look_1", channel=None)
        await world.press(who, one, "join", channel=None)
    assert isinstance(shown, Answer)
    return world


async def begin(world: World, who: str = "fatima", *, alone: bool = False) -> Reply:
    form = await world.type(who, f"/ritme proef {TRYING}", channel=None)
    assert isinstance(form, Form)
    initiative = {} if alone else {"initiative": await walk(world)}
    return await world.submit(who, form, channel=None, day=END, sign=SIGN, **initiative)


async def walk(world: World) -> str:
    async with world.begin() as work:
        (one,) = await work.initiatives.of_movement(MovementId("movement"))
        return one.id


def cards(world: World, who: str) -> list[Sent]:
    """List the questions at the end of an experiment that somebody got."""
    return [one for one in world.private(who) if "goes_on" in str(one.message)]


async def answer(world: World, who: str, name: str, learned: str = "") -> Reply:
    form = await world.press(who, cards(world, who)[-1], name, channel=None)
    assert isinstance(form, Form), form
    return await world.submit(who, form, channel=None, learned=learned)


async def look(world: World, who: str = "wim") -> str:
    listed = await world.do(who, "initiative", channel=None)
    page = await world.press(who, listed, "look_1", channel=None)
    return text_of(page)


async def test_a_step_is_called_an_experiment_and_more_steps_belong_to_it(tried: World) -> None:
    form = await tried.type("fatima", "/ritme stap bel ik Jan", channel=None)
    card = await tried.submit("fatima", form, channel=None, cue="het rustig is", on_my_own="yes")
    form = await tried.press("fatima", card, "experiment", channel=None)
    shown = await tried.submit("fatima", form, channel=None, day=END, sign=SIGN)
    assert "Er hoort één stap bij" in text_of(shown)
    await submit_step(tried, shown, channel=None)
    listed = await tried.type("fatima", "/ritme proef", channel=None)
    assert "Er horen 2 stappen bij" in text_of(await tried.press("fatima", listed, "look_1", channel=None))


async def test_it_stands_with_its_initiative(tried: World) -> None:
    shown = await begin(tried)
    assert "Iedereen in de beweging" in text_of(shown)
    assert TRYING in await look(tried)
    page = await tried.press("jan", await tried.do("jan", "initiative", channel=None), "look_1", channel=None)
    form = await tried.press("jan", page, "experiment", channel=None)
    assert isinstance(form, Form)
    assert next(one for one in form.fields if one.name == "initiative").value == await walk(tried)


async def test_at_its_end_who_took_part_is_asked_and_who_carries_it_decides(tried: World) -> None:
    await begin(tried)
    before = {who: len(tried.private(who)) for who in ("jan", "noor", "wim")}
    await tried.until(MONDAY + timedelta(days=16))
    assert len(tried.private("wim")) == before["wim"]
    assert TRYING in text_of(tried.private("noor")[-1])
    said = await answer(tried, "jan", "goes_on", "Samen is het gezellig")
    assert "Wie het initiatief draagt, beslist" in text_of(said)
    said = await answer(tried, "fatima", "stopped", "Voor het eten is beter")
    assert "dit stopt" in text_of(said)
    later = await answer(tried, "noor", "differently", "Ook eens buiten")
    assert "Besloten was al: het stopt" in text_of(later)
    assert "gestopt, met iets geleerd" in await look(tried)
    back = text_of(await tried.do("wim", "lookback", initiative=await walk(tried), channel=None))
    assert "stopte" in back
    assert "Samen is het gezellig" in back
    story = await tried.press("fatima", said, "tell_story", channel=None)
    assert isinstance(story, Form)
    filled = {one.name: one.value for one in story.fields}
    assert TRYING in str(filled["text"])
    assert "Voor het eten is beter" in str(filled["text"])
    assert filled["initiative"] == await walk(tried)


async def test_stopping_asks_what_was_learned(tried: World) -> None:
    await begin(tried)
    await tried.until(MONDAY + timedelta(days=16))
    said = await answer(tried, "fatima", "stopped")
    assert "learned" in text_of(said)
    assert "wordt gewoon" in text_of(await answer(tried, "fatima", "goes_on"))


async def test_unanswered_it_comes_once_more_and_then_rests_visibly(tried: World) -> None:
    await begin(tried)
    await tried.until(MONDAY + timedelta(days=16))
    asked = {who: len(cards(tried, who)) for who in ("fatima", "jan")}
    await tried.until(MONDAY + timedelta(days=24))
    assert {who: len(cards(tried, who)) for who in asked} == {who: many + 1 for who, many in asked.items()}
    assert "laat ik hem rusten" in text_of(cards(tried, "fatima")[-1])
    await tried.until(MONDAY + timedelta(days=60))
    assert {who: len(cards(tried, who)) for who in asked} == {who: many + 1 for who, many in asked.items()}
    assert "rust sinds" in await look(tried)
    said = await answer(tried, "fatima", "differently")
    assert "gaat anders verder" in text_of(said)
    assert isinstance(await tried.press("fatima", said, "anew", channel=None), Form)


async def test_once_decided_nobody_is_asked_again(tried: World) -> None:
    await begin(tried)
    await tried.until(MONDAY + timedelta(days=16))
    await answer(tried, "fatima", "goes_on")
    many = len(tried.private("jan"))
    await tried.until(MONDAY + timedelta(days=60))
    assert len(tried.private("jan")) == many


async def test_its_end_moves_or_comes_early(tried: World) -> None:
    shown = await begin(tried)
    form = await tried.press("fatima", shown, "move", channel=None)
    moved = await tried.submit("fatima", form, channel=None, day="2027-04-06")
    assert "6 april" in text_of(moved)
    many = len(tried.private("jan"))
    await tried.until(MONDAY + timedelta(days=22))
    assert len(tried.private("jan")) == many
    asked = await tried.press("fatima", moved, "end", channel=None)
    assert "Wat gaat ermee verder" in text_of(asked)
    assert len(tried.private("jan")) == many + 1
    form = await tried.press("fatima", asked, "goes_on", channel=None)
    await tried.submit("fatima", form, channel=None)
    assert "wordt gewoon" in await look(tried)
    await tried.until(MONDAY + timedelta(days=60))
    assert len(tried.private("jan")) == many + 1


async def test_only_who_carries_it_moves_its_end(tried: World) -> None:
    shown = await begin(tried)
    assert isinstance(shown, Answer)
    assert shown.message is not None
    move = next(one for one in shown.message.buttons if one.name == "move")
    assert "wie dit initiatief draagt" in text_of(await tried.do("jan", move.intent, args=move.args, channel=None))


async def test_ones_own_is_read_by_nobody_else(tried: World) -> None:
    shown = await begin(tried, alone=True)
    assert "Alleen jij" in text_of(shown)
    assert isinstance(shown, Answer)
    assert shown.message is not None
    look_at = {"experiment": shown.message.buttons[0].args["experiment"]}
    assert TRYING not in text_of(await tried.do("jan", "experiment.look", args=look_at, channel=None))
    many = len(tried.private("jan"))
    await tried.until(MONDAY + timedelta(days=16))
    assert len(tried.private("jan")) == many
    await answer(tried, "fatima", "stopped", "Te druk")
    assert TRYING not in text_of(await tried.do("jan", "lookback", channel=None))
    assert TRYING in text_of(await tried.do("fatima", "lookback", channel=None))


async def test_who_joins_later_is_asked_and_who_left_is_not(tried: World) -> None:
    await begin(tried)
    page = await tried.press("wim", await tried.do("wim", "initiative", channel=None), "look_1", channel=None)
    await tried.press("wim", page, "join", channel=None)
    page = await tried.press("jan", await tried.do("jan", "initiative", channel=None), "look_1", channel=None)
    await tried.press("jan", page, "leave", channel=None)
    many = {who: len(tried.private(who)) for who in ("wim", "jan")}
    await tried.until(MONDAY + timedelta(days=16))
    assert len(tried.private("wim")) == many["wim"] + 1
    assert len(tried.private("jan")) == many["jan"]


async def test_forgetting_keeps_what_the_initiative_tries_and_not_ones_lines(tried: World) -> None:
    await begin(tried)
    await begin(tried, alone=True)
    await tried.until(MONDAY + timedelta(days=16))
    ends = cards(tried, "fatima")
    assert len(ends) == 2
    for sent in ends:
        form = await tried.press("fatima", sent, "goes_on", channel=None)
        await tried.submit("fatima", form, channel=None, learned="Mijn eigen regel")
    await tried.do("fatima", "me.forget", channel=None)
    shown = await look(tried)
    assert TRYING in shown
    back = text_of(await tried.do("wim", "lookback", initiative=await walk(tried), channel=None))
    assert "wordt gewoon" in back
    assert "Mijn eigen regel" not in back
    async with tried.begin() as work:
        assert len(await work.experiments.of_person("fatima", MovementId("movement"), 9)) == 1  # type: ignore[arg-type]
