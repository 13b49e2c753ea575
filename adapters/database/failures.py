"""Reasons of failed jobs, in the table `engine_failures`. Only the distributed engine has these."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.tables import engine_failures as failures


class SqlFailures:
    """Stores reasons of failed jobs; each call is a transaction of its own. Times are the database's."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def record(self, job: str, lane: str, reason: str) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(insert(failures).values(job=job, lane=lane, reason=reason, at=func.now()))

    async def forget(self, older_than: timedelta) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(failures).where(failures.c.at < func.now() - older_than))

    async def since(self, moment: datetime) -> Sequence[tuple[str, int]]:
        """Count failures since a moment (UTC): pairs of reason and count, the most frequent first."""
        async with self._engine.begin() as connection:
            found = await connection.execute(
                select(failures.c.reason, func.count())
                .where(failures.c.at >= moment)
                .group_by(failures.c.reason)
                .order_by(func.count().desc())
            )
            return [(reason, count) for reason, count in found]
