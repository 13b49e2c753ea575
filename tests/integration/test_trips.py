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
from tests.scale.everything import THINGS, Stage
from tests.support.databases import open_database

USUALLY = 6
"""The most trips of a thing, begin and commit included."""
MOST = {
    "connect": 67,
    "connect.other": 43,
    "connect.look": 39,
    "connect.why": 27,
    "/ritme search nachtdienst overdracht": 15,
    "magazine.chosen": 14,
    "search": 12,
    "search.filled": 12,
    "calendar.file": 11,
    "door.let_in": 10,
    "page magazine": 10,
    "page movement": 9,
    "choice.tell": 8,
    "door.not_this": 8,
    "effect.begin": 8,
    "history.save": 8,
    "magazine.choose": 8,
    "me.forget": 8,
    "message.gone": 8,
    "API rhythms": 7,
    "choice.pick": 7,
    "company.decline": 7,
    "experiment.answer.save": 7,
    "harvest": 7,
    "history.answer": 7,
    "hours.save": 7,
    "invitation.later": 7,
    "magazine": 7,
    "page search": 7,
    "room.take_back": 7,
    "story": 7,
    "stuck.report": 7,
}
"""Things that take more trips than usually: each looks up one thing after another."""


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
