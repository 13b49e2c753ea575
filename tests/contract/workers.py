"""Start workers over one database, and query the jobs they put in it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.engine.distributed import DistributedEngine, announce
from bot.domain.person import WorkspaceId
from tests.contract.test_engines import FakeCore
from tests.support.databases import RecordedFailures

LONG = 3600.0
"""Seconds; longer than any test."""


@asynccontextmanager
async def worker(database: AsyncEngine, core: FakeCore, **more: object) -> AsyncIterator[DistributedEngine]:
    """Start a worker with connections of its own, two lanes at a time and no ticks unless `more` says otherwise."""
    url = database.url.render_as_string(hide_password=False)
    settings: dict[str, object] = {"failures": RecordedFailures(), "concurrency": 2, "periodic": False, **more}
    engine = DistributedEngine(url, **settings)  # type: ignore[arg-type]
    await engine.start(core)
    try:
        yield engine
    finally:
        core.gate.set()
        await engine.close()


async def announce_due(database: AsyncEngine, *lanes: str) -> None:
    """Announce in a transaction that something is due in these lanes."""
    async with database.begin() as connection:
        await announce_in(connection, *lanes)


async def announce_in(connection: AsyncConnection, *lanes: str) -> None:
    """Announce in a transaction that something is due in these lanes; nobody hears of it before the commit."""
    await connection.run_sync(lambda here: announce(here.exec_driver_sql, [WorkspaceId(one) for one in lanes]))


async def count_jobs(database: AsyncEngine, status: str) -> int:
    """Count the drain jobs with this status."""
    query = "SELECT count(*) FROM procrastinate_jobs WHERE status::text = :status AND task_name = 'drain'"
    return int(await fetch_value(database, query, status=status))


async def fetch_value(database: AsyncEngine, query: str, **values: object) -> Any:
    """Return the one value of a query; None when it has no row."""
    async with database.connect() as connection:
        return (await connection.execute(text(query), values)).scalar_one_or_none()


async def execute(database: AsyncEngine, statement: str, **values: object) -> None:
    """Run a statement in a transaction."""
    async with database.begin() as connection:
        await connection.execute(text(statement), values)


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    """Poll until `what` is true, for effects of another process or task that notify nobody."""
    async with asyncio.timeout(20):
        while not await what():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.02)


async def is_listening(database: AsyncEngine) -> bool:
    """Return whether a worker listens for announcements."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    return bool(await fetch_value(database, query))


async def is_stopped(engine: DistributedEngine) -> bool:
    """Return whether a worker has stopped taking jobs."""
    return not engine.is_running


async def orphan_jobs(database: AsyncEngine, lane: str, task: str = "drain") -> None:
    """Give the waiting jobs of a lane to a worker that was killed: its last heartbeat is a minute old."""
    await execute(
        database,
        "WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
        " RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM gone)"
        " WHERE lock = :lane AND task_name = :task AND status = 'todo'",
        lane=lane,
        task=task,
    )
