"""What only many processes can do wrong: two at once, one killed, one that forgets, one that rolls back."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.engine.distributed import announce
from tests.contract.test_engines import A, B, Ritme
from tests.contract.workers import jobs, killed, tell, worker
from tests.support.databases import Failures


async def test_what_is_rolled_back_leaves_no_job(database: AsyncEngine) -> None:
    async with AsyncSession(database) as session:
        await announce(session, [A])
        await session.rollback()
    assert await jobs(database, "todo") == 0


async def test_a_lane_waits_once_however_many_make_something_due_in_it(database: AsyncEngine) -> None:
    await asyncio.gather(*(tell(database, A, B) for _ in range(8)))
    assert await jobs(database, "todo") == 2


async def test_two_workers_never_drain_one_lane_at_the_same_time(database: AsyncEngine) -> None:
    ritme = Ritme()
    async with worker(database, ritme), worker(database, ritme):
        for _ in range(20):
            ritme.due[A] += 1
            await tell(database, A)
        # Told of while it is drained, a lane is looked at again by the next tick; here, by the next that is told.
        while ritme.due[A]:
            await tell(database, A)
            await asyncio.sleep(0.01)
    assert len(ritme.drained) == 20
    assert ritme.most_at_once == 1


async def test_two_workers_that_tick_plan_one_at_a_time(database: AsyncEngine) -> None:
    ritme = Ritme()
    most = 0

    async def plan() -> int:
        nonlocal most
        ritme.planning += 1
        most = max(most, ritme.planning)
        await asyncio.sleep(0.3)
        ritme.planning -= 1
        ritme.plans += 1
        return 0

    ritme.plan = plan  # type: ignore[method-assign]
    async with worker(database, ritme, periodic=True), worker(database, ritme, periodic=True):
        async with asyncio.timeout(20):
            while ritme.plans < 3:  # noqa: ASYNC110  # another process's doing
                await asyncio.sleep(0.05)
    assert most == 1


async def test_what_a_killed_worker_held_is_given_back(database: AsyncEngine) -> None:
    await tell(database, A)
    await killed(database, A)
    await tell(database, A)  # one more waits behind it, and could wait for ever
    ritme = Ritme()
    ritme.due[A] = 1
    async with worker(database, ritme, heartbeat=0.1) as engine:
        await engine.sweep()
        await ritme.until(lambda: ritme.drained == [A])
    assert await jobs(database, "doing") == 0


async def test_a_job_of_a_worker_that_lives_is_left_alone(database: AsyncEngine) -> None:
    ritme = Ritme()
    ritme.gate.clear()
    ritme.due[A] = 1
    async with worker(database, ritme) as engine:
        await tell(database, A)
        await ritme.entered.wait()
        await engine.sweep()
        assert await jobs(database, "doing") == 1
        ritme.gate.set()
        await ritme.until(lambda: ritme.drained == [A])
    assert ritme.most_at_once == 1


async def test_a_job_that_fails_is_kept_with_its_reason_and_its_lane_is_tried_again_a_little_later(
    database: AsyncEngine,
) -> None:
    ritme, failures = Ritme(), Failures()
    ritme.breaks, ritme.due[A] = ["drain"], 1
    async with worker(database, ritme, failures=failures):
        await tell(database, A)
        async with asyncio.timeout(20):
            while not await jobs(database, "failed"):  # noqa: ASYNC110  # the same
                await asyncio.sleep(0.02)
        await tell(database, A)  # tells nothing new
        assert failures.reasons == ["RuntimeError: drain"]
        assert await jobs(database, "todo") == 1
        await ritme.until(lambda: ritme.drained == [A])
    assert await jobs(database, "failed") == 1


async def test_a_worker_that_lost_the_database_takes_jobs_again(database: AsyncEngine) -> None:
    ritme = Ritme()
    async with worker(database, ritme):
        async with database.begin() as connection:
            await connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ritme.due[A] = 1
        await tell(database, A)
        await ritme.until(lambda: ritme.drained == [A])
