"""Pauses that are planned, more than one, and days on which the movement is closed; on every platform."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.chat import Answer, FieldErrors, Reply, Value
from bot.domain.movement import MovementId
from bot.domain.person import Language
from bot.domain.stretches import MAX_STRETCHES_CHARS, Stretch, format_stretches, parse_stretches
from bot.use_cases.rhythms.year import load_year
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.journeys.test_rhythms import moments_in, rhythm, times
from tests.support.world import World, text_of

STORIES = {"kind": "stories", "weekdays": ("TU",)}


async def plan(world: World, shown: Reply, **values: Value) -> Reply:
    return await world.submit("iris", await world.press("iris", shown, "pause"), **values)


async def test_planned_pauses_rest_and_go_on_by_themselves(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES)
    shown = await plan(world, shown, starts="2027-03-08", until="2027-03-16")
    shown = await plan(world, shown, starts="2027-03-22", until="2027-04-06")
    assert "De stilte is gepland." in text_of(shown)
    assert "Stil van maandag 8 maart tot dinsdag 16 maart" in text_of(shown)
    coming = [one for one in moments_in(shown) if " om 09:00" in one]
    assert [one.partition(" om")[0] for one in coming][:3] == ["morgen", "dinsdag 16 maart", "dinsdag 6 april"]
    await world.until(datetime(2027, 4, 7, tzinfo=UTC))
    assert [(one.month, one.day) for one in await times(world)] == [(3, 2), (3, 16), (4, 6)]


async def test_a_planned_pause_is_dropped_and_that_undone(world: World) -> None:
    await world.movement()
    shown = await plan(world, await rhythm(world, **STORIES), starts="2027-03-08", until="2027-03-16")
    dropped = await world.press("iris", shown, "drop_1")
    assert "Stil van" not in text_of(dropped)
    undone = await world.press("iris", dropped, "revert")
    assert "Stil van" in text_of(undone)
    await world.until(datetime(2027, 3, 10, tzinfo=UTC))
    assert [one.day for one in await times(world)] == [2]


async def test_in_a_planned_pause_it_is_said_until_when_and_it_can_go_on_before(world: World) -> None:
    await world.movement()
    await plan(world, await rhythm(world, **STORIES), starts="2027-03-08", until="2027-03-23")
    await world.until(datetime(2027, 3, 9, 12, tzinfo=UTC))
    listed = await world.type("iris", "/ritme ritme")
    assert "Stil tot dinsdag 23 maart" in text_of(listed)
    await world.press("iris", await world.press("iris", listed, "look_1"), "resume")
    await world.until(datetime(2027, 3, 16, 12, tzinfo=UTC))
    assert [one.day for one in await times(world)] == [2, 16]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"starts": "2027-02-01", "until": "2027-03-20"}, "starts"),
        ({"starts": "2027-03-20", "until": "2027-03-20"}, "until"),
        ({"starts": "2027-03-10", "until": "2027-03-12"}, "until"),
        ({"starts": "2027-03-10", "until": "2029-03-12"}, "until"),
    ],
    ids=str,
)
async def test_a_pause_that_cannot_be_says_what_to_do(world: World, values: dict[str, Value], field: str) -> None:
    await world.movement()
    reply = await plan(world, await rhythm(world, **STORIES), **values)
    assert isinstance(reply, FieldErrors)
    assert set(reply.errors) == {field}


@pytest.mark.parametrize(
    ("on_holiday", "said", "days"),
    [
        ("skip", "dinsdag 9 maart, jullie vrije dag: overgeslagen", [2, 16]),
        ("move", "donderdag 11 maart om 09:00, want dinsdag 9 maart zijn jullie vrij", [2, 11, 16]),
    ],
)
async def test_days_off_of_the_movement_are_skipped_or_moved(
    world: World, on_holiday: str, said: str, days: list[int]
) -> None:
    await world.movement()
    await rhythm(world, **STORIES, on_holiday=on_holiday)
    shown = await world.press("iris", await world.type("iris", "/ritme ritme"), "closed")
    form = await world.press("iris", shown, "add")
    shown = await world.submit("iris", form, starts="2027-03-09", until="2027-03-10")
    assert "dinsdag 9 maart tot en met woensdag 10 maart" in text_of(shown)
    looked = await world.press("iris", await world.type("iris", "/ritme ritme"), "look_1")
    assert said in moments_in(looked)
    await world.until(datetime(2027, 3, 17, tzinfo=UTC))
    assert [one.day for one in await times(world)] == days


async def test_a_day_off_that_is_dropped_is_a_day_again(world: World) -> None:
    await world.movement("fatima")
    await rhythm(world, **STORIES)
    shown = await world.do("iris", "rhythm.closed.save", args={"starts": "2027-03-09"})
    await world.press("iris", shown, "drop_1")
    async with world.begin() as work:
        movement = await work.movements.get(MovementId("movement"))
        assert movement is not None
        assert movement.closed == ""
    await world.until(datetime(2027, 3, 10, tzinfo=UTC))
    assert [one.day for one in await times(world)] == [2, 9]
    refused = await world.do("fatima", "rhythm.closed")
    assert isinstance(refused, Answer)
    assert "coördinator" in text_of(refused)


@pytest.mark.parametrize(
    ("on_holiday", "at", "came"),
    [
        ("skip", 7, [9]),  # before it came: it is skipped
        ("skip", 12, [2, 9]),
        ("move", 7, [3, 9]),
        ("move", 12, [2, 9]),  # it came, and does not come again
    ],
)
async def test_closed_on_the_day_itself(world: World, on_holiday: str, at: int, came: list[int]) -> None:
    await world.movement()
    await rhythm(world, **STORIES, on_holiday=on_holiday)
    await world.until(datetime(2027, 3, 2, at, tzinfo=UTC))
    await world.do("iris", "rhythm.closed.save", args={"starts": "2027-03-02"})
    looked = await world.press("iris", await world.type("iris", "/ritme ritme"), "look_1")
    told = next(one for one in moments_in(looked) if " om 09:00" in one)
    assert told.startswith({3: "morgen", 9: "dinsdag 9 maart"}[next(day for day in came if day > 2)])
    await world.until(datetime(2027, 3, 10, tzinfo=UTC))
    assert [one.day for one in await times(world)] == came


async def test_open_again_on_the_day_itself(world: World) -> None:
    await world.movement()
    await rhythm(world, **STORIES)
    shown = await world.do("iris", "rhythm.closed.save", args={"starts": "2027-03-02"})
    await world.until(datetime(2027, 3, 2, 7, tzinfo=UTC))
    await world.press("iris", shown, "drop_1")
    await world.until(datetime(2027, 3, 3, tzinfo=UTC))
    assert [one.day for one in await times(world)] == [2]


async def test_a_pause_that_has_been_stands_in_the_picture_of_the_year(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES)
    await plan(world, shown, until="2027-03-16")
    await world.until(datetime(2027, 3, 10, 12, tzinfo=UTC))
    listed = await world.type("iris", "/ritme ritme")
    shown = await world.press("iris", await world.press("iris", listed, "look_1"), "resume")
    await world.do("iris", "rhythm.closed.save", args={"starts": "2027-03-16"})
    await world.until(datetime(2027, 3, 31, 12, tzinfo=UTC))
    await plan(world, shown, starts="2027-04-05", until="2027-04-13")
    async with world.begin() as work:
        movement = await work.movements.get(MovementId("movement"))
        assert movement is not None
        (one,) = (await load_year(work, movement, Language.NL, world.clock.now())).rhythms
    found = [(each.on.month, each.on.day, each.state.value) for each in one.moments if each.on <= date(2027, 4, 6)]
    assert found == [
        (3, 2, "paused"),
        (3, 9, "paused"),
        (3, 16, "skipped"),
        (3, 23, "sent"),
        (3, 30, "sent"),
        (4, 6, "paused"),
    ]


def test_stretches_are_stored_in_order_and_joined_and_kept_for_a_while() -> None:
    def stretch(begin: int, end: int) -> Stretch:
        return Stretch(date(2027, 3, begin), date(2027, 3, end))

    stretches = [stretch(20, 22), stretch(8, 10), stretch(10, 12), stretch(1, 3)]
    assert parse_stretches(format_stretches(stretches, date(2027, 3, 5))) == (
        stretch(1, 3),
        stretch(8, 12),
        stretch(20, 22),
    )
    assert format_stretches(stretches, date(2027, 9, 1)) == ""
    many = [Stretch(date(2027, month, day), date(2027, month, day + 1)) for month in (3, 4) for day in range(1, 28, 2)]
    text = format_stretches(many, date(2027, 3, 20))
    assert len(text) <= MAX_STRETCHES_CHARS
    assert parse_stretches(text)[-1] == many[-1]


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_a_pause_and_a_day_off_on_every_platform(border: Border) -> None:
    shown = await border.type("iris", "/ritme ritme elke dinsdag om 10 uur verhaalronde")
    saved = await border.press("iris", shown, "save")
    form = await border.press("iris", saved, "pause")
    planned = await border.submit("iris", form, starts="2027-03-08", until="2027-03-16")
    assert "De stilte is gepland." in planned.words()
    closed = await border.press("iris", await border.type("iris", "/ritme ritme", channel=HERE), "closed")
    shown = await border.submit("iris", await border.press("iris", closed, "add"), starts="2027-03-16")
    assert "dinsdag 16 maart" in shown.words()
    before = len(await border.to_all())
    await border.until(datetime(2027, 3, 23, 12, tzinfo=UTC))
    assert len(await border.to_all()) == before + 2  # on the 2nd and the 23rd
