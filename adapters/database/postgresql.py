"""PostgreSQL settings and transactions: bounded waiting, and error messages without the values of rows.

Transactions run at READ COMMITTED. Conflicts are prevented by row locks (a movement's row, due deliveries) and detected
by revisions and unique indexes: see docs/adr/0080 and the repositories.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only, greenlet_spawn
from sqlalchemy.util.concurrency import in_greenlet

from adapters.database.errors import translate_errors
from adapters.database.inline import InlineSession, KeptConnections, at_once, open_session
from adapters.database.pipelining import PipelinedConnection, PipelinedCursor
from adapters.database.types import read_json
from adapters.libpq import connection_timeouts
from bot.ports import StorageUnavailable

T = TypeVar("T")
TRANSACTIONS = 8
"""Transactions at a time of one process, each on a connection of its own; more wait for their turn."""
BESIDE = 2
"""Connections of one process for everything else: health, the clock, metrics, and what platforms keep themselves."""
PREPARED_STATEMENTS = 500
"""Statements that the server keeps planned for a connection. With psycopg's hundred, those of some commands would drive
each other out, and letting one go is a trip."""
POOL_TIMEOUT = 2.0
"""Seconds to wait for a free connection. Slack wants its answer within 3."""

SERVER_SQLSTATES = ("08", "28", "3D", "42501", "53", "57", "58")
"""SQLSTATE prefixes of errors about connections, logins, permissions, resources and the server itself. Their messages
never quote a row, so they are kept."""

SESSION_SETTINGS = {
    "TimeZone": "UTC",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
"""Server settings for each of our connections: moments come as they are used, in UTC; how long to wait for a lock, and
after how long the server ends a transaction (and so frees its locks) whose client is silent or gone."""
NO_TIMEOUTS = "SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
"""For migrations: they wait for others, and others for them, as long as it takes. LOCAL: until the transaction ends."""

READ_ONLY = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
"""Begins a transaction that sees one moment, and takes no locks."""


def connection_settings(url: URL) -> dict[str, Any]:
    """Return the arguments of every engine of this database, of either kind."""
    return {"hide_parameters": True, "json_deserializer": read_json, "connect_args": connection_timeouts(url)}


def pool_settings(size: int) -> dict[str, Any]:
    """Return the arguments of an engine that keeps so many connections, and never has more."""
    return {"pool_size": size, "max_overflow": 0, "pool_timeout": POOL_TIMEOUT}


def prepare_connections(engine: Engine) -> None:
    """Bound how long this engine's connections wait, and keep values of rows out of its errors."""
    hide_row_values(engine)
    set_session_settings(engine)


def set_session_settings(engine: Engine) -> None:
    """Apply `SESSION_SETTINGS` to every connection of this engine from now on, except what its URL sets itself.

    With a statement after connecting: a connection pooler between us and the server refuses them as connection options.
    """
    said = str(engine.url.query.get("options", ""))
    settings = ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in SESSION_SETTINGS.items() if name not in said
    )

    def set_timeouts(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SELECT {settings}")
        cursor.close()
        connection.commit()  # settings are undone by a rollback

    if settings:
        event.listen(engine, "connect", set_timeouts)


def hide_row_values(engine: Engine) -> None:
    """Make this engine's errors name what went wrong and where, without values: PostgreSQL quotes rows in its messages,
    what people wrote among them, and errors are logged."""
    event.listen(engine, "handle_error", _remove_values)


def _remove_values(context: ExceptionContext) -> None:
    problem = context.original_exception
    if not isinstance(problem, psycopg.Error) or context.connection is None:  # connecting failed: no statement yet
        return
    message = _safe_message(problem)
    problem.args = (message,)  # as the cause of SQLAlchemy's exception it is in the same traceback
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(problem).__module__}.{type(problem).__name__}) {message}",)


def _safe_message(problem: psycopg.Error) -> str:
    """Word an error from its class, SQLSTATE and constraint or column only."""
    kind, state, about = type(problem).__name__, problem.sqlstate, problem.diag
    if state is None:  # from the driver, about the connection or about a value
        return str(problem) if isinstance(problem, psycopg.OperationalError) else kind
    if state.startswith(SERVER_SQLSTATES):
        return about.message_primary or kind
    column = ".".join(name for name in (about.table_name, about.column_name) if name)
    where = about.constraint_name or column
    return f"{kind}, SQLSTATE {state}" + (f": {where}" if where else "")


class PipelinedTransactions:
    """Runs transactions side by side in the event loop, each on a connection of its own: while one waits for the
    database, others go on (docs/adr/0125).

    Each runs in a greenlet, as statements through SQLAlchemy's asynchronous layer do, but whole: nothing in between
    knows of it, and the connection switches to others where it waits.
    """

    def __init__(self, url: URL) -> None:
        self._engine = create_engine(url, poolclass=NullPool, **connection_settings(url))
        event.listen(self._engine, "do_connect", _open_pipeline)
        prepare_connections(self._engine)
        self._turns, self._reading = asyncio.Semaphore(TRANSACTIONS), asyncio.Lock()
        self._connections = KeptConnections(self._connect)
        # Of its own: a server that is silent holds up nobody else who needs a thread.
        self._connecting = ThreadPoolExecutor(TRANSACTIONS, thread_name_prefix="connecting")

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[InlineSession]:
        """Open a session in a transaction, in this thread, which every statement holds up; committed at the end.

        Raises as `run` does.
        """
        with self._open() as session:
            yield session

    async def run(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function in a transaction. Raises `Conflict` when it lost a race, and `StorageUnavailable` when the
        database does not answer, or no connection is free for too long.

        Cancelled, it still ends with its transaction: rolled back, unless it was being committed.
        """
        await self._take_turn()
        try:
            return await greenlet_spawn(self._run_here, act, _give_way)
        finally:
            self._turns.release()

    async def give_way(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function as `run` does: transactions here do not queue behind each other."""
        return await self.run(act)

    async def read(self, act: Callable[[InlineSession], Awaitable[T]]) -> T:
        """Run a function that only reads, at one moment, in a thread, when no other reads so: it may take seconds, and
        others need the connections."""

        async def reading(session: InlineSession) -> T:
            await session.execute(text(READ_ONLY))
            result = await act(session)
            session.expunge_all()  # nothing is kept
            return result

        async with self._reading:
            await self._take_turn()
            try:
                loop = asyncio.get_running_loop()
                return await _finish(loop.run_in_executor(None, copy_context().run, self._run_here, reading))
            finally:
                self._turns.release()

    async def _take_turn(self) -> None:
        try:
            # One that is free is taken at once, without a timer.
            async with asyncio.timeout(POOL_TIMEOUT) if self._turns.locked() else nullcontext():
                await self._turns.acquire()
        except TimeoutError:
            raise StorageUnavailable("every connection is in use") from None

    def _run_here(self, act: Callable[[InlineSession], Awaitable[T]], *give_way: Callable[[], object]) -> T:
        with ExitStack() as at_end, self._open() as session:
            driver: PipelinedConnection = session.driver
            at_end.callback(driver.unwatch)
            at_end.callback(driver.raise_cancellation)  # whatever else went wrong, and after a commit
            result = at_once(act(session), *give_way)
            driver.raise_cancellation()
        return result

    @contextmanager
    def _open(self) -> Iterator[InlineSession]:
        # Around the commit, too: deferred foreign keys are checked there.
        with translate_errors(), self._connections.take() as connection, open_session(connection) as session:
            yield session

    def _connect(self) -> Connection:
        return await_only(self._connect_beside()) if in_greenlet() else self._engine.connect()

    async def _connect_beside(self) -> Connection:
        """Open a connection in a thread, as connecting holds its thread up. Who is cancelled meanwhile waits for it:
        it is then there for others."""
        connecting = asyncio.get_running_loop().run_in_executor(self._connecting, self._engine.connect)
        try:
            return await _finish(connecting)
        except asyncio.CancelledError:
            if connecting.exception() is None:
                self._connections.add(connecting.result())
            raise

    def dispose(self) -> None:
        """Close the connections: those that are in use when their transactions end."""
        self._connections.close()


def _open_pipeline(_dialect: object, _record: object, given: list[Any], settings: dict[str, Any]) -> Any:
    connection = PipelinedConnection.connect(*given, **settings, autocommit=True, cursor_factory=PipelinedCursor)
    connection.prepared_max = PREPARED_STATEMENTS
    return connection


def _give_way() -> None:
    """Let others go on in the event loop."""
    await_only(asyncio.sleep(0))


async def _finish(running: asyncio.Future[T]) -> T:
    """Return the result of what runs in a thread. Who is cancelled meanwhile, however often, waits until it is done."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        running.exception()  # or asyncio logs that nobody looked at it
        raise


async def database_time(engine: AsyncEngine) -> datetime:
    """Return the current time of the database server (UTC)."""
    async with engine.connect() as connection:
        # Not now(), which is the moment the transaction began.
        moment = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)  # type: ignore[no-any-return]  # a driver's row
