"""The engine inside one process: a tick every second, and at once when woken. It remembers nothing.

All that must survive stands in the tables: after a restart the first tick finds it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from adapters.engine.loops import A_MOMENT, every, over
from adapters.engine.work import Work
from bot.domain.person import WorkspaceId

R = TypeVar("R")
log = structlog.get_logger(__name__)

TICK = 1.0
"""Seconds between two looks at what is due."""
GRACE = 25.0
"""Seconds for what is going on to end when Ritme stops; what a drain then still holds is settled after the restart."""


class EmbeddedEngine:
    """Plans and drains `Work` from memory; never two drains of one lane at a time."""

    def __init__(self, *, tick: float = TICK, grace: float = GRACE) -> None:
        self._tick, self._grace = tick, grace
        self._work: Work | None = None
        self._planning = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._ticking: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._drains: dict[WorkspaceId, asyncio.Task[None]] = {}
        self._woken: set[WorkspaceId] = set()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        # Each by itself: planning that takes long, or fails, holds up only planning.
        for act in (self._plan, self._look):
            self._scheduler.add_job(
                partial(self._ticked, act),
                "interval",
                seconds=tick,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    @property
    def runs(self) -> bool:
        """Whether it goes on ticking."""
        return self._work is not None and bool(self._scheduler.running)

    async def start(self, work: Work) -> None:
        """Begins to tick, in the running event loop."""
        self._work = work
        self._scheduler.start()
        self._watching = asyncio.create_task(every(self._tick, self._watch, self._stopping), name="clock watched")

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
        """Drains this lane at once, or `after` a moment; when that is going on already, once more after it. Before
        `start`, does nothing."""
        if self._work is None:
            return
        if after > timedelta(0):
            if after <= A_MOMENT:
                asyncio.get_running_loop().call_later(after.total_seconds(), self.wake, lane)
            return
        self._woken.add(lane)
        if lane not in self._drains:
            self._drains[lane] = asyncio.create_task(self._drain(self._work, lane), name=f"drain {lane}")

    async def run_until_idle(self) -> None:
        """Plans and drains until nothing is going on: for whoever moved the clock and wants to see what follows."""
        await self._plan()
        await self._look()
        while self._drains:
            await asyncio.wait(self._drains.values())

    async def close(self) -> None:
        """Stops ticking and lets what is being sent be sent."""
        if self._work is None:
            return
        self._work = None
        self._stopping.set()
        self._scheduler.pause()
        await over(self._watching)
        if going := {*self._ticking, *self._drains.values()}:
            _, late = await asyncio.wait(going, timeout=self._grace)
            for task in late:
                log.warning("cut_short", what=task.get_name())
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._scheduler.shutdown(wait=False)

    async def _ticked(self, act: Callable[[], Awaitable[None]]) -> None:
        if (ticking := asyncio.current_task()) is not None:
            ticking.set_name(act.__name__)
            self._ticking.add(ticking)
            ticking.add_done_callback(self._ticking.discard)
        await act()

    async def _watch(self) -> None:
        """Should the machine's clock be put back, then APScheduler would wait for the moment it had in mind."""
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time > now + timedelta(seconds=2 * self._tick):
                job.modify(next_run_time=now)

    async def _plan(self) -> None:
        """What fails is logged, and tried again by the next tick."""
        async with self._planning:
            if self._work is not None:
                await _try("plan", self._work.plan)

    async def _look(self) -> None:
        """Starts the drains of what came due."""
        async with self._looking:
            if self._work is not None:
                for lane in await _try("lanes_due", self._work.lanes_due) or ():
                    self.wake(lane)

    async def _drain(self, work: Work, lane: WorkspaceId) -> None:
        try:
            while lane in self._woken and self._work is not None:
                self._woken.discard(lane)
                if await _try("drain", lambda: work.drain(lane), lane=lane):
                    self._woken.add(lane)
                await asyncio.sleep(0)  # lanes take turns
        finally:
            self._woken.discard(lane)
            del self._drains[lane]


async def _try(what: str, act: Callable[[], Awaitable[R]], **about: str) -> R | None:
    """What `act` returns; None when it failed, which is logged: the next tick tries again."""
    try:
        return await act()
    except Exception:
        log.exception("engine_task_failed", what=what, **about)
        return None
