"""Coordinators have names, and can be asked for what only they can do."""

import pytest

from tests.support.world import World, button_of, text_of


async def test_a_refusal_names_them_and_one_press_asks_them(world: World) -> None:
    await world.movement("fatima", "ahmed")
    refused = await world.do("fatima", "rhythm.new", channel=None)
    assert "iris" in text_of(refused)
    asked = await world.press("fatima", refused, "ask", channel=None)
    assert "iris leest" in text_of(asked)
    (told,) = world.messenger.to("iris")
    assert "fatima" in text_of(told)
    assert "het ritme" in text_of(told)


async def test_pressing_it_again_asks_them_once(world: World) -> None:
    await world.movement("fatima")
    refused = await world.do("fatima", "rhythm.new", channel=None)
    for _ in range(3):
        await world.press("fatima", refused, "ask", channel=None)
    assert len(world.messenger.to("iris")) == 1


async def test_a_coordinator_who_left_is_not_named(world: World) -> None:
    await world.movement("fatima")
    await world.do("iris", "me.forget", channel=None)
    refused = await world.do("fatima", "rhythm.new", channel=None)
    assert "iris" not in text_of(refused)
    with pytest.raises(AssertionError):
        button_of(refused, "ask")
    there = await world.do("fatima", "coordinators.ask", channel=None, about="rhythm.new")
    assert "/ritme start" in text_of(there)


@pytest.mark.parametrize("about", ["rhythm.new", "nonsense.of.others", ""])
async def test_only_what_is_known_is_passed_on(world: World, about: str) -> None:
    await world.movement("fatima")
    await world.do("fatima", "coordinators.ask", channel=None, about=about)
    (told,) = world.messenger.to("iris")
    assert "nonsense" not in text_of(told)
