"""On PostgreSQL what somebody waits for takes few trips to the database, however many statements: each waits for the
network."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from psycopg._preparing import Prepare, PrepareManager
from sqlalchemy import URL, make_url

from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import announce
from benchmarks.distance import DelayingProxy
from bot.catalogue.base import dump
from bot.catalogue.errors import Apology
from bot.domain.delivery import to_place
from bot.domain.movement import PlaceId
from bot.domain.person import WorkspaceId
from tests.scale.everything import THINGS, Stage
from tests.support.databases import open_database
from tests.support.world import LANE

USUALLY = 6
"""The most trips of a thing, begin and commit included."""
MOST = {
    # Each runs twice: before and after the network is read, at one moment, on a connection of its own.
    "connect": 25,  # the first in a process, which reads all of the network
    "connect.other": 15,
    "connect.why": 15,
    "connect.look": 13,
    "/ritme search nachtdienst overdracht": 7,  # each of four ways is tried when the one before found nothing
}
"""Things that take more trips than usually, and why."""
BATCH = 8
"""The trips of a batch that is sent: two to see what is ahead, four to claim, two to record."""


@contextmanager
def counting(url: URL) -> Iterator[tuple[DelayingProxy, URL]]:
    """Serve a proxy before a database from a thread: what is counted holds up the event loop."""
    proxy, loop = DelayingProxy(url, delay=0), asyncio.new_event_loop()
    thread, serving = Thread(target=loop.run_forever), proxy.running()

    async def stop() -> None:
        await serving.__aexit__(None, None, None)
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    thread.start()
    try:
        yield proxy, asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[tuple[Stage, DelayingProxy]]:
    """Open a movement whose database is reached through a proxy that counts."""
    async with open_database("postgresql", folder) as storage:
        with counting(make_url(storage.url)) as (proxy, url):
            database = connect(url.render_as_string(hide_password=False))
            stage = Stage(replace(storage, database=database, transact=unit_of_work(database, announce)))
            try:
                await stage.fill()
                yield stage, proxy
            finally:
                await database.dispose()


async def test_a_thing_takes_few_trips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # psycopg prepares a statement, and lets it go, now and then: trips that are of no thing.
    monkeypatch.setattr(PrepareManager, "get", lambda *_: (Prepare.NO, b""))
    took: dict[str, int] = {}
    async with staged(tmp_path) as (stage, proxy):
        await stage.count_anew()
        for one in THINGS:
            act = await one.prepare(stage, stage.undone)
            proxy.trips = 0
            await act()
            took[one.what] = proxy.trips
    assert {what: trips for what, trips in took.items() if trips > MOST.get(what, USUALLY)} == {}
    assert MOST.keys() <= took.keys()


async def test_a_batch_takes_few_trips_however_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PrepareManager, "get", lambda *_: (Prepare.NO, b""))  # as above
    took: list[int] = []
    async with staged(tmp_path) as (stage, proxy):
        ritme, now = stage.world.ritme, stage.clock.now()
        while await ritme.drain(WorkspaceId(LANE)):
            pass
        for many in (4, 40):
            async with stage.world.begin() as work:
                place = await work.movements.place(PlaceId("general"))
                assert place is not None
                for number in range(many):
                    answer = to_place(place, "answer", key=f"{many}/{number}", now=now, args=dump(Apology.example()))
                    await work.deliveries.add(answer)
            proxy.trips = 0
            assert await ritme.drain(WorkspaceId(LANE)) == many
            took.append(proxy.trips)
    assert took == [BATCH] * 2
