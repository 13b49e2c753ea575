"""Ticks, wake-ups, lanes and retries, the same for the embedded and the distributed engine."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.unit_of_work import connect
from adapters.engine.distributed import DistributedEngine, announce
from adapters.engine.embedded import EmbeddedEngine
from adapters.service import ServiceEngine
from bot.domain.person import WorkspaceId
from tests.support.databases import RecordedFailures, postgresql

A, B = WorkspaceId("slack:A"), WorkspaceId("slack:B")
LONG = 3600.0
"""Seconds; longer than any test, so that only an announcement can be what drained."""


class FakeCore:
    """A core that drains one delivery at a time while its gate is open, and counts what it does."""

    def __init__(self) -> None:
        self.due: Counter[WorkspaceId] = Counter()
        self.drained: list[WorkspaceId] = []
        self.going: Counter[WorkspaceId] = Counter()
        self.most_at_once = 0
        self.plans = 0
        self.planning = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.planned = asyncio.Event()
        self.planned.set()
        self.breaks: list[str] = []
        self.broken = ""
        self._changed = asyncio.Condition()

    async def plan(self) -> int:
        self.plans += 1
        self.planning += 1
        await self._change()
        await self.planned.wait()
        self.planning -= 1
        self._break("plan")
        return 0

    async def lanes_due(self) -> list[WorkspaceId]:
        self._break("lanes_due")
        return [lane for lane, count in self.due.items() if count]

    async def drain(self, lane: WorkspaceId) -> int:
        self.going[lane] += 1
        self.most_at_once = max(self.most_at_once, self.going[lane])
        self.entered.set()
        try:
            await self.gate.wait()
            self._break("drain")
            if not self.due[lane]:
                return 0
            self.due[lane] -= 1
            self.drained.append(lane)
            await asyncio.sleep(0)
            return 1
        finally:
            self.going[lane] -= 1
            await self._change()

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(what)

    def _break(self, what: str) -> None:
        if what in self.breaks:
            self.breaks.remove(what)
        elif what != self.broken:
            return
        raise RuntimeError(what)

    async def _change(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@dataclass
class RunningEngine:
    """A started engine, the core it drives, and a way to make something due."""

    engine: ServiceEngine
    core: FakeCore
    failures: RecordedFailures
    database: AsyncEngine | None = None

    async def make_due(self, *lanes: WorkspaceId, count: int = 1) -> None:
        for lane in lanes:
            self.core.due[lane] += count
        await self.announce_due(*lanes)

    async def announce_due(self, *lanes: WorkspaceId) -> None:
        if self.database is not None:
            async with self.database.begin() as connection:
                await connection.run_sync(lambda here: announce(here.exec_driver_sql, lanes))
        for lane in lanes:
            self.engine.wake(lane)


@asynccontextmanager
async def embedded(*, ticks: bool, concurrency: int = 4) -> AsyncIterator[RunningEngine]:
    """Start an embedded engine; it has no `concurrency`: all lanes go side by side."""
    core, engine = FakeCore(), EmbeddedEngine(tick=0.02 if ticks else LONG)
    await engine.start(core)
    yield RunningEngine(engine, core, RecordedFailures())
    core.gate.set()
    core.planned.set()
    await engine.close()


@asynccontextmanager
async def distributed(*, ticks: bool, concurrency: int = 4) -> AsyncIterator[RunningEngine]:
    """Start a distributed engine over a PostgreSQL database of its own."""
    with postgresql() as url:
        core, failures, database = FakeCore(), RecordedFailures(), connect(url)
        engine = DistributedEngine(url, failures=failures, concurrency=concurrency, periodic=ticks, time_slice=0)
        await engine.start(core)
        yield RunningEngine(engine, core, failures, database)
        core.gate.set()
        core.planned.set()
        await engine.close()
        await database.dispose()


ENGINES = {"embedded": embedded, "distributed": distributed}


@pytest.fixture(params=ENGINES)
async def without_ticks(request: pytest.FixtureRequest) -> AsyncIterator[RunningEngine]:
    """Start each engine with ticks that never come."""
    async with ENGINES[request.param](ticks=False) as running:
        yield running


@pytest.fixture(params=ENGINES)
async def with_ticks(request: pytest.FixtureRequest) -> AsyncIterator[RunningEngine]:
    """Start each engine with its ticks."""
    async with ENGINES[request.param](ticks=True) as running:
        yield running


async def test_a_tick_plans_and_drains_every_lane_with_something_due(with_ticks: RunningEngine) -> None:
    with_ticks.core.due.update({A: 1, B: 1})
    await with_ticks.core.until(lambda: sorted(with_ticks.core.drained) == [A, B])
    assert with_ticks.core.plans


async def test_an_announcement_drains_at_once_without_waiting_for_the_tick(without_ticks: RunningEngine) -> None:
    await without_ticks.make_due(A)
    await without_ticks.core.until(lambda: without_ticks.core.drained == [A])
    assert without_ticks.core.plans == 0


async def test_a_delayed_wake_drains_when_it_is_soon_and_is_left_to_the_ticks_when_it_is_far_off(
    without_ticks: RunningEngine,
) -> None:
    without_ticks.core.due.update({A: 1, B: 1})
    without_ticks.engine.wake(B, after=timedelta(hours=1))
    without_ticks.engine.wake(A, after=timedelta(milliseconds=50))
    assert without_ticks.core.drained == []
    await without_ticks.core.until(lambda: without_ticks.core.drained == [A])


async def test_a_closed_engine_drains_no_delayed_wakes(without_ticks: RunningEngine) -> None:
    without_ticks.core.due[A] = 1
    without_ticks.engine.wake(A, after=timedelta(milliseconds=1))
    await without_ticks.engine.close()
    without_ticks.engine.wake(A, after=timedelta(milliseconds=1))
    later = asyncio.Event()  # than both would have come
    asyncio.get_running_loop().call_later(0.002, later.set)
    await later.wait()
    assert not [task for task in asyncio.all_tasks() if A in task.get_name()]
    assert without_ticks.core.drained == []


async def test_a_lane_with_more_to_do_is_drained_until_it_is_empty(without_ticks: RunningEngine) -> None:
    await without_ticks.make_due(A, count=5)
    await without_ticks.core.until(lambda: without_ticks.core.drained == [A] * 5)


async def test_a_long_lane_does_not_hold_up_another(without_ticks: RunningEngine) -> None:
    await without_ticks.make_due(A, count=5_000)
    await without_ticks.make_due(B)
    await without_ticks.core.until(lambda: B in without_ticks.core.drained)
    assert without_ticks.core.drained.count(A) < 5_000
    without_ticks.core.due[A] = 0


@pytest.mark.parametrize("kind", ENGINES)
async def test_a_small_lane_is_drained_before_any_of_many_long_ones_had_three_more_turns(kind: str) -> None:
    long = [WorkspaceId(f"slack:long{number}") for number in range(5)]
    async with ENGINES[kind](ticks=False, concurrency=1) as running:
        core = running.core
        await running.make_due(*long, count=100_000)
        await core.until(lambda: set(long) <= set(core.drained))
        await running.make_due(B)
        told = len(core.drained)
        await core.until(lambda: B in core.drained)
        before = Counter(core.drained[told : core.drained.index(B)])
        assert all(turns < 3 for turns in before.values()), before
        core.due.clear()


async def test_a_lane_is_never_drained_twice_at_a_time_however_often_it_is_announced(
    without_ticks: RunningEngine,
) -> None:
    core = without_ticks.core
    core.gate.clear()
    await without_ticks.announce_due(A)
    await core.entered.wait()
    core.due[A] = 1
    for _ in range(10):
        await without_ticks.announce_due(A)
    core.gate.set()
    await core.until(lambda: core.drained == [A])
    assert core.most_at_once == 1


@pytest.mark.parametrize("what", ["plan", "lanes_due", "drain"])
async def test_a_failure_is_retried(with_ticks: RunningEngine, what: str) -> None:
    with_ticks.core.breaks.append(what)
    with_ticks.core.due[A] = 1
    await with_ticks.core.until(lambda: with_ticks.core.drained == [A])


async def test_lanes_are_drained_when_planning_always_fails(with_ticks: RunningEngine) -> None:
    core = with_ticks.core
    core.broken = "plan"
    for lane in (A, B):
        tried = core.plans
        await core.until(lambda tried=tried: core.plans > tried)
        core.due[lane] = 1
        await core.until(lambda lane=lane: lane in core.drained)


async def test_planning_goes_on_when_lanes_due_always_fails(with_ticks: RunningEngine) -> None:
    with_ticks.core.broken = "lanes_due"
    await with_ticks.core.until(lambda: with_ticks.core.plans >= 3)


async def test_lanes_are_drained_while_planning_is_slow(with_ticks: RunningEngine) -> None:
    core = with_ticks.core
    core.planned.clear()
    await core.until(lambda: core.planning == 1)
    for lane in (A, B):
        core.due[lane] = 1
        await core.until(lambda lane=lane: lane in core.drained)
    assert (core.plans, core.planning) == (1, 1)
    core.planned.set()


async def test_running_until_idle_plans_and_waits_until_everything_due_is_drained() -> None:
    core = FakeCore()
    engine = EmbeddedEngine(tick=LONG)
    await engine.start(core)
    core.due.update({A: 3, B: 2})
    await engine.run_until_idle()
    assert Counter(core.drained) == {A: 3, B: 2}
    await engine.close()

    with postgresql() as url:
        core, other = FakeCore(), DistributedEngine(url, failures=RecordedFailures(), concurrency=2, periodic=False)
        await other.open(core)
        core.due.update({A: 3, B: 2})
        await other.run_until_idle()
        assert Counter(core.drained) == {A: 3, B: 2}
        await other.close()


async def test_closing_lets_the_running_drain_finish_and_starts_nothing_more(without_ticks: RunningEngine) -> None:
    core = without_ticks.core
    core.gate.clear()
    await without_ticks.make_due(A, count=3)
    await core.entered.wait()
    closing = asyncio.create_task(without_ticks.engine.close())
    await asyncio.sleep(0)
    core.gate.set()
    await closing
    await without_ticks.announce_due(A)
    assert core.drained == [A]
    assert not without_ticks.engine.is_running


async def test_a_wake_before_the_start_is_harmless() -> None:
    EmbeddedEngine().wake(A)
    with postgresql() as url:
        DistributedEngine(url, failures=RecordedFailures(), concurrency=1).wake(A)
