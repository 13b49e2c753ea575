"""PostgreSQL settings and transactions: bounded waiting, and error messages without the values of rows.

Transactions run at READ COMMITTED. Conflicts are prevented by row locks (a movement's row, due deliveries) and detected
by revisions and unique indexes: see docs/adr/0080 and the repositories.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.database.errors import translate_errors

SERVER_SQLSTATES = ("08", "28", "3D", "42501", "53", "57", "58")
"""SQLSTATE prefixes of errors about connections, logins, permissions, resources and the server itself. Their messages
never quote a row, so they are kept."""

SESSION_TIMEOUTS = {
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
"""Server settings for each of our connections: how long to wait for a lock, and after how long the server ends a
transaction (and so frees its locks) whose client is silent or gone."""
NO_TIMEOUTS = "SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
"""For migrations: they wait for others, and others for them, as long as it takes. LOCAL: until the transaction ends."""


def set_session_timeouts(engine: Engine) -> None:
    """Apply `SESSION_TIMEOUTS` to every connection of this engine from now on, except what its URL sets itself.

    With SET after connecting: a connection pooler between us and the server refuses them as connection options.
    """
    said = str(engine.url.query.get("options", ""))
    settings = "; ".join(f"SET {name} = '{value}'" for name, value in SESSION_TIMEOUTS.items() if name not in said)

    def set_timeouts(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(settings)
        cursor.close()
        connection.commit()  # SET is undone by a rollback

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


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """Open a session in a transaction, committed at the end. Raises `Conflict` when it lost a race, and
    `StorageUnavailable` when the database does not answer; also on commit, where deferred foreign keys are checked."""
    with translate_errors():
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield session


async def database_time(engine: AsyncEngine) -> datetime:
    """Return the current time of the database server (UTC)."""
    async with engine.connect() as connection:
        # Not now(), which is the moment the transaction began.
        moment = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)  # type: ignore[no-any-return]  # a driver's row
