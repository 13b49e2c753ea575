"""Journeys: what Ritme is, and what was planned or is being planned, said in a sentence."""

import pytest

from bot.chat import Form
from tests.support.world import World, button_of, text_of


@pytest.mark.parametrize(
    "line",
    ["ben je een mens?", "ben jij een robot", "wie ben jij", "are you human", "are you a bot", "are you a real person"],
)
async def test_it_says_that_it_is_a_program(world: World, line: str) -> None:
    shown = text_of(await world.type("fatima", f"/ritme {line}", channel=None))
    assert "programma" in shown or "program" in shown


@pytest.mark.parametrize("line", ["wat had ik ook alweer afgesproken?", "what was my next step again?"])
async def test_who_asks_what_was_planned_sees_it(world: World, line: str) -> None:
    await world.movement("fatima")
    form = await world.type("fatima", "/ritme stap", channel=None)
    await world.submit(
        "fatima", form, channel=None, cue="de thee is op", action="ik Ria vragen", with_whom="", on_my_own="yes"
    )
    assert "ik Ria vragen" in text_of(await world.type("fatima", f"/ritme {line}", channel=None))


@pytest.mark.parametrize(
    ("line", "day"),
    [("mijn stap: vrijdag bel ik de huismeester", "2027-03-05"), ("mijn stap: ik bel de huismeester", "2027-03-02")],
)
async def test_the_day_that_was_typed_with_a_step_stands_in_its_form(world: World, line: str, day: str) -> None:
    await world.movement("fatima")
    form = await world.type("fatima", f"/ritme {line}", channel=None)
    assert isinstance(form, Form)
    assert {one.name: one.value for one in form.fields}["day"] == day


async def _plan(world: World) -> None:
    await world.movement("fatima")
    form = await world.type("fatima", "/ritme stap", channel=None)
    await world.submit(
        "fatima", form, channel=None, cue="de thee op is", action="vraag ik Ria mee", with_whom="", on_my_own="yes"
    )


@pytest.mark.parametrize(
    "line",
    ["mijn stap is gelukt", "gedaan", "ja, gelukt!", "nog niet gelukt", "my step worked", "not yet"],
)
async def test_news_of_a_step_asks_how_it_went_and_closes_nothing(world: World, line: str) -> None:
    await _plan(world)
    shown = await world.type("fatima", f"/ritme {line}", channel=None)
    assert "vraag ik Ria mee" in text_of(shown)
    form = await world.press("fatima", shown, "not_yet", channel=None)
    assert isinstance(form, Form)
    assert form.intent == "step.move"


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("verzet mijn stap naar vrijdag", "2027-03-05"),
        ("kan mijn stap naar maandag?", "2027-03-08"),
        ("can my step be a week later?", "2027-03-08"),
    ],
)
async def test_a_step_that_is_to_move_opens_the_form_for_its_new_day(world: World, line: str, day: str) -> None:
    await _plan(world)
    form = await world.type("fatima", f"/ritme {line}", channel=None)
    assert isinstance(form, Form)
    assert form.intent == "step.move"
    assert {one.name: one.value for one in form.fields}["day"] == day


@pytest.mark.parametrize("line", ["mijn stap is gelukt", "verzet mijn stap naar vrijdag"])
async def test_news_without_a_step_is_asked_about(world: World, line: str) -> None:
    await world.movement("fatima")
    assert button_of(await world.type("fatima", f"/ritme {line}", channel=None), "home")


@pytest.mark.parametrize(
    "line",
    [
        "mijn stap: ik vraag of het gelukt is",
        "stap done with waiting: tomorrow I call Bob",
        "stap nog niet gebeld: vrijdag bel ik Jan",
        "stap put the step ladder back",
    ],
)
async def test_a_new_step_beside_a_planned_one_opens_the_form(world: World, line: str) -> None:
    await _plan(world)
    form = await world.type("fatima", f"/ritme {line}", channel=None)
    assert isinstance(form, Form)
    assert form.intent == "step.save"
