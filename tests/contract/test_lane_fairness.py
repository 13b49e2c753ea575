"""Fairness between lanes: new lanes go before lanes that had a turn, and no lane starves."""

from collections import Counter

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.engine import distributed
from bot.domain.person import WorkspaceId
from tests.contract.test_engines import A, B, FakeCore
from tests.contract.workers import LONG, announce_due, is_listening, until, worker
from tests.support.databases import RecordedFailures

MANY = [WorkspaceId(f"slack:long{number}") for number in range(30)]


class Busy(FakeCore):
    """A core in which every lane but A has something due again as soon as it was drained."""

    def __init__(self, database: AsyncEngine) -> None:
        super().__init__()
        self._database = database

    async def drain(self, lane: WorkspaceId) -> int:
        if lane != A and not self.over:
            self.due[lane] = 1
            await announce_due(self._database, lane)
        return min(await super().drain(lane), 1 if lane == A else 0)

    over = False


async def test_a_new_lane_does_not_wait_for_every_lane_that_had_a_turn(database: AsyncEngine) -> None:
    core = FakeCore()
    async with worker(database, core, concurrency=1, time_slice=0):
        core.due.update(dict.fromkeys(MANY, 100_000))
        await announce_due(database, *MANY)
        await core.until(lambda: set(MANY) <= set(core.drained))
        for _ in range(10):
            await announce_due(database, *MANY)  # there is more to do than they did in their turn
        core.due[B] = 1
        await announce_due(database, B)
        told = len(core.drained)
        await core.until(lambda: B in core.drained)
        before = core.drained[told : core.drained.index(B)]
        assert len(before) <= 2, Counter(before)
        core.due.clear()


async def test_a_lane_that_had_a_turn_has_another_however_many_new_lanes_come(database: AsyncEngine) -> None:
    core = Busy(database)
    async with worker(database, core, concurrency=1, time_slice=0):
        core.due[A] = 100_000
        await announce_due(database, A, *MANY[:4])
        await core.until(lambda: core.drained.count(A) >= 5)
        assert all(lane in core.drained for lane in MANY[:4])
        core.over = True
        core.due.clear()


async def test_ticks_do_not_queue_behind_lanes(database: AsyncEngine) -> None:
    core = FakeCore()
    async with worker(database, core, concurrency=1, time_slice=0, periodic=True):
        core.due.update(dict.fromkeys(MANY, 100_000))
        await announce_due(database, *MANY)
        await core.until(lambda: core.plans >= 3)
        core.due.clear()


async def test_an_announcement_while_its_lane_drains_is_taken_as_soon_as_the_drain_ends(
    database: AsyncEngine,
) -> None:
    core, turns = FakeCore(), 0
    once = core.drain

    async def drain(lane: WorkspaceId) -> int:
        nonlocal turns
        turns += 1
        return await once(lane)

    core.drain = drain  # type: ignore[method-assign]
    core.gate.clear()
    async with worker(database, core, poll=LONG):
        await until(lambda: is_listening(database))
        await announce_due(database, A)
        await core.entered.wait()
        await announce_due(database, A)
        core.gate.set()
        await core.until(lambda: turns == 2 and not core.going[A])


async def test_planning_that_hangs_times_out_and_is_retried(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "TASK_TIMEOUT", 0.1)
    core, failures = FakeCore(), RecordedFailures()
    core.planned.clear()
    async with worker(database, core, periodic=True, failures=failures):
        await core.until(lambda: core.plans >= 2)
        assert failures.reasons[0].startswith("TimeoutError")
        core.planned.set()
