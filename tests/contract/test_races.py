"""Concurrent requests, planners, senders and lookups over one database: nothing twice, nothing lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import DistributedEngine, announce
from adapters.engine.embedded import EmbeddedEngine
from adapters.service import ServiceEngine
from bot.app import Ritme
from bot.chat import Answer, Post, Receipt
from bot.domain.delivery import DeliveryState
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.ports import OutcomeUnknown, Platform
from tests.support.databases import BOTH
from tests.support.outbox import enqueue_post, get_delivery
from tests.support.world import LANE, World, open_world, text_of


@pytest.fixture(params=BOTH)
async def both(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[World, Ritme]]:
    """Open a world, and a second Ritme over the same database with connections of its own."""
    async with open_world(tmp_path, kind=request.param) as world:
        database = connect(world.storage.url)
        transact = unit_of_work(database, announce if request.param == "postgresql" else None)
        platforms = {"test": Platform(messenger=world.messenger)}
        yield world, Ritme(transact=transact, platforms=platforms, clock=world.clock, engine=world.storage.engine)
        await database.dispose()


async def count(world: World, query: str) -> int:
    async with world.database.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {query}"))).scalar_one())


async def test_concurrent_stuck_commands_open_one_episode(both: tuple[World, Ritme]) -> None:
    world, other = both
    await world.movement("fatima")
    await world.type("fatima", "/ritme initiatief Beweegroute")
    typed = {"command": "/stuck", "text": "Nobody comes"}
    intents = [world.intent("fatima", "command", typed) for _ in range(8)]
    replies = await asyncio.gather(*((world.ritme, other)[n % 2].handle(one) for n, one in enumerate(intents)))
    assert all(isinstance(one, Answer) and one.reference is None for one in replies), replies
    assert await count(world, "stuck_episodes WHERE state = 'open'") == 1


async def test_concurrent_deliveries_of_one_request_are_handled_once(both: tuple[World, Ritme]) -> None:
    world, other = both
    await world.movement("fatima")
    typed = {"command": "/verhaal", "text": "De buurvrouw liep tot de brievenbus."}
    same = world.intent("fatima", "command", typed, key="same")
    replies = await asyncio.gather(*(one.handle(same) for one in (world.ritme, other, world.ritme, other)))
    assert sum(one is not None for one in replies) == 1
    assert await count(world, "stories") == 1


async def test_new_people_who_act_at_the_same_moment_are_all_stored_once(both: tuple[World, Ritme]) -> None:
    world, other = both
    typed = {"command": "/ritme", "text": "help"}
    intents = [world.intent(f"new{n % 4}", "command", typed) for n in range(12)]
    replies = await asyncio.gather(*((world.ritme, other)[n % 2].handle(one) for n, one in enumerate(intents)))
    assert all(isinstance(one, Answer) and one.reference is None for one in replies), replies
    assert await count(world, "people") == 4
    assert await count(world, "workspaces") == 1


PLACES = tuple(f"place{number}" for number in range(20))


async def rhythms_due(world: World) -> None:
    """Add a rhythm to each of PLACES, and move the clock to the moment at which all are due."""
    await world.movement("fatima", channels=PLACES)
    due = world.clock.now() + timedelta(hours=1)
    async with world.begin() as work:
        for number, place in enumerate(PLACES):
            rhythm = Rhythm(
                id=RhythmId(f"r{number}"),
                movement_id=MovementId("movement"),
                place_id=PlaceId(place),
                kind=RhythmKind.STORIES,
                rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO",
                starts_on=due.date(),
                at=time(10),
                timezone="Europe/Amsterdam",
                next_at=due,
                created_by=None,
                created_at=world.clock.now(),
            )
            work.rhythms.add(rhythm)
    world.clock.set(due)


def once_in_each_place(world: World) -> bool:
    return Counter(one.post.channel for one in world.messenger.sent) == dict.fromkeys(PLACES, 1)


async def test_two_planners_plan_every_moment_once(both: tuple[World, Ritme]) -> None:
    world, other = both
    await rhythms_due(world)
    planned = await asyncio.gather(world.ritme.plan(), other.plan(), world.ritme.plan(), other.plan())
    assert sum(planned) == 20
    assert await count(world, "deliveries WHERE kind = 'rhythm_stories'") == 20


async def test_two_drains_at_once_send_everything_once(both: tuple[World, Ritme]) -> None:
    world, other = both
    await world.movement(channels=PLACES)
    for place in PLACES:
        await enqueue_post(world, place, place=place)
    lane = WorkspaceId(LANE)
    await asyncio.gather(*(one.drain(lane) for one in (world.ritme, other) * 2))
    assert once_in_each_place(world)


class Ticks:
    """A count of how often any scheduler planned."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = asyncio.Condition()

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(what)


class Ticked(Ritme):
    """A core that counts each plan in `ticks`."""

    def __init__(self, ticks: Ticks, **more: Any) -> None:
        super().__init__(**more)
        self._ticks = ticks

    async def plan(self) -> int:
        found = await super().plan()
        async with self._ticks.changed:
            self._ticks.count += 1
            self._ticks.changed.notify_all()
        return found


@asynccontextmanager
async def scheduler(world: World, ticks: Ticks) -> AsyncIterator[None]:
    """Start an engine that ticks by itself, over the same database with connections of its own."""
    many, database = world.storage.kind == "postgresql", connect(world.storage.url)
    engine: ServiceEngine = EmbeddedEngine(tick=0.02)
    if many:
        engine = DistributedEngine(world.storage.url, failures=world.storage.failures, concurrency=2)
    transact = unit_of_work(database, announce if many else None)
    platforms = {"test": Platform(messenger=world.messenger)}
    await engine.start(Ticked(ticks, transact=transact, platforms=platforms, clock=world.clock, engine=engine))
    try:
        yield
    finally:
        await engine.close()
        await database.dispose()


async def test_two_schedulers_send_every_moment_once(both: tuple[World, Ritme]) -> None:
    world, _ = both
    await rhythms_due(world)
    ticks, send = Ticks(), world.messenger.send

    async def send_slowly(post: Post) -> Receipt:
        """Send only after a scheduler has planned twice more."""
        seen = ticks.count
        await ticks.until(lambda: ticks.count >= seen + 2)
        return await send(post)

    world.messenger.send = send_slowly  # type: ignore[method-assign]
    async with scheduler(world, ticks), scheduler(world, ticks):
        await ticks.until(lambda: len(world.messenger.sent) >= len(PLACES))
        seen = ticks.count
        await ticks.until(lambda: ticks.count >= seen + 2)
    assert once_in_each_place(world)


@pytest.mark.parametrize("arrived", [True, False], ids=["it arrived", "it did not"])
async def test_two_lookups_of_one_delivery_end_in_one_message(both: tuple[World, Ritme], arrived: bool) -> None:
    world, other = both
    await world.movement()
    world.messenger.fail_next = [(OutcomeUnknown(), arrived)]
    await enqueue_post(world, "aaa")
    await world.drain()
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    find, looked, settled = world.messenger.find, asyncio.Event(), asyncio.Event()

    async def find_slowly(post: Post, since: datetime) -> Receipt | None:
        """Look up at once, but return the first result only after the other lookup was settled."""
        found = await find(post, since)
        if not looked.is_set():
            looked.set()
            await settled.wait()
        return found

    world.messenger.find = find_slowly  # type: ignore[method-assign]
    lane = WorkspaceId(LANE)
    async with asyncio.timeout(20):
        slow = asyncio.create_task(other.reconcile(lane))
        await looked.wait()
        await world.ritme.reconcile(lane)
        await world.drain()
        settled.set()
        await slow
    await asyncio.gather(world.ritme.drain(lane), other.drain(lane))
    assert (await get_delivery(world, "aaa")).state is DeliveryState.SENT
    assert len(world.posts()) == 1


@contextmanager
def silent() -> Iterator[None]:
    """Refuse every new connection."""

    def refuse(*_: object) -> None:
        from psycopg import OperationalError

        raise OperationalError("connection refused")

    event.listen(Engine, "do_connect", refuse)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", refuse)


async def test_while_the_database_is_unavailable_an_answer_says_so_and_nothing_is_done(tmp_path: Path) -> None:
    async with open_world(tmp_path, kind="postgresql") as world:
        await world.movement("fatima")
        await world.database.dispose()
        typed = {"command": "/stuck", "text": "Nobody comes"}
        with silent():
            said = await world.ritme.handle(world.intent("fatima", "command", typed, key="again"))
        assert isinstance(said, Answer)
        assert said.unavailable
        assert said.reference is not None
        assert said.reference in text_of(said)
        done = await world.ritme.handle(world.intent("fatima", "command", typed, key="again"))
        assert isinstance(done, Answer)
        assert done.reference is None
        assert await count(world, "stuck_episodes") == 1
