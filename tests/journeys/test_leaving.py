"""Ritme is removed from a workspace: it goes quiet, keeps what it knows for a month, then nothing is left."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from adapters.database.tables import metadata, people, workspaces
from bot.chat import Answer
from bot.domain.delivery import Priority, to_person
from bot.domain.movement import Place, PlaceId
from bot.domain.person import Person, PersonId, StoryChoice, Workspace, WorkspaceId
from tests.support.stories import add_reminder
from tests.support.world import LANE, World, text_of

ELSEWHERE = WorkspaceId("test:W2")


async def rows(world: World) -> dict[str, list[dict[str, Any]]]:
    async with world.database.begin() as connection:
        return {
            table.name: [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for table in metadata.sorted_tables
        }


async def choose_step(world: World) -> None:
    stuck = await world.type("fatima", "/vast De nachtdienst hoort het als laatste")
    form = await world.press("fatima", stuck, "choose_step")
    await world.submit("fatima", form, cue="de overdracht klaar is", action="vraag ik Jan mee", on_my_own="yes")


async def add_neighbours(world: World) -> None:
    """Add a second workspace with a place in the same movement."""
    now = world.clock.now()
    async with world.begin() as work:
        work.people.add(Workspace(id=ELSEWHERE))
        place = Place(id=PlaceId("buren"), workspace_id=ELSEWHERE, channel="buren", name="buren", created_at=now)
        place.movement_id = (await find_movement(work)).id
        work.movements.add(place)


async def find_movement(work: Any) -> Any:
    place = await work.movements.place(PlaceId("general"))
    return await work.movements.get(place.movement_id)


async def test_nothing_is_sent_while_it_is_gone_and_what_is_still_on_time_after(world: World) -> None:
    await world.movement("fatima")
    await choose_step(world)
    sent = len(world.private("fatima"))
    await world.ritme.workspace_uninstalled(LANE)
    await world.pass_(days=3)
    assert len(world.private("fatima")) == sent
    assert await world.ritme.lanes_due() == []

    await world.ritme.workspace_installed(LANE, "Wijkzorg")
    await world.drain()
    assert len(world.private("fatima")) == sent + 1
    assert "vraag ik Jan mee" in text_of(world.private("fatima")[-1])


async def test_told_twice_that_it_is_gone_counts_from_the_first(world: World) -> None:
    await world.movement("fatima")
    await world.ritme.workspace_uninstalled(LANE)
    await world.pass_(days=20)
    await world.ritme.workspace_uninstalled(LANE)
    await world.pass_(days=11)
    assert (await rows(world))["movements"] == []


async def test_installed_again_within_a_month_it_knows_everyone(world: World) -> None:
    await world.movement("fatima")
    await choose_step(world)
    await world.ritme.workspace_uninstalled(LANE)
    await world.pass_(days=29)
    await world.ritme.workspace_installed(LANE, "Wijkzorg")
    await world.pass_(days=30)
    me = await world.type("fatima", "/ritme ik")
    assert "1 kleine stap" in text_of(me)


async def test_after_a_month_of_nobody_there_anything_is_left(world: World) -> None:
    await world.movement("fatima", "jan")
    await choose_step(world)
    await world.type("fatima", "/verhaal Vandaag vroeg ik Jan mee, en hij kwam")
    await world.ritme.workspace_uninstalled(LANE)
    await world.pass_(days=31)

    left = await rows(world)
    assert {name for name, found in left.items() if found} == {"people", "workspaces"}
    for person in left["people"]:
        kept = {name for name, value in person.items() if value not in (None, "", 0, False, [], {})}
        assert kept == {"id", "workspace_id", "created_at", "language"}
    async with world.database.begin() as connection:
        (gone,) = (await connection.execute(select(workspaces))).mappings()
    assert (gone["name"], gone["gone_reason"]) == ("", "erased")

    await world.ritme.workspace_installed(LANE, "Wijkzorg")
    again = await world.type("fatima", "/ritme ik")
    assert isinstance(again, Answer)
    async with world.database.begin() as connection:
        assert len(list(await connection.execute(select(people).where(people.c.account == "fatima")))) == 1


async def test_a_movement_that_lives_elsewhere_too_goes_on_there(world: World) -> None:
    await world.movement("fatima")
    await add_neighbours(world)
    async with world.begin() as work:
        person = Person(id=PersonId("els"), workspace_id=ELSEWHERE, account="els", created_at=world.clock.now())
        person.story_choice = StoryChoice.MOVEMENT
        work.people.add(person)
    await world.do(
        "els",
        "story.save",
        channel="buren",
        workspace=ELSEWHERE,
        text="Wij aten samen",
        readers="everyone",
        named="with",
    )
    told = await world.do("fatima", "story.save", text="Wij liepen samen naar de bus", readers="everyone", named="with")
    assert isinstance(told, Answer)
    share = next(button for button in told.message.buttons if button.intent == "share")
    await world.do("fatima", "share.save", args={**share.args, "place": "buren", "line": ""})
    assert "naar de bus" in text_of(world.posts("buren")[-1])

    await world.ritme.workspace_uninstalled(LANE)
    await world.pass_(days=31)
    left = await rows(world)
    assert [one["id"] for one in left["movements"]] == ["movement"]
    assert [one["id"] for one in left["places"]] == ["buren"]
    assert "Wij aten samen" in [one["text"] for one in left["stories"]]
    assert "Wij liepen samen naar de bus" not in str(left)
    assert world.messenger.acts[-1].act == "delete"
    assert "naar de bus" not in "".join(text_of(one) for one in world.posts("buren"))


async def test_one_that_comes_back_in_time_is_not_erased_by_a_late_sweep(world: World) -> None:
    await world.movement("fatima")
    await world.ritme.workspace_uninstalled(LANE)
    world.clock.set(world.clock.now() + timedelta(days=40))
    await world.ritme.workspace_installed(LANE, "Wijkzorg")
    await world.ritme.plan()
    assert len((await rows(world))["movements"]) == 1


async def test_what_waited_too_long_is_dropped_with_its_reason(world: World) -> None:
    await world.movement("fatima")
    now = world.clock.now()
    async with world.begin() as work:
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
    await world.ritme.workspace_uninstalled(LANE)
    await world.pass_(days=1)
    await world.ritme.workspace_installed(LANE, "Wijkzorg")
    await world.drain()
    async with world.begin() as work:
        found = await work.deliveries.by_key("k")
    assert found is not None
    assert (found.state.value, found.reason) == ("dropped", "too_late")


LATE: dict[str, dict[str, Any]] = {
    "a command": {"name": "command", "args": {"command": "/vast", "text": "niemand komt"}},
    "a button": {"name": "stuck.new", "args": {"card": "c1"}},
    "a form": {"name": "story.save", "args": {"form": "f1", "text": "We liepen", "readers": "everyone"}},
    "a reply": {"name": "thread.replied", "args": {"text": "We liepen"}, "thread": "root", "message": "m1"},
    "somebody new": {"name": "help", "args": {}, "who": "noor"},
    "our coming": {"name": "place.joined", "args": {}, "channel": "nieuw"},
    "a name": {"name": "place.renamed", "args": {}},
}


@pytest.mark.parametrize("what", LATE)
@pytest.mark.parametrize("days", [0, 31])
async def test_what_arrives_late_is_passed_over(world: World, what: str, days: int) -> None:
    """Removed a moment ago, or erased since: nothing is kept, nothing is sent."""
    await world.movement("fatima")
    await add_reminder(world)
    await world.ritme.workspace_uninstalled(LANE)
    await world.pass_(days=days)
    before, sent = await rows(world), len(world.messenger.acts)
    late = dict(LATE[what])
    intent = world.intent(late.pop("who", "fatima"), late.pop("name"), late.pop("args"), answerable=False, **late)
    assert await world.ritme.handle(intent) is None
    await world.drain()
    assert await rows(world) == before
    assert len(world.messenger.acts) == sent


async def test_once_it_is_installed_again_it_answers(world: World) -> None:
    await world.movement("fatima")
    await world.ritme.workspace_uninstalled(LANE)
    assert await world.type("fatima", "/ritme ik") is None
    await world.ritme.workspace_installed(LANE, "Wijkzorg")
    assert isinstance(await world.type("fatima", "/ritme ik"), Answer)


async def lose_place(world: World, reason: str = "not_in_place", at: datetime | None = None) -> None:
    """Tell that Ritme is out of the channel, where a message waits."""
    gone = replace(world.intent("", "place.gone", {"reason": reason}), at=at)
    await world.ritme.handle(gone)
    await world.drain()
    assert await place_state(world) == "unreachable"


async def place_state(world: World) -> str:
    async with world.begin() as work:
        place = await work.movements.place(PlaceId("general"))
    assert place is not None
    return place.state.value


@pytest.mark.parametrize(
    ("reason", "name", "args", "state"),
    [
        ("not_in_place", "command", {"command": "/ritme", "text": "ik"}, "alive"),
        ("place_archived", "thread.replied", {"text": "We liepen"}, "alive"),
        # A slash command works everywhere in Slack, also where we are not.
        ("not_in_place", "a slash command", {"command": "/ritme", "text": "ik"}, "unreachable"),
        # A message of ours stays where it is when we go: its buttons tell nothing.
        ("not_in_place", "ripple", {"card": "c1", "story": "s"}, "unreachable"),
        # We are there, and may not speak.
        ("place_closed", "command", {"command": "/ritme", "text": "ik"}, "unreachable"),
    ],
)
async def test_a_place_it_hears_from_is_alive(
    world: World, reason: str, name: str, args: dict[str, str], state: str
) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    await lose_place(world, reason, world.clock.now())
    await world.pass_(hours=2)
    if name == "a slash command":
        heard = world.intent("fatima", "command", args)
    else:
        said = world.intent("fatima", name, args, thread="root", message="m1")
        heard = replace(said, opens_forms=False, at=world.clock.now())
    await world.ritme.handle(heard)
    assert await place_state(world) == state


async def test_what_was_said_before_it_was_out_of_a_place_does_not_revive_it(world: World) -> None:
    await world.movement("fatima")
    await add_reminder(world)
    said = world.clock.now()
    await world.pass_(minutes=1)
    await lose_place(world, at=world.clock.now())
    before = await rows(world)
    late = world.intent("fatima", "thread.replied", {"text": "We liepen"}, thread="root", message="m1")
    assert await world.ritme.handle(replace(late, at=said)) is None
    await world.ritme.handle(replace(world.intent("", "place.back", {}), at=said))
    assert await place_state(world) == "unreachable"
    after = await rows(world)
    assert {**after, "inbox": []} == {**before, "inbox": []}


async def test_coordinators_hear_once_an_hour_of_a_place_that_comes_and_goes(world: World) -> None:
    await world.movement("fatima")
    for minute in range(3):
        await lose_place(world, at=world.clock.now())
        await world.pass_(minutes=5)
        said = world.intent("fatima", "command", {"command": "", "text": "ik"}, message=f"m{minute}")
        await world.ritme.handle(replace(said, opens_forms=False))
        assert await place_state(world) == "alive"
    assert len([one for one in world.private("iris") if "general" in text_of(one)]) <= 1
