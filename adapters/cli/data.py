"""Migrate the database, copy it to another one, or delete the demo's file."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from adapters.cli.console import FAILED, make_console, stop
from adapters.cli.preconditions import require_database

if TYPE_CHECKING:
    from adapters.settings import Settings


async def migrate_database(settings: "Settings", revision: str) -> tuple[str | None, str | None]:
    """Bring the database to a revision; create the folder of an SQLite file first.

    Returns the revision before and after, None where there are no tables. Stops when the database cannot be used, was
    made by a newer version, or does not know the revision.
    """
    from sqlalchemy.exc import DatabaseError

    from adapters.database.migrate import CannotMigrate, SchemaTooNew, migrate_schema
    from adapters.database.unit_of_work import connect

    engine = connect(settings.database_url)
    try:
        if settings.database_file is not None:
            await asyncio.to_thread(settings.database_file.parent.mkdir, parents=True, exist_ok=True)
        return await migrate_schema(engine, revision)
    except (DatabaseError, OSError) as problem:
        reason = problem.orig if isinstance(problem, DatabaseError) else problem
        stop(FAILED, f"The database cannot be used: {escape(str(reason))}", "To look further: [bold]ritme doctor[/]")
    except SchemaTooNew:
        # Doctor words this case, with its cure; should it find nothing wrong, the error itself is all we have.
        await require_database(settings, "Nothing was changed: the database")
        raise
    except CannotMigrate as problem:
        stop(FAILED, escape(str(problem)))
    finally:
        await engine.dispose()


async def require_both_databases(source: "Settings", target: "Settings") -> None:
    """Stop unless both databases of a copy can be used; the cure for the target speaks of `--to`."""
    from adapters.database_check import MIGRATE, check_database

    await require_database(source, "Nothing was copied: this database")
    finding = await check_database(target)
    if finding.cure is not None:
        cure = finding.cure.replace("RITME_DATABASE_URL", "--to")
        if finding.cure == MIGRATE:
            cure = "Run ritme migrate first, with RITME_DATABASE_URL set to that one."
        stop(FAILED, f"Nothing was copied: the other database {escape(finding.text)}.", escape(cure))


def copy_database(source: "Settings", target: "Settings") -> None:
    """Copy every row, compare both databases and print the comparison. Stops when they are not equal afterwards."""
    from rich.table import Table

    from adapters.database.copying import CannotCopy, open_copy

    console = make_console()
    console.print(f"From {escape(source.database_name)}\n  to {escape(target.database_name)}")
    console.print("Ritme has to be stopped meanwhile: what is done there from now on is not copied.")
    try:
        with open_copy(source.database_url, target.database_url) as copy:
            copy.check()
            for _ in copy.copy():
                pass
            table, different = Table("table", "rows", "there", "", box=None), []
            for compared in copy.compare():
                mark = "[green]✓[/]" if compared.equal else "[red]✗[/]"
                table.add_row(compared.table, str(compared.here), str(compared.there), mark)
                if not compared.equal:
                    different.append(compared)
            changed = copy.was_source_changed()
    except CannotCopy as problem:
        stop(FAILED, f"Stopped: {escape(str(problem))}.", escape(problem.cure))
    console.print(table)
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
