"""Lanes have their turns: whoever waits since just now goes before who had one already, and nobody waits for ever."""

from collections import Counter

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.engine import distributed
from bot.domain.person import WorkspaceId
from tests.contract.test_engines import A, B, Ritme
from tests.contract.workers import LONG, listens, tell, until, worker
from tests.support.databases import Failures

MANY = [WorkspaceId(f"slack:long{number}") for number in range(30)]


class Busy(Ritme):
    """In every lane but A something more is due as soon as it was drained."""

    def __init__(self, database: AsyncEngine) -> None:
        super().__init__()
        self._database = database

    async def drain(self, lane: WorkspaceId) -> int:
        if lane != A and not self.over:
            self.due[lane] = 1
            await tell(self._database, lane)
        return min(await super().drain(lane), 1 if lane == A else 0)

    over = False


async def test_who_comes_new_does_not_wait_for_all_who_had_a_turn(database: AsyncEngine) -> None:
    ritme = Ritme()
    async with worker(database, ritme, concurrency=1, turn=0):
        ritme.due.update(dict.fromkeys(MANY, 100_000))
        await tell(database, *MANY)
        await ritme.until(lambda: set(MANY) <= set(ritme.drained))
        for _ in range(10):
            await tell(database, *MANY)  # there is more to do than they did in their turn
        ritme.due[B] = 1
        await tell(database, B)
        told = len(ritme.drained)
        await ritme.until(lambda: B in ritme.drained)
        before = ritme.drained[told : ritme.drained.index(B)]
        assert len(before) <= 2, Counter(before)
        ritme.due.clear()


async def test_who_had_a_turn_has_another_however_many_come_new(database: AsyncEngine) -> None:
    ritme = Busy(database)
    async with worker(database, ritme, concurrency=1, turn=0):
        ritme.due[A] = 100_000
        await tell(database, A, *MANY[:4])
        await ritme.until(lambda: ritme.drained.count(A) >= 5)
        assert all(lane in ritme.drained for lane in MANY[:4])
        ritme.over = True
        ritme.due.clear()


async def test_ticks_do_not_stand_in_line_with_lanes(database: AsyncEngine) -> None:
    ritme = Ritme()
    async with worker(database, ritme, concurrency=1, turn=0, periodic=True):
        ritme.due.update(dict.fromkeys(MANY, 100_000))
        await tell(database, *MANY)
        await ritme.until(lambda: ritme.plans >= 3)
        ritme.due.clear()


async def test_what_is_told_of_while_its_lane_is_drained_is_taken_as_soon_as_that_is_over(
    database: AsyncEngine,
) -> None:
    ritme, turns = Ritme(), 0
    once = ritme.drain

    async def drain(lane: WorkspaceId) -> int:
        nonlocal turns
        turns += 1
        return await once(lane)

    ritme.drain = drain  # type: ignore[method-assign]
    ritme.gate.clear()
    async with worker(database, ritme, poll=LONG):
        await until(lambda: listens(database))
        await tell(database, A)
        await ritme.entered.wait()
        await tell(database, A)
        ritme.gate.set()
        await ritme.until(lambda: turns == 2 and not ritme.going[A])


async def test_planning_that_hangs_is_given_up_and_tried_again(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "AT_MOST", 0.1)
    ritme, failures = Ritme(), Failures()
    ritme.planned.clear()
    async with worker(database, ritme, periodic=True, failures=failures):
        await ritme.until(lambda: ritme.plans >= 2)
        assert failures.reasons[0].startswith("TimeoutError")
        ritme.planned.set()
