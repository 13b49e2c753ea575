"""Why jobs failed is kept on PostgreSQL, by its own time."""

from datetime import UTC, datetime, timedelta

from adapters.database.failures import SqlFailures
from adapters.database.unit_of_work import connect
from tests.databases import postgresql


async def test_reasons_are_counted_since_a_moment() -> None:
    with postgresql() as url:
        database = connect(url)
        failures, now = SqlFailures(database), datetime.now(UTC)
        for job, reason in (("1", "TimeoutError: "), ("2", "KeyError: 'x'"), ("3", "TimeoutError: ")):
            await failures.note(job, "slack:A", reason)
        assert await failures.since(now - timedelta(hours=1)) == [("TimeoutError: ", 2), ("KeyError: 'x'", 1)]
        assert await failures.since(now + timedelta(hours=1)) == []
        await database.dispose()
