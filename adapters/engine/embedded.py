"""The engine for one process, on SQLite: it plans and finds due lanes every second, and drains a lane when woken.

All its state is in memory and may be lost: what must survive a restart is in the tables, where the first tick finds it.
Everything runs in one event loop, so plain attributes need no lock between two `await`s. One task per lane drains it,
which keeps a lane's deliveries in order, as a job's lock does in the distributed engine.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from adapters.engine.loops import MAX_WAKE_DELAY, SHUTDOWN_GRACE, TICK_INTERVAL, run_periodically, wait_for
from adapters.engine.work import Work
from bot.domain.person import WorkspaceId

R = TypeVar("R")
log = structlog.get_logger(__name__)


class EmbeddedEngine:
    """Ticks and drains inside this process; one drain of a lane at a time.

    `tick` is the interval in seconds; `grace` the seconds that running tasks get to finish on `close`.
    """

    def __init__(self, *, tick: float = TICK_INTERVAL, grace: float = SHUTDOWN_GRACE) -> None:
        self._tick, self._grace = tick, grace
        self._work: Work | None = None
        # A tick does not overlap with itself (max_instances), but it may with `run_until_idle`.
        self._planning = asyncio.Lock()
        self._finding_due = asyncio.Lock()
        self._ticking: set[asyncio.Task[None]] = set()
        self._clock_watch: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._drains: dict[WorkspaceId, asyncio.Task[None]] = {}
        self._woken: set[WorkspaceId] = set()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        # Two jobs: planning that takes long, or fails, does not delay sending. APScheduler only ticks, from memory. One
        # tick makes up for all that were missed (coalesce), however late it is (misfire_grace_time: the default of one
        # second skips ticks on a busy machine).
        for act in (self._plan, self._find_due):
            self._scheduler.add_job(
                partial(self._run_tick, act),
                "interval",
                seconds=tick,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    @property
    def is_running(self) -> bool:
        """Return whether it ticks."""
        return self._work is not None and bool(self._scheduler.running)

    async def start(self, work: Work) -> None:
        """Begin to tick, in the running event loop."""
        self._work = work
        self._scheduler.start()
        self._clock_watch = asyncio.create_task(
            run_periodically(self._tick, self._check_clock, self._stopping), name="clock watch"
        )

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
        """Drain a lane now, or `after` a delay of at most `MAX_WAKE_DELAY`; ignore longer ones, which ticks find.

        A lane that is being drained is drained once more after that: what came due meanwhile may have been missed.
        Does nothing before `start` and after `close`.
        """
        if self._work is None:
            return
        if after > timedelta(0):
            if after <= MAX_WAKE_DELAY:
                asyncio.get_running_loop().call_later(after.total_seconds(), self.wake, lane)
            return
        self._woken.add(lane)
        if lane not in self._drains:
            self._drains[lane] = asyncio.create_task(self._drain(self._work, lane), name=f"drain {lane}")

    async def run_until_idle(self) -> None:
        """Plan and drain until no lane is being drained. For tests and the playground, after they moved the clock."""
        await self._plan()
        await self._find_due()
        while self._drains:
            await asyncio.wait(self._drains.values())

    async def close(self) -> None:
        """Stop ticking, wait for running batches and planning, and cancel those that exceed the grace period.

        A cancelled drain leaves deliveries that were being sent in that state: the next start looks up what became of
        them.
        """
        if self._work is None:
            return
        self._work = None  # first: from here on no wake, tick or drain begins anything
        self._stopping.set()
        # Paused, and shut down last: APScheduler's shutdown would cancel planning that is under way.
        self._scheduler.pause()
        await wait_for(self._clock_watch)
        if running := {*self._ticking, *self._drains.values()}:
            _, late = await asyncio.wait(running, timeout=self._grace)
            for task in late:
                log.warning("task_cancelled", what=task.get_name())
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._scheduler.shutdown(wait=False)

    async def _run_tick(self, act: Callable[[], Awaitable[None]]) -> None:
        """Run a tick's task, known to `close` while it runs."""
        if (ticking := asyncio.current_task()) is not None:
            ticking.set_name(act.__name__)
            self._ticking.add(ticking)
            ticking.add_done_callback(self._ticking.discard)
        await act()

    async def _check_clock(self) -> None:
        """Reschedule ticks that lie more than two intervals ahead, because the machine's clock was put back.

        APScheduler plans by the wall clock: put back by an hour, it would not tick for an hour.
        """
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time > now + timedelta(seconds=2 * self._tick):
                job.modify(next_run_time=now)

    async def _plan(self) -> None:
        """Turn what is due into deliveries; log failures, the next tick tries again."""
        async with self._planning:
            if self._work is not None:
                await _call_logging_errors("plan", self._work.plan)

    async def _find_due(self) -> None:
        """Start a drain of every lane that has something due."""
        async with self._finding_due:
            if self._work is not None:
                for lane in await _call_logging_errors("lanes_due", self._work.lanes_due) or ():
                    self.wake(lane)

    async def _drain(self, work: Work, lane: WorkspaceId) -> None:
        """Drain a lane batch by batch, until nothing is due and nobody woke it meanwhile."""
        try:
            while lane in self._woken and self._work is not None:
                # Before the drain: a wake during it adds the lane again, and so leads to one more round.
                self._woken.discard(lane)
                if await _call_logging_errors("drain", lambda: work.drain(lane), lane=lane):
                    self._woken.add(lane)
                # Lanes take turns: a drain whose awaits all answer at once, as on SQLite, never gives up the loop.
                await asyncio.sleep(0)
        finally:
            self._woken.discard(lane)
            del self._drains[lane]


async def _call_logging_errors(what: str, act: Callable[[], Awaitable[R]], **about: str) -> R | None:
    """Call `act` and return its result; log an exception and return None, the next tick tries again."""
    try:
        return await act()
    except Exception:
        log.exception("engine_task_failed", what=what, **about)
        return None
