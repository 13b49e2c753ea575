"""Coordinators see how far the network reaches, in figures, and ask for names where it does not."""

from datetime import timedelta

import pytest

from bot.chat import FieldErrors, Form
from bot.domain.person import PersonId
from tests.journeys.test_being_suggested import find_name
from tests.support.groups import MOVEMENT, add_active, add_group, tie
from tests.support.stories import is_declined
from tests.support.world import World, button_of, text_of

NIGHT = tuple(f"n{number}" for number in range(15))
DAY = tuple(f"d{number}" for number in range(10))


@pytest.fixture
async def reach(world: World) -> World:
    """Return a world with three who take part; of ten of the day shift five know two of them and five one; of fifteen
    of the night shift nobody knows any; four of the staff are too few to be shown."""
    await world.movement("fatima", "jan", "kwame")
    await add_active(world, "fatima", "jan", "kwame")
    await add_group(world, "Dagdienst", *DAY)
    await add_group(world, "Nachtdienst", *NIGHT)
    await add_group(world, "Staf", "s1", "s2", "s3", "s4")
    for one in DAY[:5]:
        await tie(world, one, "fatima", "jan")
    for one in DAY[5:]:
        await tie(world, one, "kwame", "s1")
    return world


async def look(world: World) -> str:
    return text_of(await world.type("iris", "/ritme bereik", channel=None))


async def test_a_coordinator_sees_figures_by_group_and_no_person(reach: World) -> None:
    said = await look(reach)
    assert "Dagdienst: door twee of meer: ongeveer 5; door één: ongeveer 5; nog niet: minder dan vijf." in said
    assert "Nachtdienst: door twee of meer: minder dan vijf; door één: minder dan vijf; nog niet: ongeveer 15." in said
    assert "Niet iedereen hoeft mee" in said
    assert "Staf" not in said
    assert not any(f"{name} " in said for name in (*NIGHT, *DAY, "fatima", "jan", "kwame"))


async def test_who_takes_part_is_reached_and_what_is_closed_or_left_does_not_count(reach: World) -> None:
    await add_active(reach, *NIGHT[:5], initiative="zingen")
    await reach.do("n0", "initiative.leave", initiative="zingen")
    await reach.do("iris", "initiative.close", initiative="lopen")
    async with reach.begin() as work:
        found = {one.group: one[1:] for one in await work.connecting.count_reach(MOVEMENT)}
    assert found["Nachtdienst"] == (4, 0, 11)
    assert found["Dagdienst"] == (0, 0, 10)


async def test_who_left_is_in_no_figure(reach: World) -> None:
    await reach.do("n1", "me.forget", channel=None)
    async with reach.begin() as work:
        person = await work.people.get(PersonId("n2"), MOVEMENT)
        assert person is not None
        person.deactivated_at = reach.clock.now()
        found = {one.group: one for one in await work.connecting.count_reach(MOVEMENT)}
    assert found["Nachtdienst"].unknown == 13


async def test_only_coordinators_look(reach: World) -> None:
    for intent in ("reach", "reach.names", "reach.names.save", "reach.take_back"):
        said = text_of(await reach.do("fatima", intent, group="Nachtdienst", place="general"))
        assert "Dat kan alleen iris" in said
        assert "Nacht" not in said
    assert reach.posts() == []


async def test_it_is_counted_once_a_week(reach: World) -> None:
    first = await look(reach)
    for one in NIGHT:
        await tie(reach, one, "fatima", "jan")
    await reach.pass_(days=6)
    assert (await look(reach)).split("Ik telde")[0] == first.split("Ik telde")[0]
    await reach.pass_(days=1)
    assert "Nachtdienst: door twee of meer: ongeveer 15" in await look(reach)


async def test_a_group_that_shrinks_under_five_is_not_shown_the_same_day(reach: World) -> None:
    assert "Dagdienst" in await look(reach)
    for one in DAY[:6]:
        await reach.do(one, "me.forget", channel=None)
    assert "Dagdienst" not in await look(reach)


async def test_without_groups_it_says_how_to_get_them(world: World) -> None:
    await world.movement("fatima")
    shown = await world.type("iris", "/ritme bereik")
    assert "nog geen groep van vijf" in text_of(shown)
    assert button_of(shown, "groups").intent == "groups"


async def test_it_is_found_on_the_coordinators_page_and_in_help(reach: World) -> None:
    home = await reach.type("iris", "/ritme thuis", channel=None)
    shown = await reach.press("iris", home, find_name(home, "reach"), channel=None)
    assert "Nachtdienst" in text_of(shown)
    assert "/ritme bereik" in text_of(await reach.type("iris", "/ritme hulp"))


class TestARoundOfNames:
    async def start(self, world: World, place: str = "general") -> object:
        shown = await world.type("iris", "/ritme bereik")
        form = await world.press("iris", shown, "names_1")
        assert isinstance(form, Form)
        assert "Wie wie noemde, leest niemand, ook jij niet" in form.note
        return await world.submit("iris", form, place=place)

    async def test_is_proposed_where_the_group_is_out_of_reach_and_asks_everyone_there(self, reach: World) -> None:
        said = await self.start(reach)
        assert "#general" in text_of(said)  # type: ignore[arg-type]
        (post,) = reach.posts()
        assert "Wie in Nachtdienst geeft dingen goed door" in text_of(post)
        form = await reach.press("jan", post, "nominate")
        await reach.submit("jan", form, connector=("n3",))
        assert "mag ik dan je naam noemen" in text_of(reach.private("n3")[0])
        assert "jan" not in text_of(reach.private("n3")[0])
        assert reach.private("iris") == []

    async def test_comes_at_most_once_in_three_months_in_a_place(self, reach: World) -> None:
        await self.start(reach)
        await reach.pass_(days=80)
        again = await self.start(reach)
        assert isinstance(again, FieldErrors)
        assert "drie maanden" in text_of(again)
        await reach.pass_(days=11)
        await self.start(reach)
        assert len(reach.posts()) == 2

    async def test_waits_for_the_morning_and_can_be_taken_back_until_then(self, reach: World) -> None:
        await reach.pass_(hours=11)
        planned = await self.start(reach)
        assert reach.posts() == []
        back = await reach.press("iris", planned, "take_back")  # type: ignore[arg-type]
        assert "komt niet" in text_of(back)
        await reach.pass_(hours=36)
        assert reach.posts() == []
        await self.start(reach)
        assert len(reach.posts()) == 1

    async def test_is_not_sent_when_the_group_became_too_small(self, reach: World) -> None:
        await reach.pass_(hours=11)
        await self.start(reach)
        for one in NIGHT[:11]:
            await reach.do(one, "me.forget", channel=None)
        await reach.pass_(days=2)
        assert reach.posts() == []

    async def test_of_a_group_under_five_cannot_be_started(self, reach: World) -> None:
        assert is_declined(await reach.do("iris", "reach.names", group="Staf"), "not_found")
        assert is_declined(await reach.do("iris", "reach.names", group=""), "not_found")

    async def test_that_found_no_room_within_a_week_does_not_come(self, reach: World) -> None:
        await reach.pass_(hours=11)
        await self.start(reach)
        reach.clock.set(reach.clock.now() + timedelta(days=8))
        await reach.drain()
        assert reach.posts() == []
