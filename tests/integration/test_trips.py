"""On PostgreSQL what somebody waits for takes few trips to the database, however many statements: each waits for the
network."""

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

USUALLY = 6
"""The most trips of a thing, begin and commit included."""
MOST = {
    "connect": 67,
    "me.forget": 58,
    "connect.other": 43,
    "connect.look": 39,
    "connect.why": 27,
    "country.save": 17,
    "magazine.chosen": 16,
    "/ritme search nachtdienst overdracht": 15,
    "rhythm.apply": 12,
    "search": 12,
    "search.filled": 12,
    "calendar.file": 11,
    "door.let_in": 11,
    "page magazine": 11,
    "choice.tell": 10,
    "initiative.join": 10,
    "effect.begin": 9,
    "rhythm.closed.drop": 9,
    "rhythm.closed.save": 9,
    "story.withdraw": 9,
    "door.not_this": 8,
    "history.save": 8,
    "magazine.choose": 8,
    "message.gone": 8,
    "page movement": 10,
    "rhythm.moment.save": 8,
    "rhythm.pause.save": 8,
    "API rhythms": 7,
    "choice.pick": 7,
    "company.decline": 7,
    "experiment.answer.save": 7,
    "harvest": 7,
    "history.answer": 7,
    "hours.save": 7,
    "initiative.close": 7,
    "invitation.later": 7,
    "initiative": 7,
    "magazine": 7,
    "page coordinator": 8,
    "page initiative": 7,
    "page rhythm": 7,
    "page search": 7,
    "person.changed": 7,
    "rhythm.double": 7,
    "rhythm.resume": 7,
    "rhythm.slower": 7,
    "room.take_back": 7,
    "story": 7,
    "story.save": 7,
    "stuck.report": 7,
    "ties.confirm": 7,
}
"""Things that take more trips than usually: each looks up one thing after another. Where very much is asked at once, as
by pages, the server may begin to answer before it has all of it, which counts as one more."""


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


async def test_a_thing_takes_few_trips(tmp_path: Path) -> None:
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
