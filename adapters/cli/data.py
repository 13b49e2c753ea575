"""Migrate the database, copy it to another one, or delete the demo's file."""

import asyncio
from pathlib import Path

from rich.markup import escape

from adapters.cli.console import FAILED, make_console, stop
from adapters.cli.preconditions import require_database
from adapters.settings import Settings


async def migrate_database(settings: Settings, revision: str) -> tuple[str | None, str | None]:
    """Bring the database to a revision; create the folder of an SQLite file first.

    Returns the revision before and after, None where there are no tables. Stops when the database cannot be used, was
    made by a newer version, or does not know the revision.
    """
    from alembic.util import CommandError
    from sqlalchemy.exc import DatabaseError

    from adapters.database.migrate import MadeByANewerVersion, migrate
    from adapters.database.unit_of_work import connect

    engine = connect(settings.database_url)
    try:
        if settings.database_file is not None:
            await asyncio.to_thread(settings.database_file.parent.mkdir, parents=True, exist_ok=True)
        return await migrate(engine, revision)
    except (DatabaseError, OSError) as problem:
        reason = problem.orig if isinstance(problem, DatabaseError) else problem
        stop(FAILED, f"The database cannot be used: {escape(str(reason))}", "To look further: [bold]ritme doctor[/]")
    except MadeByANewerVersion:
        # Doctor words this case, with its cure; should it find nothing wrong, the error itself is all we have.
        await require_database(settings, "Nothing was changed: the database")
        raise
    except CommandError as problem:
        stop(FAILED, escape(str(problem)))
    finally:
        await engine.dispose()


async def require_both_databases(source: Settings, target: Settings) -> None:
    """Stop unless both databases of a copy can be used; the cure for the target speaks of `--to`."""
    from adapters.doctor import MIGRATE, database

    await require_database(source, "Nothing was copied: this database")
    finding = await database(target)
    if finding.cure is not None:
        cure = finding.cure.replace("RITME_DATABASE_URL", "--to")
        if finding.cure == MIGRATE:
            cure = "Run ritme migrate first, with RITME_DATABASE_URL set to that one."
        stop(FAILED, f"Nothing was copied: the other database {escape(finding.text)}.", escape(cure))


def copy_database(source: Settings, target: Settings) -> None:
    """Copy every row, compare both databases and print the comparison. Stops when they are not equal afterwards."""
    from rich.table import Table

    from adapters.database.copying import CannotCopy, copying

    console = make_console()
    console.print(f"From {escape(source.database_name)}\n  to {escape(target.database_name)}")
    console.print("Ritme has to be stopped meanwhile: what is done there from now on is not copied.")
    try:
        with copying(source.database_url, target.database_url) as under_way:
            under_way.check()
            for _ in under_way.copy():
                pass
            shown, different = Table("table", "rows", "there", "", box=None), []
            for one in under_way.compare():
                shown.add_row(one.table, str(one.here), str(one.there), "[green]✓[/]" if one.equal else "[red]✗[/]")
                if not one.equal:
                    different.append(one)
            changed = under_way.written_meanwhile()
    except CannotCopy as problem:
        stop(FAILED, f"Stopped: {escape(str(problem))}.", escape(problem.cure))
    console.print(shown)
    if changed:
        stop(FAILED, "Somebody wrote in this database meanwhile. Stop Ritme, and run it again.")
    if different:
        stop(
            FAILED,
            "They are not equal:",
            *(f"  {escape(one.table)}: {escape(', '.join(one.keys))}" for one in different),
            "Run it again. If that does not help, begin with an empty database.",
        )
    console.print("Everything is there, row by row. Set RITME_DATABASE_URL to the other database, and start Ritme.")


def remove_sqlite_file(file: Path) -> None:
    """Delete an SQLite file, if it exists, with its write-ahead log and shared memory."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
