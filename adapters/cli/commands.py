"""Define the `ritme` command and its small subcommands."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.markup import escape

from adapters.cli import data, delivery_commands, guarding, manifests, personal_data, serving, trust, understanding
from adapters.cli.console import FAILED, NOT_CONFIGURED, make_console, say, stop
from adapters.cli.preconditions import load_serving_settings, load_settings
from adapters.heap import collect_seldom
from bot import __version__

ritme = typer.Typer(
    help="Keeps a movement in rhythm, in the chat where its people already talk.",
    epilog="Configuration comes from the environment; [bold]ritme doctor[/] says what is missing and how to cure it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
ritme.add_typer(delivery_commands.deliveries_app, name="deliveries")
ritme.add_typer(manifests.manifest_app, name="manifest")
ritme.command("personal-data")(personal_data.write_personal_data)
ritme.command("trust-pack")(trust.write_trust_pack)
ritme.command("guard")(guarding.print_findings)
ritme.command("understand")(understanding.print_reading)


def main() -> None:
    """Run the command line. A bug of ours is logged, and told by its reference."""
    collect_seldom()
    try:
        ritme(prog_name="ritme")
    except Exception as problem:  # noqa: BLE001  # `report_failure` logs it
        from adapters import logs
        from adapters.failures import report_failure

        logs.configure_logging()
        failure = report_failure("command_failed", problem)
        make_console(stderr=True).print(f"Something went wrong. The line in the log has {failure.reference}.")
        sys.exit(FAILED)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"ritme {__version__}")
        raise typer.Exit


@ritme.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


@ritme.command()
def demo(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Where to serve it.", show_default="RITME_PORT, or 8080")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over, instead of going on where you were.")] = False,
) -> None:
    """Try Ritme: a local web chat with a demo movement and a clock to turn. Nothing leaves this machine."""
    settings = load_settings()
    playground = settings.for_playground().model_copy(update={"port": settings.port if port is None else port})
    asyncio.run(serving.run_demo(playground, fresh=fresh))


@ritme.command()
def serve(
    everything: Annotated[
        bool,
        typer.Option("--all", help="Send from this process, too: no worker is needed. With SQLite it always does."),
    ] = False,
) -> None:
    """Serve the platforms that are configured, until told to stop (SIGTERM or Ctrl-C)."""
    asyncio.run(serving.run_server(load_serving_settings(), sends_deliveries=everything))


@ritme.command()
def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="How many workspaces it sends to at a time.")] = 4,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Where to answer /healthz, /readyz and /metrics.", show_default="nowhere"),
    ] = None,
) -> None:
    """Plan and send what is due, beside `ritme serve` and any number of others like it. Needs PostgreSQL."""
    settings = load_serving_settings()
    if not settings.is_multi_process:
        stop(
            NOT_CONFIGURED,
            "Nothing was started: with SQLite there is one process, [bold]ritme serve[/], and it sends by itself.",
            "Workers share a PostgreSQL database: set RITME_DATABASE_URL to one, and move what you have to it with "
            "[bold]ritme copy[/].",
        )
    asyncio.run(serving.run_worker(settings, concurrency, port))


@ritme.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="The revision to go to, forward or back.")] = "head",
) -> None:
    """Bring the database to the tables of this version. Keeps what is in it; harmless to repeat."""
    settings = load_settings()
    before, now = asyncio.run(data.migrate_database(settings, revision))
    if before == now:
        did = "Nothing to do: the database " + (f"is at revision {now}" if now else "has no tables")
    elif before is None:
        did = f"The database has its tables now, at revision {now}"
    else:
        did = f"The database went from revision {before} to {now or 'none'}"
    say(f"{did} ({settings.database_name}).")


@ritme.command()
def doctor() -> None:
    """Check configuration, database, migrations and credentials; each failure comes with its cure."""
    from adapters.doctor import examine

    findings = asyncio.run(examine())
    console = make_console()
    for finding in findings:
        mark = "[green]✓[/]" if finding.cure is None else "[red]✗[/]"
        console.print(f"{mark} [bold]{finding.subject}[/]  {escape(finding.text)}")
        if finding.cure is not None:
            console.print(f"  → {escape(finding.cure)}")
    if any(finding.cure is not None for finding in findings):
        raise typer.Exit(FAILED)
    console.print("Ready. Start with: [bold]ritme serve[/]")


@ritme.command()
def copy(
    to: Annotated[
        str, typer.Option(help="The database to copy to, such as postgresql://ritme:password@localhost/ritme.")
    ],
) -> None:
    """Copy everything to another database, and compare them row by row. Stop Ritme first; broken off, run it again."""
    from adapters.settings import CURES, normalise_database_url

    settings = load_settings()
    try:
        target = settings.model_copy(update={"database_url": normalise_database_url(to)})
    except ValueError as problem:
        cure = escape(CURES["RITME_DATABASE_URL"])
        stop(NOT_CONFIGURED, f"The address given with [bold]--to[/] {escape(str(problem))}.", cure)
    asyncio.run(data.require_both_databases(settings, target))
    data.copy_database(settings, target)


@ritme.command()
def secret() -> None:
    """Print a fresh key for RITME_SECRET_KEY, which encrypts the tokens of workspaces that install Ritme."""
    from cryptography.fernet import Fernet

    say(Fernet.generate_key().decode())
