"""Both engines keep Ritme going alike: they tick, drain at once when something became due, drain a lane once at a time,
and give nothing up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.bootstrap import Runs
from adapters.database.unit_of_work import connect
from adapters.engine.distributed import DistributedEngine, announce
from adapters.engine.embedded import EmbeddedEngine
from bot.domain.person import WorkspaceId
from tests.support.databases import Failures, postgresql

A, B = WorkspaceId("slack:A"), WorkspaceId("slack:B")
LONG = 3600.0
"""Seconds: longer than any test, so that only what was announced can be what drained."""


class Ritme:
    """Drains one delivery at a time, when its gate is open."""

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
class Running:
    """An engine over Ritme, and how something becomes due for it."""

    engine: Runs
    ritme: Ritme
    failures: Failures
    database: AsyncEngine | None = None

    async def make_due(self, *lanes: WorkspaceId, count: int = 1) -> None:
        for lane in lanes:
            self.ritme.due[lane] += count
        await self.tell(*lanes)

    async def tell(self, *lanes: WorkspaceId) -> None:
        if self.database is not None:
            async with AsyncSession(self.database) as session, session.begin():
                await announce(session, lanes)
        for lane in lanes:
            self.engine.wake(lane)


@asynccontextmanager
async def embedded(*, ticks: bool, concurrency: int = 4) -> AsyncIterator[Running]:
    """However few at a time are asked for, here all lanes go side by side."""
    ritme, engine = Ritme(), EmbeddedEngine(tick=0.02 if ticks else LONG)
    await engine.start(ritme)
    yield Running(engine, ritme, Failures())
    ritme.gate.set()
    ritme.planned.set()
    await engine.close()


@asynccontextmanager
async def distributed(*, ticks: bool, concurrency: int = 4) -> AsyncIterator[Running]:
    with postgresql() as url:
        ritme, failures, database = Ritme(), Failures(), connect(url)
        engine = DistributedEngine(url, failures=failures, concurrency=concurrency, periodic=ticks, turn=0)
        await engine.start(ritme)
        yield Running(engine, ritme, failures, database)
        ritme.gate.set()
        ritme.planned.set()
        await engine.close()
        await database.dispose()


ENGINES = {"embedded": embedded, "distributed": distributed}


@pytest.fixture(params=ENGINES)
async def patient(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    """An engine whose own tick never comes."""
    async with ENGINES[request.param](ticks=False) as running:
        yield running


@pytest.fixture(params=ENGINES)
async def ticking(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    async with ENGINES[request.param](ticks=True) as running:
        yield running


async def test_a_tick_plans_and_drains_every_lane_with_something_due(ticking: Running) -> None:
    ticking.ritme.due.update({A: 1, B: 1})
    await ticking.ritme.until(lambda: sorted(ticking.ritme.drained) == [A, B])
    assert ticking.ritme.plans


async def test_what_became_due_is_drained_at_once_without_waiting_for_the_tick(patient: Running) -> None:
    await patient.make_due(A)
    await patient.ritme.until(lambda: patient.ritme.drained == [A])
    assert patient.ritme.plans == 0


async def test_what_comes_due_in_a_moment_is_drained_then_and_what_is_far_off_is_left_to_the_ticks(
    patient: Running,
) -> None:
    patient.ritme.due.update({A: 1, B: 1})
    patient.engine.wake(B, after=timedelta(hours=1))
    patient.engine.wake(A, after=timedelta(milliseconds=50))
    assert patient.ritme.drained == []
    await patient.ritme.until(lambda: patient.ritme.drained == [A])


async def test_what_comes_due_after_it_was_closed_is_left_to_others(patient: Running) -> None:
    patient.ritme.due[A] = 1
    patient.engine.wake(A, after=timedelta(milliseconds=1))
    await patient.engine.close()
    patient.engine.wake(A, after=timedelta(milliseconds=1))
    later = asyncio.Event()  # than both would have come
    asyncio.get_running_loop().call_later(0.002, later.set)
    await later.wait()
    assert not [task for task in asyncio.all_tasks() if A in task.get_name()]
    assert patient.ritme.drained == []


async def test_a_lane_that_has_more_goes_on_until_it_is_empty(patient: Running) -> None:
    await patient.make_due(A, count=5)
    await patient.ritme.until(lambda: patient.ritme.drained == [A] * 5)


async def test_a_long_lane_does_not_hold_up_another(patient: Running) -> None:
    await patient.make_due(A, count=5_000)
    await patient.make_due(B)
    await patient.ritme.until(lambda: B in patient.ritme.drained)
    assert patient.ritme.drained.count(A) < 5_000
    patient.ritme.due[A] = 0


@pytest.mark.parametrize("kind", ENGINES)
async def test_a_small_lane_is_drained_before_any_of_many_long_ones_had_three_more_turns(kind: str) -> None:
    long = [WorkspaceId(f"slack:long{number}") for number in range(5)]
    async with ENGINES[kind](ticks=False, concurrency=1) as running:
        ritme = running.ritme
        await running.make_due(*long, count=100_000)
        await ritme.until(lambda: set(long) <= set(ritme.drained))
        await running.make_due(B)
        told = len(ritme.drained)
        await ritme.until(lambda: B in ritme.drained)
        before = Counter(ritme.drained[told : ritme.drained.index(B)])
        assert all(turns < 3 for turns in before.values()), before
        ritme.due.clear()


async def test_a_lane_is_never_drained_twice_at_a_time_however_often_it_is_told_of(patient: Running) -> None:
    ritme = patient.ritme
    ritme.gate.clear()
    await patient.tell(A)
    await ritme.entered.wait()
    ritme.due[A] = 1
    for _ in range(10):
        await patient.tell(A)
    ritme.gate.set()
    await ritme.until(lambda: ritme.drained == [A])
    assert ritme.most_at_once == 1


@pytest.mark.parametrize("what", ["plan", "lanes_due", "drain"])
async def test_what_fails_is_tried_again(ticking: Running, what: str) -> None:
    ticking.ritme.breaks.append(what)
    ticking.ritme.due[A] = 1
    await ticking.ritme.until(lambda: ticking.ritme.drained == [A])


async def test_lanes_are_drained_when_planning_always_fails(ticking: Running) -> None:
    ritme = ticking.ritme
    ritme.broken = "plan"
    for lane in (A, B):
        tried = ritme.plans
        await ritme.until(lambda tried=tried: ritme.plans > tried)
        ritme.due[lane] = 1
        await ritme.until(lambda lane=lane: lane in ritme.drained)


async def test_moments_are_planned_when_what_is_due_is_never_found(ticking: Running) -> None:
    ticking.ritme.broken = "lanes_due"
    await ticking.ritme.until(lambda: ticking.ritme.plans >= 3)


async def test_what_came_due_is_drained_while_planning_takes_its_time(ticking: Running) -> None:
    ritme = ticking.ritme
    ritme.planned.clear()
    await ritme.until(lambda: ritme.planning == 1)
    for lane in (A, B):
        ritme.due[lane] = 1
        await ritme.until(lambda lane=lane: lane in ritme.drained)
    assert (ritme.plans, ritme.planning) == (1, 1)
    ritme.planned.set()


async def test_settling_plans_and_waits_until_everything_due_is_drained() -> None:
    ritme = Ritme()
    engine = EmbeddedEngine(tick=LONG)
    await engine.start(ritme)
    ritme.due.update({A: 3, B: 2})
    await engine.run_until_idle()
    assert Counter(ritme.drained) == {A: 3, B: 2}
    await engine.close()

    with postgresql() as url:
        ritme, other = Ritme(), DistributedEngine(url, failures=Failures(), concurrency=2, periodic=False)
        await other.open(ritme)
        ritme.due.update({A: 3, B: 2})
        await other.run_until_idle()
        assert Counter(ritme.drained) == {A: 3, B: 2}
        await other.close()


async def test_closing_lets_the_running_drain_finish_and_starts_nothing_more(patient: Running) -> None:
    ritme = patient.ritme
    ritme.gate.clear()
    await patient.make_due(A, count=3)
    await ritme.entered.wait()
    closing = asyncio.create_task(patient.engine.close())
    await asyncio.sleep(0)
    ritme.gate.set()
    await closing
    await patient.tell(A)
    assert ritme.drained == [A]
    assert not patient.engine.runs


async def test_telling_before_the_start_is_harmless() -> None:
    EmbeddedEngine().wake(A)
    with postgresql() as url:
        DistributedEngine(url, failures=Failures(), concurrency=1).wake(A)
