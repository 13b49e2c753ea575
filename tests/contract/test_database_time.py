"""Jobs go by the time of the database, however wrong the clock of a worker's machine is."""

from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contract.test_engines import A, FakeCore
from tests.contract.workers import LONG, announce_due, count_jobs, fetch_value, is_listening, orphan_jobs, until, worker

SECONDS_AWAY = (
    "SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs"
    " WHERE status = 'todo' AND task_name = 'drain'"
)


@pytest.fixture
def an_hour_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("procrastinate.utils.utcnow", lambda: datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize("another_waits", [False, True])
@pytest.mark.usefixtures("an_hour_ahead")
async def test_jobs_of_a_killed_worker_are_requeued_for_now(database: AsyncEngine, another_waits: bool) -> None:
    core = FakeCore()
    core.due[A] = 1
    await announce_due(database, A)
    await orphan_jobs(database, A)
    if another_waits:
        await announce_due(database, A)
    async with worker(database, core, poll=LONG, heartbeat=0.1) as engine:
        await until(partial(is_listening, database))
        await engine.sweep()
        await core.until(lambda: core.drained == [A])


@pytest.mark.usefixtures("an_hour_ahead")
async def test_a_failed_job_is_retried_after_seconds(database: AsyncEngine) -> None:
    core = FakeCore()
    core.breaks = ["drain"]
    async with worker(database, core):
        await announce_due(database, A)
        await until(partial(_one_failed, database))
        assert 0 < float(await fetch_value(database, SECONDS_AWAY)) <= 2


async def test_planning_goes_on_when_the_clock_is_put_back(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = FakeCore()
    async with worker(database, core, periodic=True):
        await core.until(lambda: core.plans > 0)
        an_hour_ago = SimpleNamespace(time=lambda: datetime.now(UTC).timestamp() - 3600)
        monkeypatch.setattr("procrastinate.periodic.time", an_hour_ago)
        seen = core.plans
        await core.until(lambda: core.plans >= seen + 3)


async def test_a_lane_announced_while_it_fails_keeps_its_backoff(database: AsyncEngine) -> None:
    core = FakeCore()
    core.breaks = ["drain"]
    core.gate.clear()
    async with worker(database, core):
        await announce_due(database, A)
        await core.entered.wait()
        await announce_due(database, A)  # behind what is about to fail
        core.gate.set()
        await until(partial(_one_failed, database))
        assert float(await fetch_value(database, SECONDS_AWAY) or 0) > 0
        assert (
            await fetch_value(database, "SELECT args ->> 'tried' FROM procrastinate_jobs WHERE status = 'todo'") == "1"
        )


async def _one_failed(database: AsyncEngine) -> bool:
    return await count_jobs(database, "failed") == 1
