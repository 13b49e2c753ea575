"""Several workers over one database: concurrent drains, killed workers, lost connections, rollbacks."""

import asyncio
from functools import partial

import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.engine.distributed import DistributedEngine
from tests.contract.test_engines import A, B, FakeCore
from tests.contract.workers import announce_due, announce_in, count_jobs, orphan_jobs, until, worker
from tests.support.databases import RecordedFailures


async def test_an_announcement_that_is_rolled_back_leaves_no_job(database: AsyncEngine) -> None:
    async with database.connect() as connection:
        await announce_in(connection, A)
        await connection.rollback()
    assert await count_jobs(database, "todo") == 0


async def test_a_lane_has_one_waiting_job_however_often_it_is_announced(database: AsyncEngine) -> None:
    await asyncio.gather(*(announce_due(database, A, B) for _ in range(8)))
    assert await count_jobs(database, "todo") == 2


async def test_two_workers_never_drain_one_lane_at_the_same_time(database: AsyncEngine) -> None:
    core = FakeCore()
    async with worker(database, core), worker(database, core):
        for _ in range(20):
            core.due[A] += 1
            await announce_due(database, A)
        # Told of while it is drained, a lane is looked at again by the next tick; here, by the next that is told.
        while core.due[A]:
            await announce_due(database, A)
            await asyncio.sleep(0.01)
    assert len(core.drained) == 20
    assert core.most_at_once == 1


async def test_two_workers_that_tick_plan_one_at_a_time(database: AsyncEngine) -> None:
    core = FakeCore()
    most = 0

    async def plan() -> int:
        nonlocal most
        core.planning += 1
        most = max(most, core.planning)
        await asyncio.sleep(0.3)
        core.planning -= 1
        core.plans += 1
        return 0

    core.plan = plan  # type: ignore[method-assign]
    async with worker(database, core, periodic=True), worker(database, core, periodic=True):
        async with asyncio.timeout(20):
            while core.plans < 3:  # noqa: ASYNC110  # another process's doing
                await asyncio.sleep(0.05)
    assert most == 1


async def test_jobs_of_a_killed_worker_are_requeued(database: AsyncEngine) -> None:
    await announce_due(database, A)
    await orphan_jobs(database, A)
    await announce_due(database, A)  # one more waits behind it, and could wait for ever
    core = FakeCore()
    core.due[A] = 1
    async with worker(database, core, heartbeat=0.1) as engine:
        await engine.sweep()
        await core.until(lambda: core.drained == [A])
    assert await count_jobs(database, "doing") == 0


async def test_a_job_of_a_live_worker_is_not_requeued(database: AsyncEngine) -> None:
    core = FakeCore()
    core.gate.clear()
    core.due[A] = 1
    async with worker(database, core) as engine:
        await announce_due(database, A)
        await core.entered.wait()
        await engine.sweep()
        assert await count_jobs(database, "doing") == 1
        core.gate.set()
        await core.until(lambda: core.drained == [A])
    assert core.most_at_once == 1


async def test_a_failed_job_is_kept_with_its_reason_and_its_lane_is_retried(
    database: AsyncEngine,
) -> None:
    core, failures = FakeCore(), RecordedFailures()
    core.breaks, core.due[A] = ["drain"], 1
    async with worker(database, core, failures=failures):
        await announce_due(database, A)
        async with asyncio.timeout(20):
            while not await count_jobs(database, "failed"):  # noqa: ASYNC110  # the same
                await asyncio.sleep(0.02)
        await announce_due(database, A)  # tells nothing new
        assert failures.reasons == ["RuntimeError: drain"]
        assert await count_jobs(database, "todo") == 1
        await core.until(lambda: core.drained == [A])
    assert await count_jobs(database, "failed") == 1


async def test_a_worker_takes_jobs_again_after_its_connections_were_terminated(database: AsyncEngine) -> None:
    core = FakeCore()
    async with worker(database, core):
        async with database.begin() as connection:
            await connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        core.due[A] = 1
        await announce_due(database, A)
        await core.until(lambda: core.drained == [A])


async def test_a_finished_job_whose_status_write_failed_does_not_block_its_lane(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = FakeCore()
    async with worker(database, core) as engine:
        finish, broken = JobManager.finish_job, asyncio.Event()

        async def breaks_once(self: JobManager, *args: object, **more: object) -> None:
            if broken.is_set():
                return await finish(self, *args, **more)  # type: ignore[arg-type]
            broken.set()
            raise ConnectorException

        monkeypatch.setattr(JobManager, "finish_job", breaks_once)
        core.due[A] = 1
        await announce_due(database, A)
        await core.until(lambda: core.drained == [A])
        await broken.wait()
        core.due[A] = 1
        await announce_due(database, A)
        await until(partial(_swept, engine, database))
        await core.until(lambda: core.drained == [A, A])


async def _swept(engine: DistributedEngine, database: AsyncEngine) -> bool:
    await engine.sweep()
    return await count_jobs(database, "doing") == 0
