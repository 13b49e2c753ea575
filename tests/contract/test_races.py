"""Two of everything at once, over one database: no double, nothing lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from adapters.bootstrap import Runs
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import DistributedEngine, announce
from adapters.engine.embedded import EmbeddedEngine
from bot.app import Ritme
from bot.chat import Answer, Post, Receipt
from bot.domain.delivery import DeliveryState
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.ports import OutcomeUnknown, Platform
from tests.support.databases import BOTH
from tests.support.outbox import put, row
from tests.support.world import LANE, World, text_of, world


@pytest.fixture(params=BOTH)
async def both(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[World, Ritme]]:
    """A world, and a second Ritme over the same database with connections of its own."""
    async with world(tmp_path, kind=request.param) as here:
        database = connect(here.kept.url)
        begin = unit_of_work(database, announce if request.param == "postgresql" else None)
        platforms = {"test": Platform(messenger=here.messenger)}
        yield here, Ritme(begin=begin, platforms=platforms, clock=here.clock, engine=here.kept.engine)
        await database.dispose()


async def count(here: World, query: str) -> int:
    async with here.database.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {query}"))).scalar_one())


async def test_stuck_told_many_times_at_once_is_one_spell(both: tuple[World, Ritme]) -> None:
    here, other = both
    await here.movement("fatima")
    await here.type("fatima", "/ritme initiatief Beweegroute")
    typed = {"command": "/stuck", "text": "Nobody comes"}
    intents = [here.intent("fatima", "command", typed) for _ in range(8)]
    replies = await asyncio.gather(*((here.ritme, other)[n % 2].handle(one) for n, one in enumerate(intents)))
    assert all(isinstance(one, Answer) and one.reference is None for one in replies), replies
    assert await count(here, "stuck_episodes WHERE state = 'open'") == 1


async def test_the_same_request_brought_twice_at_once_is_acted_upon_once(both: tuple[World, Ritme]) -> None:
    here, other = both
    await here.movement("fatima")
    typed = {"command": "/verhaal", "text": "Mevrouw Bakker liep tot de brievenbus."}
    same = here.intent("fatima", "command", typed, key="same")
    replies = await asyncio.gather(*(one.handle(same) for one in (here.ritme, other, here.ritme, other)))
    assert sum(one is not None for one in replies) == 1
    assert await count(here, "stories") == 1


async def test_people_who_come_in_at_the_same_moment_are_all_let_in(both: tuple[World, Ritme]) -> None:
    here, other = both
    typed = {"command": "/ritme", "text": "help"}
    intents = [here.intent(f"new{n % 4}", "command", typed) for n in range(12)]
    replies = await asyncio.gather(*((here.ritme, other)[n % 2].handle(one) for n, one in enumerate(intents)))
    assert all(isinstance(one, Answer) and one.reference is None for one in replies), replies
    assert await count(here, "people") == 4
    assert await count(here, "workspaces") == 1


PLACES = tuple(f"place{number}" for number in range(20))


async def rhythms_due(here: World) -> None:
    """In every one of these places a moment has come."""
    await here.movement("fatima", channels=PLACES)
    due = here.clock.now() + timedelta(hours=1)
    async with here.begin() as work:
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
                created_at=here.clock.now(),
            )
            work.rhythms.add(rhythm)
    here.clock.set(due)


def once_in_each_place(here: World) -> bool:
    return Counter(one.post.channel for one in here.messenger.sent) == dict.fromkeys(PLACES, 1)


async def test_two_planners_plan_every_moment_once(both: tuple[World, Ritme]) -> None:
    here, other = both
    await rhythms_due(here)
    planned = await asyncio.gather(here.ritme.plan(), other.plan(), here.ritme.plan(), other.plan())
    assert sum(planned) == 20
    assert await count(here, "deliveries WHERE kind = 'rhythm_stories'") == 20


async def test_two_that_send_at_once_send_everything_once(both: tuple[World, Ritme]) -> None:
    here, other = both
    await here.movement(channels=PLACES)
    for place in PLACES:
        await put(here, place, place=place)
    lane = WorkspaceId(LANE)
    await asyncio.gather(*(one.drain(lane) for one in (here.ritme, other) * 2))
    assert once_in_each_place(here)


class Ticks:
    """How often any scheduler planned."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = asyncio.Condition()

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(what)


class Ticked(Ritme):
    """Says when it planned."""

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
async def scheduler(here: World, ticks: Ticks) -> AsyncIterator[None]:
    """An engine that ticks by itself, over the same database with connections of its own."""
    many, database = here.kept.kind == "postgresql", connect(here.kept.url)
    engine: Runs = EmbeddedEngine(tick=0.02)
    if many:
        engine = DistributedEngine(here.kept.url, failures=here.kept.failures, concurrency=2)
    begin = unit_of_work(database, announce if many else None)
    platforms = {"test": Platform(messenger=here.messenger)}
    await engine.start(Ticked(ticks, begin=begin, platforms=platforms, clock=here.clock, engine=engine))
    try:
        yield
    finally:
        await engine.close()
        await database.dispose()


async def test_two_schedulers_have_every_moment_said_once(both: tuple[World, Ritme]) -> None:
    here, _ = both
    await rhythms_due(here)
    ticks, send = Ticks(), here.messenger.send

    async def send_slowly(post: Post) -> Receipt:
        """While one sends, the other looks for something to do."""
        seen = ticks.count
        await ticks.until(lambda: ticks.count >= seen + 2)
        return await send(post)

    here.messenger.send = send_slowly  # type: ignore[method-assign]
    async with scheduler(here, ticks), scheduler(here, ticks):
        await ticks.until(lambda: len(here.messenger.sent) >= len(PLACES))
        seen = ticks.count
        await ticks.until(lambda: ticks.count >= seen + 2)
    assert once_in_each_place(here)


@pytest.mark.parametrize("arrived", [True, False], ids=["it arrived", "it did not"])
async def test_two_that_look_the_same_message_up_have_it_sent_once(both: tuple[World, Ritme], arrived: bool) -> None:
    here, other = both
    await here.movement()
    here.messenger.fail_next = [(OutcomeUnknown(), arrived)]
    await put(here, "aaa")
    await here.drain()
    here.clock.set(here.clock.now() + timedelta(minutes=1))
    find, looked, settled = here.messenger.find, asyncio.Event(), asyncio.Event()

    async def find_slowly(post: Post, since: datetime) -> Receipt | None:
        """The first to look hears late what it found."""
        found = await find(post, since)
        if not looked.is_set():
            looked.set()
            await settled.wait()
        return found

    here.messenger.find = find_slowly  # type: ignore[method-assign]
    lane = WorkspaceId(LANE)
    async with asyncio.timeout(20):
        slow = asyncio.create_task(other.reconcile(lane))
        await looked.wait()
        await here.ritme.reconcile(lane)
        await here.drain()
        settled.set()
        await slow
    await asyncio.gather(here.ritme.drain(lane), other.drain(lane))
    assert (await row(here, "aaa")).state is DeliveryState.SENT
    assert len(here.posts()) == 1


@contextmanager
def silent(here: World) -> Iterator[None]:
    """Nobody gets a connection."""

    def refuse(*_: object) -> None:
        from psycopg import OperationalError

        raise OperationalError("connection refused")

    engine = here.database.sync_engine
    event.listen(engine, "do_connect", refuse)
    try:
        yield
    finally:
        event.remove(engine, "do_connect", refuse)


async def test_while_the_database_is_away_an_answer_says_so_and_nothing_is_done(tmp_path: Path) -> None:
    async with world(tmp_path, kind="postgresql") as here:
        await here.movement("fatima")
        await here.database.dispose()
        typed = {"command": "/stuck", "text": "Nobody comes"}
        with silent(here):
            said = await here.ritme.handle(here.intent("fatima", "command", typed, key="again"))
        assert isinstance(said, Answer)
        assert said.unavailable
        assert said.reference is not None
        assert said.reference in text_of(said)
        done = await here.ritme.handle(here.intent("fatima", "command", typed, key="again"))
        assert isinstance(done, Answer)
        assert done.reference is None
        assert await count(here, "stuck_episodes") == 1
