"""Retries of failed jobs, with exponential backoff; each failure is recorded with its reason.

Procrastinate's own retries are not used: they put the same row back to 'todo', which violates the unique index on
queueing locks when another job of the lane waits already, and then leaves the failed job 'doing' with its lock held
(docs/adr/0080). Here a failed job stays failed, and a new one is scheduled in its place.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import structlog
from procrastinate.jobs import Job

from adapters.engine.jobs import DRAIN, Jobs

log = structlog.get_logger(__name__)

MAX_RETRY_DELAY = 60.0
"""Seconds before a retry, at most. The delay doubles with every failure in a row: 2, 4, 8 …"""
_MAX_EXPONENT = 9
"""Far beyond `MAX_RETRY_DELAY`; it keeps the power from growing without end."""
_REASON_LENGTH = 300


class Failures(Protocol):
    """A record of failed jobs and their reasons; procrastinate keeps only the status of a job."""

    async def record(self, job: str, lane: str, reason: str) -> None:
        """Record that a job failed now. `lane` is empty for jobs that are not of a lane."""

    async def forget(self, older_than: timedelta) -> None:
        """Delete the records that are older than this."""


class RetryPolicy:
    """Runs the code of jobs; records failures and schedules retries."""

    def __init__(self, jobs: Jobs, failures: Failures) -> None:
        self._jobs = jobs
        self._failures = failures

    async def run_with_retry(self, job: Job, failed_before: int, act: Callable[[], Awaitable[None]]) -> None:
        """Run `act`; when it fails, schedule a retry and raise, so that procrastinate marks this job failed.

        `failed_before` counts the failures in a row before this run. Until the retry is due nobody else runs the lane,
        not even when it is enqueued meanwhile: see `Jobs.retry_in`.
        """
        try:
            await self.record_failure(job, act)
        except Exception:
            seconds = min(2.0 ** min(failed_before + 1, _MAX_EXPONENT), MAX_RETRY_DELAY)
            await self._jobs.retry_in(job, seconds=seconds, tried=failed_before + 1)
            raise

    async def record_failure(self, job: Job, act: Callable[[], Awaitable[None]]) -> None:
        """Run `act`; when it fails, record why and raise."""
        try:
            await act()
        except Exception as problem:
            lane = (job.lock or "") if job.task_name == DRAIN else ""
            log.exception("job_failed", job=job.id, task=job.task_name, lane=lane)
            reason = f"{type(problem).__name__}: {problem}".splitlines()[0][:_REASON_LENGTH]
            try:
                await self._failures.record(str(job.id), lane, reason)
            except Exception:
                # Often the same database that made the job fail. Its exception must not hide the job's own.
                log.exception("failure_record_failed", job=job.id)
            raise
