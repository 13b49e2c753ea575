"""PostgreSQL as this service needs it: nobody waits for ever, and what it says of a row is without what that holds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.database.errors import translate_errors

OF_ITSELF = ("08", "28", "3D", "42501", "53", "57", "58")
"""Beginnings of the SQLSTATE of what PostgreSQL says of itself, of who asks and of its machine: never of a row."""

CONNECT_TIMEOUTS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""How long a server or a network may be silent before it counts as gone: some ten seconds. Parameters of PostgreSQL's
own library: seconds, but for `tcp_user_timeout` (milliseconds)."""


SESSION_TIMEOUTS = {
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
"""Settings of PostgreSQL for our connections: how long one waits for what another holds, and after how long it lets go
of what is held by somebody it hears no more of."""


def connection_timeouts(url: URL) -> dict[str, int]:
    """How a connection to this address is to be opened, so that nobody waits for one that hangs. What the address says
    itself holds."""
    return {name: limit for name, limit in CONNECT_TIMEOUTS.items() if name not in url.query}


def limit_waiting(engine: Engine) -> None:
    """From now on nobody waits for ever for what somebody else holds. Set on each connection rather than asked for when
    it is opened, which a pooler refuses. What the address says itself holds."""
    said = str(engine.url.query.get("options", ""))
    settings = "; ".join(f"SET {name} = '{value}'" for name, value in SESSION_TIMEOUTS.items() if name not in said)

    def opened(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(settings)
        cursor.close()
        connection.commit()

    if settings:
        event.listen(engine, "connect", opened)


NO_TIMEOUTS = "SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
"""For who changes tables: others wait for that as long as it takes, and it for them."""


def keep_quiet(engine: Engine) -> None:
    """From now on its errors say what was wrong and where, but nothing of what stands in a row: PostgreSQL quotes it in
    its sentences, and errors are logged."""
    event.listen(engine, "handle_error", _without_values)


def _without_values(context: ExceptionContext) -> None:
    problem = context.original_exception
    if not isinstance(problem, psycopg.Error) or context.connection is None:  # nothing was asked yet
        return
    said = _harmless(problem)
    problem.args = (said,)  # it is the cause of the other, and stands in the same traceback
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(problem).__module__}.{type(problem).__name__}) {said}",)


def _harmless(problem: psycopg.Error) -> str:
    kind, state, about = type(problem).__name__, problem.sqlstate, problem.diag
    if state is None:  # said by the driver: of the connection, or of a value
        return str(problem) if isinstance(problem, psycopg.OperationalError) else kind
    if state.startswith(OF_ITSELF):
        return about.message_primary or kind
    column = ".".join(name for name in (about.table_name, about.column_name) if name)
    where = about.constraint_name or column
    return f"{kind}, SQLSTATE {state}" + (f": {where}" if where else "")


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """Open a session in a transaction. Raises `Conflict` when it lost a race, and `StorageUnavailable` when the
    database does not answer."""
    with translate_errors():
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield session


async def time_of(engine: AsyncEngine) -> datetime:
    """What time it is in the database (UTC)."""
    async with engine.connect() as connection:
        moment = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)  # type: ignore[no-any-return]  # a driver's row
