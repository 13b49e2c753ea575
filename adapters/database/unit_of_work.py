"""Engines for a database URL, and the unit of work: one transaction over all repositories.

The core gets a `Transact`, which runs a function with a unit of work. That is one transaction: committed when the
function returns, rolled back when it raises. It runs at once, on a plain connection, and waits for nothing else
(docs/adr/0117, 0125). How depends on the database:

- SQLite has one writer. Transactions queue on a lock in this process, then take SQLite's write lock; they run one after
  the other, in the event loop.
- PostgreSQL runs transactions side by side in the event loop, at READ COMMITTED: while one waits for the database,
  others go on. What must not happen at the same time takes row locks (`People.lock_movement`, `Deliveries.claim` and
  `lock`); what collides all the same raises `Conflict`, by a unique index or a revision, and `bot.transactions` runs it
  again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Executable, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.database.inline import IS_AWAITED, InlineSession
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
from adapters.database.sessions import Sessions, sessions
from bot.catalogue.base import Entry
from bot.domain.delivery import Delivery
from bot.domain.person import WorkspaceId
from bot.ports import NetworkReader, UnitOfWork
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

T = TypeVar("T")
Begin = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
"""Opens a transaction as a block; see `UnitsOfWork.begin`."""
Announce = Callable[[Callable[[str, Any], object], Collection[WorkspaceId]], None]
"""Enqueues drains of lanes with what executes SQL in the transaction that made something due there."""


def connect(url: str) -> AsyncEngine:
    """Create the engine for an SQLAlchemy URL; nothing connects yet.

    Its errors, and so the logs, never contain what people typed.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        from adapters.database.postgresql import BESIDE, connection_settings, pool_settings, prepare_connections

        server = create_async_engine(url, **connection_settings(parsed), **pool_settings(BESIDE))
        prepare_connections(server.sync_engine)
        return server
    from adapters.database.sqlite import BEGIN_IMMEDIATE, async_opener

    engine = create_async_engine(url, hide_parameters=True, async_creator=async_opener(parsed.database or ":memory:"))
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(BEGIN_IMMEDIATE))
    return engine


class SqlUnitOfWork:
    """One transaction over all repositories; they share its session, and deliveries their `Rows`."""

    def __init__(self, session: InlineSession, networks: NetworkReader) -> None:
        self._session = session
        self.networks: NetworkReader = networks
        self._rows = Rows(session)
        self.woken: set[WorkspaceId] = set()
        self.answer: Delivery | None = None
        self.answer_entry: Entry | None = None
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

    @property
    def is_awaited(self) -> bool:
        is_awaited: Callable[[], bool] | None = self._session.info.get(IS_AWAITED)
        return is_awaited is not None and is_awaited()

    async def flush(self) -> None:
        await self._session.flush()
        await self._rows.write()
        await self._rhythms.write()

    async def together(self, *asks: Awaitable[Any]) -> Sequence[Any]:
        return await self._session.together(*asks)

    async def look_ahead(self, *named: tuple[type, str]) -> None:
        await self._session.together(*(self._session.get(*one) for one in named))

    async def delete(self, entity: object) -> None:
        await self._session.delete(entity)

    async def execute(self, statement: Executable, given: Mapping[str, Any] | None = None) -> Any:
        """Execute a statement of an adapter in this transaction."""
        return await self._session.execute(statement, given)


class UnitsOfWork:
    """Runs functions in a transaction each, with a unit of work; a `Transactions`.

    With `announce` (PostgreSQL only), drains of the lanes it made due are enqueued in the same transaction.
    """

    def __init__(self, sessions: Sessions, networks: NetworkReader, announce: Announce | None = None) -> None:
        self._sessions = sessions
        self._networks = networks
        self._announce = announce

    async def __call__(self, act: Callable[[UnitOfWork], Awaitable[T]], /) -> T:
        """Run a function in a transaction, committed when it returns and rolled back when it raises."""
        return await self._sessions.run(partial(self._whole, act))

    async def give_way(self, act: Callable[[UnitOfWork], Awaitable[T]], /) -> T:
        """Run a function in a transaction that lets those of others go first."""
        return await self._sessions.give_way(partial(self._whole, act))

    async def _whole(self, act: Callable[[UnitOfWork], Awaitable[T]], session: InlineSession) -> T:
        work = SqlUnitOfWork(session, self._networks)
        result = await act(work)
        await self._finish(work, session)
        return result

    async def read(self, act: Callable[[UnitOfWork], Awaitable[T]], /) -> T:
        """Run a function that takes long and only reads in a transaction, outside the event loop."""
        return await self._sessions.read(lambda session: act(SqlUnitOfWork(session, self._networks)))

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """Open a transaction whose statements run in this thread, for tests and tools: on PostgreSQL they hold up the
        event loop."""
        async with self._sessions.begin() as session:
            work = SqlUnitOfWork(session, self._networks)
            yield work
            await self._finish(work, session)

    async def _finish(self, work: SqlUnitOfWork, session: InlineSession) -> None:
        await work.flush()
        # Within the transaction: a drain is enqueued exactly when what it is for is saved. Last in it: others that
        # enqueue the same lane wait until this transaction ends.
        if self._announce is not None and work.woken:
            self._announce(session.post_sql, work.woken)


def unit_of_work(engine: AsyncEngine, announce: Announce | None = None) -> UnitsOfWork:
    """Return the function with which the core runs its transactions in this engine's database."""
    return UnitsOfWork(sessions(engine), SqlNetworkReader(engine.url), announce)
