"""Connections, and one transaction per intent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from adapters.database.postgresql import connection_timeouts, keep_quiet, limit_waiting, transaction
from adapters.database.repositories.connecting import SqlConnecting
from adapters.database.repositories.deliveries import SqlDeliveries
from adapters.database.repositories.movements import SqlInitiatives, SqlMovements
from adapters.database.repositories.people import SqlInbox, SqlPeople
from adapters.database.repositories.rhythms import SqlRhythms
from adapters.database.repositories.rows import Rows
from adapters.database.repositories.stories import SqlStories
from adapters.database.repositories.stuck import SqlSteps, SqlStuck
from adapters.database.sqlite import BEGIN, inline_engine, inline_transaction, opener
from bot.domain.person import WorkspaceId
from bot.ports import Begin, UnitOfWork
from bot.ports.repositories import (
    Connecting,
    Deliveries,
    Inbox,
    Initiatives,
    Movements,
    People,
    Rhythms,
    Steps,
    Stories,
    Stuck,
)

Announce = Callable[[AsyncSession, Collection[WorkspaceId]], Awaitable[None]]
"""Tells, within the transaction that made it so, that there is something to send in these lanes."""
CONNECTIONS = 10
"""How many transactions a process has under way at most, on PostgreSQL; the others wait their turn."""
TURN = 2.0
"""Seconds to wait for that: Slack waits for 3."""


def connect(url: str) -> AsyncEngine:
    """An engine for an SQLAlchemy URL. On SQLite: WAL, foreign keys, and writers that queue instead of failing.

    What people typed stays out of its errors, and so out of logs."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        server = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=TURN,
            connect_args=connection_timeouts(parsed),
        )
        keep_quiet(server.sync_engine)
        limit_waiting(server.sync_engine)
        return server
    engine = create_async_engine(url, hide_parameters=True, async_creator=opener(parsed.database or ":memory:"))
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(BEGIN))
    return engine


class SqlUnitOfWork:
    """One transaction over all repositories."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._rows = Rows(session)
        self.woken: set[WorkspaceId] = set()
        self.inbox: Inbox = SqlInbox(session)
        self.people: People = SqlPeople(session)
        self.movements: Movements = SqlMovements(session)
        self.initiatives: Initiatives = SqlInitiatives(session)
        self.stuck: Stuck = SqlStuck(session)
        self.steps: Steps = SqlSteps(session)
        self.stories: Stories = SqlStories(session, self._rows)
        self.connecting: Connecting = SqlConnecting(session)
        self._rhythms = SqlRhythms(session)
        self.rhythms: Rhythms = self._rhythms
        self.deliveries: Deliveries = SqlDeliveries(session, self._rows, self.woken)

    async def flush(self) -> None:
        await self._session.flush()
        await self._rows.write()
        await self._rhythms.write()

    async def delete(self, entity: object) -> None:
        await self._session.delete(entity)


def unit_of_work(engine: AsyncEngine, announce: Announce | None = None) -> Begin:
    """How the core begins a transaction. With `announce` (on PostgreSQL only), what it makes due is told within it."""
    return _inline(engine) if engine.dialect.name == "sqlite" else _awaited(engine, announce)


def _awaited(engine: AsyncEngine, announce: Announce | None) -> Begin:
    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with transaction(engine) as session:
            work = SqlUnitOfWork(session)
            yield work
            await work.flush()
            if announce is not None and work.woken:
                await announce(session, work.woken)

    return begin


def _inline(engine: AsyncEngine) -> Begin:
    # SQLite has one writer. Inside this process they queue fairly here, rather than by polling SQLite's lock.
    turn = asyncio.Lock()
    plain = inline_engine(str(engine.url.database))
    event.listen(engine.sync_engine, "engine_disposed", lambda _engine: plain.dispose())

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with turn, inline_transaction(plain) as session:
            work = SqlUnitOfWork(session)
            yield work
            await work.flush()

    return begin
