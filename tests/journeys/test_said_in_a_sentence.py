"""Journeys: what Ritme is, and what was planned or is being planned, said in a sentence."""

import pytest

from bot.chat import Form
from tests.support.world import World, text_of


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
