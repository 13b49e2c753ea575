"""The embedded engine: ticks, wake-ups, lanes drained once at a time, retries, and an orderly close."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, tzinfo

import pytest

from adapters.engine.embedded import EmbeddedEngine
from bot.domain.person import WorkspaceId

A, B = WorkspaceId("slack:A"), WorkspaceId("slack:B")
LONG = 3600.0
"""Seconds; longer than any test, so that only a wake can be what drained."""


class FakeCore:
    """A core that drains one delivery at a time while its gate is open, and counts what it does."""

    def __init__(self) -> None:
        self.due: Counter[WorkspaceId] = Counter()
        self.drained: list[WorkspaceId] = []
        self.going: Counter[WorkspaceId] = Counter()
        self.most_at_once = 0
        self.plans = 0
        self.planned = asyncio.Event()
        self.planned.set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.breaks: list[str] = []
        self._changed = asyncio.Condition()

    async def plan(self) -> int:
        self.plans += 1
        await self._change()
        await self.planned.wait()
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
            return 1
        finally:
            self.going[lane] -= 1
            await self._change()

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(what)

    def _break(self, what: str) -> None:
        if what in self.breaks:
            self.breaks.remove(what)
            raise RuntimeError(what)

    async def _change(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@pytest.fixture
def core() -> FakeCore:
    return FakeCore()


@pytest.fixture
async def without_ticks(core: FakeCore) -> AsyncIterator[EmbeddedEngine]:
    """Start an engine with ticks that never come."""
    engine = EmbeddedEngine(tick=LONG)
    await engine.start(core)
    yield engine
    await engine.close()


@pytest.fixture
async def with_ticks(core: FakeCore) -> AsyncIterator[EmbeddedEngine]:
    """Start an engine that ticks every hundredth of a second."""
    engine = EmbeddedEngine(tick=0.01)
    await engine.start(core)
    yield engine
    await engine.close()


async def test_a_tick_plans_and_drains_every_lane_with_something_due(
    core: FakeCore, with_ticks: EmbeddedEngine
) -> None:
    core.due.update({A: 1, B: 1})

    await core.until(lambda: sorted(core.drained) == [A, B])


async def test_a_wake_drains_at_once_without_waiting_for_the_tick(
    core: FakeCore, without_ticks: EmbeddedEngine
) -> None:
    core.due[A] = 1
    without_ticks.wake(A)

    await core.until(lambda: core.drained == [A])
    assert core.plans == 0


async def test_a_lane_with_more_to_do_is_drained_until_it_is_empty(
    core: FakeCore, without_ticks: EmbeddedEngine
) -> None:
    core.due[A] = 5
    without_ticks.wake(A)

    await core.until(lambda: core.drained == [A] * 5)


async def test_a_long_lane_does_not_hold_up_another(core: FakeCore, without_ticks: EmbeddedEngine) -> None:
    core.due.update({A: 50, B: 1})
    without_ticks.wake(A)
    without_ticks.wake(B)

    await core.until(lambda: B in core.drained)
    assert core.drained.count(A) < 50


async def test_waking_a_lane_while_it_drains_drains_it_once_more_and_never_twice_at_a_time(
    core: FakeCore, without_ticks: EmbeddedEngine
) -> None:
    core.gate.clear()
    without_ticks.wake(A)
    await core.entered.wait()
    core.due[A] = 1
    for _ in range(10):
        without_ticks.wake(A)
    core.gate.set()

    await core.until(lambda: core.drained == [A])
    assert core.most_at_once == 1


@pytest.mark.parametrize("what", ["plan", "lanes_due", "drain"])
async def test_a_failure_is_retried_by_the_next_tick(
    core: FakeCore, with_ticks: EmbeddedEngine, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    core.breaks.append(what)
    core.due[A] = 1

    await core.until(lambda: core.drained == [A])
    assert f"what={what}" in capsys.readouterr().out


async def test_running_until_idle_plans_and_waits_until_everything_due_is_drained(
    core: FakeCore, without_ticks: EmbeddedEngine
) -> None:
    core.due.update({A: 3, B: 2})

    await without_ticks.run_until_idle()

    assert Counter(core.drained) == {A: 3, B: 2}


async def test_closing_lets_the_running_drain_finish_and_starts_nothing_more(core: FakeCore) -> None:
    engine = EmbeddedEngine(tick=LONG)
    await engine.start(core)
    core.due[A] = 3
    core.gate.clear()
    engine.wake(A)
    await core.entered.wait()

    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0)
    core.gate.set()
    await closing
    engine.wake(A)
    await engine.run_until_idle()

    assert core.drained == [A]
    assert core.plans == 0


async def test_closing_does_not_wait_for_ever(core: FakeCore) -> None:
    engine = EmbeddedEngine(tick=LONG, grace=0.01)
    await engine.start(core)
    core.gate.clear()
    engine.wake(A)
    await core.entered.wait()

    await engine.close()

    assert core.drained == []
    assert core.going[A] == 0


async def test_closing_does_not_wait_for_ever_until_something_is_planned(core: FakeCore) -> None:
    engine = EmbeddedEngine(tick=0.01, grace=0.01)
    core.planned.clear()
    await engine.start(core)
    await core.until(lambda: core.plans == 1)

    async with asyncio.timeout(20):
        await engine.close()

    assert not engine.is_running


async def test_closing_lets_what_is_being_planned_be_planned(core: FakeCore) -> None:
    engine = EmbeddedEngine(tick=0.01)
    core.planned.clear()
    await engine.start(core)
    await core.until(lambda: core.plans == 1)
    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0)
    assert not closing.done()
    core.planned.set()
    await closing


async def test_it_goes_on_when_the_clock_is_put_back(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    class AnHourAgo(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - timedelta(hours=1)

    engine = EmbeddedEngine(tick=0.01)
    await engine.start(core)
    await core.until(lambda: core.plans > 0)
    for module in ("apscheduler.schedulers.base", "apscheduler.triggers.interval", "adapters.engine.embedded"):
        monkeypatch.setattr(f"{module}.datetime", AnHourAgo)
    seen = core.plans

    await core.until(lambda: core.plans >= seen + 10)
    await engine.close()


async def test_waking_before_the_start_is_harmless(core: FakeCore) -> None:
    EmbeddedEngine().wake(A)

    assert core.drained == []
