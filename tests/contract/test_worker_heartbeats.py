"""A worker sends heartbeats until its jobs are done, also while it stops or loses its own heartbeat task."""

import asyncio
from functools import partial

import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contract.test_engines import A, B, FakeCore
from tests.contract.workers import announce_due, count_jobs, fetch_value, is_stopped, until, worker

LAST_BEAT = (
    "SELECT extract(epoch FROM last_heartbeat) FROM procrastinate_workers AS worker"
    " JOIN procrastinate_jobs AS job ON job.worker_id = worker.id WHERE job.status = 'doing'"
)


async def test_a_stopping_worker_sends_heartbeats_until_its_job_is_done(database: AsyncEngine) -> None:
    core = FakeCore()
    core.gate.clear()
    core.due[A] = 1
    async with worker(database, core, heartbeat=0.05) as engine:
        await announce_due(database, A)
        await core.entered.wait()
        stopping = asyncio.create_task(engine.close())
        await until(partial(_procrastinate_stopped_beating))
        for _ in range(3):
            await until(partial(_beats_after, database, await fetch_value(database, LAST_BEAT)))
        assert await count_jobs(database, "doing") == 1
        core.gate.set()
        await stopping
    assert core.drained == [A]


async def test_a_worker_whose_heartbeat_fails_restarts_when_its_job_is_done(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    core, update_heartbeats = FakeCore(), JobManager.update_heartbeat
    core.gate.clear()
    core.due[A] = 1

    async def stops(self: JobManager, worker_id: int) -> None:
        if core.entered.is_set():
            monkeypatch.setattr(JobManager, "update_heartbeat", update_heartbeats)
            raise ConnectorException
        await update_heartbeats(self, worker_id)

    monkeypatch.setattr(JobManager, "update_heartbeat", stops)
    async with worker(database, core, heartbeat=0.05) as engine:
        await announce_due(database, A)
        await core.entered.wait()
        await until(partial(_procrastinate_stopped_beating))
        for _ in range(3):
            await until(partial(_beats_after, database, await fetch_value(database, LAST_BEAT)))
        assert await count_jobs(database, "doing") == 1
        core.gate.set()
        await until(partial(is_stopped, engine))
        core.due[B] = 1
        await announce_due(database, B)
        await core.until(lambda: core.drained == [A, B])


async def _procrastinate_stopped_beating() -> bool:
    return all(task.get_name() != "update_heartbeats" for task in asyncio.all_tasks())


async def _beats_after(database: AsyncEngine, last: float) -> bool:
    return bool(await fetch_value(database, LAST_BEAT) > last)
