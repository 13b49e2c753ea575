"""Connections of a copy: the source read-only, the target writable, and neither twice at a time."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.engine import URL

from adapters.database.postgresql import hide_row_values
from adapters.database.sqlite import BEGIN_IMMEDIATE
from adapters.libpq import connection_timeouts

COPY_LOCK = 0x436F7079
"""Key of the PostgreSQL advisory lock of a copy: the bytes of "Copy"."""


def open_for_reading(url: URL) -> Engine:
    """Create an engine whose transaction sees one snapshot, and which cannot write."""
    if url.get_backend_name() == "sqlite":
        # Deferred: reads a snapshot and leaves the write lock to others. It never writes, so it cannot fail to upgrade.
        return _file(str(url.database), begin="BEGIN", pragma="query_only=ON")
    return _server(url, isolation_level="REPEATABLE READ", postgresql_readonly=True)


def open_for_writing(url: URL) -> Engine:
    """Create an engine for the target."""
    if url.get_backend_name() == "sqlite":
        return _file(str(url.database), begin=BEGIN_IMMEDIATE, pragma="foreign_keys=ON")
    return _server(url)


def _server(url: URL, **options: object) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, poolclass=NullPool, execution_options=options, connect_args=connection_timeouts(url)
    )
    hide_row_values(engine)
    return engine


def _file(file: str, *, begin: str, pragma: str) -> Engine:
    def open_connection() -> sqlite3.Connection:
        # mode=rw does not create a missing file; one that this process may only read is opened read-only.
        connection = sqlite3.connect(
            f"{Path(file).resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10
        )
        connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine("sqlite://", creator=open_connection, hide_parameters=True, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def is_same_database(here: URL, there: URL) -> bool:
    """Return whether two URLs evidently name the same database; names for the same host may still hide it."""
    if here.get_backend_name() != there.get_backend_name():
        return False
    if here.get_backend_name() == "sqlite":
        return Path(str(here.database)).resolve() == Path(str(there.database)).resolve()
    return (here.host, here.port or 5432, here.database) == (there.host, there.port or 5432, there.database)


def try_lock(connection: Connection) -> bool:
    """Take this database's advisory lock for copying, until the connection closes; return False if another has it.

    SQLite has no such lock and needs none: always True.
    """
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(text(f"SELECT pg_try_advisory_lock({COPY_LOCK})")).scalar_one())
