"""On PostgreSQL an intent takes few trips to the database, however many statements: each waits for the network."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

from sqlalchemy import URL, make_url

from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import announce
from benchmarks.distance import DelayingProxy
from tests.scale.everything import THINGS, Stage
from tests.support.databases import open_database

STUCK = "/stuck De nachtdienst hoort het als laatste"
STORY = "/story Vandaag liepen we met z’n vieren, en het regende"
TRIPS = {STUCK: 6, STORY: 4, "thread.replied": 10, "step.done": 12}


@contextmanager
def counting(url: URL) -> Iterator[tuple[DelayingProxy, URL]]:
    """Serve a proxy before a database from a thread: what is counted holds up the event loop."""
    proxy, loop = DelayingProxy(url, delay=0), asyncio.new_event_loop()
    thread, serving = Thread(target=loop.run_forever), proxy.running()
    thread.start()
    try:
        yield proxy, asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result()
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


async def test_an_intent_takes_few_trips(tmp_path: Path) -> None:
    took: dict[str, int] = {}
    async with staged(tmp_path) as (stage, proxy):
        for one in THINGS:
            if one.what in TRIPS:
                act = await one.prepare(stage, stage.world)
                proxy.trips = 0
                await act()
                took[one.what] = proxy.trips
    assert {what: trips for what, trips in took.items() if trips > TRIPS[what]} == {}
    assert took.keys() == TRIPS.keys()
