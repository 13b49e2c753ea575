"""The `ritme` command, for whoever runs Ritme. Heavy imports wait until a command needs them."""

import asyncio
import logging
import os
import sys
from enum import StrEnum
from pathlib import Path
from socket import socket
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from adapters.settings import CURES, SQLITE, BadSettings, Settings
from bot import __version__

FAILED, NOT_CONFIGURED = 1, 2
"""Exit codes: something does not work; something has to be set first."""


class State(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"


class Lang(StrEnum):
    NL = "nl"
    EN = "en"


ritme = typer.Typer(
    help="Keeps a movement in rhythm, in the chat where its people already talk.",
    epilog="Configuration comes from the environment; [bold]ritme doctor[/] says what is missing and how to cure it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Runs the command line."""
    ritme(prog_name="ritme")


def _print_version(wanted: bool) -> None:
    if wanted:
        _say(f"ritme {__version__}")
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
    settings = _settings()
    alone = settings.alone().model_copy(update={"port": settings.port if port is None else port})
    asyncio.run(_demo(alone, fresh=fresh))


@ritme.command()
def serve(
    everything: Annotated[
        bool,
        typer.Option("--all", help="Send from this process, too: no worker is needed. With SQLite it always does."),
    ] = False,
) -> None:
    """Serve the platforms that are configured, until told to stop (SIGTERM or Ctrl-C)."""
    asyncio.run(_serve(_serving(), works=everything))


@ritme.command()
def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="How many workspaces it sends to at a time.")] = 4,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Where to answer /healthz, /readyz and /metrics.", show_default="nowhere"),
    ] = None,
) -> None:
    """Plan and send what is due, beside `ritme serve` and any number of others like it. Needs PostgreSQL."""
    settings = _serving()
    if not settings.many_processes:
        _stop(
            NOT_CONFIGURED,
            "Nothing was started: with SQLite there is one process, [bold]ritme serve[/], and it sends by itself.",
            "Workers share a PostgreSQL database: set RITME_DATABASE_URL to one, and move what you have to it with "
            "[bold]ritme copy[/].",
        )
    asyncio.run(_work(settings, concurrency, port))


def _serving() -> Settings:
    """The settings, when there is a platform to serve."""
    settings = _settings()
    if missing := settings.missing_for_serving():
        _stop(
            NOT_CONFIGURED,
            "Nothing was started: no platform is configured. For Slack, set",
            *(f"  [bold]{variable}[/]  {escape(cure)}" for variable, cure in missing.items()),
            "To look around without any platform: [bold]ritme demo[/]",
        )
    return settings


@ritme.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="The revision to go to, forward or back.")] = "head",
) -> None:
    """Bring the database to the tables of this version. Keeps what is in it; harmless to repeat."""
    settings = _settings()
    before, now = asyncio.run(_migrate(settings, revision))
    if before == now:
        did = "Nothing to do: the database " + (f"is at revision {now}" if now else "has no tables")
    elif before is None:
        did = f"The database has its tables now, at revision {now}"
    else:
        did = f"The database went from revision {before} to {now or 'none'}"
    _say(f"{did} ({settings.database_name}).")


@ritme.command()
def doctor() -> None:
    """Check configuration, database, migrations and credentials; each failure comes with its cure."""
    from adapters.doctor import examine

    findings = asyncio.run(examine())
    console = _console()
    for finding in findings:
        mark = "[green]✓[/]" if finding.cure is None else "[red]✗[/]"
        console.print(f"{mark} [bold]{finding.subject}[/]  {escape(finding.text)}")
        if finding.cure is not None:
            console.print(f"  → {escape(finding.cure)}")
    if any(finding.cure is not None for finding in findings):
        raise typer.Exit(FAILED)
    console.print("Ritme can be served: [bold]ritme serve[/]")


@ritme.command()
def copy(
    to: Annotated[
        str, typer.Option(help="The database to copy to, such as postgresql://ritme:password@localhost/ritme.")
    ],
) -> None:
    """Copy everything to another database, and compare them row by row. Stop Ritme first; broken off, run it again."""
    from adapters.settings import database_url

    settings = _settings()
    try:
        target = settings.model_copy(update={"database_url": database_url(to)})
    except ValueError as problem:
        cure = escape(CURES["RITME_DATABASE_URL"])
        _stop(NOT_CONFIGURED, f"The address given with [bold]--to[/] {escape(str(problem))}.", cure)
    asyncio.run(_both_usable(settings, target))
    _copy(settings, target)


outbox = typer.Typer(help="What was, or could not be, sent; and what to do about it.", no_args_is_help=True)
ritme.add_typer(outbox, name="deliveries")


@outbox.command("list")
def list_deliveries(
    state: Annotated[list[State] | None, typer.Option(help="Only in this state; may be given again.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace, such as slack:T0123.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what should have been sent by now.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
) -> None:
    """List deliveries that are not settled or failed; what has been due longest comes first."""
    from adapters import deliveries

    asked = deliveries.Asked(
        states=tuple(one.value for one in state or ()), workspace=workspace, overdue=overdue, limit=limit
    )
    said = asyncio.run(deliveries.listed(_settings(), asked, as_json=as_json, console=_console()))
    _finish(said)


@outbox.command()
def explain(id: Annotated[str, typer.Argument(help="The delivery's id, or how it begins.")]) -> None:
    """Say all that is known of one delivery, but its words."""
    from adapters import deliveries

    _finish(asyncio.run(deliveries.explained(_settings(), id, console=_console())))


@outbox.command()
def retry(
    ids: Annotated[list[str], typer.Argument(help="Ids, or how they begin.")],
    even_if_twice: Annotated[
        bool, typer.Option("--even-if-twice", help="Also when it may have arrived, and would then come a second time.")
    ] = False,
) -> None:
    """Send what failed, was dropped or waits, now."""
    from adapters import deliveries

    _finish(asyncio.run(deliveries.retried(_settings(), ids, even_if_twice=even_if_twice, console=_console())))


@outbox.command()
def drop(ids: Annotated[list[str], typer.Argument(help="Ids, or how they begin.")]) -> None:
    """Never send what waits, or may have arrived."""
    from adapters import deliveries

    _finish(asyncio.run(deliveries.dropped(_settings(), ids, console=_console())))


def _finish(well: bool) -> None:
    if not well:
        raise typer.Exit(FAILED)


manifests = typer.Typer(help="What a platform wants to know of the app.", no_args_is_help=True)
ritme.add_typer(manifests, name="manifest")


@manifests.command()
def slack(
    socket: Annotated[
        bool, typer.Option("--socket", help="Over a connection of our own: no public address is needed.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="Where Slack reaches Ritme, with https.", show_default="RITME_PUBLIC_URL")
    ] = None,
    lang: Annotated[Lang, typer.Option(help="The language of its descriptions.")] = Lang.EN,
    dutch: Annotated[bool, typer.Option("--dutch-commands", help="Add /vast and /verhaal.")] = False,
    many: Annotated[bool, typer.Option("--many", help="For an app that many workspaces install.")] = False,
) -> None:
    """Print the manifest to make the Slack app from: Create New App, From a manifest."""
    import json

    from adapters.slack.manifest import manifest
    from bot.domain.person import Language

    address = None if socket else (url or _settings().public_url or "").rstrip("/")
    if address is not None and not address.startswith("https://"):
        _stop(
            NOT_CONFIGURED,
            "Slack wants an address that begins with https:// to send its requests to.",
            "Give it with [bold]--url https://ritme.example.org[/], or use a connection of our own: [bold]--socket[/]",
        )
    if many and address is None:
        _stop(NOT_CONFIGURED, "Many workspaces install over a web page: give its address with [bold]--url[/].")
    made = manifest(Language(lang.value), url=address, dutch=dutch, many=many)
    _say(json.dumps(made, indent=2, ensure_ascii=False))


@manifests.command()
def teams(
    app_id: Annotated[
        str | None,
        typer.Option(help="Application (client) ID of the app registration.", envvar="TEAMS_APP_ID"),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where Teams reaches Ritme, with https.", show_default="RITME_PUBLIC_URL")
    ] = None,
    mentions_only: Annotated[
        bool, typer.Option("--mentions-only", help="Don't ask to read answers; people then write @Ritme in each.")
    ] = False,
    developer: Annotated[
        str, typer.Option(help="Who offers Ritme here, as Teams shows it; at most 32 characters.")
    ] = "Ritme",
    website: Annotated[str, typer.Option(help="A page of your own that explains it.", show_default="Ritme's own")] = "",
    privacy: Annotated[str, typer.Option(help="Your privacy statement.", show_default="Ritme's own page")] = "",
    terms: Annotated[str, typer.Option(help="Your terms of use.", show_default="Ritme's own page")] = "",
    out: Annotated[Path, typer.Option(help="The file to write.", dir_okay=False)] = Path("ritme-teams.zip"),
) -> None:
    """Write the app package to upload in Teams: manifest, icons and the Dutch words."""
    import re

    from adapters.teams.package import package

    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", (app_id or "").strip()):
        _stop(
            NOT_CONFIGURED,
            "The package needs the id of your app registration, such as 00000000-1111-2222-3333-444444444444.",
            "Copy it from the Azure portal: App registrations, Overview, Application (client) ID; give it with "
            "[bold]--app-id[/], or set TEAMS_APP_ID.",
        )
    address = (url or _settings().public_url or "").rstrip("/")
    if not re.fullmatch(r"https://[^/\s]+", address):
        _stop(
            NOT_CONFIGURED,
            "Teams wants an address that begins with https:// and has no path, to send its messages to.",
            "Give it with [bold]--url https://ritme.example.org[/], or set RITME_PUBLIC_URL.",
        )
    for option, page in {"--website": website, "--privacy": privacy, "--terms": terms}.items():
        if page and not page.startswith("https://"):
            _stop(NOT_CONFIGURED, f"Teams wants a page that begins with https://: [bold]{option}[/]")
    if not 0 < len(developer.strip()) <= 32:
        _stop(NOT_CONFIGURED, "Teams shows at most 32 characters of a name: [bold]--developer[/]")
    pages = {"website": website, "privacy": privacy, "terms": terms}
    made = package((app_id or "").strip(), address, replies=not mentions_only, developer=developer.strip(), **pages)
    try:
        out.write_bytes(made)
    except OSError as problem:
        _stop(FAILED, f"{escape(str(out))} cannot be written: {problem.strerror}. Choose another with [bold]--out[/]")
    _say(f"{out} is ready to be uploaded in Teams.")


@ritme.command()
def secret() -> None:
    """Print a fresh key for RITME_SECRET_KEY, which seals the tokens of workspaces that install Ritme."""
    from cryptography.fernet import Fernet

    _say(Fernet.generate_key().decode())


async def _demo(settings: Settings, *, fresh: bool) -> None:
    _log(logging.WARNING)
    # What `make demo` is told, too; but RITME_PORT goes before it.
    with _listen(settings, "RITME_PORT=" if "RITME_PORT" in os.environ else "PORT=") as listening:
        settings = _at(settings, listening)
        file = Path("var") / f"demo-{settings.port}.db"
        settings = settings.model_copy(update={"database_url": f"{SQLITE}:///{file}"})
        if fresh:
            _forget(file)
        if not settings.loopback:
            _console(stderr=True).print(f"Whoever reaches {settings.host} can act as anyone in this demo.")
        await _migrate(settings, "head")
        await _open(settings, listening, demo=True)


def _forget(file: Path) -> None:
    """Removes an SQLite file with what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)


async def _serve(settings: Settings, *, works: bool) -> None:
    _log(logging.INFO)
    with _listen(settings, "RITME_PORT=") as listening:
        settings = _at(settings, listening)
        await _usable(settings)
        await _open(settings, listening, works=works)


async def _work(settings: Settings, concurrency: int, port: int | None) -> None:
    from contextlib import ExitStack

    from adapters.bootstrap import open_service
    from adapters.web import make_app, serve, told_to_stop

    _log(logging.INFO)
    with ExitStack() as stack:
        listening = None
        if port is not None:
            listening = stack.enter_context(_listen(settings.model_copy(update={"port": port}), "--port "))
        await _usable(settings)
        service = await open_service(settings, concurrency=concurrency)
        try:
            await service.start()
            if listening is None:
                await told_to_stop(lambda: _say("Ritme's worker is ready"))
            else:
                app = make_app(parts=(), ready=service.ready, metrics=service.metrics)
                where = f"http://127.0.0.1:{listening.getsockname()[1]}"
                await serve(app, listening, lambda: _say(f"Ritme's worker is ready; how it is: {where}/readyz"))
        finally:
            await service.close()


async def _both_usable(source: Settings, target: Settings) -> None:
    from adapters.doctor import MIGRATE, database

    await _usable(source, "Nothing was copied: this database")
    found = await database(target)
    if found.cure is not None:
        cure = found.cure.replace("RITME_DATABASE_URL", "--to")
        if found.cure == MIGRATE:
            cure = "Run ritme migrate first, with RITME_DATABASE_URL set to that one."
        _stop(FAILED, f"Nothing was copied: the other database {escape(found.text)}.", escape(cure))


def _copy(source: Settings, target: Settings) -> None:
    from rich.table import Table as Shown

    from adapters.database.copying import CannotCopy, copying

    console = _console()
    console.print(f"From {escape(source.database_name)}\n  to {escape(target.database_name)}")
    console.print("Ritme has to be stopped meanwhile: what is done there from now on is not copied.")
    try:
        with copying(source.database_url, target.database_url) as under_way:
            under_way.check()
            for _ in under_way.copy():
                pass
            shown, different = Shown("table", "rows", "there", "", box=None), []
            for one in under_way.compare():
                shown.add_row(one.table, str(one.here), str(one.there), "[green]✓[/]" if one.equal else "[red]✗[/]")
                if not one.equal:
                    different.append(one)
            changed = under_way.written_meanwhile()
    except CannotCopy as problem:
        _stop(FAILED, f"Stopped: {escape(str(problem))}.", escape(problem.cure))
    console.print(shown)
    if changed:
        _stop(FAILED, "Somebody wrote in this database meanwhile. Stop Ritme, and run it again.")
    if different:
        _stop(
            FAILED,
            "They are not equal:",
            *(f"  {escape(one.table)}: {escape(', '.join(one.keys))}" for one in different),
            "Run it again. If that does not help, begin with an empty database.",
        )
    console.print("Everything is there, row by row. Set RITME_DATABASE_URL to the other database, and start Ritme.")


async def _usable(settings: Settings, nothing: str = "Nothing was started: the database") -> None:
    """Stops where the database is not what this version needs."""
    from adapters.doctor import database

    found = await database(settings)
    if found.cure is not None:
        _stop(FAILED, f"{nothing} {escape(found.text)}.", escape(found.cure))


def _listen(settings: Settings, chosen_by: str) -> socket:
    from adapters.web import CannotListen, listen

    try:
        return listen(settings.host, settings.port, chosen_by=chosen_by)
    except CannotListen as problem:
        _stop(FAILED, escape(str(problem)))


def _at(settings: Settings, listening: socket) -> Settings:
    """The settings with the port it became: 0 means any."""
    return settings.model_copy(update={"port": listening.getsockname()[1]})


async def _open(settings: Settings, listening: socket, *, demo: bool = False, works: bool = True) -> None:
    from adapters.bootstrap import open_service
    from adapters.web import make_app, serve

    service = await open_service(settings, demo=demo, works=works)
    try:
        await service.start()
        app = make_app(parts=service.parts, ready=service.ready, metrics=service.metrics)
        try:
            await service.open()
        except BadSettings as bad:
            _stop(NOT_CONFIGURED, "Nothing was started:", *(f"  {escape(line)}" for line in str(bad).splitlines()))
        await serve(app, listening, lambda: _say(f"Ritme is ready at http://127.0.0.1:{settings.port}"))
    finally:
        await service.close()


async def _migrate(settings: Settings, revision: str) -> tuple[str | None, str | None]:
    """Returns the revision the database was at, and is at now."""
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
        _stop(FAILED, f"The database cannot be used: {escape(str(reason))}", "To look further: [bold]ritme doctor[/]")
    except MadeByANewerVersion:
        await _usable(settings, "Nothing was changed: the database")
        raise
    except CommandError as problem:
        _stop(FAILED, escape(str(problem)))
    finally:
        await engine.dispose()


def _settings() -> Settings:
    try:
        return Settings.load()
    except BadSettings as bad:
        _stop(NOT_CONFIGURED, "Nothing was started:", *(f"  {escape(line)}" for line in str(bad).splitlines()))


def _log(level: int) -> None:
    from adapters import logs

    logs.set_up(level=level)


def _say(sentence: str) -> None:
    """To standard output, at once, also when that is a pipe."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def _stop(code: int, *lines: str) -> NoReturn:
    console = _console(stderr=True)
    for line in lines:
        console.print(line)
    raise typer.Exit(code)
