"""The engine over many processes: jobs of procrastinate, in the same PostgreSQL as everything else.

A job drains one lane for a while. Its lock is the lane, so a lane is drained by one worker at a time; its queueing lock
is the lane too, so at most one more waits behind it. It is written in the transaction that made something due: what is
rolled back leaves no job, and what is committed cannot be forgotten. A lane that has more to send steps aside for those
that had no turn yet. Once a second one worker plans, and one finds lanes whose time came by itself. What a killed
worker held is given back when its heart has not beaten for a while. Time is the database's.
"""

import asyncio
from collections.abc import Collection
from datetime import timedelta

import procrastinate
import structlog
from procrastinate.jobs import Job
from procrastinate.worker import Worker
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.engine.job_tracker import JobTracker
from adapters.engine.jobs import DRAIN, ENQUEUE, FORGET, LOOK, PLAN, QUEUE, Jobs, enqueue_values
from adapters.engine.loops import A_MOMENT, attempt, every, over, pause
from adapters.engine.retry_policy import Failures, RetryPolicy
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
TIME_SLICE = 0.25
"""Seconds for which a lane that has much to send goes on, before it steps aside for others that wait."""
LONGEST_TURN = 2.0
"""Seconds for which it goes on when no other waits: then its worker can stop."""
AT_MOST = 600.0
"""Seconds for planning, or for finding what came due; should it hang, nobody else could do it."""
POLL = 1.0
"""Seconds between two looks at what waits, should a notification be lost."""
PATIENCE = 5.0
"""Seconds to wait for a connection, and then for another: left to itself, the pool waits twice as long every time."""
CONNECT_TIMEOUTS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""As for all our connections (adapters/database/postgresql.py): how long a server or a network may be silent before it
counts as gone. What the address says itself holds."""
RESTART_AFTER = 1.0
"""Seconds to wait before a worker that lost the database looks again, at first."""


async def announce(session: AsyncSession, lanes: Collection[WorkspaceId]) -> None:
    """Within this transaction: these lanes are to be drained once it is committed."""
    await (await session.connection()).exec_driver_sql(ENQUEUE, enqueue_values(lanes))


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
        turn: float = TIME_SLICE,
    ) -> None:
        address = make_url(url).set(drivername="postgresql")
        connector = procrastinate.PsycopgConnector(
            conninfo=address.render_as_string(hide_password=False),
            kwargs={name: limit for name, limit in CONNECT_TIMEOUTS.items() if name not in address.query},
            min_size=1,
            max_size=concurrency + 3,
            timeout=PATIENCE,
            reconnect_timeout=PATIENCE,
        )
        self._app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": 0})
        self._jobs = Jobs(connector)
        self._held = JobTracker(self._jobs)
        self._failures = failures
        self._failing = RetryPolicy(self._jobs, failures)
        self._concurrency = concurrency
        self._heartbeat = heartbeat
        self._poll = poll
        self._turn = turn
        self._work: Work | None = None
        self._running: asyncio.Task[None] | None = None
        self._worker: Worker | None = None
        self._stopping, self._stopped = asyncio.Event(), asyncio.Event()
        self._restarting = False
        self._periodic = periodic
        self._loops: list[asyncio.Task[None]] = []
        self._announcing: set[asyncio.Task[None]] = set()
        self._heart: asyncio.Task[None] | None = None
        self._register()

    @property
    def runs(self) -> bool:
        """Whether it takes jobs; not so while it waits to begin again."""
        return self._running is not None and not self._running.done() and not self._restarting

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
        """What is due now, the transaction announced that made it so. What comes due `after` a moment this worker
        announces then; should it be gone by that time, the next tick does."""
        if timedelta(0) < after <= A_MOMENT and self._running is not None:
            asyncio.get_running_loop().call_later(after.total_seconds(), self._announce, lane)

    def _announce(self, lane: WorkspaceId) -> None:
        async def announced() -> None:
            await self.defer(lane)

        if self._running is not None and not self._stopping.is_set():
            announcing = asyncio.create_task(attempt(announced), name=f"announce {lane}")
            self._announcing.add(announcing)
            announcing.add_done_callback(self._announcing.discard)

    async def open(self, work: Work) -> None:
        """Connects. Raises when the database cannot be reached."""
        try:
            await self._app.open_async()
        except BaseException:
            await self._app.close_async()  # it has a pool by now, which would pass for an open one
            raise
        self._work = work

    async def start(self, work: Work) -> None:
        """Begins to take jobs, in the running event loop. Raises when the database cannot be reached."""
        await self.open(work)
        self._running = asyncio.create_task(self._run(), name="worker")
        self._heart = asyncio.create_task(
            every(self._heartbeat, self._held.update_heartbeats, self._stopped), name="heart"
        )
        if self._periodic:
            self._loops = [
                asyncio.create_task(every(TICK_EVERY, self._jobs.tick, self._stopping), name="ticks"),
                asyncio.create_task(every(SWEEP_EVERY, self.sweep, self._stopping), name="sweeps"),
            ]

    async def run_until_idle(self) -> None:
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
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call]  # procrastinate says no more
        await over(self._running, *self._loops, *self._announcing)
        await self._held.told()
        self._stopped.set()
        await over(self._heart)
        if self._work is not None:
            await self._app.close_async()
            self._work = None

    async def sweep(self) -> None:
        """Gives back what workers held that are not there any more, and what is over here but was not put on record."""
        await self._held.requeue_stalled(silence=BEATS_MISSED * self._heartbeat)
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

    async def _run(self) -> None:
        """The worker, begun again whenever it lost the database, until it is closed."""
        seconds = RESTART_AFTER
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            self._worker = self._new_worker()
            try:
                await self._worker.run()  # type: ignore[no-untyped-call]  # the same
            except Exception:
                log.exception("worker_run_failed")
            if self._stopping.is_set():
                return
            if asyncio.get_running_loop().time() - began > 60:
                seconds = RESTART_AFTER
            log.warning("worker_restarts", seconds=seconds)
            self._restarting = True
            await pause(seconds, self._stopping)
            self._restarting = False
            seconds = min(seconds * 2, 15.0)

    def _new_worker(self) -> Worker:
        return Worker(
            self._app,
            queues=[QUEUE],
            concurrency=self._concurrency,
            install_signal_handlers=False,
            shutdown_graceful_timeout=GRACE,
            delete_jobs="successful",
            fetch_job_polling_interval=self._poll,
            worker_middleware=[self._held.around],
            update_heartbeat_interval=self._heartbeat,
            stalled_worker_timeout=FORGOTTEN_AFTER,
        )

    async def defer(self, lane: WorkspaceId) -> None:
        """Has a lane drained, unless a job for it waits already."""
        await self._jobs.enqueue([lane])

    def _register(self) -> None:
        @self._app.task(name=DRAIN, queue=QUEUE, pass_context=True)
        async def drain(context: procrastinate.JobContext, lane: str, tried: int = 0) -> None:
            await self._failing.run_with_retry(context.job, tried, lambda: self._drain(context.job, WorkspaceId(lane)))

        # Each has a lock of its own: planning that takes long, or fails, holds up only planning.
        @self._app.task(name=PLAN, queue=QUEUE, pass_context=True)
        async def plan(context: procrastinate.JobContext, tried: int = 0) -> None:
            await self._failing.run_with_retry(context.job, tried, self._plan)

        @self._app.task(name=LOOK, queue=QUEUE, pass_context=True)
        async def look(context: procrastinate.JobContext, tried: int = 0) -> None:
            await self._failing.run_with_retry(context.job, tried, self._look)

        # Procrastinate notices that a worker's heart or ear stopped only for as long as it has anything periodic to do.
        @self._app.periodic(cron=ONCE_AN_HOUR)
        @self._app.task(name=FORGET, queue=QUEUE, queueing_lock=FORGET, pass_context=True)
        async def forget(context: procrastinate.JobContext, timestamp: int) -> None:
            await self._failing.record_failure(context.job, self.forget)

    async def _plan(self) -> None:
        if self._work is not None:
            async with asyncio.timeout(AT_MOST):
                await self._work.plan()

    async def _look(self) -> None:
        """Has every lane drained that came due."""
        if self._work is not None:
            async with asyncio.timeout(AT_MOST):
                await self._jobs.enqueue(await self._work.lanes_due())

    async def _drain(self, job: Job, lane: WorkspaceId) -> None:
        """One batch after another for as long as its turn lasts; then it is that of others, and of this lane again."""
        if self._work is None:
            return
        clock = asyncio.get_running_loop().time
        until, look_at = clock() + LONGEST_TURN, clock() + self._turn
        while await self._work.drain(lane):
            over_now = self._stopping.is_set() or clock() >= until
            if not over_now and clock() >= look_at:
                over_now, look_at = not await self._jobs.may_continue(job), clock() + self._turn
            if over_now:
                await self._jobs.yield_lane(lane)
                return
