"""Bringing a database to the tables of this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.postgresql import NO_TIMEOUTS

ONE_AT_A_TIME = 0x5269746D65
"""Any number of our own: "Ritme"."""
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class MadeByANewerVersion(Exception):
    """Only that version knows the way, forward or back."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no ini file."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made


async def migrate(engine: AsyncEngine, revision: str = "head") -> tuple[str | None, str | None]:
    """Upgrades (or, towards an earlier revision, downgrades) the database in one transaction. Of several processes
    that do so at once one goes first, and the others find it done. Returns the revision it was at, and is at now."""

    def run(connection: Connection) -> tuple[str | None, str | None]:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(NO_TIMEOUTS)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})")
        before = _current(connection)
        if is_newer(before):
            raise MadeByANewerVersion(before)
        back = revision == "base" or (revision != "head" and _is_behind(connection, revision))
        (command.downgrade if back else command.upgrade)(config(connection), revision)
        return before, _current(connection)

    async with engine.begin() as connection:
        return await connection.run_sync(run)


async def versions(engine: AsyncEngine) -> tuple[str | None, str | None]:
    """The revision the database is at, and the one this version of Ritme wants."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    async with engine.connect() as connection:
        current = await connection.run_sync(_current)
    return current, head


def is_newer(revision: str | None) -> bool:
    """Whether a database of this revision was made by a version of Ritme that comes after this one."""
    known = {one.revision for one in ScriptDirectory.from_config(config()).walk_revisions()}
    return revision is not None and revision not in known


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_behind(connection: Connection, revision: str) -> bool:
    """Whether `revision` lies before where the database is."""
    current = _current(connection)
    script = ScriptDirectory.from_config(config())
    earlier = [one.revision for one in script.iterate_revisions(current, "base")] if current else []
    return revision in earlier and revision != current
