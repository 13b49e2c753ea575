"""Migrate a database to the tables of this version, with Alembic.

Which revision a database is at is asked at every start and by every probe. That needs no Alembic, which takes a fifth
of a second and 16 MB: it is loaded to migrate only.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATION_LOCK = 0x5269746D65
"""Key of the PostgreSQL advisory lock that migrations take: the bytes of "Ritme"."""
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class SchemaTooNew(Exception):
    """The database was migrated by a newer version of Ritme; only that one has the revisions to migrate it further or
    back. The message is the database's revision."""


class CannotMigrate(Exception):
    """There is no way to this revision; the message says why."""


def alembic_config(connection: Connection | None = None) -> "Config":
    """Build Alembic's configuration, for this connection if given; there is no ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


async def migrate_schema(engine: AsyncEngine, revision: str = "head") -> tuple[str | None, str | None]:
    """Upgrade the database to a revision, or downgrade it to an earlier one, in one transaction.

    When several processes do so at once, one migrates while the others wait, and find it done. Returns the revision
    before and after; None stands for an empty database. Raises `SchemaTooNew` and `CannotMigrate`.
    """

    def run(connection: Connection) -> tuple[str | None, str | None]:
        if connection.dialect.name == "postgresql":
            from adapters.database.postgresql import NO_TIMEOUTS

            # Before the lock: a migration may take longer than `lock_timeout`, and the others wait for it here. On
            # SQLite, BEGIN IMMEDIATE is that lock.
            connection.exec_driver_sql(NO_TIMEOUTS)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        before = _current(connection)
        if is_newer_schema(before):
            raise SchemaTooNew(before)
        if revision == "head" and before == _revisions()[-1]:
            return before, before
        _run_revisions(connection, revision)
        return before, _current(connection)

    async with engine.begin() as connection:
        return await connection.run_sync(run)


def _run_revisions(connection: Connection, revision: str) -> None:
    """Run the revisions between where the database is and this one."""
    from alembic import command
    from alembic.util import CommandError

    back = revision == "base" or (revision != "head" and _is_behind(connection, revision))
    try:
        (command.downgrade if back else command.upgrade)(alembic_config(connection), revision)
    except CommandError as problem:
        raise CannotMigrate(str(problem)) from problem


async def schema_versions(engine: AsyncEngine) -> tuple[str | None, str | None]:
    """Return the revision the database is at (None: empty), and the one this version of Ritme needs."""
    async with engine.connect() as connection:
        current = await connection.run_sync(_current)
    return current, _revisions()[-1]


def is_newer_schema(revision: str | None) -> bool:
    """Return whether this revision was made by a newer version of Ritme: this one has no such migration."""
    return revision is not None and revision not in _revisions()


@cache
def _revisions() -> tuple[str, ...]:
    """Return this version's revisions, the first one first: the numbers its migrations' files begin with."""
    return tuple(sorted(file.name.partition("_")[0] for file in MIGRATIONS.glob("versions/[0-9]*_*.py")))


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    return found


def _is_behind(connection: Connection, revision: str) -> bool:
    """Return whether `revision` comes before the one the database is at."""
    current, known = _current(connection), _revisions()
    return current is not None and revision in known and revision < current
