"""Sessions on plain connections, for both databases (docs/adr/0011, 0117).

Statements run at once, where they are asked for. A transaction waits for nothing but its database. It may give way to
others where it computes for long, by `sleep(0)`: that counts in the event loop, and does nothing in a thread.
"""

from asyncio import sleep
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from types import coroutine
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine.result import IteratorResult
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.exc import StaleDataError

from adapters.database.prepared import Prepared, prepare_statement, select_by_key
from adapters.database.saving import save

T = TypeVar("T")
IS_AWAITED = "is_awaited"
"""Where a session that gives way keeps what tells whether others wait for the end of its transaction."""
_NOTHING: dict[str, Any] = {}
_CHECKED = "WITH changed AS ({sql} RETURNING 1) SELECT 1 / (count(*) = {expects})::int FROM changed"
"""An update that fails on PostgreSQL (DivisionByZero, a lost race) unless it changes so many rows: with its result
unawaited, nobody but the database can tell before the commit."""


class Changed(NamedTuple):
    """How many rows a statement changed."""

    rowcount: int


class FirstColumn(list[Any]):
    """The first value of every row: what of SQLAlchemy's result is asked for, which takes longer to make."""

    def all(self) -> list[Any]:
        """Return all values."""
        return self


class _Execution:
    """Gives listeners the cursor: they may count what is taken off it."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor


def run_statement(connection: Connection, sql: str, values: Any, many: bool = False, *, posts: bool = False) -> Any:
    """Run a statement on a cursor of the driver, and return that; with `posts`, let the driver run it with the next.
    Raises as SQLAlchemy does, and tells whoever listens to its statements."""
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor()
    try:
        if connection._has_events or connection.engine._has_events:
            return _run_and_tell(connection, cursor, sql, values, many, posts=posts)
        _run(driver, cursor, sql, values, many, posts=posts)
    except connection.dialect.loaded_dbapi.Error as problem:
        # A private method of SQLAlchemy, whose version is pinned: it hides values, and drops connections that broke.
        connection._handle_dbapi_exception(problem, sql, values, cursor, None)
    return cursor


def _run_and_tell(connection: Connection, cursor: Any, sql: str, values: Any, many: bool, *, posts: bool) -> Any:
    """Run a statement, and tell who listens to those of a connection. Returns the cursor they leave."""
    execution = _Execution(cursor)
    about = (connection, cursor, sql, values, execution, many)
    for hear in connection.dispatch.before_cursor_execute:
        hear(*about)
    _run(connection.connection.driver_connection, cursor, sql, values, many, posts=posts)
    for hear in connection.dispatch.after_cursor_execute:
        hear(*about)
    return execution.cursor


def _run(driver: Any, cursor: Any, sql: str, values: Any, many: bool, *, posts: bool) -> None:
    if posts:
        driver.post(cursor, sql, values, many=many)
    elif many:
        cursor.executemany(sql, values)
    else:
        cursor.execute(sql, values)


def post_beside(connection: Connection, statement: Any, given: Any = None) -> None:
    """Execute a statement whose result nobody awaits, for those who hear what a session writes: on PostgreSQL in one
    trip with the next."""
    prepared, written = prepare_statement(statement, connection.dialect, tuple(given or ()))
    if prepared is None:
        connection.execute(statement, given)
    else:
        posts = connection.dialect.name == "postgresql"
        run_statement(connection, prepared.sql, prepared.bind(given or _NOTHING, written), posts=posts)


class InlineSession(AsyncSession):
    """An `AsyncSession` for the repositories whose methods never wait: statements run at once, prepared where they can
    be (adapters/database/prepared.py), and by the synchronous session within where not. To be opened by
    `open_session`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(expire_on_commit=False)
        self.sync_session.bind = connection
        self.dialect = connection.dialect
        self._connection = connection
        self._pipelines = self.dialect.name == "postgresql"
        self._gathers = False
        self._found: list[Any] = []

    @property
    def driver(self) -> Any:
        """The driver's connection."""
        return self._connection.connection.driver_connection

    if not TYPE_CHECKING:  # their types are those of `AsyncSession`

        async def execute(self, statement: Any, given: Any = None) -> Any:
            """Execute a statement at once."""
            ran = await self._ask(statement, given)
            if ran is None:
                return self.sync_session.execute(statement, given)
            metadata, rows = ran
            return IteratorResult(metadata, iter(rows)) if metadata is not None else rows

        async def scalar(self, statement: Any, given: Any = None) -> Any:
            """Return the first value of the first row at once."""
            ran = await self._ask(statement, given)
            if ran is None:
                return self.sync_session.scalar(statement, given)
            return ran[1][0][0] if ran[1] else None

        async def scalars(self, statement: Any, given: Any = None) -> Any:
            """Return the first value of every row at once."""
            ran = await self._ask(statement, given)
            if ran is None:
                return self.sync_session.scalars(statement, given)
            return FirstColumn([row[0] for row in ran[1]])

        async def get(self, entity: Any, ident: Any) -> Any:
            """Return an entity by its primary key, loaded once in a transaction; None when there is none."""
            key = ident if isinstance(ident, tuple) else (ident,)
            # The key that `identity_key` would take ten times as long to make.
            known = self.sync_session.identity_map.get((entity, key, None))
            if known is not None:
                return None if instance_state(known) in self.sync_session._deleted else known
            found = await self.scalar(select_by_key(entity), {f"key_{at}": value for at, value in enumerate(key)})
            self._found.append(found)  # the identity map, which holds it weakly, is to have it when it is asked again
            return found

        async def run_sync(self, run: Callable[..., T], *given: Any, **named: Any) -> T:
            """Run a function with the synchronous session at once."""
            return run(self.sync_session, *given, **named)

    async def fetch_rows(self, statement: Any, given: Any = None) -> Sequence[tuple[Any, ...]]:
        """Return the rows of a query as they are: to name what is in them takes longer than to ask for them."""
        ran = await self._ask(statement, given)
        if ran is None:
            return [tuple(row) for row in self.sync_session.execute(statement, given)]
        rows: list[tuple[Any, ...]] = ran[1]
        return rows

    async def flush(self, *_: Any) -> None:
        self.flush_at_once()

    async def delete(self, instance: object) -> None:
        self.sync_session.delete(instance)

    async def post(self, statement: Any, given: Any = None, *, expects: int | None = None) -> None:
        """Execute a statement whose result nobody awaits: on PostgreSQL in one trip with the next, or with the commit.

        With `expects`, it is a lost race (`Conflict`) unless it changes so many rows, each time that it is executed.
        """
        self.flush_at_once()
        self._post(statement, given, expects=expects)

    async def send(self) -> None:
        """Await what was posted."""
        if self._pipelines:
            connection = self._connection
            try:
                connection.connection.send()
            except connection.dialect.loaded_dbapi.Error as problem:
                connection._handle_dbapi_exception(problem, None, None, None, None)  # as in `run_statement`

    async def together(self, *asks: Awaitable[Any]) -> list[Any]:
        """Await look-ups side by side, and return their results: on PostgreSQL all that they ask at a time goes in one
        trip, with what is asked beside them by those who gather around this."""
        if not self._pipelines:  # one after the other, so that whoever computes for long can give way
            try:
                return [await ask for ask in asks]
            except BaseException:
                for ask in asks:
                    ask.__await__().close()
                raise
        running = {at: ask.__await__() for at, ask in enumerate(asks)}
        results: list[Any] = [None] * len(asks)
        was, self._gathers = self._gathers, True
        try:
            while running:
                for at, steps in [*running.items()]:
                    try:
                        next(steps)
                    except StopIteration as end:
                        results[at] = end.value
                        del running[at]
                if running and (was or not self.driver.has_posted):
                    await sleep(0)  # until the outer one made the trip, or to others, where nobody asks anything
                elif running:
                    await self.send()
        finally:
            try:
                for steps in running.values():
                    steps.close()
            finally:
                self._gathers = was  # after them: one that gathers sets it as it closes
        return results

    def post_sql(self, sql: str, values: Any) -> None:
        """Execute SQL of PostgreSQL whose result nobody awaits."""
        run_statement(self._connection, sql, values, posts=True)

    def run_sql(self, sql: str, rows: Sequence[Any]) -> int:
        """Execute SQL of the driver once for each row of values, and return how many rows that changed."""
        changed: int = run_statement(self._connection, sql, rows, many=True).rowcount
        return changed

    def flush_at_once(self) -> None:
        """Write what is new or changed."""
        if not self.sync_session._is_clean():
            save(self.sync_session, self._connection, self._post)

    def _post(self, statement: Any, given: Any = None, *, expects: int | None = None) -> None:
        prepared, values, many = self._bind(statement, given)
        if prepared is None:
            changed = self._connection.execute(statement, given).rowcount
        elif self._pipelines:
            sql = prepared.sql if expects is None else _CHECKED.format(sql=prepared.sql, expects=expects)
            run_statement(self._connection, sql, values, many, posts=True)
            return
        else:
            changed = run_statement(self._connection, prepared.sql, values, many).rowcount
        if expects is not None and changed != expects * (len(given) if many else 1):
            raise StaleDataError("a row was changed by somebody else meanwhile")

    async def _ask(self, statement: Any, given: Any = None) -> Any:
        """Run a prepared statement: its rows, with how to name what is in them, or how many rows it changed. None where
        SQLAlchemy has to execute it."""
        prepared, values, many = self._bind(statement, given)
        self.flush_at_once()
        if prepared is None:
            return None
        cursor = run_statement(self._connection, prepared.sql, values, many, posts=self._gathers)
        if self._gathers:
            await sleep(0)  # until `together` made the trip
        try:
            if prepared.is_query:
                return prepared.metadata, prepared.read(self.sync_session, cursor)
            return None, Changed(cursor.rowcount)
        finally:
            cursor.close()

    def _bind(self, statement: Any, given: Any) -> tuple[Prepared | None, Any, bool]:
        """Prepare a statement and its values, of one execution or of many."""
        many = isinstance(given, list)
        first = (given[0] if many else given) or _NOTHING
        prepared, written = prepare_statement(statement, self.dialect, tuple(first))
        if prepared is None:
            return None, None, many
        return prepared, [prepared.bind(one, written) for one in given] if many else prepared.bind(first, written), many


@contextmanager
def open_session(connection: Connection) -> Iterator[InlineSession]:
    """Open a session in a transaction on this connection, committed at the end.

    The session joins the connection's transaction where SQLAlchemy has to execute something: one of its own takes
    longer to begin and commit than SQLite does. Raises `PendingRollbackError` when that failed before, whoever caught
    it.
    """
    session = InlineSession(connection)
    with connection.begin() as transaction, session.sync_session as sync_session:
        yield session
        session.flush_at_once()
        if not sync_session.is_active or not sync_session._is_clean():  # a listener changed something else
            sync_session.commit()
        try:
            transaction.commit()
        except BaseException:
            transaction.rollback()  # or SQLAlchemy takes the connection for one that is still in it
            raise


class KeptConnections:
    """Keeps connections open from one transaction to the next: SQLAlchemy's pool looks at each as it comes and goes,
    which takes longer than SQLite takes for a statement. Its driver's connections tell whether they are
    `in_transaction`."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._idle: list[Connection] = []

    @contextmanager
    def take(self) -> Iterator[Connection]:
        """Take one that is idle, or open one. It is put back, unless it is in the middle of something, or all were
        closed meanwhile."""
        idle = self._idle
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            if connection.invalidated:
                self.close()  # the server is gone, and with it those that are idle
            if idle is self._idle and _is_free(connection):
                idle.append(connection)
            else:
                connection.close()

    def add(self, connection: Connection) -> None:
        """Keep one more."""
        self._idle.append(connection)

    def close(self) -> None:
        """Close them: those that are in use when they are put back."""
        idle, self._idle = self._idle, []
        with suppress(IndexError):
            while True:  # one by one: who took the list before, perhaps in another thread, may still take one
                idle.pop().close()


def _is_free(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    return connection.get_transaction() is None and not driver.in_transaction


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


def at_once(act: Awaitable[T], give_way: Callable[[], object] = lambda: None) -> T:
    """Run a transaction's function to its end, where nobody can await it. Where it would give way to others, that is
    `give_way`; in a thread of its own there is nobody. Raises as `in_turns` does."""
    with closing(in_turns(act)) as steps:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # as above
            give_way()
