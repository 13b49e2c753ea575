"""The engine keeps Ritme going: it ticks, wakes at once, drains a lane once at a time, and gives nothing up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, tzinfo

import pytest

from adapters.engine.embedded import EmbeddedEngine
from bot.domain.person import WorkspaceId

A, B = WorkspaceId("slack:A"), WorkspaceId("slack:B")
LONG = 3600.0
"""Seconds: longer than any test, so that only a wake can be what drained."""


class Ritme:
    """Plans what it is told is due, and drains when its gate is open."""

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
def ritme() -> Ritme:
    return Ritme()


@pytest.fixture
async def patient(ritme: Ritme) -> AsyncIterator[EmbeddedEngine]:
    """An engine whose own tick never comes."""
    engine = EmbeddedEngine(tick=LONG)
    await engine.start(ritme)
    yield engine
    await engine.close()


@pytest.fixture
async def ticking(ritme: Ritme) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tick=0.01)
    await engine.start(ritme)
    yield engine
    await engine.close()


async def test_a_tick_plans_and_drains_every_lane_with_something_due(ritme: Ritme, ticking: EmbeddedEngine) -> None:
    ritme.due.update({A: 1, B: 1})

    await ritme.until(lambda: sorted(ritme.drained) == [A, B])


async def test_a_wake_drains_at_once_without_waiting_for_the_tick(ritme: Ritme, patient: EmbeddedEngine) -> None:
    ritme.due[A] = 1
    patient.wake(A)

    await ritme.until(lambda: ritme.drained == [A])
    assert ritme.plans == 0


async def test_a_lane_that_has_more_goes_on_until_it_is_empty(ritme: Ritme, patient: EmbeddedEngine) -> None:
    ritme.due[A] = 5
    patient.wake(A)

    await ritme.until(lambda: ritme.drained == [A] * 5)


async def test_a_long_lane_does_not_hold_up_another(ritme: Ritme, patient: EmbeddedEngine) -> None:
    ritme.due.update({A: 50, B: 1})
    patient.wake(A)
    patient.wake(B)

    await ritme.until(lambda: B in ritme.drained)
    assert ritme.drained.count(A) < 50


async def test_waking_a_lane_while_it_drains_drains_it_once_more_and_never_twice_at_a_time(
    ritme: Ritme, patient: EmbeddedEngine
) -> None:
    ritme.gate.clear()
    patient.wake(A)
    await ritme.entered.wait()
    ritme.due[A] = 1
    for _ in range(10):
        patient.wake(A)
    ritme.gate.set()

    await ritme.until(lambda: ritme.drained == [A])
    assert ritme.most_at_once == 1


@pytest.mark.parametrize("what", ["plan", "lanes_due", "drain"])
async def test_what_fails_is_tried_again_by_the_next_tick(
    ritme: Ritme, ticking: EmbeddedEngine, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ritme.breaks.append(what)
    ritme.due[A] = 1

    await ritme.until(lambda: ritme.drained == [A])
    assert f"what={what}" in capsys.readouterr().out


async def test_settling_plans_and_waits_until_everything_due_is_drained(ritme: Ritme, patient: EmbeddedEngine) -> None:
    ritme.due.update({A: 3, B: 2})

    await patient.run_until_idle()

    assert Counter(ritme.drained) == {A: 3, B: 2}


async def test_closing_lets_the_running_drain_finish_and_starts_nothing_more(ritme: Ritme) -> None:
    engine = EmbeddedEngine(tick=LONG)
    await engine.start(ritme)
    ritme.due[A] = 3
    ritme.gate.clear()
    engine.wake(A)
    await ritme.entered.wait()

    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0)
    ritme.gate.set()
    await closing
    engine.wake(A)
    await engine.run_until_idle()

    assert ritme.drained == [A]
    assert ritme.plans == 0


async def test_closing_does_not_wait_for_ever(ritme: Ritme) -> None:
    engine = EmbeddedEngine(tick=LONG, grace=0.01)
    await engine.start(ritme)
    ritme.gate.clear()
    engine.wake(A)
    await ritme.entered.wait()

    await engine.close()

    assert ritme.drained == []
    assert ritme.going[A] == 0


async def test_closing_does_not_wait_for_ever_until_something_is_planned(ritme: Ritme) -> None:
    engine = EmbeddedEngine(tick=0.01, grace=0.01)
    ritme.planned.clear()
    await engine.start(ritme)
    await ritme.until(lambda: ritme.plans == 1)

    async with asyncio.timeout(20):
        await engine.close()

    assert not engine.runs


async def test_closing_lets_what_is_being_planned_be_planned(ritme: Ritme) -> None:
    engine = EmbeddedEngine(tick=0.01)
    ritme.planned.clear()
    await engine.start(ritme)
    await ritme.until(lambda: ritme.plans == 1)
    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0)
    assert not closing.done()
    ritme.planned.set()
    await closing


async def test_it_goes_on_when_the_clock_is_put_back(ritme: Ritme, monkeypatch: pytest.MonkeyPatch) -> None:
    class AnHourAgo(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - timedelta(hours=1)

    engine = EmbeddedEngine(tick=0.01)
    await engine.start(ritme)
    await ritme.until(lambda: ritme.plans > 0)
    for module in ("apscheduler.schedulers.base", "apscheduler.triggers.interval", "adapters.engine.embedded"):
        monkeypatch.setattr(f"{module}.datetime", AnHourAgo)
    seen = ritme.plans

    await ritme.until(lambda: ritme.plans >= seen + 10)
    await engine.close()


async def test_waking_before_the_start_is_harmless(ritme: Ritme) -> None:
    EmbeddedEngine().wake(A)

    assert ritme.drained == []
