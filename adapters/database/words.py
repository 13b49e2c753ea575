"""What a database says of a lost race, or does not say at all, in the core's words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, PendingRollbackError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError

from bot.ports import Away, Conflict

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
def in_our_words() -> Iterator[None]:
    """`Conflict` for a lost race; `Away` when the database gives no answer, or others do not let go of it."""
    try:
        yield
    except StaleDataError as stale:
        raise Conflict(str(stale)) from stale
    except TimeoutError as busy:  # every connection of the pool is in use
        raise Away(str(busy)) from busy
    except PendingRollbackError as broken:  # what broke it was taken for something else
        raise Away(type(broken).__name__) from broken
    except DBAPIError as problem:
        if isinstance(problem.orig, LOST_RACES):
            raise Conflict(type(problem.orig).__name__) from problem
        if problem.connection_invalidated or _gives_no_answer(problem.orig):
            raise Away(type(problem.orig).__name__) from problem
        raise


def _gives_no_answer(problem: BaseException | None) -> bool:
    if isinstance(problem, sqlite3.OperationalError):
        return "locked" in str(problem)
    return isinstance(problem, psycopg.OperationalError) and not (problem.sqlstate or "").startswith(TOO_MUCH)
