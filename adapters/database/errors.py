"""Translate database errors into the core's two: `Conflict` (try again) and `StorageUnavailable`.

Errors of PostgreSQL are told apart by their SQLSTATE: its driver is not loaded where SQLite is used.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError

from bot.ports import Conflict, StorageUnavailable

UNIQUE_VIOLATION, SERIALIZATION_FAILURE, DEADLOCK_DETECTED = "23505", "40001", "40P01"
IN_FAILED_SQL_TRANSACTION, DIVISION_BY_ZERO = "25P02", "22012"
LOST_RACES = (
    UNIQUE_VIOLATION,
    SERIALIZATION_FAILURE,
    DEADLOCK_DETECTED,
    IN_FAILED_SQL_TRANSACTION,
    DIVISION_BY_ZERO,
)
"""SQLSTATEs of PostgreSQL after which the whole transaction may succeed when it runs again.

IN_FAILED_SQL_TRANSACTION says that an earlier statement failed and its error was taken for something else; that may
have been a race. DIVISION_BY_ZERO: an update did not find a row as it was read (`InlineSession.post`); nothing else
divides."""
PROGRAM_LIMIT_EXCEEDED = "54"
"""SQLSTATE class 54: a statement too large or complex for PostgreSQL. It is an OperationalError, too, but trying again
never helps."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise `Conflict` for a lost race, and `StorageUnavailable` when the database does not answer or somebody holds a
    lock too long; let every other error pass."""
    try:
        yield
    except StaleDataError as stale:  # the row's revision changed since it was read
        raise Conflict(str(stale)) from stale
    except TimeoutError as busy:  # every connection of the pool is in use
        raise StorageUnavailable(str(busy)) from busy
    except PendingRollbackError as broken:  # an error before this one was swallowed
        raise StorageUnavailable(type(broken).__name__) from broken
    except DBAPIError as problem:
        if _sqlstate(problem) in LOST_RACES:
            raise Conflict(type(problem.orig).__name__) from problem
        if problem.connection_invalidated or _is_unavailable(problem):
            raise StorageUnavailable(type(problem.orig).__name__) from problem
        raise  # a bug: neither trying again nor waiting helps


def _sqlstate(problem: DBAPIError) -> str:
    """Return the SQLSTATE that PostgreSQL gave; "" where it gave none, and on SQLite."""
    return getattr(problem.orig, "sqlstate", None) or ""


def _is_unavailable(problem: DBAPIError) -> bool:
    if isinstance(problem.orig, sqlite3.OperationalError):
        # "database is locked": another connection wrote for longer than we wait. SQLite has no class of its own for it.
        return "locked" in str(problem.orig)
    return isinstance(problem, OperationalError) and not _sqlstate(problem).startswith(PROGRAM_LIMIT_EXCEEDED)
