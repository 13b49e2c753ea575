"""A job belongs to whoever does it for as long as it is done, and to nobody any longer than that."""

import asyncio
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contract.test_engines import A, Ritme
from tests.contract.workers import ask, jobs, tell, until, worker

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


async def _procrastinate_stopped_beating() -> bool:
    return all(task.get_name() != "update_heartbeats" for task in asyncio.all_tasks())


async def _beats_after(database: AsyncEngine, last: float) -> bool:
    return bool(await ask(database, LAST_BEAT) > last)
