"""A night shift is awake at other hours: its people follow them until they choose, are told, and nothing wakes them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot.chat import FieldErrors, Form, Reply, Value
from bot.domain.group_hours import GroupHours
from bot.domain.movement import Member, Movement, MovementId, Segment
from bot.domain.next_step import NextStep, StepId
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from bot.shifts import join_group
from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.world import LANE, MONDAY, World, text_of

NIGHT = {"group": "Nachtdienst", "quiet_from": "08:00", "quiet_until": "16:00", "quiet_weekends": "no"}


async def get(world: World, who: str) -> Person:
    async with world.begin() as work:
        found = await work.people.in_workspace(PersonId(who), WorkspaceId(LANE))
        assert found is not None
        return found


async def belong(world: World, who: str, group: str = "Nachtdienst", **more: object) -> Reply:
    form = await world.do(who, "me.settings", channel=None)
    return await world.submit(who, form, channel=None, group=group, **more)


async def set_hours(world: World, **values: Value) -> Reply:
    form = await world.press("iris", await world.type("iris", "/ritme uren"), "set")
    return await world.submit("iris", form, **{**NIGHT, **values})


def quiet_of(person: Person) -> tuple[time | None, time | None]:
    return person.quiet_from or person.group_quiet_from, person.quiet_until or person.group_quiet_until


async def test_a_coordinator_sets_them_and_the_group_follows_and_is_told_once_when_awake(world: World) -> None:
    await world.movement("fatima", "jan")
    await belong(world, "fatima", "nachtdienst ")
    saved = await set_hours(world)
    assert "Nachtdienst: stil van 08:00 tot 16:00" in text_of(saved)
    assert "hoort het één keer" in text_of(saved)
    assert quiet_of(await get(world, "fatima")) == (time(8), time(16))
    assert (await get(world, "jan")).group_quiet_from is None
    await world.until(MONDAY.replace(hour=14, minute=59))
    assert world.private("fatima") == []
    await world.until(MONDAY.replace(hour=15, minute=1))
    (told,) = world.private("fatima")
    assert "Voor Nachtdienst koos een coördinator" in text_of(told)
    assert "stil van 08:00 tot 16:00" in text_of(told)
    await set_hours(world)  # the same once more is no news
    await world.pass_(days=2)
    assert len(world.private("fatima")) == 1
    assert world.private("jan") == []


async def test_one_press_keeps_what_was_and_the_settings_choose_otherwise(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima")
    await set_hours(world)
    await world.until(MONDAY.replace(hour=16))
    (told,) = world.private("fatima")
    kept = await world.press("fatima", told, "keep", channel=None)
    assert "jouw eigen uren gelden: stil van 18:00 tot 08:00" in text_of(kept)
    assert quiet_of(await get(world, "fatima")) == (time(18), time(8))
    await set_hours(world, quiet_until="15:00")
    await world.pass_(days=2)
    assert len(world.private("fatima")) == 1
    # Filled in as those of the group are, they are followed again.
    await belong(world, "fatima", quiet_from="08:00", quiet_until="15:00", quiet_weekends="no")
    assert (await get(world, "fatima")).quiet_from is None
    await set_hours(world)
    assert quiet_of(await get(world, "fatima")) == (time(8), time(16))


async def test_an_old_message_does_not_undo_hours_chosen_since(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima")
    await set_hours(world)
    await world.until(MONDAY.replace(hour=16))
    (told,) = world.private("fatima")
    await belong(world, "fatima", quiet_from="10:00", quiet_until="17:00", quiet_weekends="no")
    kept = await world.press("fatima", told, "keep", channel=None)
    assert "koos intussen zelf al andere uren, en die blijven gelden: stil van 10:00 tot 17:00." in text_of(kept)
    assert quiet_of(await get(world, "fatima")) == (time(10), time(17))


async def test_saving_other_settings_is_no_choice_of_hours(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima", "")
    assert (await get(world, "fatima")).quiet_from is None
    await set_hours(world)
    saved = await belong(world, "fatima")
    assert "Je groep heeft eigen stille uren, en die gelden nu voor jou: van 08:00 tot 16:00" in text_of(saved)
    form = await world.do("fatima", "me.settings", channel=None)
    assert isinstance(form, Form)
    assert "Stille uren volg je nu van Nachtdienst" in form.note
    await world.submit("fatima", form, channel=None, language="en")
    assert (await get(world, "fatima")).quiet_from is None
    await world.pass_(days=2)
    assert world.private("fatima") == []  # they read it at once


async def test_hours_set_while_the_settings_are_open_are_followed(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima")
    form = await world.do("fatima", "me.settings", channel=None)
    await set_hours(world)
    await world.submit("fatima", form, channel=None, language="en")
    assert (await get(world, "fatima")).quiet_from is None
    assert quiet_of(await get(world, "fatima")) == (time(8), time(16))


async def test_hours_kept_while_the_settings_are_open_stay(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima")
    await set_hours(world)
    await world.until(MONDAY.replace(hour=16))
    (told,) = world.private("fatima")
    form = await world.do("fatima", "me.settings", channel=None)
    await world.press("fatima", told, "keep", channel=None)
    await world.submit("fatima", form, channel=None, language="en")
    assert quiet_of(await get(world, "fatima")) == (time(18), time(8))


async def test_who_leaves_the_group_or_whose_group_has_none_any_more_is_told(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima")
    await set_hours(world)
    await world.until(MONDAY.replace(hour=16))
    cleared = await set_hours(world, quiet_from="", quiet_until="")
    assert "geen eigen stille uren meer" in text_of(cleared)
    assert quiet_of(await get(world, "fatima")) == (None, None)
    await world.pass_(days=1)
    _, told = world.private("fatima")
    assert "gelden niet meer voor jou. Het is nu: stil van 18:00 tot 08:00" in text_of(told)


async def test_a_group_of_the_platform_gives_its_hours_to_who_comes_in(world: World) -> None:
    await world.movement("fatima")
    await set_hours(world)
    async with world.begin() as work:
        movement = MovementId("movement")
        night = Segment(workspace_id=WorkspaceId(LANE), handle="S1", movement_id=movement, name="Nachtdienst")
        night.known_at = world.clock.now()
        work.movements.add(night)
    await world.do("system", "group.changed", args={"group": "S1", "added": ("fatima",)})
    assert quiet_of(await get(world, "fatima")) == (time(8), time(16))
    await world.until(MONDAY.replace(hour=16))
    assert "Nachtdienst" in text_of(world.private("fatima")[0])
    await world.do("system", "group.changed", args={"group": "S1", "removed": ("fatima",)})
    assert quiet_of(await get(world, "fatima")) == (None, None)


async def test_what_is_proposed_and_promised_stays_in_their_hours(world: World) -> None:
    await world.movement("fatima")
    await set_hours(world)
    await belong(world, "fatima")
    step = await world.do("fatima", "step", channel=None)
    assert isinstance(step, Form)
    values = {field.name: field.value for field in step.fields}
    assert values["at"] == "16:00"
    mine = {"cue": "het rustig is", "action": "bel ik Jan", "on_my_own": "yes", "day": "2027-03-02"}
    refused = await world.submit("fatima", step, channel=None, **mine, at="09:00")
    assert isinstance(refused, FieldErrors)
    assert set(refused.errors) == {"at"}
    assert "16:00" in refused.errors["at"]
    planned = await world.submit("fatima", step, channel=None, **mine, at="17:00")
    assert "morgen om 17:00" in text_of(planned)
    await world.until(datetime(2027, 3, 2, 16, 1, tzinfo=UTC))
    assert len(world.private("fatima")) == 1


async def test_hours_that_change_say_which_promise_moves(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima")
    step = await world.do("fatima", "step", channel=None)
    planned = await world.submit(
        "fatima",
        step,
        channel=None,
        cue="het rustig is",
        action="bel ik Jan",
        day="2027-03-03",
        at="10:00",
        on_my_own="yes",
    )
    assert "woensdag 3 maart om 10:00" in text_of(planned)
    await set_hours(world)
    await world.until(MONDAY.replace(hour=16))
    (told,) = world.private("fatima")
    assert "kom ik woensdag 3 maart om 16:00 terug, niet woensdag 3 maart om 10:00" in text_of(told)


async def test_a_promise_that_was_quiet_before_is_not_said_to_move(world: World) -> None:
    await world.movement("fatima")
    await set_hours(world)
    await belong(world, "fatima")
    async with world.begin() as work:
        for number, hour in enumerate((9, 15)):  # 10:00 and 16:00 there
            work.steps.add(
                NextStep(
                    id=StepId(f"step-{number}"),
                    movement_id=MovementId("movement"),
                    initiative_id=None,
                    episode_id=None,
                    person_id=PersonId("fatima"),
                    cue="het rustig is",
                    action="bel ik Jan",
                    follow_up_at=datetime(2027, 3, 3, hour, tzinfo=UTC),
                    chosen_at=MONDAY,
                )
            )
    await world.until(MONDAY.replace(hour=16))
    await set_hours(world, quiet_from="09:00")  # what was to come at 16:00 still does
    await world.pass_(days=1)
    assert "kleine stap" not in text_of(world.private("fatima")[-1])
    await set_hours(world, quiet_until="17:00")
    await world.until(datetime(2027, 3, 3, 7, 30, tzinfo=UTC))
    assert "om 17:00 terug, niet morgen om 16:00" in text_of(world.private("fatima")[-1])


async def test_the_hours_of_a_large_group_are_found_at_once(world: World) -> None:
    await world.movement("fatima", "jan", "noor")
    for who in ("fatima", "jan", "noor"):
        await belong(world, who)
    asked: list[str] = []

    def hear(*call: Any) -> None:
        asked.append(call[2])

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        await set_hours(world)
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    assert len([one for one in asked if "JOIN group_hours" in one or "group_hours JOIN" in one]) == 1
    assert {quiet_of(await get(world, who)) for who in ("fatima", "jan", "noor")} == {(time(8), time(16))}


async def test_only_a_coordinator_sets_them_and_half_of_them_is_asked_for(world: World) -> None:
    await world.movement("fatima")
    assert "coördinator" in text_of(await world.type("fatima", "/ritme uren"))
    half = await set_hours(world, quiet_until="")
    assert "quiet_until" in str(half)


async def test_a_name_that_is_longer_in_small_letters_has_hours_too(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima", "ß" * 80)
    assert "Bewaard" in text_of(await set_hours(world, group="ß" * 80))
    assert quiet_of(await get(world, "fatima")) == (time(8), time(16))


async def test_of_two_movements_those_set_last_hold(world: World) -> None:
    await world.movement("fatima")
    await belong(world, "fatima")
    await set_hours(world)
    async with world.begin() as work:
        other = Movement(id=MovementId("other"), name="Buurt", language=Language.NL, started_at=world.clock.now())
        work.movements.add(other)
        work.movements.add(Member(movement_id=other.id, person_id=PersonId("fatima"), joined_at=world.clock.now()))
        work.movements.add(
            GroupHours(
                movement_id=other.id,
                key="nachtdienst",
                name="Nachtdienst",
                quiet_from=time(9),
                quiet_until=time(17),
                quiet_weekends=False,
                set_at=world.clock.now() + timedelta(minutes=1),
            )
        )
        person = await work.people.in_workspace(PersonId("fatima"), WorkspaceId(LANE))
        assert person is not None
        await join_group(work, person, world.clock.now())
    assert quiet_of(await get(world, "fatima")) == (time(9), time(17))


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_on_every_platform(border: Border) -> None:
    mine = await border.type("fatima", "/ritme ik")
    await border.submit("fatima", await border.press("fatima", mine, "settings"), group="Nachtdienst")
    listed = await border.type("iris", "/ritme uren")
    form = await border.press("iris", listed, "set")
    saved = await border.submit("iris", form, **NIGHT)
    assert "stil van 08:00 tot 16:00" in saved.words()
    await border.until(datetime(2027, 3, 1, 15, 5, tzinfo=UTC))
    told = (await border.to("fatima"))[-1]
    assert "Voor Nachtdienst koos een coördinator" in told.words()
    kept = await border.press("fatima", told, "keep")
    assert "jouw eigen uren gelden" in kept.words()
