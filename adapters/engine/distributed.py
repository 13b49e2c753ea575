"""The engine for many processes: jobs of procrastinate, in the same PostgreSQL as all other data.

A job drains one lane (a workspace) for a time slice. Jobs are hints; the outbox is the truth: a lost job costs a delay
until the next tick, never a message.

- Ordering: a job's `lock` is its lane, so one worker at a time drains a lane. Its `queueing_lock` is the lane, too, so
  at most one more job waits behind it, however often the lane is announced.
- Atomicity: the job is written in the transaction that made something due. A rollback leaves no job; a commit cannot
  forget it.
- Fairness: a lane with much to send yields after a time slice, behind lanes that had none yet.
- Ticks: once a second, one worker plans, and one finds lanes whose deliveries came due with time.
- Crashes: workers send heartbeats; a sweep requeues the jobs of those that went silent.

All time is the database's: see `jobs`. Which jobs this process holds: `job_tracker`. Failures: `retry_policy`.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

import procrastinate
from procrastinate.jobs import Job
from procrastinate.worker import Worker
from sqlalchemy.engine import make_url

from adapters.engine.job_tracker import JobTracker
from adapters.engine.jobs import DRAIN, ENQUEUE, FIND_DUE, FORGET, PLAN, QUEUE, Jobs, enqueue_values
from adapters.engine.loops import (
    MAX_WAKE_DELAY,
    SHUTDOWN_GRACE,
    TICK_INTERVAL,
    run_logging_errors,
    run_periodically,
    wait_for,
)
from adapters.engine.retry_policy import Failures, RetryPolicy
from adapters.engine.supervisor import WorkerSupervisor
from adapters.engine.work import Work
from adapters.libpq import connection_timeouts
from bot.domain.person import WorkspaceId

REQUEUE_INTERVAL = 10.0
"""Seconds between two searches for jobs of stalled workers."""
HEARTBEAT_INTERVAL = 5.0
MAX_MISSED_HEARTBEATS = 4
"""After so many missed heartbeats (20 s) a worker counts as dead, and the next sweep requeues its jobs: within half a
minute. Heartbeats go on while a stopping worker finishes its jobs, so `SHUTDOWN_GRACE` may be longer than this."""
PRUNE_WORKERS_AFTER = 3600.0
"""Seconds without a heartbeat after which a worker's row is deleted."""
FAILURE_RETENTION = timedelta(days=30)
"""How long ended jobs, and the reasons of those that failed, are kept."""
CLEANUP_CRON = "17 * * * *"
"""Once an hour, by this machine's clock: the one periodic task that is left to procrastinate."""
TIME_SLICE = 0.25
"""Seconds for which a lane is drained before it yields to other lanes that wait."""
MAX_TIME_SLICE = 2.0
"""Seconds after which a lane yields even when no other waits, so that its worker can stop."""
TASK_TIMEOUT = 600.0
"""Seconds for planning, or for finding due lanes. Should it hang, its lock would keep every other worker from it."""
POLL_INTERVAL = 1.0
"""Seconds between two searches for jobs, in case a notification gets lost."""
JOB_POOL_TIMEOUT = 5.0
"""Seconds to wait for a connection of procrastinate's pool, and for that pool to reconnect. Left to itself, the pool
would double the pause after every attempt, for minutes."""
_EXTRA_CONNECTIONS = 3
"""Connections beside one for each concurrent job: for taking jobs, ticks, heartbeats and sweeps."""


def announce(execute: Callable[[str, Any], object], lanes: Collection[WorkspaceId]) -> None:
    """Enqueue a drain of these lanes in the transaction that `execute` runs SQL in; workers see it once that is
    committed."""
    execute(ENQUEUE, enqueue_values(lanes))


class DistributedEngine:
    """One process of many. Workers call `start`; a web process does not, and only announces what it made due."""

    def __init__(
        self,
        url: str,
        *,
        failures: Failures,
        concurrency: int,
        periodic: bool = True,
        heartbeat: float = HEARTBEAT_INTERVAL,
        poll: float = POLL_INTERVAL,
        time_slice: float = TIME_SLICE,
    ) -> None:
        address = make_url(url).set(drivername="postgresql")
        connector = procrastinate.PsycopgConnector(
            conninfo=address.render_as_string(hide_password=False),
            kwargs=dict(connection_timeouts(address)),
            min_size=1,
            max_size=concurrency + _EXTRA_CONNECTIONS,
            timeout=JOB_POOL_TIMEOUT,
            reconnect_timeout=JOB_POOL_TIMEOUT,
        )
        self._app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": 0})
        self._jobs = Jobs(connector)
        self._tracker = JobTracker(self._jobs)
        self._failures = failures
        self._retry_policy = RetryPolicy(self._jobs, failures)
        self._concurrency = concurrency
        self._heartbeat = heartbeat
        self._poll = poll
        self._time_slice = time_slice
        self._work: Work | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping, self._stopped = asyncio.Event(), asyncio.Event()
        self._periodic = periodic
        self._loops: list[asyncio.Task[None]] = []
        self._announcing: set[asyncio.Task[None]] = set()
        self._heart: asyncio.Task[None] | None = None
        self._supervisor = WorkerSupervisor(self._new_worker, self._stopping)
        self._register()

    @property
    def is_running(self) -> bool:
        """Return whether it takes jobs; False while it waits to restart."""
        return self._running is not None and not self._running.done() and not self._supervisor.is_restarting

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
        """Enqueue a drain `after` a delay of at most `MAX_WAKE_DELAY`; ignore other calls.

        Without a delay there is nothing to do: the transaction that made something due announced it. The timer is in
        memory only; should this worker die first, the next tick finds the lane.
        """
        if timedelta(0) < after <= MAX_WAKE_DELAY and self._running is not None:
            asyncio.get_running_loop().call_later(after.total_seconds(), self._announce, lane)

    def _announce(self, lane: WorkspaceId) -> None:
        async def announce_lane() -> None:
            await self.defer(lane)

        if self._running is not None and not self._stopping.is_set():
            announcing = asyncio.create_task(run_logging_errors(announce_lane), name=f"announce {lane}")
            self._announcing.add(announcing)
            announcing.add_done_callback(self._announcing.discard)

    async def open(self, work: Work) -> None:
        """Open the connection pool. Raises when the database cannot be reached; may then be called again."""
        try:
            await self._app.open_async()
        except BaseException:
            # It has a pool by now: left there, the next attempt would take it for an open one.
            await self._app.close_async()
            raise
        self._work = work

    async def start(self, work: Work) -> None:
        """Begin to take jobs, in the running event loop. Raises when the database cannot be reached."""
        await self.open(work)
        self._running = asyncio.create_task(self._supervisor.run(), name="worker")
        # Until `_stopped`, not `_stopping`: jobs that end during the grace period must not be taken for lost.
        self._heart = asyncio.create_task(
            run_periodically(self._heartbeat, self._tracker.update_heartbeats, self._stopped), name="heart"
        )
        if self._periodic:
            # Loops, not jobs: nothing in the queue can hold up the sweep that frees it.
            self._loops = [
                asyncio.create_task(run_periodically(TICK_INTERVAL, self._jobs.tick, self._stopping), name="ticks"),
                asyncio.create_task(run_periodically(REQUEUE_INTERVAL, self.sweep, self._stopping), name="sweeps"),
            ]

    async def run_until_idle(self) -> None:
        """Plan and drain until no job is left. For tests and the playground, after they moved the clock."""
        await self._plan()
        await self._find_due()
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
        """Take no more jobs, wait for running ones (procrastinate aborts them after `SHUTDOWN_GRACE`), disconnect.

        Cancelling the caller does not interrupt the jobs; `close` can then be called again.
        """
        self._stopping.set()
        self._supervisor.stop_worker()
        await wait_for(self._running, *self._loops, *self._announcing)
        await self._tracker.wait_for_notifications()
        self._stopped.set()  # heartbeats last: until here this worker held jobs
        await wait_for(self._heart)
        if self._work is not None:
            await self._app.close_async()
            self._work = None

    async def sweep(self) -> None:
        """Requeue jobs of stalled workers, and finished jobs whose status write failed."""
        await self._tracker.requeue_stalled_jobs(silence=MAX_MISSED_HEARTBEATS * self._heartbeat)
        await self._app.job_manager.prune_stalled_workers(PRUNE_WORKERS_AFTER)

    async def forget(self) -> None:
        """Delete ended jobs and recorded failures that are older than `FAILURE_RETENTION`."""
        await self._app.job_manager.delete_old_jobs(
            nb_hours=FAILURE_RETENTION // timedelta(hours=1),
            queue=QUEUE,
            include_failed=True,
            include_cancelled=True,
            include_aborted=True,
        )
        await self._failures.forget(FAILURE_RETENTION)

    def _new_worker(self) -> Worker:
        return Worker(
            self._app,
            queues=[QUEUE],
            concurrency=self._concurrency,
            install_signal_handlers=False,
            shutdown_graceful_timeout=SHUTDOWN_GRACE,
            delete_jobs="successful",
            fetch_job_polling_interval=self._poll,
            worker_middleware=[self._tracker.track],
            update_heartbeat_interval=self._heartbeat,
            stalled_worker_timeout=PRUNE_WORKERS_AFTER,
        )

    async def defer(self, lane: WorkspaceId) -> None:
        """Enqueue a drain of a lane, unless one waits already."""
        await self._jobs.enqueue([lane])

    def _register(self) -> None:
        @self._app.task(name=DRAIN, queue=QUEUE, pass_context=True)
        async def drain(context: procrastinate.JobContext, lane: str, tried: int = 0) -> None:
            await self._retry_policy.run_with_retry(
                context.job, tried, lambda: self._drain(context.job, WorkspaceId(lane))
            )

        # Two tasks with a lock each: planning that takes long, or fails, does not delay sending.
        @self._app.task(name=PLAN, queue=QUEUE, pass_context=True)
        async def plan(context: procrastinate.JobContext, tried: int = 0) -> None:
            await self._retry_policy.run_with_retry(context.job, tried, self._plan)

        @self._app.task(name=FIND_DUE, queue=QUEUE, pass_context=True)
        async def find_due_lanes(context: procrastinate.JobContext, tried: int = 0) -> None:
            await self._retry_policy.run_with_retry(context.job, tried, self._find_due)

        # Needed for more than cleaning: without any periodic task, a worker of procrastinate does not notice that its
        # heartbeat or its LISTEN connection stopped.
        @self._app.periodic(cron=CLEANUP_CRON)
        @self._app.task(name=FORGET, queue=QUEUE, queueing_lock=FORGET, pass_context=True)
        async def forget(context: procrastinate.JobContext, timestamp: int) -> None:
            await self._retry_policy.record_failure(context.job, self.forget)

    async def _plan(self) -> None:
        if self._work is not None:
            async with asyncio.timeout(TASK_TIMEOUT):
                await self._work.plan()

    async def _find_due(self) -> None:
        """Enqueue a drain of every lane that has something due."""
        if self._work is not None:
            async with asyncio.timeout(TASK_TIMEOUT):
                await self._jobs.enqueue(await self._work.lanes_due())

    async def _drain(self, job: Job, lane: WorkspaceId) -> None:
        """Drain a lane batch by batch, for as long as its time slice lasts and there is more; then yield the lane."""
        if self._work is None:
            return
        clock = asyncio.get_running_loop().time
        ends_at, check_at = clock() + MAX_TIME_SLICE, clock() + self._time_slice
        while await self._work.drain(lane):
            must_yield = self._stopping.is_set() or clock() >= ends_at
            # After each time slice, ask the database: others may wait, or our job may have been requeued, as after a
            # pause so long that we counted as dead; then another worker drains this lane by now.
            if not must_yield and clock() >= check_at:
                must_yield, check_at = not await self._jobs.may_continue(job), clock() + self._time_slice
            if must_yield:
                # Before this job ends: a crash in between leaves the job to the sweep, never the lane without one.
                await self._jobs.yield_lane(lane)
                return
