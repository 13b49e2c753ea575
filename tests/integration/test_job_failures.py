"""Failures of jobs are stored in PostgreSQL, dated by its clock."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from adapters.database.failures import SqlFailures
from adapters.database.unit_of_work import connect
from tests.support.databases import postgresql


async def test_failures_are_counted_since_a_moment() -> None:
    with postgresql() as url:
        database = connect(url)
        failures, now = SqlFailures(database), datetime.now(UTC)
        for job, reason in (("1", "TimeoutError: "), ("2", "KeyError: 'x'"), ("3", "TimeoutError: ")):
            await failures.record(job, "slack:A", reason)
        assert await failures.since(now - timedelta(hours=1)) == [("TimeoutError: ", 2), ("KeyError: 'x'", 1)]
        assert await failures.since(now + timedelta(hours=1)) == []
        await database.dispose()


async def test_failures_are_deleted_after_their_retention() -> None:
    with postgresql() as url:
        database = connect(url)
        failures = SqlFailures(database)
        for job, days in (("1", 31), ("2", 29)):
            await failures.record(job, "slack:A", f"{days} days ago")
            async with database.begin() as connection:
                moved = "UPDATE engine_failures SET at = now() - make_interval(days => :days) WHERE job = :job"
                await connection.execute(text(moved), {"job": job, "days": days})
        await failures.forget(timedelta(days=30))
        assert await failures.since(datetime.now(UTC) - timedelta(days=60)) == [("29 days ago", 1)]
        await database.dispose()
