"""Workers over one database, as many as a test wants, and a look at what they put in it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.engine.distributed import DistributedEngine, announce
from tests.contract.test_engines import Ritme
from tests.support.databases import Failures

LONG = 3600.0
"""Seconds: longer than any test."""


@asynccontextmanager
async def worker(database: AsyncEngine, ritme: Ritme, **more: object) -> AsyncIterator[DistributedEngine]:
    url = database.url.render_as_string(hide_password=False)
    settings: dict[str, object] = {"failures": Failures(), "concurrency": 2, "periodic": False, **more}
    engine = DistributedEngine(url, **settings)  # type: ignore[arg-type]
    await engine.start(ritme)
    try:
        yield engine
    finally:
        ritme.gate.set()
        await engine.close()


async def tell(database: AsyncEngine, *lanes: str) -> None:
    async with AsyncSession(database) as session, session.begin():
        await announce(session, lanes)  # type: ignore[arg-type]


async def jobs(database: AsyncEngine, status: str) -> int:
    """How many drains there are of this status."""
    query = "SELECT count(*) FROM procrastinate_jobs WHERE status::text = :status AND task_name = 'drain'"
    return int(await ask(database, query, status=status))


async def ask(database: AsyncEngine, query: str, **values: object) -> Any:
    """The one value a query answers; None when there is none."""
    async with database.connect() as connection:
        return (await connection.execute(text(query), values)).scalar_one_or_none()


async def do(database: AsyncEngine, statement: str, **values: object) -> None:
    async with database.begin() as connection:
        await connection.execute(text(statement), values)


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what another process does, or another task, without telling."""
    async with asyncio.timeout(20):
        while not await what():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.02)


async def listens(database: AsyncEngine) -> bool:
    """Whether a worker hears of what is told."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    return bool(await ask(database, query))


async def rests(engine: DistributedEngine) -> bool:
    return not engine.runs


async def killed(database: AsyncEngine, lane: str, task: str = "drain") -> None:
    """A worker took all that waits in this lane, and its heart stopped a minute ago."""
    await do(
        database,
        "WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
        " RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM gone)"
        " WHERE lock = :lane AND task_name = :task AND status = 'todo'",
        lane=lane,
        task=task,
    )
