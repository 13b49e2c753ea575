"""A worker begins, loses the database, begins again and ends: whatever it waits for, it can be stopped."""

import asyncio
from functools import partial
from typing import Any

import psycopg_pool
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.postgresql import connection_timeouts
from adapters.database.unit_of_work import connect
from adapters.engine import distributed
from adapters.engine.distributed import DistributedEngine
from tests.contract.test_engines import A, B, Ritme
from tests.contract.workers import LONG, rests, tell, until, worker
from tests.support.databases import Failures
from tests.support.postgres import Server


def test_it_waits_for_the_database_as_long_as_everything_else_does_unless_the_address_says_otherwise() -> None:
    address = "postgresql+psycopg://localhost/ritme?connect_timeout=10"
    engine = DistributedEngine(address, failures=Failures(), concurrency=1)
    said: dict[str, Any] = engine._app.connector._pool_args  # type: ignore[attr-defined]  # nobody else knows
    assert said["kwargs"].items() <= connection_timeouts(make_url(address)).items()
    assert "tcp_user_timeout" in said["kwargs"]
    assert "connect_timeout=10" in said["conninfo"]


async def test_a_database_that_is_away_at_the_start_can_be_tried_again(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritme, opened = Ritme(), psycopg_pool.AsyncConnectionPool.open

    async def away(self: object, *args: object, **more: object) -> None:
        monkeypatch.setattr(psycopg_pool.AsyncConnectionPool, "open", opened)
        raise psycopg_pool.PoolTimeout

    monkeypatch.setattr(psycopg_pool.AsyncConnectionPool, "open", away)
    url = database.url.render_as_string(hide_password=False)
    engine = DistributedEngine(url, failures=Failures(), concurrency=2, periodic=False)
    with pytest.raises(psycopg_pool.PoolTimeout):
        await engine.start(ritme)
    assert not engine.runs
    await engine.start(ritme)
    ritme.due[A] = 1
    await tell(database, A)
    await ritme.until(lambda: ritme.drained == [A])
    await engine.close()


async def test_a_worker_that_waits_to_begin_again_can_be_stopped(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_args: object) -> None:
        raise psycopg_pool.PoolTimeout

    monkeypatch.setattr("procrastinate.manager.JobManager.register_worker", breaks)
    monkeypatch.setattr(distributed, "RESTART_AFTER", LONG)
    async with worker(database, Ritme(), periodic=True) as engine:
        await until(partial(rests, engine))
        await engine.close()
        assert not engine.runs


async def test_who_stops_waiting_for_the_end_is_heard(database: AsyncEngine) -> None:
    ritme = Ritme()
    ritme.gate.clear()
    ritme.due[A] = 1
    async with worker(database, ritme) as engine:
        await tell(database, A)
        await ritme.entered.wait()
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        ritme.gate.set()
        await engine.close()
    assert ritme.drained == [A]


async def test_a_worker_goes_on_when_the_database_comes_back_and_can_be_stopped_while_it_is_away() -> None:
    with Server() as server:
        database, ritme = connect(server.database("ritme")), Ritme()
        async with worker(database, ritme, periodic=True) as engine:
            await ritme.until(lambda: ritme.plans > 0)
            await asyncio.to_thread(server.stop)
            await until(partial(rests, engine))
            await asyncio.to_thread(server.start)
            await database.dispose()
            planned = ritme.plans
            await ritme.until(lambda: ritme.plans > planned)
            ritme.due[B] = 1
            await tell(database, B)
            await ritme.until(lambda: ritme.drained == [B])
            await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await database.dispose()
