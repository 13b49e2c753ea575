"""Where stories went: a map of groups of five or more, in rounded figures, on every platform, and never of persons."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import counting
from bot.domain.coverage import RECOUNTED_AFTER
from bot.domain.person import PersonId
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.journeys.test_pictures import size_of
from tests.support.world import MOVEMENT, World, text_of

ZUID = ("fatima", "jan", "sanne", "wim", "mila")
NACHT = ("noor", "kwame", "roos", "tess", "bram")
STAF = ("pieter", "otto", "basira", "gijs")


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


@pytest.fixture(autouse=True)
def always_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Round down, whatever chance says: figures are then known."""
    monkeypatch.setattr(counting, "randbelow", lambda most: most - 1)


@pytest.fixture
async def grouped(world: World) -> World:
    await world.movement(*ZUID, *NACHT, *STAF)
    async with world.begin() as work:
        for group, people in (("Wijkteam Zuid", ZUID), ("Nachtdienst", NACHT), ("Staf", STAF)):
            for who in people:
                person = await work.people.get(PersonId(who), MOVEMENT)
                assert person is not None
                person.group = group
    return world


async def tell(world: World, who: str, readers: str = "movement") -> str:
    told = {"text": "We liepen een rondje.", "named": "without", "readers": readers, "where": "nowhere"}
    await world.do(who, "story.save", args=told)
    async with world.begin() as work:
        return (await work.stories.of_teller(PersonId(who), 1))[0].id


async def look(world: World, who: str = "fatima") -> str:
    await world.pass_(minutes=2)
    said = text_of(await world.do(who, "map", channel=None))
    await world.pass_(minutes=1)
    return text_of(world.private(who)[-1]) if "Ik teken" in said else said


async def test_without_a_group_of_five_there_is_no_map(border: Border) -> None:
    assert "nog geen kaart" in (await border.type("wim", "/ritme kaart")).words()


async def test_the_map_comes_in_ones_own_chat(border: Border) -> None:
    async with border.begin() as work:
        for who in ("fatima", "jan", "sanne", "wim", "iris"):
            person = await work.people.get(PersonId(who), MOVEMENT)
            assert person is not None
            person.group = "Wijkteam Zuid"
    for number, who in enumerate(("jan", "sanne", "wim", "iris", "jan")):
        await border.type(who, f"/ritme verhaal Rondje {number} door de tuin.")
    before = len(await border.to_all())
    await border.type("fatima", "/ritme map")
    await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
    png, text = await border.picture("fatima")
    assert max(size_of(png)) <= 1024
    assert len(png) < 1_000_000
    assert "Waar verhalen" in text
    words = (await border.to("fatima"))[-1].words()
    assert "minder dan vijf, minder dan vijf, ongeveer 5" in words
    assert not any(name in words.casefold() for name in ("jan", "sanne", "wim", "iris"))
    assert len(await border.to_all()) == before


async def test_doing_it_too_and_passing_it_on_make_an_arrow_and_each_counts_once(grouped: World) -> None:
    stories = [await tell(grouped, who) for who in ZUID]
    for story in stories[:2]:
        for who in NACHT[:2]:
            await grouped.do(who, "ripple", args={"story": story})
    await grouped.do("noor", "share.save", args={"story": stories[0], "place": "general", "line": ""})
    for who in STAF:
        await grouped.do(who, "ripple", args={"story": stories[0]})
    assert "Nachtdienst: ongeveer 5 keer" not in await look(grouped), "who did both with one story counts once"
    await grouped.do("roos", "share.save", args={"story": stories[1], "place": "general", "line": ""})
    assert "ongeveer 5 keer" not in await look(grouped), "the map stands for a week"
    await grouped.pass_(seconds=RECOUNTED_AFTER.total_seconds())
    said = await look(grouped)
    assert "van Wijkteam Zuid naar Nachtdienst: ongeveer 5 keer" in said
    assert "Staf" not in said
    assert not {*ZUID, *NACHT, *STAF} & set(said.casefold().split())


async def test_what_is_taken_back_or_for_few_is_not_counted(grouped: World) -> None:
    for who in ZUID:
        story = await tell(grouped, who, "thread" if who == "jan" else "movement")
        if who == "fatima":
            await grouped.do(who, "story.withdraw", args={"story": story})
    for who in ("sanne", "wim"):
        await tell(grouped, who)
    assert "Wijkteam Zuid: minder dan vijf, minder dan vijf, ongeveer 5" in await look(grouped)
    await grouped.pass_(days=7 * 9)
    assert "Wijkteam Zuid: ongeveer 5, minder dan vijf, minder dan vijf" in await look(grouped)


async def test_a_group_that_became_small_is_gone_at_once(grouped: World) -> None:
    for who in ZUID:
        await tell(grouped, who)
    assert "Nachtdienst" in await look(grouped)
    await grouped.do("noor", "me.forget", channel=None)
    assert "Nachtdienst" not in await look(grouped)
