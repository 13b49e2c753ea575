"""What a database says of a lost race, or does not say at all, in the core's words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, PendingRollbackError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError

from bot.ports import Conflict, StorageUnavailable

LOST_RACES = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.InFailedSqlTransaction,
)
"""The last: what failed before it was taken for something else, perhaps a race."""
TOO_MUCH = "54"
"""Beginning of the SQLSTATE of what PostgreSQL will never do, however often it is asked."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate database errors: `Conflict` for a lost race, `StorageUnavailable` when the database does not answer or
    holds a lock too long."""
    try:
        yield
    except StaleDataError as stale:
        raise Conflict(str(stale)) from stale
    except TimeoutError as busy:  # every connection of the pool is in use
        raise StorageUnavailable(str(busy)) from busy
    except PendingRollbackError as broken:  # what broke it was taken for something else
        raise StorageUnavailable(type(broken).__name__) from broken
    except DBAPIError as problem:
        if isinstance(problem.orig, LOST_RACES):
            raise Conflict(type(problem.orig).__name__) from problem
        if problem.connection_invalidated or _gives_no_answer(problem.orig):
            raise StorageUnavailable(type(problem.orig).__name__) from problem
        raise


def _gives_no_answer(problem: BaseException | None) -> bool:
    if isinstance(problem, sqlite3.OperationalError):
        return "locked" in str(problem)
    return isinstance(problem, psycopg.OperationalError) and not (problem.sqlstate or "").startswith(TOO_MUCH)
