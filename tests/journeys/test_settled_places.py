"""A place that gets another time zone or other quiet hours: its rhythms are told, and chosen about."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chat import Form, Reply, Value
from bot.domain.movement import MovementId
from bot.domain.recurrence import Freq, Pattern
from bot.domain.rhythm import Rhythm
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.journeys.test_edited_rhythms import change_moment, edit
from tests.journeys.test_rhythms import moments_in, rhythm, times
from tests.support.world import World, button_of, text_of

STORIES = {"kind": "stories"}


async def settle(world: World, **values: Value) -> Reply:
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "place")
    return await world.submit("iris", form, **values)


async def all_rhythms(world: World) -> list[Rhythm]:
    async with world.begin() as work:
        return list(await work.rhythms.of_movement(MovementId("movement")))


class TestAnotherZone:
    async def test_is_asked_with_the_moments_and_until_then_nothing_moves(self, world: World) -> None:
        await world.movement()
        await rhythm(world, **STORIES)
        saved = text_of(await settle(world, timezone="Europe/London"))
        assert "Zelfde moment: maandag 8 maart om 08:00 (tijd in Londen)" in saved
        assert "Zelfde kloktijd: maandag 8 maart om 09:00 (tijd in Londen)" in saved
        await world.until(datetime(2027, 3, 9, tzinfo=UTC))
        assert await times(world) == [datetime(2027, 3, 8, 8, tzinfo=UTC)]

    @pytest.mark.parametrize(("press", "hour"), [("clock", 9), ("moment", 8)])
    async def test_keeps_the_clock_time_or_the_moment(self, world: World, press: str, hour: int) -> None:
        await world.movement()
        shown = await rhythm(world, **STORIES)
        await change_moment(world, shown, on="2027-03-08", what="skip")
        chosen = await world.press("iris", await settle(world, timezone="Europe/London"), press)
        assert "Zelfde kloktijd:" not in text_of(chosen)
        await world.until(datetime(2027, 3, 30, tzinfo=UTC))
        # Moments that were skipped stay so; on 29 March, Easter Monday is a holiday.
        assert await times(world) == [datetime(2027, 3, day, hour, tzinfo=UTC) for day in (15, 22)]

    async def test_brings_nothing_again_that_came_today(self, world: World) -> None:
        await world.movement()
        shown = await rhythm(world, **STORIES)
        await world.until(datetime(2027, 3, 8, 8, 30, tzinfo=UTC))
        saved = await settle(world, timezone="Europe/London")
        assert "Zelfde kloktijd: maandag 15 maart om 09:00 (tijd in Londen)" in text_of(saved)
        edited = await edit(world, shown, timezone="Europe/London")
        assert "maandag 15 maart om 09:00" in moments_in(edited)[0]
        await world.press("iris", saved, "clock")
        looked = await world.press("iris", await world.type("iris", "/ritme ritme"), "look_1")
        assert "maandag 15 maart om 09:00" in moments_in(looked)[0]
        await world.until(datetime(2027, 3, 16, tzinfo=UTC))
        assert await times(world) == [datetime(2027, 3, 8, 8, tzinfo=UTC), datetime(2027, 3, 15, 9, tzinfo=UTC)]

    async def test_lets_a_rhythm_with_a_zone_of_its_own_alone(self, world: World) -> None:
        await world.movement()
        await rhythm(world, **STORIES, timezone="Asia/Kolkata", at="15:00")
        assert "Zelfde moment" not in text_of(await settle(world, timezone="Europe/London"))

    async def test_by_which_the_moment_becomes_quiet_is_asked_about_too(self, world: World) -> None:
        await world.movement()
        await rhythm(world, **STORIES, at="09:00")
        saved = await settle(world, timezone="America/New_York")
        assert "De keer van maandag 8 maart om 03:00 (tijd in New York) valt dan uit." in text_of(saved)
        by_clock = await world.press("iris", saved, "clock")
        assert "stille tijd" not in text_of(by_clock)
        assert [one.timezone for one in await all_rhythms(world)] == ["America/New_York"]


class TestNewQuietHours:
    async def test_list_each_rhythm_with_a_cure_of_one_press(self, world: World) -> None:
        await world.movement()
        await rhythm(world, **STORIES, weekdays=("TU",), at="09:00")
        await rhythm(world, kind="check_in", weekdays=("WE",), at="12:00")
        await rhythm(world, kind="harvest", weekdays=("TH",), at="17:00")
        saved = await settle(world, quiet_from="07:45", quiet_until="16:00")
        said = text_of(saved)
        assert "De keer van morgen om 09:00 valt dan uit. Het kan ook elke dinsdag om 07:30." in said
        assert "De keer van woensdag 3 maart om 12:00 komt dan woensdag 3 maart om 16:00." in said
        assert "Oogst" not in said
        fitted = await world.press("iris", saved, "fit_1")
        assert "Het wordt: Verhaalronde in #general, elke dinsdag om 07:30." in text_of(fitted)
        assert "Bijpraatronde" in text_of(fitted)
        fitted = await world.press("iris", fitted, "fit_1")
        assert "elke woensdag om 16:00" in text_of(fitted)
        assert "stille tijd" not in text_of(fitted)
        await world.until(datetime(2027, 3, 5, tzinfo=UTC))
        assert await times(world) == [
            datetime(2027, 3, 2, 6, 30, tzinfo=UTC),
            datetime(2027, 3, 3, 15, tzinfo=UTC),
        ]

    async def test_can_be_left_and_a_cure_undone(self, world: World) -> None:
        await world.movement()
        await rhythm(world, **STORIES, weekdays=("TU",), at="09:00")
        saved = await settle(world, quiet_until="10:00")
        left = await world.press("iris", saved, "leave")
        assert "stille tijd" not in text_of(left)
        await world.press("iris", await world.press("iris", saved, "fit_1"), "revert")
        assert [one.at.hour for one in await all_rhythms(world)] == [9]

    async def test_that_changed_again_move_nothing_and_say_so(self, world: World) -> None:
        await world.movement()
        await rhythm(world, **STORIES, weekdays=("TU",), at="09:00")
        saved = await settle(world, quiet_until="10:00")
        await settle(world, quiet_until="08:00")
        stays = await world.press("iris", saved, "fit_1")
        assert "Er is niets verzet, want dit ritme valt niet meer in de stille tijd." in text_of(stays)
        assert "Verzet. Het wordt" not in text_of(stays)
        assert "Draai terug" not in str(stays)
        assert [one.at.hour for one in await all_rhythms(world)] == [9]

    async def test_without_a_better_time_move_nothing_and_say_so(self, world: World) -> None:
        await world.movement()
        await rhythm(world, **STORIES, weekdays=("TU",), at="09:00")
        saved = await settle(world, quiet_until="10:00", quiet_weekends="no")
        async with world.begin() as work:
            (one,) = await work.rhythms.of_movement(MovementId("movement"))
            one.rule = Pattern(freq=Freq.DAYS, on=1, off=1).rule  # no weekdays to move
        await settle(world, quiet_until="08:00", quiet_weekends="yes")
        stays = await world.press("iris", saved, "fit_1")
        assert "Er is niets verzet, want ik vond geen tijd" in text_of(stays)
        assert [one.at.hour for one in await all_rhythms(world)] == [9]

    async def test_of_a_weekend_move_the_day_to_the_nearest(self, world: World) -> None:
        await world.movement()
        await settle(world, quiet_weekends="no")
        await rhythm(world, **STORIES, weekdays=("SU",), every="2")
        saved = await settle(world, quiet_weekends="yes")
        assert "valt dan uit. Het kan ook om de week op maandag om 09:00." in text_of(saved)
        await world.press("iris", saved, "fit_1")
        await world.until(datetime(2027, 3, 24, tzinfo=UTC))
        assert await times(world) == [datetime(2027, 3, day, 8, tzinfo=UTC) for day in (8, 22)]

    async def test_that_only_say_again_what_was_quiet_ask_nothing(self, world: World) -> None:
        await world.movement()
        await settle(world, quiet_weekends="no")
        await rhythm(world, **STORIES, weekdays=("SU",))
        await settle(world, quiet_weekends="yes")
        assert "stille tijd" not in text_of(await settle(world, quiet_from="19:00"))

    async def test_find_a_single_moment_that_was_moved_into_them(self, world: World) -> None:
        await world.movement()
        shown = await rhythm(world, **STORIES, weekdays=("MO",), at="12:00")
        await change_moment(world, shown, on="2027-03-08", what="move", day="2027-03-09", at="09:00")
        saved = await settle(world, quiet_until="10:00")
        assert "De keer van dinsdag 9 maart om 09:00 komt dan dinsdag 9 maart om 10:00." in text_of(saved)
        await world.press("iris", saved, "fit_1")
        (one,) = await all_rhythms(world)
        looked = await world.do("iris", "rhythm.look", args={"rhythm": one.id})
        assert moments_in(looked)[1] == "dinsdag 9 maart om 10:00 (verzet)"

    async def test_of_another_movement_are_not_touched(self, world: World) -> None:
        await world.movement("fatima")
        await rhythm(world, **STORIES, weekdays=("TU",), at="09:00")
        press = button_of(await settle(world, quiet_until="10:00"), "fit_1")
        refused = await world.do("fatima", "rhythm.fit", args=press.args)
        assert "coördinator" in text_of(refused)


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_a_place_that_wakes_at_other_hours_is_settled_on_every_platform(border: Border) -> None:
    shown = await border.type("iris", "/ritme ritme elke woensdag om 10 uur verhaalronde")
    await border.press("iris", shown, "save")
    listed = await border.type("iris", "/ritme ritme")
    form = await border.press("iris", listed, "place")
    saved = await border.submit("iris", form, place=HERE, quiet_from="08:00", quiet_until="16:00")
    assert "valt dan uit" in saved.words()
    fitted = await border.press("iris", saved, "fit_1")
    assert "elke woensdag om 07:45" in fitted.words()
    before = len(await border.to_all())
    await border.until(datetime(2027, 3, 3, 6, 46, tzinfo=UTC))
    assert len(await border.to_all()) == before + 1


async def test_in_a_place_that_sleeps_by_day_a_new_rhythm_is_proposed_when_it_is_awake(world: World) -> None:
    await world.movement()
    await settle(world, quiet_from="08:00", quiet_until="16:00")
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "new")
    assert isinstance(form, Form)
    assert {field.name: field.value for field in form.fields}["at"] == "16:00"
    heard = await world.type("iris", "/ritme ritme elke dinsdag een verhaalronde")
    assert "elke dinsdag om 16:00" in text_of(heard)
