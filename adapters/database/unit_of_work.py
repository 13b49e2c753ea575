"""Engines for a database URL, and the unit of work: one transaction over all repositories.

The core gets a `Begin`, a function that opens a unit of work. Its block is one transaction: committed when the block
ends, rolled back when it raises. Two ways to begin one hide behind the same type:

- SQLite has one writer. Transactions queue on a lock in this process, then take SQLite's write lock; they run one after
  the other.
- PostgreSQL runs transactions side by side, at READ COMMITTED. What must not happen at the same time takes row locks
  (`People.lock_movement`, `Deliveries.claim` and `lock`); what collides all the same raises `Conflict`, by a unique
  index or a revision, and `bot.transactions` runs it again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from adapters.database.postgresql import hide_row_values, set_session_timeouts, transaction
from adapters.database.repositories.connecting import SqlConnecting
from adapters.database.repositories.deliveries import SqlDeliveries
from adapters.database.repositories.doors import SqlDoors
from adapters.database.repositories.experiments import SqlExperiments
from adapters.database.repositories.feeds import SqlFeeds
from adapters.database.repositories.holdouts import SqlHoldouts
from adapters.database.repositories.magazines import SqlMagazines
from adapters.database.repositories.movements import SqlInitiatives, SqlMovements
from adapters.database.repositories.networks import SqlNetworkReader
from adapters.database.repositories.outside import SqlOutside
from adapters.database.repositories.page_sessions import SqlPageSessions
from adapters.database.repositories.people import SqlInbox, SqlPeople
from adapters.database.repositories.personal_files import SqlPersonalFiles
from adapters.database.repositories.rhythms import SqlRhythms
from adapters.database.repositories.rows import Rows
from adapters.database.repositories.stories import SqlStories
from adapters.database.repositories.stuck import SqlSteps, SqlStuck
from adapters.database.repositories.takeaways import SqlTakeaways
from adapters.database.sqlite import BEGIN_IMMEDIATE, async_opener, inline_writer
from adapters.libpq import connection_timeouts
from bot.domain.delivery import Delivery
from bot.domain.person import WorkspaceId
from bot.ports import Begin, NetworkReader, UnitOfWork
from bot.ports.repositories import (
    Connecting,
    Deliveries,
    Doors,
    Experiments,
    Feeds,
    Holdouts,
    Inbox,
    Initiatives,
    Magazines,
    Movements,
    Outside,
    PageSessions,
    People,
    PersonalFiles,
    Rhythms,
    Steps,
    Stories,
    Stuck,
    Takeaways,
)

Announce = Callable[[AsyncSession, Collection[WorkspaceId]], Awaitable[None]]
"""Enqueues drains of lanes within the transaction that made something due there."""
POOL_SIZE = 10
"""Connections to PostgreSQL, and so transactions at a time, of one process; more wait for a free connection."""
POOL_TIMEOUT = 2.0
"""Seconds to wait for a free connection. Slack wants its answer within 3."""


def connect(url: str) -> AsyncEngine:
    """Create the engine for an SQLAlchemy URL; nothing connects yet.

    Its errors, and so the logs, never contain what people typed.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        server = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT,
            connect_args=connection_timeouts(parsed),
        )
        hide_row_values(server.sync_engine)
        set_session_timeouts(server.sync_engine)
        return server
    engine = create_async_engine(url, hide_parameters=True, async_creator=async_opener(parsed.database or ":memory:"))
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(BEGIN_IMMEDIATE))
    return engine


class SqlUnitOfWork:
    """One transaction over all repositories; they share its session, and deliveries their `Rows`."""

    def __init__(self, session: AsyncSession, networks: NetworkReader) -> None:
        self._session = session
        self.networks: NetworkReader = networks
        self._rows = Rows(session)
        self.woken: set[WorkspaceId] = set()
        self.answer: Delivery | None = None
        self.inbox: Inbox = SqlInbox(session)
        self.people: People = SqlPeople(session)
        self.movements: Movements = SqlMovements(session)
        self.initiatives: Initiatives = SqlInitiatives(session)
        self.stuck: Stuck = SqlStuck(session)
        self.steps: Steps = SqlSteps(session)
        self.experiments: Experiments = SqlExperiments(session)
        self.stories: Stories = SqlStories(session, self._rows)
        self.connecting: Connecting = SqlConnecting(session)
        self._rhythms = SqlRhythms(session)
        self.rhythms: Rhythms = self._rhythms
        self.sessions: PageSessions = SqlPageSessions(session)
        self.files: PersonalFiles = SqlPersonalFiles(session)
        self.feeds: Feeds = SqlFeeds(session)
        self.outside: Outside = SqlOutside(session)
        self.doors: Doors = SqlDoors(session)
        self.takeaways: Takeaways = SqlTakeaways(session)
        self.holdouts: Holdouts = SqlHoldouts(session)
        self.magazines: Magazines = SqlMagazines(session)
        self.deliveries: Deliveries = SqlDeliveries(session, self._rows, self.woken)

    async def flush(self) -> None:
        await self._session.flush()
        await self._rows.write()
        await self._rhythms.write()

    async def delete(self, entity: object) -> None:
        await self._session.delete(entity)


def unit_of_work(engine: AsyncEngine, announce: Announce | None = None) -> Begin:
    """Return the function with which the core begins a transaction.

    With `announce` (PostgreSQL only), drains of the lanes it made due are enqueued in the same transaction.
    """
    return _begin_on_sqlite(engine) if engine.dialect.name == "sqlite" else _begin_on_postgresql(engine, announce)


def _begin_on_postgresql(engine: AsyncEngine, announce: Announce | None) -> Begin:
    networks = SqlNetworkReader(engine.url)

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with transaction(engine) as session:
            work = SqlUnitOfWork(session, networks)
            yield work
            await work.flush()
            # Within the transaction: a drain is enqueued exactly when what it is for is saved. Last in it: others that
            # enqueue the same lane wait until this transaction ends.
            if announce is not None and work.woken:
                await announce(session, work.woken)

    return begin


def _begin_on_sqlite(engine: AsyncEngine) -> Begin:
    writer = inline_writer(engine)
    networks = SqlNetworkReader(engine.url)

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with writer.transaction() as session:
            work = SqlUnitOfWork(session, networks)
            yield work
            await work.flush()

    return begin
