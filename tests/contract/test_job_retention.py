"""Failed jobs and their reasons are deleted after a month."""

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contract.test_engines import FakeCore
from tests.contract.workers import execute, fetch_value, worker
from tests.support.databases import RecordedFailures

ENDED = ("failed", "aborted", "cancelled", "succeeded")


async def add_job(database: AsyncEngine, status: str, *, days_ago: int) -> None:
    """Add a job that reached `status` so many days ago."""
    await execute(
        database,
        "WITH job AS (INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('ritme', 'drain', CAST(:status AS procrastinate_job_status)) RETURNING id)"
        " INSERT INTO procrastinate_events (job_id, type, at)"
        " SELECT id, 'failed', now() - make_interval(days => :days) FROM job",
        status=status,
        days=days_ago,
    )


async def test_finished_jobs_are_deleted_after_a_month_with_their_events(
    database: AsyncEngine,
) -> None:
    failures = RecordedFailures()
    for status in ENDED:
        await add_job(database, status, days_ago=31)
        await add_job(database, status, days_ago=29)
    await add_job(database, "doing", days_ago=31)
    async with worker(database, FakeCore(), failures=failures) as engine:
        await engine.forget()
    assert await fetch_value(database, "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'doing'") == len(ENDED)
    assert await fetch_value(database, "SELECT count(*) FROM procrastinate_events") == len(ENDED) + 1
    assert [kept.days for kept in failures.forgotten] == [30]
