"""The engine over many processes: jobs of procrastinate, in the same PostgreSQL as everything else.

A job drains one lane for a while. Its lock is the lane, so a lane is drained by one worker at a time; its queueing lock
is the lane too, so at most one more waits behind it. It is written in the transaction that made something due: what is
rolled back leaves no job, and what is committed cannot be forgotten. Once a second one worker plans, and finds lanes
whose time came by itself. What a killed worker held is given back when its heart has not beaten for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import procrastinate
import structlog
from procrastinate.jobs import Job
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.engine.jobs import DRAIN, FORGET, LOOK, PLAN, PUT, QUEUE, Jobs, put
from adapters.engine.work import Work
from bot.domain.person import WorkspaceId

log = structlog.get_logger(__name__)

TICK_EVERY = 1.0
SWEEP_EVERY = 10.0
HEARTBEAT = 5.0
BEATS_MISSED = 4
"""After so many a worker is taken for dead, and the next sweep gives back what it held: within half a minute. Its heart
beats for as long as it does anything, also while it stops, so that GRACE may be longer than this."""
FORGOTTEN_AFTER = 3600.0
"""Seconds without a heartbeat after which nobody remembers a worker."""
KEPT = timedelta(days=30)
"""How long a job that failed is kept, and its reason."""
ONCE_AN_HOUR = "17 * * * *"
GRACE = 25.0
"""Seconds a running batch gets to finish when a worker stops."""
LONGEST_WAIT = 60.0
"""Seconds between two tries of what fails, at most; at first it is 2. Each try that failed is kept."""
TURN = 2.0
"""Seconds for which a lane that has much to send goes on at most, when no other waits for its turn."""
ONE_IN = 5
"""Of so many turns one is for the lane that has waited longest after its last, however many others come new."""
POLL = 1.0
"""Seconds between two looks at what waits, should a notification be lost."""
RESTART_AFTER = 1.0
"""Seconds to wait before a worker that lost the database looks again, at first."""


class Failures(Protocol):
    """Where it is kept why a job failed: procrastinate keeps only that it did."""

    async def note(self, job: str, lane: str, reason: str) -> None:
        """A job failed just now."""

    async def forget(self, kept: timedelta) -> None:
        """Reasons that were kept for so long go."""


async def announce(session: AsyncSession, lanes: Collection[WorkspaceId]) -> None:
    """Within this transaction: these lanes are to be drained once it is committed."""
    await (await session.connection()).exec_driver_sql(PUT, put(lanes))


class DistributedEngine:
    """One process's part in it. Only a worker is started; a web process announces, and leaves the rest to others."""

    def __init__(
        self,
        url: str,
        *,
        failures: Failures,
        concurrency: int,
        periodic: bool = True,
        heartbeat: float = HEARTBEAT,
        poll: float = POLL,
    ) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        connector = procrastinate.PsycopgConnector(conninfo=plain, min_size=1, max_size=concurrency + 3)
        self._app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": 0})
        self._jobs = Jobs(connector)
        self._failures = failures
        self._concurrency = concurrency
        self._heartbeat = heartbeat
        self._holds: dict[asyncio.Task[Any], Job] = {}
        self._poll = poll
        self._over: set[int] = set()
        self._work: Work | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._restarting = False
        self._turns = 0
        self._after: set[asyncio.Task[None]] = set()
        self._periodic = periodic
        self._loops: list[asyncio.Task[None]] = []
        self._heart: asyncio.Task[None] | None = None
        self._register()

    @property
    def runs(self) -> bool:
        """Whether it takes jobs; not so while the database is away."""
        return self._running is not None and not self._running.done() and not self._restarting

    def wake(self, lane: WorkspaceId) -> None:
        """Nothing to do: the transaction that gave the lane something to send announced it."""

    async def open(self, work: Work) -> None:
        """Connects. Raises when the database cannot be reached."""
        self._work = work
        await self._app.open_async()

    async def start(self, work: Work) -> None:
        """Begins to take jobs, in the running event loop. Raises when the database cannot be reached."""
        await self.open(work)
        self._running = asyncio.create_task(self._run(), name="worker")
        self._heart = asyncio.create_task(_every(self._heartbeat, self._beat), name="heart")
        if self._periodic:
            self._loops = [
                asyncio.create_task(_every(TICK_EVERY, self._jobs.tick), name="ticks"),
                asyncio.create_task(_every(SWEEP_EVERY, self.sweep), name="sweeps"),
            ]

    async def settle(self) -> None:
        """Plans and drains until no job is left: for whoever moved the clock and wants to see what follows."""
        await self._plan()
        await self._look()
        while await self._app.job_manager.list_jobs_async(queue=QUEUE, status="todo"):
            await self._app.run_worker_async(
                queues=[QUEUE],
                wait=False,
                listen_notify=False,
                install_signal_handlers=False,
                concurrency=self._concurrency,
                delete_jobs="successful",
            )

    async def close(self) -> None:
        """Takes no more jobs, and lets what is being sent be sent."""
        self._stopping.set()
        for task in (*self._loops, self._running, self._heart):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        if self._after:
            await asyncio.wait(self._after)
        if self._work is not None:
            await self._app.close_async()
            self._work = None

    async def sweep(self) -> None:
        """Gives back what workers held that are not there any more, and what is over here but was not put on record."""
        over = set(self._over)
        for job in await self._jobs.give_back(over, silence=BEATS_MISSED * self._heartbeat):
            log.warning("job_returned", job=job.id, task=job.task, lane=job.lane)
        self._over -= over
        await self._app.job_manager.prune_stalled_workers(FORGOTTEN_AFTER)

    async def forget(self) -> None:
        """Jobs that ended long enough ago go, and why they failed."""
        await self._app.job_manager.delete_old_jobs(
            nb_hours=KEPT // timedelta(hours=1),
            queue=QUEUE,
            include_failed=True,
            include_cancelled=True,
            include_aborted=True,
        )
        await self._failures.forget(KEPT)

    async def _hold(self, do: Callable[[], Awaitable[Any]], context: procrastinate.JobContext, _worker: object) -> Any:
        """Around every job, so that it is known which are done here until that is on record."""
        if (doing := asyncio.current_task()) is not None:
            self._holds[doing] = context.job
            doing.add_done_callback(self._let_go)
        return await do()

    def _let_go(self, done: asyncio.Task[Any]) -> None:
        job = self._holds.pop(done)
        if job.id is not None and (done.cancelled() or done.exception() is not None):
            log.error("job_not_on_record", job=job.id, task=job.task_name, lane=job.lock)
            self._over.add(job.id)
        elif job.task_name == DRAIN and job.lock is not None:
            after = asyncio.create_task(self._turn_over(job.lock), name=f"after {job.lock}")
            self._after.add(after)
            after.add_done_callback(self._after.discard)

    async def _beat(self) -> None:
        """Procrastinate's own heart stops before a worker that stops does."""
        if self._holds:
            await self._jobs.beat({job.worker_id for job in self._holds.values() if job.worker_id is not None})

    async def _run(self) -> None:
        """The worker, begun again whenever it lost the database, until it is closed."""
        pause = RESTART_AFTER
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            try:
                await self._app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=GRACE,
                    delete_jobs="successful",
                    fetch_job_polling_interval=self._poll,
                    worker_middleware=[self._hold],
                    update_heartbeat_interval=self._heartbeat,
                    stalled_worker_timeout=FORGOTTEN_AFTER,
                )
            except Exception:
                log.exception("worker_broke")
            if self._stopping.is_set():
                return
            if asyncio.get_running_loop().time() - began > 60:
                pause = RESTART_AFTER
            log.warning("worker_restarts", seconds=pause)
            self._restarting = True
            await asyncio.sleep(pause)
            self._restarting = False
            pause = min(pause * 2, 15.0)

    async def defer(self, lane: WorkspaceId) -> None:
        """Has a lane drained, unless a job for it waits already."""
        await self._jobs.put([lane])

    def _register(self) -> None:
        @self._app.task(name=DRAIN, queue=QUEUE, pass_context=True)
        async def drain(context: procrastinate.JobContext, lane: str, tried: int = 0) -> None:
            await self._tried(context.job, tried, lambda: self._drain(context.job, WorkspaceId(lane)))

        # Each has a lock of its own: planning that takes long, or fails, holds up only planning.
        @self._app.task(name=PLAN, queue=QUEUE, pass_context=True)
        async def plan(context: procrastinate.JobContext, tried: int = 0) -> None:
            await self._tried(context.job, tried, self._plan)

        @self._app.task(name=LOOK, queue=QUEUE, pass_context=True)
        async def look(context: procrastinate.JobContext, tried: int = 0) -> None:
            await self._tried(context.job, tried, self._look)

        # Procrastinate notices that a worker's heart or ear stopped only for as long as it has anything periodic to do.
        @self._app.periodic(cron=ONCE_AN_HOUR)
        @self._app.task(name=FORGET, queue=QUEUE, queueing_lock=FORGET, pass_context=True)
        async def forget(context: procrastinate.JobContext, timestamp: int) -> None:
            await self._noted(context.job, self.forget)

    async def _plan(self) -> None:
        if self._work is not None:
            await self._work.plan()

    async def _look(self) -> None:
        """Has every lane drained that came due."""
        if self._work is not None:
            await self._jobs.put(await self._work.lanes_due())

    async def _drain(self, job: Job, lane: WorkspaceId) -> None:
        """One batch after another while nobody else waits; else it is their turn, and then of this lane again."""
        if self._work is None:
            return
        until = asyncio.get_running_loop().time() + TURN
        while await self._work.drain(lane):
            late = self._stopping.is_set() or asyncio.get_running_loop().time() > until
            if late or not await self._jobs.may_go_on(job):
                await self._jobs.put_again(lane)
                return

    async def _turn_over(self, lane: str) -> None:
        """A lane is free again."""
        self._turns += 1
        try:
            await self._jobs.over(lane)
            if self._turns % ONE_IN == 0:
                await self._jobs.let_one_go_first()
        except Exception:
            log.warning("not_told", lane=lane, exc_info=True)  # who waits is found a little later

    async def _tried(self, job: Job, tried: int, act: Callable[[], Awaitable[None]]) -> None:
        """Should it fail, it is tried again: not at once, and by nobody else before that."""
        try:
            await self._noted(job, act)
        except Exception:
            seconds = min(2.0 ** min(tried + 1, 9), LONGEST_WAIT)
            await self._jobs.put_later(job, seconds=seconds, tried=tried + 1)
            raise

    async def _noted(self, job: Job, act: Callable[[], Awaitable[None]]) -> None:
        """Should it fail, then it is kept why."""
        try:
            await act()
        except Exception as problem:
            lane = (job.lock or "") if job.task_name == DRAIN else ""
            log.exception("job_failed", job=job.id, task=job.task_name, lane=lane)
            reason = f"{type(problem).__name__}: {problem}".splitlines()[0][:300]
            try:
                await self._failures.note(str(job.id), lane, reason)
            except Exception:
                log.exception("failure_not_noted", job=job.id)
            raise


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    """For ever; while the database is away, in vain."""
    while True:
        try:
            await act()
        except Exception:
            log.warning("not_done_this_time", what=act.__name__, exc_info=True)
        await asyncio.sleep(seconds)
