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


async def test_what_passes_between_the_preview_and_saving_it_comes_once(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES, weekdays=("TU",), at="10:00")
    world.clock.set(datetime(2027, 3, 2, 8, 25, tzinfo=UTC))
    preview = await edit(world, shown, weekdays=("TU",), at="09:30")
    world.clock.set(datetime(2027, 3, 2, 8, 30, 40, tzinfo=UTC))
    await world.press("iris", preview, "apply")
    await world.until(datetime(2027, 3, 3, tzinfo=UTC))
    assert await times(world) == [datetime(2027, 3, 2, 8, 30, 40, tzinfo=UTC)]


async def test_one_that_came_before_the_change_was_saved_does_not_come_again_that_day(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES, weekdays=("TU",), at="09:30")
    world.clock.set(datetime(2027, 3, 2, 8, 25, tzinfo=UTC))
    preview = await edit(world, shown, weekdays=("TU",), at="09:32")
    world.clock.set(datetime(2027, 3, 2, 8, 33, tzinfo=UTC))
    await world.press("iris", preview, "apply")
    await world.until(datetime(2027, 3, 3, tzinfo=UTC))
    assert len(await times(world)) == 1


async def test_a_new_one_whose_moment_passes_while_its_preview_is_read_comes(world: World) -> None:
    await world.movement()
    world.clock.set(datetime(2027, 3, 2, 8, 25, tzinfo=UTC))
    preview = await world.type("iris", "/ritme ritme elke dinsdag om 9:30 een verhaalronde")
    world.clock.set(datetime(2027, 3, 2, 8, 31, tzinfo=UTC))
    await world.press("iris", preview, "save")
    await world.until(datetime(2027, 3, 3, tzinfo=UTC))
    assert await times(world) == [datetime(2027, 3, 2, 8, 31, tzinfo=UTC)]


@pytest.mark.parametrize("press", ["end", "revert"])
async def test_what_is_due_when_it_is_ended_or_undone_is_known(world: World, press: str) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES, weekdays=("TU",), at="10:00")
    shown = await apply(world, shown, weekdays=("TU",), at="09:30")
    world.clock.set(datetime(2027, 3, 2, 8, 30, 0, 500, tzinfo=UTC))
    await world.press("iris", shown, press)
    async with world.begin() as work:
        (row,) = await work.deliveries.of_movement(MovementId("movement"), datetime(2027, 1, 1, tzinfo=UTC), 9)
    assert row.due_at == datetime(2027, 3, 2, 8, 30, tzinfo=UTC)
    assert row.reason == ("rhythm_ended" if press == "end" else "")


async def test_what_was_missed_for_days_is_told_also_when_the_rhythm_is_changed_at_once(world: World) -> None:
    await world.movement()
    shown = await rhythm(world, **STORIES, weekdays=("TU", "WE", "TH"), at="10:00")
    world.clock.set(datetime(2027, 3, 4, 10, tzinfo=UTC))  # down since Monday; an hour late for Thursday's
    await apply(world, shown, weekdays=("FR",), at="10:00")
    await world.drain()
    assert len(await times(world)) == 1
    (told,) = world.private("iris")
    assert "gisteren om 10:00" in text_of(told)
    assert "Ook de keer daarvoor viel uit." in text_of(told)


@pytest.mark.parametrize(
    ("said", "slower"),
    [
        ("elke werkdag om 9:00 een verhaalronde", "elke dinsdag om 09:00"),
        ("elke eerste en derde dinsdag van de maand om 10:00 een verhaalronde", "elke eerste dinsdag van de maand"),
        ("elke dinsdag om 9:00 en 15:00 een verhaalronde", "elke dinsdag om 09:00"),
        ("elke 4 weken op dinsdag om 9:00 een verhaalronde", "om de maand op de eerste dinsdag"),
        ("4 dagen wel en 2 dagen niet om 9:00 een verhaalronde", "2 dagen wel en 4 dagen niet"),
    ],
)
async def test_slower_asks_first_and_is_slower_for_every_form(world: World, said: str, slower: str) -> None:
    await world.movement()
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "place")
    await world.submit("iris", form, quiet_weekends="no")
    await world.press("iris", await world.type("iris", f"/ritme ritme {said}"), "save")
    before = await only(world)
    preview = await world.do("iris", "rhythm.slower", args={"rhythm": before.id, "rule": before.rule})
    assert slower in text_of(preview).partition("Dat wordt:")[2]
    assert (await only(world)).rule == before.rule
    changed = await world.press("iris", preview, "apply")
    assert slower in text_of(changed)
    await world.press("iris", changed, "revert")
    assert (await only(world)).rule == before.rule


async def test_one_that_cannot_be_slower_says_so(world: World) -> None:
    await world.movement()
    await world.press(
        "iris", await world.type("iris", "/ritme ritme elk jaar op 4 mei om 9:00 een verhaalronde"), "save"
    )
    refused = await world.do("iris", "rhythm.slower", args={"rhythm": (await only(world)).id})
    assert "Rustiger kan dit ritme niet" in text_of(refused)


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
