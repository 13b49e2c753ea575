"""People who work in a place abroad of a movement keep the days off there in what Ritme sends them alone."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.chat import FieldErrors, Form, Reply
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import Person, PersonId, WorkspaceId
from tests.drivers.border import HERE, PLATFORMS, THERE, Border, open_border
from tests.support.world import LANE, MOVEMENT, World, open_world, text_of

NATIONAL = date(2027, 7, 21)
"""A holiday in Belgium, and not in the Netherlands."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as fresh:
        await fresh.movement("fatima", "jan", channels=("general", "gent"))
        await keep_days_in_gent(fresh)
        yield fresh


async def keep_days_in_gent(world: World, country: str = "BE") -> None:
    """Save the country of #gent as a coordinator does."""
    form = await world.press("iris", await world.type("iris", "/ritme land"), "choose")
    proposed = await world.submit("iris", form, where="gent", country=country)
    await world.press("iris", proposed, "save")


async def find(world: World, who: str) -> Person:
    async with world.begin() as work:
        found = await work.people.by_account(WorkspaceId(LANE), who)
        assert found is not None
        return found


async def open_settings(world: World, who: str) -> Form:
    form = await world.do(who, "me.settings", channel=None)
    assert isinstance(form, Form)
    return form


async def plan_step(world: World, who: str, channel: str, day: date = NATIONAL) -> Reply:
    """Plan a small step for a day a week ahead."""
    world.clock.set(datetime(2027, 7, 14, 9, tzinfo=UTC))
    args = {"cue": "het rustig is", "action": "bel ik Jan", "day": day.isoformat(), "at": "10:00", "on_my_own": "yes"}
    return await world.do(who, "step.save", args=args, channel=channel)


async def test_a_day_off_where_somebody_works_is_no_day_for_a_message(world: World) -> None:
    refused = await plan_step(world, "fatima", "gent")
    assert isinstance(refused, FieldErrors)
    assert "feestdag" in str(refused.errors)
    assert "10:00" in text_of(await plan_step(world, "jan", "general"))
    assert (await find(world, "fatima")).days_place == "gent"
    assert (await find(world, "jan")).days_off == {}


async def test_who_works_at_home_again_keeps_the_days_of_the_movement(world: World) -> None:
    await world.do("fatima", "help", channel="gent")
    assert (await find(world, "fatima")).days_off["country"] == "BE"
    await world.do("fatima", "help", channel=None)  # in their own chat they work nowhere else
    assert (await find(world, "fatima")).days_place == "gent"
    await world.do("fatima", "help", channel="general")
    assert ((await find(world, "fatima")).days_place, (await find(world, "fatima")).days_off) == ("", {})


async def test_what_a_coordinator_changes_there_holds_for_who_works_there(world: World) -> None:
    await world.do("fatima", "help", channel="gent")
    await keep_days_in_gent(world, "DE")
    assert (await find(world, "fatima")).days_off["country"] == "DE"
    await keep_days_in_gent(world, "NL")  # as the movement: it has none of its own
    assert (await find(world, "fatima")).days_off == {}


async def test_who_worked_in_a_place_that_left_keeps_nothing_of_it(world: World) -> None:
    await world.do("fatima", "help", channel="gent")
    await world.do("iris", "start.leave", channel="gent")
    assert (await find(world, "fatima")).days_off == {}


async def test_a_reaction_in_another_place_is_no_work_there(world: World) -> None:
    told = await world.do("jan", "story.save", text="We liepen.", readers="movement", named="with", channel="gent")
    assert told is not None
    await world.drain()
    async with world.begin() as work:
        (story,) = await work.stories.told_in(MOVEMENT, None)
        kept = await work.stories.get(story.id, MOVEMENT)
        assert kept is not None
    intent = world.intent("fatima", "reaction.added", {"emoji": "seedling"}, channel="gent", message=kept.message)
    await world.ritme.handle(intent)
    assert (await find(world, "fatima")).days_off == {}


async def test_a_time_zone_abroad_leads_to_the_place_there(world: World) -> None:
    async with world.begin() as work:
        work.movements.add(
            Place(
                id=PlaceId("leeds"),
                workspace_id=WorkspaceId(LANE),
                channel="leeds",
                movement_id=MOVEMENT,
                country="GB",
                timezone="Europe/London",
                created_at=world.clock.now(),
            )
        )
    await world.submit("jan", await open_settings(world, "jan"), channel=None, timezone="Europe/London")
    assert (await find(world, "jan")).days_place == "leeds"
    await world.do("jan", "help", channel="gent")  # clocks there show another time than Jan's
    assert (await find(world, "jan")).days_place == "leeds"


async def test_who_chooses_keeps_that_wherever_they_act(world: World) -> None:
    await world.do("fatima", "help", channel="gent")
    form = await open_settings(world, "fatima")
    (asked,) = [one for one in form.fields if one.name == "days_off"]
    assert (asked.value, [one.label for one in asked.options]) == ("gent", ["Die van de beweging", "#gent"])
    assert isinstance(await world.submit("fatima", form, channel=None, days_off="mars"), FieldErrors)
    await world.submit("fatima", form, channel=None, days_off="usual")
    await world.do("fatima", "help", channel="gent")
    assert (await find(world, "fatima")).days_off == {}
    await world.submit("fatima", await open_settings(world, "fatima"), channel=None, days_off="gent")
    await world.do("fatima", "help", channel="general")
    assert (await find(world, "fatima")).days_off["country"] == "BE"
    await keep_days_in_gent(world, "DE")  # chosen is that place, with what it keeps
    assert (await find(world, "fatima")).days_off["country"] == "DE"


async def test_where_every_place_keeps_the_same_nothing_is_asked(world: World) -> None:
    await keep_days_in_gent(world, "NL")
    assert "days_off" not in {one.name for one in (await open_settings(world, "fatima")).fields}


async def test_who_is_forgotten_worked_nowhere(world: World) -> None:
    await world.do("fatima", "help", channel="gent")
    async with world.begin() as work:
        assert len(await work.people.keeping_days_of(PlaceId("gent"), WorkspaceId(LANE))) == 1
    await world.do("fatima", "me.forget", channel=None)
    async with world.begin() as work:
        assert await work.people.keeping_days_of(PlaceId("gent"), WorkspaceId(LANE)) == []


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_days_abroad_on_every_platform(border: Border) -> None:
    async with border.begin() as work:
        for one in await work.movements.places(MovementId("movement")):
            if one.name == THERE:
                one.country, one.region = "DE", "BY"
    await border.type("jan", "/ritme hulp", channel=THERE)
    await border.type("wim", "/ritme hulp", channel=HERE)
    async with border.begin() as work:
        found = [await work.people.get(PersonId(one), MovementId("movement")) for one in ("jan", "wim")]
    people = {one.id: one for one in found if one is not None}
    assert people[PersonId("jan")].days_off["region"] == "BY"
    assert people[PersonId("wim")].days_off == {}
