"""SQLite as this service needs it: writers queue, and a statement costs what SQLite makes it cost.

A unit of work runs on a plain connection, in the event loop: its statements take microseconds, a thread or a greenlet
around each takes a hundred. Waiting for a writer elsewhere is done by sleeping, so the loop never stands still.

Whatever else asks for a connection (migrations, health) has aiosqlite, which sends every call through a thread; there
only `BEGIN IMMEDIATE`, which may have to wait, does so.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from adapters.database.errors import translate_errors

T = TypeVar("T")
BEGIN = "BEGIN IMMEDIATE"
"""A deferred BEGIN that writes later fails under concurrency; an immediate one waits its turn."""
PATIENCE = 10.0
"""Seconds to wait for a writer elsewhere."""
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000")


class Inline(aiosqlite.Connection):
    """An aiosqlite connection that hops to its thread for `BEGIN IMMEDIATE` only."""

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if args and args[0] == BEGIN:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-any-return, no-untyped-call]
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)


def opener(file: str) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """How SQLAlchemy opens a connection to this file."""

    async def opened() -> aiosqlite.Connection:
        # Used by one task at a time; begun in the thread, continued in the loop.
        connect = partial(sqlite3.connect, file, isolation_level=None, check_same_thread=False, timeout=10)
        connection = Inline(connect, iter_chunk_size=64)
        connection._thread.daemon = True
        opened = await connection
        try:
            for pragma in PRAGMAS:
                await opened.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            await opened.close()
            raise
        return opened

    return opened


def inline_engine(file: str) -> Engine:
    """Plain connections to this file, for one task at a time in the event loop; they never wait for a lock."""

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        try:
            for pragma in (*PRAGMAS, "busy_timeout=0"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=opened, hide_parameters=True, pool_size=1, poolclass=QueuePool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(BEGIN))
    return engine


class InlineSession(AsyncSession):
    """What repositories ask of a session, answered at once by the plain session within."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(expire_on_commit=False)
        self.sync_session.bind = engine

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        return self.sync_session.execute(*args, **kwargs)

    async def scalar(self, *args: Any, **kwargs: Any) -> Any:
        return self.sync_session.scalar(*args, **kwargs)

    async def scalars(self, *args: Any, **kwargs: Any) -> Any:
        return self.sync_session.scalars(*args, **kwargs)

    async def get(self, *args: Any, **kwargs: Any) -> Any:
        return self.sync_session.get(*args, **kwargs)

    async def flush(self, *args: Any, **kwargs: Any) -> None:
        self.sync_session.flush(*args, **kwargs)

    async def delete(self, instance: object) -> None:
        self.sync_session.delete(instance)


@asynccontextmanager
async def inline_transaction(engine: Engine) -> AsyncIterator[InlineSession]:
    """A session in a transaction that holds the write lock from its first moment on. Raises `Conflict` when somebody
    changed what an earlier transaction had read, `StorageUnavailable` when somebody else writes for too long."""
    session = InlineSession(engine)
    with translate_errors(), session.sync_session as within:
        await _begun(within)
        yield session
        within.commit()


async def _begun(session: Session) -> None:
    """Takes the write lock; tries again, ever less often, while another connection holds it."""
    deadline, pause = monotonic() + PATIENCE, 0.001
    while True:
        try:
            session.connection()
            return
        except OperationalError as problem:
            session.rollback()
            if "locked" not in str(problem.orig) or monotonic() > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.1)
