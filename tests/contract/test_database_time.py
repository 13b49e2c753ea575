"""The time of the database decides, however wrong the clock of a worker's machine is."""

from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contract.test_engines import A, Ritme
from tests.contract.workers import LONG, ask, jobs, killed, listens, tell, until, worker

SECONDS_AWAY = (
    "SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs"
    " WHERE status = 'todo' AND task_name = 'drain'"
)


@pytest.fixture
def an_hour_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("procrastinate.utils.utcnow", lambda: datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize("another_waits", [False, True])
@pytest.mark.usefixtures("an_hour_ahead")
async def test_what_a_killed_worker_held_is_taken_at_once(database: AsyncEngine, another_waits: bool) -> None:
    ritme = Ritme()
    ritme.due[A] = 1
    await tell(database, A)
    await killed(database, A)
    if another_waits:
        await tell(database, A)
    async with worker(database, ritme, poll=LONG, heartbeat=0.1) as engine:
        await until(partial(listens, database))
        await engine.sweep()
        await ritme.until(lambda: ritme.drained == [A])


@pytest.mark.usefixtures("an_hour_ahead")
async def test_what_failed_is_tried_again_after_seconds(database: AsyncEngine) -> None:
    ritme = Ritme()
    ritme.breaks = ["drain"]
    async with worker(database, ritme):
        await tell(database, A)
        await until(partial(_one_failed, database))
        assert 0 < float(await ask(database, SECONDS_AWAY)) <= 2


async def test_planning_goes_on_when_the_clock_is_put_back(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritme = Ritme()
    async with worker(database, ritme, periodic=True):
        await ritme.until(lambda: ritme.plans > 0)
        an_hour_ago = SimpleNamespace(time=lambda: datetime.now(UTC).timestamp() - 3600)
        monkeypatch.setattr("procrastinate.periodic.time", an_hour_ago)
        seen = ritme.plans
        await ritme.until(lambda: ritme.plans >= seen + 3)


async def test_a_lane_that_fails_while_it_is_told_of_waits_all_the_same(database: AsyncEngine) -> None:
    ritme = Ritme()
    ritme.breaks = ["drain"]
    ritme.gate.clear()
    async with worker(database, ritme):
        await tell(database, A)
        await ritme.entered.wait()
        await tell(database, A)  # behind what is about to fail
        ritme.gate.set()
        await until(partial(_one_failed, database))
        assert float(await ask(database, SECONDS_AWAY) or 0) > 0
        assert await ask(database, "SELECT args ->> 'tried' FROM procrastinate_jobs WHERE status = 'todo'") == "1"


async def _one_failed(database: AsyncEngine) -> bool:
    return await jobs(database, "failed") == 1
