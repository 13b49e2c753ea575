"""The sessions of a database, which everything on one engine shares: the units of work, and what Teams tells beside
them."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.inline import InlineSession

T = TypeVar("T")


class Sessions(Protocol):
    """Opens sessions, each in a transaction of its own."""

    async def run(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function in a transaction: committed when it returns, rolled back when it raises.

        It may wait for nothing but its session. Raises `Conflict` or `StorageUnavailable`, and `WaitedInTransaction`.
        """

    async def give_way(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function as `run` does, where transactions wait for each other after those of `run`."""

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
        found = _open_sessions(engine.url)
        _shared[engine.sync_engine] = found
        event.listen(engine.sync_engine, "engine_disposed", lambda _engine: found.dispose())
    return found


def _open_sessions(url: URL) -> Sessions:
    """Create the sessions of a database, without loading what only the other kind needs."""
    if url.get_backend_name() == "sqlite":
        from adapters.database.sqlite import InlineWriter

        return InlineWriter(str(url.database))
    from adapters.database.postgresql import PipelinedTransactions

    return PipelinedTransactions(url)
