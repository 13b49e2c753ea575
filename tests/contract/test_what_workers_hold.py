"""A job belongs to whoever does it for as long as it is done, and to nobody any longer than that."""

import asyncio
from functools import partial

import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.engine.distributed import DistributedEngine
from tests.contract.test_engines import A, B, Ritme
from tests.contract.workers import ask, jobs, rests, tell, until, worker

LAST_BEAT = (
    "SELECT extract(epoch FROM last_heartbeat) FROM procrastinate_workers AS worker"
    " JOIN procrastinate_jobs AS job ON job.worker_id = worker.id WHERE job.status = 'doing'"
)


async def test_the_heart_beats_until_what_a_stopping_worker_sends_is_sent(database: AsyncEngine) -> None:
    ritme = Ritme()
    ritme.gate.clear()
    ritme.due[A] = 1
    async with worker(database, ritme, heartbeat=0.05) as engine:
        await tell(database, A)
        await ritme.entered.wait()
        stopping = asyncio.create_task(engine.close())
        await until(partial(_procrastinate_stopped_beating))
        for _ in range(3):
            await until(partial(_beats_after, database, await ask(database, LAST_BEAT)))
        assert await jobs(database, "doing") == 1
        ritme.gate.set()
        await stopping
    assert ritme.drained == [A]


async def test_a_worker_whose_heart_stops_begins_again_when_what_it_does_is_done(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritme, update_heartbeats = Ritme(), JobManager.update_heartbeat
    ritme.gate.clear()
    ritme.due[A] = 1

    async def stops(self: JobManager, worker_id: int) -> None:
        if ritme.entered.is_set():
            monkeypatch.setattr(JobManager, "update_heartbeat", update_heartbeats)
            raise ConnectorException
        await update_heartbeats(self, worker_id)

    monkeypatch.setattr(JobManager, "update_heartbeat", stops)
    async with worker(database, ritme, heartbeat=0.05) as engine:
        await tell(database, A)
        await ritme.entered.wait()
        await until(partial(_procrastinate_stopped_beating))
        for _ in range(3):
            await until(partial(_beats_after, database, await ask(database, LAST_BEAT)))
        assert await jobs(database, "doing") == 1
        ritme.gate.set()
        await until(partial(rests, engine))
        ritme.due[B] = 1
        await tell(database, B)
        await ritme.until(lambda: ritme.drained == [A, B])


async def test_what_was_done_but_could_not_be_put_on_record_does_not_hold_its_lane(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritme = Ritme()
    async with worker(database, ritme) as engine:
        finish, broken = JobManager.finish_job, asyncio.Event()

        async def breaks_once(self: JobManager, *args: object, **more: object) -> None:
            if broken.is_set():
                return await finish(self, *args, **more)  # type: ignore[arg-type]
            broken.set()
            raise ConnectorException

        monkeypatch.setattr(JobManager, "finish_job", breaks_once)
        ritme.due[A] = 1
        await tell(database, A)
        await ritme.until(lambda: ritme.drained == [A])
        await broken.wait()
        ritme.due[A] = 1
        await tell(database, A)
        await until(partial(_swept, engine, database))
        await ritme.until(lambda: ritme.drained == [A, A])


async def _swept(engine: DistributedEngine, database: AsyncEngine) -> bool:
    await engine.sweep()
    return await jobs(database, "doing") == 0


async def _procrastinate_stopped_beating() -> bool:
    return all(task.get_name() != "update_heartbeats" for task in asyncio.all_tasks())


async def _beats_after(database: AsyncEngine, last: float) -> bool:
    return bool(await ask(database, LAST_BEAT) > last)
