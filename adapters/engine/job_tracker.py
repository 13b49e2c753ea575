"""Tracks the jobs this process holds: taken from the queue, and their end not yet written to the database.

A job held by a live worker must not be requeued, and a job held by nobody must be. Two cases are not covered by
procrastinate: its heartbeat stops as soon as the worker is told to stop, while jobs go on for the grace period; and
a job whose final status could not be written stays 'doing' for ever, under a live worker.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from procrastinate import JobContext
from procrastinate.jobs import Job

from adapters.engine.jobs import DRAIN, Jobs

log = structlog.get_logger(__name__)

FAIRNESS_RATIO = 5
"""One in so many drains is followed by promoting the lane that has waited longest since its time slice. Without it new
lanes, which have a higher priority, could keep that lane waiting for ever."""


class JobTracker:
    """Knows the jobs of this process from when they are taken until their end is written."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._held_jobs: dict[asyncio.Task[Any], Job] = {}
        self._unrecorded: set[int] = set()
        self._drains = 0
        self._notifying: set[asyncio.Task[None]] = set()

    async def track(self, do: Callable[[], Awaitable[Any]], context: JobContext, _worker: object) -> Any:
        """Run a job as its middleware: procrastinate calls this for every job.

        The job counts as held until its asyncio task ends, not until `do` returns: after that, procrastinate still
        writes the job's status in the same task.
        """
        if (task := asyncio.current_task()) is not None:
            self._held_jobs[task] = context.job
            task.add_done_callback(self._release)
        return await do()

    async def update_heartbeats(self) -> None:
        """Send a heartbeat for every worker that holds a job, also one that is stopping."""
        if self._held_jobs:
            await self._jobs.update_heartbeats(
                {job.worker_id for job in self._held_jobs.values() if job.worker_id is not None}
            )

    async def requeue_stalled_jobs(self, *, silence: float) -> None:
        """Requeue jobs of stalled workers, and finished jobs whose status write failed.

        A worker is stalled when it sent no heartbeat for `silence` seconds.
        """
        # A copy: more may be added while the statement runs, and those stay for the next sweep.
        unrecorded = set(self._unrecorded)
        for job in await self._jobs.requeue_stalled_jobs(unrecorded, silence=silence):
            log.warning("job_requeued", job=job.id, task=job.task, lane=job.lane)
        self._unrecorded -= unrecorded

    async def wait_for_notifications(self) -> None:
        """Return when the notifications for all lanes released so far are sent."""
        if self._notifying:
            await asyncio.wait(self._notifying)

    def _release(self, done: asyncio.Task[Any]) -> None:
        """Stop tracking the job of a task that ended.

        Job code that fails does not make the task fail: procrastinate catches it and writes the status 'failed'. An
        exception here means that the status could not be written.
        """
        job = self._held_jobs.pop(done)
        if job.id is not None and (done.cancelled() or done.exception() is not None):
            log.error("job_status_write_failed", job=job.id, task=job.task_name, lane=job.lock)
            self._unrecorded.add(job.id)
        elif job.task_name == DRAIN and job.lock is not None:
            notifying = asyncio.create_task(self._notify_lane_free(job.lock), name=f"notify {job.lock}")
            # The event loop keeps only weak references to tasks: without one of ours it could vanish half-way.
            self._notifying.add(notifying)
            notifying.add_done_callback(self._notifying.discard)

    async def _notify_lane_free(self, lane: str) -> None:
        self._drains += 1
        try:
            await self._jobs.notify_lane_free(lane)
            if self._drains % FAIRNESS_RATIO == 0:
                await self._jobs.promote_oldest()
        except Exception:
            # Only a delay: the next poll finds the waiting job.
            log.warning("lane_notification_failed", lane=lane, exc_info=True)
