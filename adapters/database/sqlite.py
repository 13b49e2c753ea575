"""SQLite connections: writers that queue, and statements that run in the event loop (docs/adr/0010, 0011).

SQLite has one writer at a time. Every transaction therefore begins with BEGIN IMMEDIATE, which takes the write lock at
once: a deferred transaction that reads first and writes later fails when another wrote in between (measured: 137 of
200 concurrent writes failed with a deferred BEGIN, none with an immediate one).

There are three kinds of connections:

- Units of work, and what Teams tells beside them, use a plain sqlite3 connection in the event loop. A statement takes
  microseconds there; a thread or a greenlet around each costs a hundred. A lock that another process holds is waited
  for with `asyncio.sleep`.
- What takes long and only reads, such as counting, has a connection of its own for each time, in a thread: with WAL it
  reads beside the writer, and neither waits.
- Everything else (migrations, health checks) uses aiosqlite through SQLAlchemy's async engine. Its calls run in the
  loop as well, except BEGIN IMMEDIATE, which may block and so goes through aiosqlite's thread.

A transaction must wait for nothing but the database: a network call within one would hold up every other writer.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import lru_cache, partial
from time import monotonic
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from adapters.database.errors import translate_errors
from adapters.database.inline import (
    IS_AWAITED,
    InlineSession,
    KeptConnections,
    at_once,
    in_turns,
    open_session,
    run_statement,
)

T = TypeVar("T")
BEGIN_IMMEDIATE = "BEGIN IMMEDIATE"
WRITE_LOCK_TIMEOUT = 10.0
"""Seconds to wait for a writer in another connection or process."""
MAX_LOCK_POLL = 0.1
"""Seconds between two attempts to take the write lock, at most; at first it is a millisecond."""
LONGEST_WAY = 0.1
"""Seconds that a transaction gives way to others: where people act all the time, messages go out too."""
CACHED_STATEMENTS = 500
"""Statements that a connection keeps planned. With Python's 128, those of some commands would drive each other out, and
planning one takes ten times as long as running it."""
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000")
"""WAL: readers and the writer do not block each other, and with synchronous=NORMAL a commit needs no fsync. The
busy_timeout, in milliseconds, is as long as `WRITE_LOCK_TIMEOUT`."""


class InlineConnection(aiosqlite.Connection):
    """An aiosqlite connection that calls SQLite directly, and only sends BEGIN IMMEDIATE to its thread. Once nobody
    awaits that any more, all else goes there too: closed while the thread waits for a lock, SQLite would crash."""

    _is_left_to_thread = False

    # A private method of aiosqlite, whose version is pinned; the database tests fail when it changes.
    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if self._is_left_to_thread or args[:1] == (BEGIN_IMMEDIATE,):
            try:
                return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-any-return, no-untyped-call]
            except asyncio.CancelledError:
                self._is_left_to_thread = True
                raise
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)


def async_opener(file: str) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """Return the function with which SQLAlchemy's async engine opens a connection to this file."""

    async def open_connection() -> aiosqlite.Connection:
        # check_same_thread: transactions begin in the thread and go on in the loop, for one task at a time.
        connect = partial(sqlite3.connect, file, isolation_level=None, check_same_thread=False, timeout=10)
        connection = InlineConnection(connect, iter_chunk_size=64)
        connection._thread.daemon = True  # a connection left open must not keep the process alive
        opened = await connection
        try:
            for pragma in PRAGMAS:
                await opened.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            await opened.close()
            raise
        return opened

    return open_connection


def inline_engine(file: str) -> Engine:
    """Create an engine of plain connections to this file, for one task at a time, in the event loop.

    They never wait for a lock inside SQLite (busy_timeout=0): that would stop the event loop. See `_begin_immediate`.
    """

    def open_connection() -> sqlite3.Connection:
        connection = sqlite3.connect(
            file, isolation_level=None, check_same_thread=False, cached_statements=CACHED_STATEMENTS
        )
        try:
            for pragma in (*PRAGMAS, "busy_timeout=0"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return create_engine("sqlite://", creator=open_connection, hide_parameters=True, poolclass=NullPool)


@lru_cache(maxsize=4)
def reading_engine(file: str) -> Engine:
    """Return the engine of connections to this file that change nothing, each closed when it is done."""

    def open_connection() -> sqlite3.Connection:
        connection = sqlite3.connect(file, isolation_level=None, timeout=WRITE_LOCK_TIMEOUT)
        connection.execute("PRAGMA query_only=ON")
        return connection

    engine = create_engine("sqlite://", creator=open_connection, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


class InlineWriter:
    """Runs the transactions of one file on plain connections, one after the other.

    In this process writers queue here, in order (an asyncio.Lock is fair). Polling SQLite's own lock is not, and only
    needed against other processes. Those who give way queue apart: one of them at a time has its turn, when nobody else
    wants one, and a step of the event loop each, in which who came meanwhile can say so.
    """

    def __init__(self, file: str) -> None:
        self._lock, self._behind = asyncio.Lock(), asyncio.Lock()
        self._in_front, self._nobody_in_front = 0, asyncio.Event()
        self._nobody_in_front.set()
        self._file = file
        self._connections = KeptConnections(inline_engine(file).connect)

    async def run(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function in a transaction when it is its turn, which holds the write lock from the start. Raises
        `Conflict` when a row was changed since an earlier transaction read it, and `StorageUnavailable` when another
        process writes for longer than `WRITE_LOCK_TIMEOUT`."""
        with self._go_in_front():
            async with self._lock:
                return await self._transact(act)

    async def give_way(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function in a transaction when nobody else wants a turn; after `LONGEST_WAY` all the same."""
        async with self._behind:
            await asyncio.sleep(0)  # a lock that is free is taken at once: a hundred of these would be one step
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_WAY):
                    await self._nobody_in_front.wait()
            async with self._lock:
                return await self._transact(act, is_awaited=lambda: self._in_front > 0)

    async def _transact(
        self, act: Callable[[InlineSession], Awaitable[T]], is_awaited: Callable[[], bool] | None = None
    ) -> T:
        with translate_errors(), self._connections.take() as connection:
            await _begin_immediate(connection)
            with open_session(connection) as session:
                if is_awaited is not None:
                    session.info[IS_AWAITED] = is_awaited
                return await in_turns(act(session))

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[InlineSession]:
        """Open a session in a transaction when it is its turn; committed at the end. Raises as `run` does."""
        with self._go_in_front():
            async with self._lock:
                with translate_errors(), self._connections.take() as connection:
                    await _begin_immediate(connection)
                    with open_session(connection) as session:
                        yield session

    @contextmanager
    def _go_in_front(self) -> Iterator[None]:
        """Keep those who give way from having a turn."""
        self._in_front += 1
        self._nobody_in_front.clear()
        try:
            yield
        finally:
            self._in_front -= 1
            if not self._in_front:
                self._nobody_in_front.set()

    async def read(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function that only reads in a thread, beside the transactions that write."""
        return await asyncio.to_thread(self._read_here, act)

    def _read_here(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        with (
            translate_errors(),
            reading_engine(self._file).connect() as connection,
            open_session(connection) as session,
        ):
            result = at_once(act(session))
            session.expunge_all()  # nothing is kept
        return result

    def dispose(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()


async def _begin_immediate(connection: Connection) -> None:
    """Take the write lock; while another connection holds it, retry with pauses that double up to `MAX_LOCK_POLL`."""
    deadline, pause = monotonic() + WRITE_LOCK_TIMEOUT, 0.001
    while True:
        try:
            run_statement(connection, BEGIN_IMMEDIATE, ())
            return
        except OperationalError as problem:
            if "locked" not in str(problem.orig) or monotonic() > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, MAX_LOCK_POLL)
