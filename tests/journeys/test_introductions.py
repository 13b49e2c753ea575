"""Introduce who does what a story tells to who told it: when both want it, each in their own chat, with the story."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chat import Answer
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.readers import find_untrue
from tests.support.stories import is_declined
from tests.support.world import MONDAY, World, button_of, text_of

SAID = "We liepen na het eten een rondje."


@pytest.fixture
async def told(world: World) -> World:
    """Return a world in which Fatima told a story."""
    await world.movement("fatima", "jan", "sanne")
    await tell(world)
    return world


async def tell(world: World, named: str = "with") -> str:
    await world.do("fatima", "story.save", text=SAID, readers="movement", named=named)
    async with world.begin() as work:
        return (await work.stories.of_teller(PersonId("fatima"), 1))[0].id


async def ripple(world: World, who: str = "jan") -> Answer:
    said = await world.press(who, world.posts()[-1], "ripple")
    assert isinstance(said, Answer)
    return said


def heard(world: World, who: str, words: str) -> list[str]:
    return [text_of(one) for one in world.private(who) if words in text_of(one)]


async def ask(world: World) -> Answer:
    """Let Jan say that he does this too, and who he is."""
    offered = await world.press("jan", await ripple(world), "introduce")
    assert isinstance(offered, Answer)
    return offered


async def test_who_does_this_too_and_who_told_it_are_introduced_once_both_want_it(told: World) -> None:
    noted = await ripple(told)
    assert "fatima" in text_of(noted)
    assert "ja of nee" in text_of(noted)
    offered = await told.press("jan", noted, "introduce")
    assert "fatima leest van mij jouw naam" in text_of(offered)
    asked = told.private("fatima")[-1]
    assert "jan" in text_of(asked)
    assert SAID in text_of(asked)
    said = await told.press("fatima", asked, "accept", channel=None)
    assert "jan" in text_of(said)
    assert SAID in text_of(said)
    (met,) = heard(told, "jan", "zegt ja")
    assert "fatima" in met
    assert SAID in met
    await told.pass_(days=8)
    await told.press("jan", told.private("jan")[-1], "met", channel=None)
    await told.pass_(days=7)
    await told.press("fatima", told.private("fatima")[-1], "met", channel=None)
    async with told.begin() as work:
        ties = await work.connecting.ties(MovementId("movement"))
    assert [(tie.one_id, tie.other_id) for tie in ties] == [("fatima", "jan")]


async def test_until_one_says_so_nobody_reads_who_does_this_too(told: World) -> None:
    await ripple(told)
    await told.pass_(days=20)
    assert "jan" not in "".join(text_of(one) for one in (*told.private("fatima"), *told.posts()))


async def test_who_told_it_without_a_name_is_named_only_after_a_yes(world: World) -> None:
    await world.movement("fatima", "jan")
    await tell(world, named="without")
    noted = await ripple(world)
    offered = await world.press("jan", noted, "introduce")
    assert "fatima" not in text_of(noted) + text_of(offered)
    asked = world.private("fatima")[-1]
    await world.press("fatima", asked, "later", channel=None)
    await world.pass_(days=30)
    assert heard(world, "jan", "later nog eens")
    assert heard(world, "jan", "hoorde ik nog niets")
    assert not heard(world, "jan", "fatima")
    await world.press("fatima", world.private("fatima")[-1], "accept", channel=None)
    await world.pass_(days=7)
    assert heard(world, "jan", "fatima")


async def test_a_no_is_told_without_blame_and_asked_once(told: World) -> None:
    offered = await ask(told)
    await told.press("fatima", told.private("fatima")[-1], "decline", channel=None)
    assert heard(told, "jan", "telt gewoon mee")
    before = len(told.private("fatima"))
    again = await told.do("jan", "ripple.introduce", story=button_of(await read_story(told), "introduce").args["story"])
    assert text_of(again) == text_of(offered)
    await told.pass_(days=40)
    assert len(told.private("fatima")) == before
    assert not heard(told, "jan", "elkaar al gesproken")


async def read_story(world: World) -> Answer:
    """Return what Sanne reads who does this too: it has the button."""
    return await ripple(world, "sanne")


async def test_who_hears_nothing_hears_that(told: World) -> None:
    await ask(told)
    await told.pass_(days=8)
    assert len(heard(told, "jan", "hoorde ik nog niets")) == 1
    await told.pass_(days=40)
    assert len(heard(told, "jan", "hoorde ik nog niets")) == 1


@pytest.mark.parametrize("way", ["take_back", "undo"])
async def test_taken_back_the_name_goes_too(told: World, way: str) -> None:
    offered = await ask(told)
    noted = await ripple(told)
    await told.press("jan", offered if way == "take_back" else noted, way)
    last = text_of(told.private("fatima")[-1])
    assert "teruggenomen" in last
    assert SAID not in last
    await told.pass_(days=30)
    assert told.private("jan") == []


async def test_who_does_not_do_it_or_told_it_cannot(told: World) -> None:
    story = button_of(told.posts()[-1], "ripple").args["story"]
    assert is_declined(await told.do("sanne", "ripple.introduce", story=story), "not_found")
    assert is_declined(await told.do("fatima", "ripple.introduce", story=story), "not_found")


async def test_who_wants_nothing_now_is_not_asked(told: World) -> None:
    await told.do("fatima", "stop", channel=None)
    before = len(told.private("fatima"))
    refused = await told.press("jan", await ripple(told), "introduce")
    assert is_declined(refused, "teller_cannot_be_asked")
    assert len(told.private("fatima")) == before


async def test_taken_back_the_story_leaves_the_introduction_too(told: World) -> None:
    await ask(told)
    await told.press("fatima", told.private("fatima")[-1], "accept", channel=None)
    assert heard(told, "jan", SAID)
    async with told.begin() as work:
        story = (await work.stories.of_teller(PersonId("fatima"), 1))[0].id
    await told.do("fatima", "story.withdraw", story=story, channel=None)
    assert not heard(told, "jan", SAID)
    assert heard(told, "jan", "zegt ja")


async def test_who_is_forgotten_is_not_named_any_more(told: World) -> None:
    await ask(told)
    await told.press("fatima", told.private("fatima")[-1], "accept", channel=None)
    await told.do("fatima", "me.forget", channel=None)
    assert not heard(told, "jan", "fatima")
    await told.pass_(days=20)
    assert not heard(told, "jan", "fatima")


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_on_every_platform_two_are_introduced_in_their_own_chats(border: Border) -> None:
    form = await border.form("fatima", "/ritme verhaal", "story")
    await border.submit("fatima", form, text=SAID, readers="movement")
    before = len(await border.to_all())
    noted = await border.press("jan", (await border.posts())[-1], "ripple")
    assert "ja of nee" in noted.words()
    await border.press("jan", noted, "introduce")
    asked = (await border.to("fatima"))[-1]
    assert "jan" in asked.words().casefold()
    await border.press("fatima", asked, "accept")
    await border.until(MONDAY + timedelta(hours=1))
    met = (await border.to("jan"))[-1].words()
    assert "fatima" in met.casefold()
    assert SAID in met
    assert len(await border.to_all()) == before
