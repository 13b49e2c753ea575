"""Sessions on plain connections, for both databases (docs/adr/0011, 0117).

Statements run at once, in the thread that asks for them. A transaction waits for nothing but its database. It may give
way to others where it computes for long, by `sleep(0)`: that counts in the event loop, and does nothing in a thread.
"""

from collections.abc import Awaitable, Generator
from contextlib import closing, suppress
from types import coroutine
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")


class InlineSession(AsyncSession):
    """An `AsyncSession` for the repositories whose methods never wait: they call the synchronous session within."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(expire_on_commit=False)
        self.sync_session.bind = engine

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement at once."""
        return self.sync_session.execute(*args, **kwargs)

    async def scalar(self, *args: Any, **kwargs: Any) -> Any:
        """Return the first value of the first row at once."""
        return self.sync_session.scalar(*args, **kwargs)

    async def scalars(self, *args: Any, **kwargs: Any) -> Any:
        """Return the first value of every row at once."""
        return self.sync_session.scalars(*args, **kwargs)

    async def get(self, *args: Any, **kwargs: Any) -> Any:
        return self.sync_session.get(*args, **kwargs)

    async def flush(self, *args: Any, **kwargs: Any) -> None:
        self.sync_session.flush(*args, **kwargs)

    async def delete(self, instance: object) -> None:
        self.sync_session.delete(instance)


class WaitedInTransaction(RuntimeError):
    """A transaction waited for something that is not its database: a bug, whatever it waited for."""


@coroutine
def in_turns(act: Awaitable[T]) -> Generator[None, None, T]:
    """Run a transaction's function to its end, giving way to others only where it asks for that by `sleep(0)`. Raises
    `WaitedInTransaction`, from where it waits, if it does."""
    with closing(act.__await__()) as steps:
        while True:
            try:
                waits_for = next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # of this type by what an Awaitable is
            if waits_for is not None:
                problem = WaitedInTransaction("a transaction waited for something other than its database")
                with suppress(StopIteration):  # when whoever waits takes it for another error
                    steps.throw(problem)
                raise problem
            yield


def at_once(act: Awaitable[T]) -> T:
    """Run a transaction's function to its end, in a thread, where there is nobody to give way to. Raises as
    `in_turns` does."""
    steps = in_turns(act)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # as above
