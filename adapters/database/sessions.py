"""The sessions of a database, which everything on one engine shares: the units of work, and what Teams tells beside
them."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.inline import InlineSession
from adapters.database.postgresql import TransactionThreads
from adapters.database.sqlite import InlineWriter

T = TypeVar("T")


class Sessions(Protocol):
    """Opens sessions, each in a transaction of its own."""

    async def run(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function in a transaction: committed when it returns, rolled back when it raises.

        It may wait for nothing but its session. Raises `Conflict` or `StorageUnavailable`, and `WaitedInTransaction`.
        """

    async def read(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function that only reads in a transaction, outside the event loop. Raises as `run` does."""

    def begin(self) -> AbstractAsyncContextManager[InlineSession]:
        """Open a transaction as a block, whose statements run in this thread."""

    def dispose(self) -> None:
        """Close the connections that are not in use."""


_shared: WeakKeyDictionary[Engine, Sessions] = WeakKeyDictionary()


def sessions(engine: AsyncEngine) -> Sessions:
    """Return the sessions that everything on this engine shares; they are disposed with it."""
    found = _shared.get(engine.sync_engine)
    if found is None:
        is_file = engine.dialect.name == "sqlite"
        found = InlineWriter(str(engine.url.database)) if is_file else TransactionThreads(engine.url)
        _shared[engine.sync_engine] = found
        event.listen(engine.sync_engine, "engine_disposed", lambda _engine: found.dispose())
    return found
