"""The jobs one process holds: taken, and not yet on record as done."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from procrastinate import JobContext
from procrastinate.jobs import Job

from adapters.engine.jobs import DRAIN, Jobs

log = structlog.get_logger(__name__)

FAIRNESS_RATIO = 5
"""Of so many turns one is for the lane that has waited longest after its last, however many others come new."""


class JobTracker:
    """A job is held for as long as the task lives in which procrastinate does it and puts it on record."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._held: dict[asyncio.Task[Any], Job] = {}
        self._over: set[int] = set()
        self._turns = 0
        self._after: set[asyncio.Task[None]] = set()

    async def around(self, do: Callable[[], Awaitable[Any]], context: JobContext, _worker: object) -> Any:
        """Procrastinate has every job done through this."""
        if (doing := asyncio.current_task()) is not None:
            self._held[doing] = context.job
            doing.add_done_callback(self._let_go)
        return await do()

    async def update_heartbeats(self) -> None:
        """The hearts of workers that hold anything beat: procrastinate's own stop before a worker that stops does."""
        if self._held:
            await self._jobs.update_heartbeats(
                {job.worker_id for job in self._held.values() if job.worker_id is not None}
            )

    async def requeue_stalled(self, *, silence: float) -> None:
        """Gives back what is over here but could not be put on record, and what others hold whose hearts have been
        silent for so many seconds."""
        over = set(self._over)
        for job in await self._jobs.requeue_stalled(over, silence=silence):
            log.warning("job_returned", job=job.id, task=job.task, lane=job.lane)
        self._over -= over

    async def told(self) -> None:
        """Returns when all that is over was told of."""
        if self._after:
            await asyncio.wait(self._after)

    def _let_go(self, done: asyncio.Task[Any]) -> None:
        job = self._held.pop(done)
        if job.id is not None and (done.cancelled() or done.exception() is not None):
            log.error("job_not_on_record", job=job.id, task=job.task_name, lane=job.lock)
            self._over.add(job.id)
        elif job.task_name == DRAIN and job.lock is not None:
            after = asyncio.create_task(self._turn_over(job.lock), name=f"after {job.lock}")
            self._after.add(after)
            after.add_done_callback(self._after.discard)

    async def _turn_over(self, lane: str) -> None:
        """A lane is free again."""
        self._turns += 1
        try:
            await self._jobs.over(lane)
            if self._turns % FAIRNESS_RATIO == 0:
                await self._jobs.promote_oldest()
        except Exception:
            log.warning("not_told", lane=lane, exc_info=True)  # who waits is found a little later
