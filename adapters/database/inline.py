"""Sessions on plain connections, for both databases (docs/adr/0011, 0117).

Statements run at once, in the thread that asks for them. A transaction waits for nothing but its database. It may give
way to others where it computes for long, by `sleep(0)`: that counts in the event loop, and does nothing in a thread.
"""

from collections.abc import Awaitable, Generator
from contextlib import closing, suppress
from types import coroutine
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine.result import IteratorResult
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.database.prepared import prepare_statement, select_by_key

T = TypeVar("T")
IS_AWAITED = "is_awaited"
"""Where a session that gives way keeps what tells whether others wait for the end of its transaction."""
_NOTHING: dict[str, Any] = {}


class Changed(NamedTuple):
    """How many rows a statement changed."""

    rowcount: int


class _Execution:
    """Gives listeners the cursor: they may count what is taken off it."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor


def run_on_cursor(connection: Connection, sql: str, values: Any, *, many: bool) -> Any:
    """Run a statement on a cursor of the driver, and return that. Raises as SQLAlchemy does, and tells whoever listens
    to its statements."""
    cursor = connection.connection.cursor()
    execution = _Execution(cursor)
    about = (connection, cursor, sql, values, execution, many)
    is_heard = connection._has_events or connection.engine._has_events
    try:
        for hear in connection.dispatch.before_cursor_execute if is_heard else ():
            hear(*about)
        (cursor.executemany if many else cursor.execute)(sql, values)
        for hear in connection.dispatch.after_cursor_execute if is_heard else ():
            hear(*about)
    except connection.dialect.loaded_dbapi.Error as problem:
        # A private method of SQLAlchemy, whose version is pinned: it hides values, and drops connections that broke.
        connection._handle_dbapi_exception(problem, sql, values, cursor, None)
    return execution.cursor


class InlineSession(AsyncSession):
    """An `AsyncSession` for the repositories whose methods never wait: statements run at once, prepared where they can
    be (adapters/database/prepared.py), and by the synchronous session within where not."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(expire_on_commit=False)
        self.sync_session.bind = engine
        self._dialect = engine.dialect
        self._connection: Connection | None = None

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement at once."""
        ran = self._run(*args)
        if ran is None:
            return self.sync_session.execute(*args, **kwargs)
        metadata, rows = ran
        return IteratorResult(metadata, iter(rows)) if metadata is not None else rows

    async def scalar(self, *args: Any, **kwargs: Any) -> Any:
        """Return the first value of the first row at once."""
        ran = self._run(*args)
        if ran is None:
            return self.sync_session.scalar(*args, **kwargs)
        return ran[1][0][0] if ran[1] else None

    async def scalars(self, *args: Any, **kwargs: Any) -> Any:
        """Return the first value of every row at once."""
        ran = self._run(*args)
        if ran is None:
            return self.sync_session.scalars(*args, **kwargs)
        return IteratorResult(ran[0], iter(ran[1])).scalars()

    async def get(self, entity: Any, ident: Any, **_: Any) -> Any:
        """Return an entity by its primary key, loaded once in a transaction; None when there is none."""
        key = ident if isinstance(ident, tuple) else (ident,)
        # The key that `identity_key` would take ten times as long to make.
        known = self.sync_session.identity_map.get((entity, key, None))
        if known is not None:
            return known
        return await self.scalar(select_by_key(entity), {f"key_{at}": value for at, value in enumerate(key)})

    async def flush(self, *args: Any, **kwargs: Any) -> None:
        if not self.sync_session._is_clean():
            self.sync_session.flush(*args, **kwargs)

    async def delete(self, instance: object) -> None:
        self.sync_session.delete(instance)

    def _run(self, statement: Any, given: Any = None) -> Any:
        """Run a prepared statement: its rows, with how to name what is in them, or how many rows it changed. None where
        SQLAlchemy has to execute it."""
        many = isinstance(given, list)
        first = (given[0] if many else given) or _NOTHING
        prepared, written = prepare_statement(statement, self._dialect, tuple(first))
        if prepared is None:
            return None
        session = self.sync_session
        if not session._is_clean():
            session.flush()
        if self._connection is None:
            self._connection = session.connection()
        values = [prepared.bind(one, written) for one in given] if many else prepared.bind(first, written)
        cursor = run_on_cursor(self._connection, prepared.sql, values, many=many)
        try:
            if prepared.is_query:
                return prepared.metadata, prepared.read(session, cursor)
            return None, Changed(cursor.rowcount)
        finally:
            cursor.close()


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
