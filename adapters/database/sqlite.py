"""SQLite connections as this service needs them: writers queue, and a statement costs what SQLite makes it cost.

aiosqlite sends every call through a thread, four hops a statement: a hundred microseconds each, for work of ten. Here
a statement runs where it is asked for. Only `BEGIN IMMEDIATE`, which may have to wait for a writer in another process,
waits in the thread, so the event loop never stands still.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")
BEGIN = "BEGIN IMMEDIATE"
"""A deferred BEGIN that writes later fails under concurrency; an immediate one waits its turn."""
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
