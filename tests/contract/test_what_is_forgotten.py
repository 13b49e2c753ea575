"""Jobs that failed are kept for a month, with their reason, and no longer."""

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contract.test_engines import Ritme
from tests.contract.workers import ask, do, worker
from tests.support.databases import Failures

ENDED = ("failed", "aborted", "cancelled", "succeeded")


async def save_all(database: AsyncEngine, status: str, *, days_ago: int) -> None:
    """A job that came to this so many days ago."""
    await do(
        database,
        "WITH job AS (INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('ritme', 'drain', CAST(:status AS procrastinate_job_status)) RETURNING id)"
        " INSERT INTO procrastinate_events (job_id, type, at)"
        " SELECT id, 'failed', now() - make_interval(days => :days) FROM job",
        status=status,
        days=days_ago,
    )


async def test_jobs_that_ended_are_forgotten_after_a_month_with_all_that_happened_to_them(
    database: AsyncEngine,
) -> None:
    failures = Failures()
    for status in ENDED:
        await save_all(database, status, days_ago=31)
        await save_all(database, status, days_ago=29)
    await save_all(database, "doing", days_ago=31)
    async with worker(database, Ritme(), failures=failures) as engine:
        await engine.forget()
    assert await ask(database, "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'doing'") == len(ENDED)
    assert await ask(database, "SELECT count(*) FROM procrastinate_events") == len(ENDED) + 1
    assert [kept.days for kept in failures.forgotten] == [30]
