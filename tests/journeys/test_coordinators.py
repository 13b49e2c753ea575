"""Coordinators have names, and can be asked for what only they can do."""

import pytest

from bot.domain.movement import Role
from bot.domain.person import PersonId, WorkspaceId
from tests.support.world import LANE, MONDAY, World, button_of, text_of


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


async def test_who_reads_nothing_from_us_is_not_said_to_read_it(world: World) -> None:
    await world.movement("fatima", "ahmed")
    async with world.begin() as work:
        iris = await work.people.in_workspace(PersonId("iris"), WorkspaceId(LANE))
        assert iris is not None
        iris.stopped_at = MONDAY
    refused = await world.do("fatima", "rhythm.new", channel=None)
    assert "iris" in text_of(refused), "it is hers to do all the same"
    with pytest.raises(AssertionError):
        button_of(refused, "ask")
    offered = await world.type("fatima", "/ritme stop")
    with pytest.raises(AssertionError):
        button_of(offered, "ask")
    # A card from before she stopped still has the button.
    asked = await world.do("fatima", "coordinators.ask", channel=None, about="rhythm.new")
    assert "iris leest nu geen berichten van mij" in text_of(asked)
    await world.pass_(days=7)
    assert world.private("iris") == []


async def test_of_two_only_the_one_who_reads_is_said_to(world: World) -> None:
    await world.movement("fatima", "ahmed")
    async with world.begin() as work:
        ahmed, iris = [await work.people.in_workspace(PersonId(one), WorkspaceId(LANE)) for one in ("ahmed", "iris")]
        assert ahmed is not None
        assert iris is not None
        member = (await work.movements.of_person(ahmed.id))[0][1]
        member.role = Role.COORDINATOR
        iris.stopped_at = MONDAY
    refused = await world.do("fatima", "rhythm.new", channel=None)
    confirm = button_of(refused, "ask").confirm
    assert confirm is not None
    assert confirm.question.startswith("ahmed leest dan jouw naam")
    assert "**" not in text_of(await world.press("fatima", refused, "ask", channel=None))
    assert len(world.private("ahmed")) == 1
    assert world.private("iris") == []
