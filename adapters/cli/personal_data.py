"""`ritme personal-data`: everything about one person as a file, for whoever keeps Ritme running to hand over."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from adapters.cli.console import FAILED, say, stop
from adapters.cli.preconditions import load_settings, require_database
from bot.domain.person import Language

if TYPE_CHECKING:
    from adapters.settings import Settings


def write_personal_data(
    workspace: Annotated[str, typer.Argument(help="Their workspace or organisation, such as slack:T0123.")],
    account: Annotated[str, typer.Argument(help="Their account there, such as U0123.")],
    file: Annotated[Path, typer.Option("--to", help="The file to write; only you can read it.")] = Path("ritme.html"),
) -> None:
    """Write everything that is kept about one person to a file, to be given to that person and nobody else."""
    settings = load_settings()
    content = asyncio.run(_compose(settings, workspace, account))
    if content is None:
        stop(FAILED, f"Nothing was written: nobody is known as {escape(account)} in {escape(workspace)}.")
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_bytes(content)
    except OSError as problem:
        stop(FAILED, f"Nothing was written to {escape(str(file))}: {escape(problem.strerror or str(problem))}.")
    say(f"Written to {file}. It holds everything about one person: give it to them, then delete it.")


async def _compose(settings: "Settings", workspace: str, account: str) -> bytes | None:
    """Return the file of a person; None when there is no such person."""
    from adapters.clock import SystemClock
    from adapters.database.unit_of_work import connect, unit_of_work
    from bot.domain.person import WorkspaceId
    from bot.outbox.files import compose_page

    await require_database(settings, "Nothing was written: the database")
    engine = connect(settings.database_url)
    try:
        transact = unit_of_work(engine)
        person = await transact(lambda work: work.people.by_account(WorkspaceId(workspace), account))
        if person is None:
            return None
        return await compose_page(transact, person, person.language or Language.NL, SystemClock().now())
    finally:
        await engine.dispose()
