"""Why jobs failed that many workers share."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.tables import engine_failures as failures


class SqlFailures:
    """Rows of `engine_failures`, each call a short transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def note(self, job: str, lane: str, reason: str) -> None:
        """A job failed just now, by the database's time."""
        async with self._engine.begin() as connection:
            await connection.execute(insert(failures).values(job=job, lane=lane, reason=reason, at=func.now()))

    async def forget(self, kept: timedelta) -> None:
        """What happened so long ago goes, by the database's time."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(failures).where(failures.c.at < func.now() - kept))

    async def since(self, moment: datetime) -> Sequence[tuple[str, int]]:
        """Reasons with how often each came, since then; the most frequent first."""
        async with self._engine.begin() as connection:
            found = await connection.execute(
                select(failures.c.reason, func.count())
                .where(failures.c.at >= moment)
                .group_by(failures.c.reason)
                .order_by(func.count().desc())
            )
            return [(reason, count) for reason, count in found]
