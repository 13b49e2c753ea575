"""A picture is asked for, and comes in one's own chat with words that say the same: on Slack, in Teams, in the
playground."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from struct import unpack

import pytest

from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId, Role
from bot.domain.person import PersonId
from bot.ports import PrintForm, TypesettingFailed
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.support.world import MONDAY, World, text_of

MOVEMENT = MovementId("movement")


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n")
    width, height = unpack(">II", png[16:24])
    return width, height


async def add_weekly(border: Border) -> None:
    form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
    weekly = {"every": "1", "weekdays": ("TU",), "at": "10:00", "place": HERE, "on_holiday": "skip"}
    await border.submit("iris", form, kind="stories", **weekly)


async def test_a_coordinator_sees_the_year_of_the_rhythm(border: Border) -> None:
    await add_weekly(border)
    await border.until(datetime(2027, 3, 9, 12, tzinfo=UTC))
    before = len(await border.to_all())
    said = await border.press("iris", await border.type("iris", "/ritme ritme"), "year")
    assert said is not None
    await border.until(datetime(2027, 3, 9, 12, 1, tzinfo=UTC))
    png, text = await border.picture("iris")
    assert max(size_of(png)) <= 1024
    assert len(png) < 1_000_000
    words = (await border.to("iris"))[-1].words()
    assert "Geplaatst: 2 keer" in words
    assert "Koningsdag, overgeslagen" in words
    assert "Koningsdag, overgeslagen" in text or len(text) >= 500, "a notification is cut"
    assert len(await border.to_all()) == before


async def test_it_is_asked_for_in_words(border: Border) -> None:
    await add_weekly(border)
    for number, line in enumerate(("/ritme jaar", "/ritme year"), 1):
        await border.type("iris", line)
        await border.until(datetime(2027, 3, 1, 12, number, tzinfo=UTC))
        assert "jaar ritme van" in (await border.to("iris"))[-1].words(), line


async def test_it_is_for_coordinators_alone(border: Border) -> None:
    said = (await border.type("fatima", "/ritme jaar")).words()
    assert "coördinator" in said
    await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
    with pytest.raises(ValueError, match="not enough values"):
        await border.picture("fatima")


async def test_a_look_back_is_drawn_for_who_asks(border: Border) -> None:
    before = len(await border.to_all())
    await border.press("fatima", await border.type("fatima", "/ritme terugblik wandelen"), "draw")
    await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
    png, text = await border.picture("fatima")
    assert max(size_of(png)) <= 1024
    assert "Wandelen na het eten" in text
    assert "jan kwam erbij" in (await border.to("fatima"))[-1].words().casefold()
    assert len(await border.to_all()) == before


async def test_the_quilt_is_drawn_for_who_asks(border: Border) -> None:
    assert "lap" in (await border.type("wim", "/ritme lappendeken")).words()
    async with border.begin() as work:
        garden = InitiativeId("garden")
        work.initiatives.add(
            Initiative(id=garden, movement_id=MOVEMENT, name="De tuin open", started_by=None, started_at=MONDAY)
        )
        await work.flush()
        work.initiatives.add(
            Participant(initiative_id=garden, person_id=PersonId("jan"), movement_id=MOVEMENT, joined_at=MONDAY)
        )
    await border.type("wim", "/ritme lappendeken")
    await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
    png, text = await border.picture("wim")
    assert max(size_of(png)) <= 1024
    assert "De tuin open" in text
    words = (await border.to("wim"))[-1].words()
    assert words.count("genaaid aan") == 2
    assert "jan" not in words.casefold()


@pytest.mark.parametrize("platform", ["slack", "playground"])
async def test_a_picture_goes_with_who_is_forgotten(tmp_path: Path, platform: str) -> None:
    async with open_border(platform, tmp_path) as border:
        await border.press("fatima", await border.type("fatima", "/ritme terugblik wandelen"), "draw")
        await border.until(datetime(2027, 3, 1, 12, tzinfo=UTC))
        assert "jan" in (await border.picture("fatima"))[1].casefold()
        await border.press("jan", await border.type("jan", "/ritme ik"), "forget")
        await border.until(datetime(2027, 3, 1, 13, tzinfo=UTC))
        with pytest.raises(ValueError, match="not enough values"):
            await border.picture("fatima")
        assert not [one for one in await border.to("fatima") if "als tijdlijn" in one.words()]


class Broken:
    async def typeset(self, drawing: str, data: object, form: PrintForm) -> bytes:
        raise TypesettingFailed("no paper")


async def test_what_cannot_be_drawn_is_said(world: World) -> None:
    await world.movement("fatima")
    world.ritme._drainer._typesetter = Broken()
    await world.do("iris", "rhythm.year")
    await world.pass_(minutes=1)
    sent = world.private("iris")[-1]
    assert sent.post.picture is None
    assert "nog geen ritme" in text_of(sent)


async def test_who_coordinates_no_more_gets_no_picture(world: World) -> None:
    await world.movement("fatima")
    said = len(world.private("iris"))
    await world.do("iris", "rhythm.year", answerable=False)
    async with world.begin() as work:
        member = await work.movements.membership(MOVEMENT, PersonId("iris"))
        assert member is not None
        member.role = Role.MEMBER
    await world.pass_(minutes=1)
    assert not [one for one in world.private("iris")[said:] if one.post.picture is not None]
