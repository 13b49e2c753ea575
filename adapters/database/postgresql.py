"""PostgreSQL as this service needs it: what it says of a lost race or a lost connection, in the core's words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from bot.ports import Away, Conflict

LOST_RACES = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
)


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A session in a transaction. Raises `Conflict` when it lost a race, `Away` when the database gives no answer."""
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield session
    except StaleDataError as stale:
        raise Conflict(str(stale)) from stale
    except TimeoutError as busy:  # every connection of the pool is in use
        raise Away(str(busy)) from busy
    except DBAPIError as problem:
        if isinstance(problem.orig, LOST_RACES):
            raise Conflict(type(problem.orig).__name__) from problem
        if problem.connection_invalidated or isinstance(problem.orig, psycopg.OperationalError):
            raise Away(type(problem.orig).__name__) from problem
        raise


async def time_of(engine: AsyncEngine) -> datetime:
    """What time it is in the database (UTC)."""
    async with engine.connect() as connection:
        moment = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)  # type: ignore[no-any-return]  # a driver's row
