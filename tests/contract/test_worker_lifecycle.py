"""Starting, restarting and stopping a worker, also while the database is unavailable."""

import asyncio
from functools import partial
from typing import Any

import psycopg_pool
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.unit_of_work import connect
from adapters.engine import distributed, supervisor
from adapters.engine.distributed import DistributedEngine
from adapters.libpq import connection_timeouts
from tests.contract.test_engines import A, B, FakeCore
from tests.contract.workers import LONG, announce_due, is_stopped, until, worker
from tests.support.databases import RecordedFailures
from tests.support.postgres import Server


def test_a_worker_uses_the_connection_timeouts_of_everything_else_unless_the_address_sets_them() -> None:
    address = "postgresql+psycopg://localhost/ritme?connect_timeout=10"
    engine = DistributedEngine(address, failures=RecordedFailures(), concurrency=1)
    said: dict[str, Any] = engine._app.connector._pool_args  # type: ignore[attr-defined]  # nobody else knows
    assert said["kwargs"].items() <= connection_timeouts(make_url(address)).items()
    assert "tcp_user_timeout" in said["kwargs"]
    assert "connect_timeout=10" in said["conninfo"]


async def test_a_start_that_finds_the_database_unavailable_can_be_retried(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    core, opened = FakeCore(), psycopg_pool.AsyncConnectionPool.open

    async def away(self: object, *args: object, **more: object) -> None:
        monkeypatch.setattr(psycopg_pool.AsyncConnectionPool, "open", opened)
        raise psycopg_pool.PoolTimeout

    monkeypatch.setattr(psycopg_pool.AsyncConnectionPool, "open", away)
    url = database.url.render_as_string(hide_password=False)
    engine = DistributedEngine(url, failures=RecordedFailures(), concurrency=2, periodic=False)
    with pytest.raises(psycopg_pool.PoolTimeout):
        await engine.start(core)
    assert not engine.is_running
    await engine.start(core)
    core.due[A] = 1
    await announce_due(database, A)
    await core.until(lambda: core.drained == [A])
    await engine.close()


async def test_a_worker_that_waits_to_restart_can_be_stopped(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_args: object) -> None:
        raise psycopg_pool.PoolTimeout

    monkeypatch.setattr("procrastinate.manager.JobManager.register_worker", breaks)
    monkeypatch.setattr(supervisor, "RESTART_BACKOFF", LONG)
    async with worker(database, FakeCore(), periodic=True) as engine:
        await until(partial(is_stopped, engine))
        await engine.close()
        assert not engine.is_running


async def test_a_cancelled_close_is_cancelled_and_can_be_called_again(database: AsyncEngine) -> None:
    core = FakeCore()
    core.gate.clear()
    core.due[A] = 1
    async with worker(database, core) as engine:
        await announce_due(database, A)
        await core.entered.wait()
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        core.gate.set()
        await engine.close()
    assert core.drained == [A]


async def test_a_worker_restarts_when_the_database_is_back_and_can_be_stopped_while_it_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distributed, "JOB_POOL_TIMEOUT", 2.0)  # waited for once for each stop of the server
    with Server() as server:
        database, core = connect(server.create_database("ritme")), FakeCore()
        async with worker(database, core, periodic=True) as engine:
            await core.until(lambda: core.plans > 0)
            await asyncio.to_thread(server.stop)
            await until(partial(is_stopped, engine))
            await asyncio.to_thread(server.start)
            await database.dispose()
            planned = core.plans
            await core.until(lambda: core.plans > planned)
            core.due[B] = 1
            await announce_due(database, B)
            await core.until(lambda: core.drained == [B])
            await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await database.dispose()
