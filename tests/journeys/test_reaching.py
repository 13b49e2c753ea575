"""Coordinators see how far the network reaches, in figures, and ask for names where it does not."""

from datetime import timedelta

import pytest

from bot.chat import FieldErrors, Form
from bot.domain.movement import Place, PlaceId, Role
from bot.domain.person import PersonId, WorkspaceId
from tests.fakes.messenger import Sent
from tests.journeys.test_being_suggested import find_name
from tests.support.groups import MOVEMENT, add_active, add_group, tie
from tests.support.stories import is_declined
from tests.support.world import LANE, World, button_of, text_of

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


async def wait(world: World, days: int) -> None:
    """Let days pass, in which Ritme looks now and then."""
    await world.pass_(hours=1)
    for gone in range(0, days, 7):
        await world.pass_(days=min(7, days - gone))


def told_of(world: World, who: str = "iris", group: str = "Nachtdienst") -> list[Sent]:
    """Return what somebody was told about a group."""
    return [one for one in world.private(who) if f"In {group} kennen" in text_of(one)]


async def stay_out_of_reach(world: World) -> None:
    """Let Ritme look by itself, twice, a month apart."""
    await wait(world, 31)


class TestAGroupThatStaysOutOfReach:
    async def test_is_told_to_one_coordinator_once_and_asked_for_names_with_one_press(self, reach: World) -> None:
        async with reach.begin() as work:
            other = await work.movements.membership(MOVEMENT, PersonId("jan"))
            assert other is not None
            other.role = Role.COORDINATOR
        await wait(reach, 29)
        assert told_of(reach) == []
        await wait(reach, 2)
        (told,) = told_of(reach)
        assert "In Nachtdienst kennen de meesten nog niemand die meedoet" in text_of(told)
        assert not any(f"{name} " in text_of(told) for name in (*NIGHT, *DAY, "Staf", "Dagdienst"))
        said = await reach.press("iris", told, "ask_there", channel=None)
        assert "#general" in text_of(said)
        assert "Wie in Nachtdienst geeft dingen goed door" in text_of(reach.posts()[-1])
        await wait(reach, 200)
        assert len(told_of(reach)) == 1
        assert told_of(reach, "jan") == []

    async def test_rests_for_three_months_after_not_now(self, reach: World) -> None:
        await stay_out_of_reach(reach)
        said = await reach.press("iris", told_of(reach)[0], "not_now", channel=None)
        assert "niets voor" in text_of(said)
        await wait(reach, 85)
        assert len(told_of(reach)) == 1
        await wait(reach, 40)
        assert len(told_of(reach)) == 2

    async def test_is_not_told_of_again_when_nobody_answers(self, reach: World) -> None:
        await stay_out_of_reach(reach)
        await wait(reach, 200)
        assert len(told_of(reach)) == 1
        assert reach.posts() == []

    async def test_is_asked_for_names_in_the_place_named_after_it(self, reach: World) -> None:
        async with reach.begin() as work:
            place = Place(
                id=PlaceId("n"),
                workspace_id=WorkspaceId(LANE),
                channel="n",
                name="nachtdienst-oost",
                created_at=reach.clock.now(),
            )
            place.movement_id = MOVEMENT
            work.movements.add(place)
        await stay_out_of_reach(reach)
        assert "#nachtdienst-oost" in text_of(told_of(reach)[0])

    async def test_says_nothing_once_most_know_somebody_or_are_too_few(self, reach: World) -> None:
        await reach.pass_(hours=1)
        for one in NIGHT:
            await tie(reach, one, "fatima", "jan")
        await wait(reach, 70)
        assert told_of(reach) == []

    async def test_is_not_sent_when_the_group_became_too_small_meanwhile(self, reach: World) -> None:
        await reach.pass_(hours=1)
        reach.clock.set(reach.clock.now() + timedelta(days=31, hours=11))
        await reach.drain()
        for one in NIGHT[:11]:
            await reach.do(one, "me.forget", channel=None)
        await wait(reach, 2)
        assert told_of(reach) == []

    async def test_where_nothing_is_tried_nothing_is_said(self, reach: World) -> None:
        await reach.do("iris", "initiative.close", initiative="lopen")
        await wait(reach, 70)
        assert told_of(reach) == []

    async def test_is_not_told_when_names_were_asked_there_or_it_could_not_be_read(self, reach: World) -> None:
        await reach.pass_(hours=1)
        form = await reach.press("iris", await reach.type("iris", "/ritme bereik"), "names_1")
        assert isinstance(form, Form)
        await reach.submit("iris", form, place="general")
        await wait(reach, 70)
        assert told_of(reach) == []

    async def test_that_nobody_could_be_told_of_is_told_at_a_later_look(self, reach: World) -> None:
        await reach.do("iris", "stop.me", channel=None)
        await wait(reach, 70)
        assert told_of(reach) == []
        await reach.do("iris", "me.come_back", channel=None)
        await wait(reach, 31)
        assert len(told_of(reach)) == 1


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

    async def test_comes_again_about_every_three_months_until_that_is_stopped(self, reach: World) -> None:
        form = await reach.press("iris", await reach.type("iris", "/ritme bereik"), "names_1")
        said = await reach.submit("iris", form, place="general", again="quarterly")
        assert "Daarna vraag ik het ongeveer elke drie maanden" in text_of(said)
        await wait(reach, 89)
        assert len(asked_in(reach)) == 1
        await wait(reach, 40)
        assert len(asked_in(reach)) == 2
        shown = await reach.type("iris", "/ritme bereik")
        assert "in #general: wie in Nachtdienst dingen goed doorgeeft" in text_of(shown)
        ended = await reach.press("iris", shown, "end_1")
        assert "vraag ik niet meer uit mezelf om namen" in text_of(ended)
        await wait(reach, 130)
        assert len(asked_in(reach)) == 2

    async def test_taken_back_or_chosen_once_does_not_come_again(self, reach: World) -> None:
        await reach.pass_(hours=11)
        form = await reach.press("iris", await reach.type("iris", "/ritme bereik"), "ties")
        planned = await reach.submit("iris", form, place="general", again="quarterly")
        await reach.press("iris", planned, "take_back")
        await wait(reach, 130)
        assert reach.posts() == []

    async def test_that_comes_again_ends_with_a_group_that_became_too_small(self, reach: World) -> None:
        form = await reach.press("iris", await reach.type("iris", "/ritme bereik"), "names_1")
        await reach.submit("iris", form, place="general", again="quarterly")
        for one in NIGHT[:11]:
            await reach.do(one, "me.forget", channel=None)
        await wait(reach, 130)
        assert len(asked_in(reach)) == 1
        assert "Ongeveer elke drie maanden" not in text_of(await reach.type("iris", "/ritme bereik"))


def asked_in(world: World) -> list[Sent]:
    return [one for one in world.posts() if "geeft dingen goed door" in text_of(one)]
