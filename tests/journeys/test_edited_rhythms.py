"""A rhythm edited in place: what changes is shown first, what was changed of moments stays, and it can be undone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chat import Answer, FieldErrors, Form, Reply, Value
from bot.domain.delivery import DeliveryState
from bot.domain.movement import MovementId
from bot.domain.rhythm import Rhythm
from tests.drivers.border import HERE, PLATFORMS, Border, open_border
from tests.journeys.test_rhythms import moments_in, rhythm, times
from tests.support.world import World, button_of, text_of

STORIES = {"kind": "stories"}


async def only(world: World) -> Rhythm:
    async with world.begin() as work:
        (one,) = await work.rhythms.of_movement(MovementId("movement"))
        return one


async def edit(world: World, shown: Reply, **values: Value) -> Reply:
    form = await world.press("iris", shown, "edit")
    assert isinstance(form, Form)
    return await world.submit("iris", form, **values)


async def apply(world: World, shown: Reply, **values: Value) -> Reply:
    return await world.press("iris", await edit(world, shown, **values), "apply")


async def change_moment(world: World, shown: Reply, **values: Value) -> Reply:
    return await world.submit("iris", await world.press("iris", shown, "moment"), **values)


async def test_kind_timing_and_place_are_edited_in_place(world: World) -> None:
    await world.movement(channels=("general", "night"))
    shown = await rhythm(world, kind="stories")
    preview = await edit(world, shown, kind="check_in", place="night", weekdays=("TU",), at="10:00")
    assert "Verhaalronde in #general, elke maandag om 09:00." in text_of(preview)
    assert "Bijpraatronde in #night, elke dinsdag om 10:00." in text_of(preview)
    assert (await only(world)).kind == "stories"
    await world.press("iris", preview, "apply")
    await world.until(datetime(2027, 3, 10, tzinfo=UTC))
    assert await times(world) == []
    assert await times(world, "night") == [datetime(2027, 3, day, 9, tzinfo=UTC) for day in (2, 9)]


async def test_what_was_moved_or_skipped_stays_where_it_still_exists(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES, weekdays=("MO", "TH"))
    await change_moment(world, shown, on="2027-03-04", what="skip")
    await change_moment(world, shown, on="2027-03-08", what="move", day="2027-03-10", at="10:00")
    preview = await edit(world, shown, weekdays=("TH",), at="11:00")
    assert "Wat je al verzette of oversloeg, blijft zo." in text_of(preview)
    assert "niet meer nodig: maandag 8 maart" in text_of(preview)
    applied = await world.press("iris", preview, "apply")
    assert moments_in(applied) == moments_in(preview)
    assert moments_in(applied)[:2] == [
        "donderdag 4 maart: overgeslagen op jullie verzoek",
        "donderdag 11 maart om 11:00",
    ]
    await world.until(datetime(2027, 3, 12, tzinfo=UTC))
    assert await times(world) == [datetime(2027, 3, 11, 10, tzinfo=UTC)]


async def test_which_time_of_a_day_was_skipped_stays_when_another_is_added(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES, weekdays=("TU",), at="12:00")
    await change_moment(world, shown, on="2027-03-09", what="skip")
    args = dict(button_of(shown, "edit").args)
    values = {**STORIES, "every": "1", "weekdays": ("TU",), "at": "12:00", "also_at": "09:00", "on_holiday": "skip"}
    preview = await world.do("iris", "rhythm.save", args={**values, "place": "general", **args})
    await world.press("iris", preview, "apply")
    await world.until(datetime(2027, 3, 10, tzinfo=UTC))
    assert [(one.day, one.hour) for one in await times(world)] == [(2, 8), (2, 11), (9, 8)]


async def test_the_last_change_is_undone_with_what_it_did_to_single_moments(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES)
    moved = await change_moment(world, shown, on="2027-03-08", what="move", day="2027-03-10", at="10:00")
    applied = await apply(world, shown, weekdays=("TU",))
    undone = await world.press("iris", applied, "revert")
    assert moments_in(undone) == moments_in(moved)
    assert "Teruggedraaid." in text_of(undone)
    await world.until(datetime(2027, 3, 11, tzinfo=UTC))
    assert await times(world) == [datetime(2027, 3, 10, 9, tzinfo=UTC)]


async def test_ending_it_is_undone_too(world: World) -> None:
    await world.movement()
    ended = await world.press("iris", await rhythm(world, **STORIES), "end")
    await world.press("iris", ended, "revert")
    await world.until(datetime(2027, 3, 9, tzinfo=UTC))
    assert len(await times(world)) == 1


async def test_an_older_change_is_not_undone_after_a_newer_one(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES)
    first = await apply(world, shown, weekdays=("TU",))
    await world.pass_(minutes=1)
    await apply(world, shown, weekdays=("WE",))
    assert "elke woensdag" in text_of(await world.press("iris", first, "revert"))


async def test_another_like_it_is_made_from_it(world: World) -> None:
    await world.movement(channels=("general", "night"))
    form = await world.press("iris", await rhythm(world, **STORIES, at="11:00"), "copy")
    assert "in #night, elke maandag om 11:00" in text_of(await world.submit("iris", form, place="night"))
    async with world.begin() as work:
        assert len(await work.rhythms.of_movement(MovementId("movement"))) == 2


@pytest.mark.parametrize(("at", "told"), [("09:30", True), ("08:15", True), ("10:00", False), ("11:00", False)])
async def test_two_within_an_hour_in_the_same_place_are_said(world: World, at: str, told: bool) -> None:
    await world.movement(channels=("general", "night"))
    await rhythm(world, kind="harvest")
    shown = await rhythm(world, **STORIES, at=at)
    assert ("Binnen een uur daarvan" in text_of(shown)) is told
    assert ("oogst, maandag 8 maart om 09:00" in text_of(shown)) is told
    elsewhere = await rhythm(world, **STORIES, at=at, place="night")
    assert "Binnen een uur daarvan" not in text_of(elsewhere)


async def test_what_is_due_while_it_is_edited_comes_as_it_was(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES)
    world.clock.set(datetime(2027, 3, 8, 8, 0, 30, tzinfo=UTC))  # due half a minute ago, and not planned yet
    await apply(world, shown, at="11:00")
    await world.until(datetime(2027, 3, 8, 12, tzinfo=UTC))
    async with world.begin() as work:
        rows = await work.deliveries.of_movement(MovementId("movement"), datetime(2027, 1, 1, tzinfo=UTC), 20)
    sent = sorted(one.due_at for one in rows if one.state is DeliveryState.SENT and one.kind == "rhythm_stories")
    # As it was before; and at the new time, which is still to come, as its page says.
    assert sent == [datetime(2027, 3, 8, 8, tzinfo=UTC), datetime(2027, 3, 8, 10, tzinfo=UTC)]


async def test_one_that_began_years_ago_is_edited_without_losing_its_week(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES, every="2", weekdays=("TU",))
    async with world.begin() as work:
        (one,) = await work.rhythms.of_movement(MovementId("movement"))
        one.starts_on = one.starts_on.replace(year=2017, month=2, day=28)
        before = one.starts_on
    looked = await world.do("iris", "rhythm.look", args=button_of(shown, "edit").args)
    applied = await apply(world, looked, at="10:00")
    assert [one.replace("10:00", "09:00") for one in moments_in(applied)] == moments_in(looked)
    assert (await only(world)).starts_on != before


async def test_what_is_wrong_stands_beside_its_field_and_changes_nothing(world: World) -> None:
    await world.movement()
    wrong = await edit(world, await rhythm(world, **STORIES), at="07:00")
    assert isinstance(wrong, FieldErrors)
    assert set(wrong.errors) == {"at"}


async def test_a_member_does_not_edit(world: World) -> None:
    await world.movement("fatima")
    args = button_of(await rhythm(world, **STORIES), "edit").args
    for intent in ("rhythm.edit", "rhythm.apply", "rhythm.copy", "rhythm.undo"):
        refused = await world.do("fatima", intent, args=args)
        assert isinstance(refused, Answer)
        assert "coördinator" in text_of(refused)


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_what_an_edit_shows_comes(border: Border) -> None:
    shown = await border.type("iris", "/ritme ritme elke woensdag om 10 uur verhaalronde")
    saved = await border.press("iris", shown, "save")
    form = await border.press("iris", saved, "edit")
    preview = await border.submit("iris", form, weekdays=("TU",), place=HERE)
    assert "Dat wordt:" in preview.words()
    assert "elke dinsdag om 10:00" in preview.words()
    applied = await border.press("iris", preview, "apply")
    assert "Veranderd" in applied.words()
    before = len(await border.to_all())
    await border.until(datetime(2027, 3, 2, 9, 1, tzinfo=UTC))
    assert len(await border.to_all()) == before + 1
    undone = await border.press("iris", applied, "revert")
    assert "elke woensdag om 10:00" in undone.words()
