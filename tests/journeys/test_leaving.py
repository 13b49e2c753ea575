"""Ritme is removed from a workspace: it goes quiet, keeps what it knows for a month, then nothing is left."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from adapters.database.tables import metadata, people, workspaces
from bot.chat import Answer
from bot.domain.delivery import Priority, to_person
from bot.domain.movement import Place, PlaceId
from bot.domain.person import Person, PersonId, StoryChoice, Workspace, WorkspaceId
from tests.support.world import LANE, World, text_of

ELSEWHERE = WorkspaceId("test:W2")


async def rows(here: World) -> dict[str, list[dict[str, Any]]]:
    async with here.database.begin() as connection:
        return {
            table.name: [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for table in metadata.sorted_tables
        }


async def with_a_step(here: World) -> None:
    stuck = await here.type("fatima", "/vast De nachtdienst hoort het als laatste")
    form = await here.press("fatima", stuck, "choose_step")
    await here.submit("fatima", form, cue="de overdracht klaar is", action="vraag ik Jan mee", on_my_own="yes")


async def neighbours(here: World) -> None:
    """A second workspace with a place in the same movement."""
    now = here.clock.now()
    async with here.begin() as work:
        work.people.add(Workspace(id=ELSEWHERE))
        place = Place(id=PlaceId("buren"), workspace_id=ELSEWHERE, channel="buren", name="buren", created_at=now)
        place.movement_id = (await here_movement(work)).id
        work.movements.add(place)


async def here_movement(work: Any) -> Any:
    place = await work.movements.place(PlaceId("general"))
    return await work.movements.get(place.movement_id)


async def test_nothing_is_sent_while_it_is_gone_and_what_is_still_on_time_after(here: World) -> None:
    await here.movement("fatima")
    await with_a_step(here)
    sent = len(here.private("fatima"))
    await here.ritme.workspace_uninstalled(LANE, "not_allowed")
    await here.pass_(days=3)
    assert len(here.private("fatima")) == sent
    assert await here.ritme.lanes_due() == []

    await here.ritme.workspace_installed(LANE, "Wijkzorg")
    await here.drain()
    assert len(here.private("fatima")) == sent + 1
    assert "vraag ik Jan mee" in text_of(here.private("fatima")[-1])


async def test_told_twice_that_it_is_gone_counts_from_the_first(here: World) -> None:
    await here.movement("fatima")
    await here.ritme.workspace_uninstalled(LANE, "not_allowed")
    await here.pass_(days=20)
    await here.ritme.workspace_uninstalled(LANE, "not_allowed")
    await here.pass_(days=11)
    assert (await rows(here))["movements"] == []


async def test_installed_again_within_a_month_it_knows_everyone(here: World) -> None:
    await here.movement("fatima")
    await with_a_step(here)
    await here.ritme.workspace_uninstalled(LANE, "not_allowed")
    await here.pass_(days=29)
    await here.ritme.workspace_installed(LANE, "Wijkzorg")
    await here.pass_(days=30)
    me = await here.type("fatima", "/ritme ik")
    assert "1 stapje" in text_of(me)


async def test_after_a_month_of_nobody_there_anything_is_left(here: World) -> None:
    await here.movement("fatima", "jan")
    await with_a_step(here)
    await here.type("fatima", "/verhaal Vandaag vroeg ik Jan mee, en hij kwam")
    await here.ritme.workspace_uninstalled(LANE, "not_allowed")
    await here.pass_(days=31)

    left = await rows(here)
    assert {name for name, found in left.items() if found} == {"people", "workspaces"}
    for person in left["people"]:
        kept = {name for name, value in person.items() if value not in (None, "", 0, False, [], {})}
        assert kept == {"id", "workspace_id", "created_at", "language"}
    async with here.database.begin() as connection:
        (gone,) = (await connection.execute(select(workspaces))).mappings()
    assert (gone["name"], gone["gone_reason"]) == ("", "erased")

    await here.ritme.workspace_installed(LANE, "Wijkzorg")
    again = await here.type("fatima", "/ritme ik")
    assert isinstance(again, Answer)
    async with here.database.begin() as connection:
        assert len(list(await connection.execute(select(people).where(people.c.account == "fatima")))) == 1


async def test_a_movement_that_lives_elsewhere_too_goes_on_there(here: World) -> None:
    await here.movement("fatima")
    await neighbours(here)
    async with here.begin() as work:
        person = Person(id=PersonId("els"), workspace_id=ELSEWHERE, account="els", created_at=here.clock.now())
        person.story_choice = StoryChoice.MOVEMENT
        work.people.add(person)
    await here.do(
        "els",
        "story.save",
        channel="buren",
        workspace=ELSEWHERE,
        text="Wij aten samen",
        readers="everyone",
        named="with",
    )
    told = await here.do("fatima", "story.save", text="Wij liepen samen naar de bus", readers="everyone", named="with")
    assert isinstance(told, Answer)
    share = next(button for button in told.message.buttons if button.intent == "share")
    await here.do("fatima", "share.save", args={**share.args, "place": "buren", "line": ""})
    assert "naar de bus" in text_of(here.posts("buren")[-1])

    await here.ritme.workspace_uninstalled(LANE, "not_allowed")
    await here.pass_(days=31)
    left = await rows(here)
    assert [one["id"] for one in left["movements"]] == ["movement"]
    assert [one["id"] for one in left["places"]] == ["buren"]
    assert "Wij aten samen" in [one["text"] for one in left["stories"]]
    assert "Wij liepen samen naar de bus" not in str(left)
    assert here.messenger.acts[-1].act == "delete"
    assert "naar de bus" not in "".join(text_of(one) for one in here.posts("buren"))


async def test_one_that_comes_back_in_time_is_not_erased_by_a_late_sweep(here: World) -> None:
    await here.movement("fatima")
    await here.ritme.workspace_uninstalled(LANE, "not_allowed")
    here.clock.set(here.clock.now() + timedelta(days=40))
    await here.ritme.workspace_installed(LANE, "Wijkzorg")
    await here.ritme.plan()
    assert len((await rows(here))["movements"]) == 1


async def test_what_waited_too_long_is_dropped_with_its_reason(here: World) -> None:
    await here.movement("fatima")
    now = here.clock.now()
    async with here.begin() as work:
        person = await work.people.by_account(WorkspaceId(LANE), "fatima")
        assert person is not None
        await work.deliveries.add(
            to_person(
                person,
                "did_you_meet",
                key="k",
                now=now,
                movement=None,
                priority=Priority.NEWS,
                expires_at=now + timedelta(hours=4),
            )
        )
    await here.ritme.workspace_uninstalled(LANE, "not_allowed")
    await here.pass_(days=1)
    await here.ritme.workspace_installed(LANE, "Wijkzorg")
    await here.drain()
    async with here.begin() as work:
        found = await work.deliveries.by_key("k")
    assert found is not None
    assert (found.state.value, found.reason) == ("dropped", "too_late")
