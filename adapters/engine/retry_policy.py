"""What becomes of a job that fails: it is kept why, and done again later."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import structlog
from procrastinate.jobs import Job

from adapters.engine.jobs import DRAIN, Jobs

log = structlog.get_logger(__name__)

LONGEST_WAIT = 60.0
"""Seconds between two tries, at most; at first it is 2. Each that failed is kept."""


class Failures(Protocol):
    """Where it is kept why a job failed: procrastinate keeps only that it did."""

    async def note(self, job: str, lane: str, reason: str) -> None:
        """A job failed just now."""

    async def forget(self, kept: timedelta) -> None:
        """Reasons that were kept for so long go."""


class RetryPolicy:
    """Does jobs that may fail."""

    def __init__(self, jobs: Jobs, failures: Failures) -> None:
        self._jobs = jobs
        self._failures = failures

    async def run_with_retry(self, job: Job, times: int, act: Callable[[], Awaitable[None]]) -> None:
        """Should it fail, as it did so many times before, it is tried again: not at once, and by nobody else before
        that."""
        try:
            await self.record_failure(job, act)
        except Exception:
            seconds = min(2.0 ** min(times + 1, 9), LONGEST_WAIT)
            await self._jobs.retry_in(job, seconds=seconds, tried=times + 1)
            raise

    async def record_failure(self, job: Job, act: Callable[[], Awaitable[None]]) -> None:
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
