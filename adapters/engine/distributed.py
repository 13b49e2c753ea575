"""The engine over many processes: jobs of procrastinate, in the same PostgreSQL as everything else.

A job drains one lane for a while. Its lock is the lane, so a lane is drained by one worker at a time; its queueing lock
is the lane too, so at most one more waits behind it. It is written in the transaction that made something due: what is
rolled back leaves no job, and what is committed cannot be forgotten. Once a second one worker plans, and finds lanes
whose time came by itself. What a killed worker held is given back when its heart has not beaten for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Job, Status
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.engine.work import Work
from bot.domain.person import WorkspaceId

log = structlog.get_logger(__name__)

QUEUE = "ritme"
EVERY_SECOND = "* * * * * *"
EVERY_TEN_SECONDS = "* * * * * */10"
HEARTBEAT = 5.0
STALLED_AFTER = 20.0
"""Seconds without a heartbeat after which a worker is taken for dead."""
GRACE = 25.0
"""Seconds a running batch gets to finish when a worker stops."""
LONGEST_WAIT = 60
"""Seconds between two tries of a lane whose job fails, at most; at first it is 2. Each try that failed is kept."""
TURN = 2.0
"""Seconds for which a lane that has much to send goes on, before others have their turn."""
HANDOVER = 0.05
"""Seconds in which a job that did its part is put on record as done."""
RESTART_AFTER = 1.0
"""Seconds to wait before a worker that lost the database looks again, at first."""

_DEFER = text(
    "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args) "
    "SELECT :queue, 'drain', lane, lane, jsonb_build_object('lane', lane) "
    "FROM unnest(CAST(:lanes AS text[])) AS lane "
    "ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
)
"""What procrastinate's own function does, but that a lane which waits already is no error: an error would end the
transaction this is a part of, and a savepoint around it would cost two more round trips for every intent."""


class Failures(Protocol):
    """Where it is kept why a job failed: procrastinate keeps only that it did."""

    async def note(self, job: str, lane: str, reason: str, at: datetime) -> None: ...


async def announce(session: AsyncSession, lanes: Collection[WorkspaceId]) -> None:
    """Within this transaction: these lanes are to be drained once it is committed."""
    await session.execute(_DEFER, {"queue": QUEUE, "lanes": sorted(lanes)})


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
        stalled_after: float = STALLED_AFTER,
    ) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        connector = procrastinate.PsycopgConnector(conninfo=plain, min_size=1, max_size=concurrency + 3)
        self._app = procrastinate.App(connector=connector)
        self._failures = failures
        self._concurrency = concurrency
        self._heartbeat = heartbeat
        self._stalled_after = stalled_after
        self._work: Work | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._restarting = False
        self._after: set[asyncio.Task[None]] = set()
        self._register(periodic)

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

    async def settle(self) -> None:
        """Plans and drains until no job is left: for whoever moved the clock and wants to see what follows."""
        await self.tick()
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
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        if self._after:
            await asyncio.wait(self._after)
        if self._work is not None:
            await self._app.close_async()
            self._work = None

    async def tick(self) -> None:
        """Plans, and has every lane drained that came due."""
        if self._work is None:
            return
        await self._work.plan()
        for lane in await self._work.lanes_due():
            await self.defer(lane)

    async def sweep(self) -> None:
        """Gives back what workers held that are not there any more."""
        jobs = self._app.job_manager
        for job in await jobs.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=self._stalled_after):
            log.warning("job_returned", job=job.id, task=job.task_name, lane=job.lock)
            await self._give_back(job)
        await jobs.prune_stalled_workers(self._stalled_after * 3)

    async def _give_back(self, job: Job) -> None:
        try:
            await self._app.job_manager.retry_job(job)
        except UniqueViolation:
            # Another for the same lane waits already, and will do what this one would have done.
            await self._app.job_manager.finish_job(job, Status.FAILED, delete_job=True)

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
                    update_heartbeat_interval=self._heartbeat,
                    stalled_worker_timeout=self._stalled_after * 3,
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

    async def defer(self, lane: WorkspaceId, *, tried: int = 0) -> None:
        """Has a lane drained, unless a job for it waits already. After failing so often, not at once, and nobody else
        before that."""
        later = {"seconds": min(2**tried, LONGEST_WAIT)} if tried else None
        job = self._app.configure_task("drain", queue=QUEUE, lock=lane, queueing_lock=lane, schedule_in=later)
        with suppress(AlreadyEnqueued):
            await job.defer_async(lane=lane, tried=tried)

    def _register(self, periodic: bool) -> None:
        @self._app.task(name="drain", queue=QUEUE, pass_context=True)
        async def drain(context: procrastinate.JobContext, lane: str, tried: int = 0) -> None:
            try:
                await self._noted(context, lane, lambda: self._drain(WorkspaceId(lane)))
            except Exception:
                await self.defer(WorkspaceId(lane), tried=tried + 1)
                raise

        if not periodic:
            return

        # A tick that takes long holds up only ticks.
        @self._app.periodic(cron=EVERY_SECOND)
        @self._app.task(name="tick", queue=QUEUE, lock="tick", queueing_lock="tick", pass_context=True)
        async def tick(context: procrastinate.JobContext, timestamp: int) -> None:
            await self._noted(context, "", self.tick)

        # No lock: whoever dies with it must not keep others from giving back what it held.
        @self._app.periodic(cron=EVERY_TEN_SECONDS)
        @self._app.task(name="sweep", queue=QUEUE, queueing_lock="sweep", pass_context=True)
        async def sweep(context: procrastinate.JobContext, timestamp: int) -> None:
            await self._noted(context, "", self.sweep)

    async def _drain(self, lane: WorkspaceId) -> None:
        """One batch after another for a while; then it is the turn of the lanes that wait, and of this one again."""
        if self._work is None:
            return
        until = asyncio.get_running_loop().time() + TURN
        while await self._work.drain(lane):
            if self._stopping.is_set():
                return
            if asyncio.get_running_loop().time() > until:
                # Only once this job is over can the next of its lane be taken; nobody looks for it by themselves then.
                after = asyncio.create_task(self._defer_after(lane), name=f"defer {lane}")
                self._after.add(after)
                after.add_done_callback(self._after.discard)
                return

    async def _defer_after(self, lane: WorkspaceId) -> None:
        await asyncio.sleep(HANDOVER)
        try:
            await self.defer(lane)
        except Exception:
            log.exception("not_deferred", lane=lane)  # the next tick finds it

    async def _noted(self, context: procrastinate.JobContext, lane: str, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except Exception as problem:
            job = str(context.job.id)
            log.exception("job_failed", job=job, task=context.job.task_name, lane=lane)
            reason = f"{type(problem).__name__}: {problem}".splitlines()[0][:300]
            try:
                await self._failures.note(job, lane, reason, datetime.now(UTC))
            except Exception:
                log.exception("failure_not_noted", job=job)
            raise
