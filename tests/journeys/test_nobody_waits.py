"""Nobody waits for what takes long: it is composed a few rows at a time, or computed outside the event loop.

Nothing here is timed. Steps of the loop are weighed by what they call, with little and with much; and what computes at
length (the compiler of pictures, the network, the packing of files) notes in which thread it was.
"""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typst

from adapters.database.repositories.connecting import SqlConnecting
from adapters.database.repositories.deliveries import SqlDeliveries
from adapters.database.repositories.movements import SqlMovements
from adapters.database.repositories.stories import SqlStories
from adapters.typesetting import TypstTypesetter
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.ids import new_id
from bot.domain.movement import Member, PlaceId
from bot.domain.page_session import PageSession
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from bot.domain.story import Readers, Story, StoryId
from bot.networks import NetworkCache
from bot.use_cases.movements import takeaways
from tests.drivers.playground import PlaygroundDriver
from tests.journeys.test_pages_privacy import open_pages, secret_of
from tests.journeys.test_suggesting import add_world, look
from tests.support.api import make_key
from tests.support.loops import count_calls
from tests.support.playground import serve_playground
from tests.support.world import LANE, MOVEMENT, World, open_world

FEW, MANY = 60, 300
WORDS = "We liepen met Anna tot de brievenbus, en weer terug. " * 4


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path, kind="sqlite") as fresh:
        yield fresh


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], list[bool]]:
    """Give a function that notes, for every call of something, whether it was outside the thread of the loop."""
    loop = threading.get_ident()

    def note_thread(owner: Any, name: str) -> list[bool]:
        was_outside: list[bool] = []
        call = getattr(owner, name)

        def noted(*args: Any, **named: Any) -> Any:
            was_outside.append(threading.get_ident() != loop)
            return call(*args, **named)

        monkeypatch.setattr(owner, name, noted)
        return was_outside

    return note_thread


async def grow(world: World, many: int) -> None:
    """Let so many people join, who each tell a story."""
    async with world.begin() as work:
        for _ in range(many):
            named, now = new_id(), world.clock.now()
            person = Person(
                id=PersonId(named), workspace_id=WorkspaceId(LANE), account=named, name=f"Anna {named}", created_at=now
            )
            work.people.add(person)
            work.movements.add(Member(movement_id=MOVEMENT, person_id=person.id, joined_at=now))
            work.stories.add(
                Story(
                    id=StoryId(named), movement_id=MOVEMENT, place_id=PlaceId("general"), teller_id=person.id,
                    text=WORDS, told_at=now, readers=Readers.MOVEMENT,
                )
            )  # fmt: skip
    async with world.begin() as work:
        while await work.stories.index_stories(50):  # a tick's work
            pass


async def weigh(world: World, more: int, act: Callable[[], Awaitable[None]]) -> int:
    """Let so many people join, and do something; return the calls of the busiest step that it took."""
    await grow(world, more)
    return await count_calls(act)


async def test_a_takeaway_is_composed_a_few_rows_at_a_time_and_packed_in_a_thread(
    world: World, outside: Callable[[Any, str], list[bool]]
) -> None:
    await world.movement("fatima")
    packed = outside(takeaways, "_pack")
    async with world.begin() as work:
        iris = await work.people.get(PersonId("iris"), MOVEMENT)
    assert iris is not None

    async def compose() -> None:
        assert await takeaways.compose_takeaway(
            world.storage.transact, iris, MOVEMENT, Language.NL, world.clock.now(), TypstTypesetter()
        )

    busiest = [await weigh(world, more, compose) for more in (0, FEW, MANY)]  # the first time, much is compiled
    assert busiest[2] < 1.2 * busiest[1]
    assert packed == [True, True, True]


async def test_a_search_among_many_stories_is_no_longer_step_than_among_few(world: World) -> None:
    await world.movement("fatima")

    async def search() -> None:
        await world.type("fatima", "/ritme zoek brievenbus")

    # The first time, much is compiled; and which stories are looked at first is chance.
    _, few, many = [await weigh(world, more, search) for more in (FEW, FEW, 2 * MANY)]
    assert 0 < many < 1.5 * few


async def test_pictures_magazines_and_papers_are_set_outside_the_loop(
    tmp_path: Path, outside: Callable[[Any, str], list[bool]]
) -> None:
    compiled = outside(typst, "compile")
    async with serve_playground(tmp_path / "demo.db") as served:
        people = PlaygroundDriver(served)
        await people.type("jan", "/verhaal We liepen een rondje")
        await people.type("iris", "/ritme jaar", channel=None)
        await people.type("iris", "/ritme meenemen", channel=None)
        await people.drain()
    assert compiled
    assert all(compiled)


async def test_whom_to_invite_is_computed_outside_the_loop(
    world: World, outside: Callable[[Any, str], list[bool]]
) -> None:
    answered = outside(NetworkCache, "answer")
    nights = {f"n{number}": "Nacht" for number in range(6)}
    await add_world(world, {"fatima": "Dag", **nights}, ties=[("fatima", "n0"), ("n0", "n1")], agreed=("n0",))
    await look(world)
    assert answered
    assert all(answered)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_figures_are_counted_outside_the_loop_and_anew_before_anybody_looks(
    tmp_path: Path, kind: str, outside: Callable[[Any, str], list[bool]]
) -> None:
    counted = [
        outside(owner, name)
        for owner, name in (
            (SqlConnecting, "count_reach"),
            (SqlStories, "count_spread"),
            (SqlDeliveries, "count_weeks"),
            (SqlDeliveries, "count_reasons"),
            (SqlDeliveries, "count_answers"),
            (SqlMovements, "count_figures"),
        )
    ]
    async with open_world(tmp_path, kind=kind) as world:
        people = [f"p{number}" for number in range(MIN_GROUP_SIZE)]
        await world.movement("fatima", *people)
        async with world.begin() as work:
            for one in people:
                person = await work.people.get(PersonId(one), MOVEMENT)
                assert person is not None
                person.group = "Nacht"
        key = await make_key(world)
        await open_pages(world, "iris")

        async def look_at_figures() -> None:
            assert await world.ritme.api.figures(key)
            for page in ("coordinator", "movement"):
                assert await world.ritme.pages.show(secret_of("iris"), page, MOVEMENT)

        await look_at_figures()
        assert counted == [[True]] * len(counted)
        await look_at_figures()
        assert counted == [[True]] * len(counted), "they stand"
        world.clock.set(world.clock.now() + timedelta(days=8))
        await world.ritme.plan()
        assert counted == [[True] * 2] * len(counted), "it is Monday again"
        async with world.begin() as work:
            iris = await work.people.by_account(WorkspaceId(LANE), "iris")
            assert iris is not None
            session = PageSession.offer(iris, world.clock.now())
            work.sessions.add(session)
        assert await world.ritme.pages.open(session.id, secret_of("later"), "een ander")
        assert await world.ritme.pages.show(secret_of("later"), "coordinator", MOVEMENT)
        assert await world.ritme.api.figures(key)
        assert counted == [[True] * 2] * len(counted)
