"""Check that this version can use the database, at every start and for `ritme doctor`."""

from dataclasses import dataclass

from sqlalchemy.exc import DatabaseError

from adapters.database.migrate import is_newer_schema, schema_versions
from adapters.database.unit_of_work import connect
from adapters.settings import Settings

MIGRATE = "Run: ritme migrate"
"""The cure for a database that is missing or behind."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check. `cure` says what to do about a problem; None when there is none."""

    subject: str
    text: str
    cure: str | None = None


async def check_database(settings: Settings) -> Finding:
    """Check that this version can use the database: it answers and its schema fits. Creates nothing."""
    file, name = settings.database_file, settings.database_name
    if file is not None and not file.exists():
        return Finding(subject="Database", text=f"is not there yet ({file})", cure=MIGRATE)
    engine = connect(settings.database_url)
    try:
        current, head = await schema_versions(engine)
    except DatabaseError as problem:
        cure = "Let this user read and write that file and its folder, or set RITME_DATABASE_URL to another one."
        if file is None:
            cure = "Start PostgreSQL, or correct the address, user or password in RITME_DATABASE_URL."
        return Finding(subject="Database", text=f"cannot be used ({name}: {problem.orig})", cure=cure)
    finally:
        await engine.dispose()
    if is_newer_schema(current):
        text = f"is at revision {current}, which a newer version of Ritme made ({name})"
        cure = f"Start that version; or go back, with that version: ritme migrate {head}"
        return Finding(subject="Database", text=text, cure=cure)
    if current != head:
        text = f"is at revision {current or 'none'}, this version needs {head} ({name})"
        return Finding(subject="Database", text=text, cure=MIGRATE)
    return Finding(subject="Database", text=f"{name}, at revision {head}")
