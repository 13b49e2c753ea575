"""`ritme manifest`: make the files from which a platform creates the app."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from adapters.cli.console import FAILED, NOT_CONFIGURED, say, stop
from adapters.cli.preconditions import load_settings
from bot.domain.person import Language

manifest_app = typer.Typer(help="What a platform wants to know of the app.", no_args_is_help=True)


@manifest_app.command()
def slack(
    socket: Annotated[
        bool, typer.Option("--socket", help="Over a connection of our own: no public address is needed.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="Where Slack reaches Ritme, with https.", show_default="RITME_PUBLIC_URL")
    ] = None,
    lang: Annotated[Language, typer.Option(help="The language of its descriptions.")] = Language.EN,
    dutch: Annotated[bool, typer.Option("--dutch-commands", help="Add /vast and /verhaal.")] = False,
    many: Annotated[bool, typer.Option("--many", help="For an app that many workspaces install.")] = False,
    name: Annotated[
        str, typer.Option(help="What people will call the app; at most 30 characters.", envvar="RITME_APP_NAME")
    ] = "Ritme",
) -> None:
    """Print the manifest to make the Slack app from: Create New App, From a manifest."""
    from adapters.slack.manifest import slack_manifest

    address = None if socket else (url or load_settings().public_url or "").rstrip("/")
    if address is not None and not address.startswith("https://"):
        stop(
            NOT_CONFIGURED,
            "Slack wants an address that begins with https:// to send its requests to.",
            "Give it with [bold]--url https://ritme.example.org[/], or use a connection of our own: [bold]--socket[/]",
        )
    if many and address is None:
        stop(NOT_CONFIGURED, "Many workspaces install over a web page: give its address with [bold]--url[/].")
    made = slack_manifest(lang, url=address, dutch=dutch, many=many, name=_check_name(name))
    say(json.dumps(made, indent=2, ensure_ascii=False))


@manifest_app.command()
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
    name: Annotated[
        str, typer.Option(help="What people will call the app; at most 30 characters.", envvar="RITME_APP_NAME")
    ] = "Ritme",
    developer: Annotated[
        str, typer.Option(help="Who offers Ritme here, as Teams shows it; at most 32 characters.")
    ] = "Ritme",
    website: Annotated[str, typer.Option(help="A page of your own that explains it.", show_default="Ritme's own")] = "",
    privacy: Annotated[str, typer.Option(help="Your privacy statement.", show_default="Ritme's own page")] = "",
    terms: Annotated[str, typer.Option(help="Your terms of use.", show_default="Ritme's own page")] = "",
    out: Annotated[Path, typer.Option(help="The file to write.", dir_okay=False)] = Path("ritme-teams.zip"),
) -> None:
    """Write the app package to upload in Teams: manifest, icons and the Dutch words."""
    from adapters.teams.package import build_package

    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", (app_id or "").strip()):
        stop(
            NOT_CONFIGURED,
            "The package needs the id of your app registration, such as 00000000-1111-2222-3333-444444444444.",
            "Copy it from the Azure portal: App registrations, Overview, Application (client) ID; give it with "
            "[bold]--app-id[/], or set TEAMS_APP_ID.",
        )
    address = (url or load_settings().public_url or "").rstrip("/")
    if not re.fullmatch(r"https://[^/\s]+", address):
        stop(
            NOT_CONFIGURED,
            "Teams wants an address that begins with https:// and has no path, to send its messages to.",
            "Give it with [bold]--url https://ritme.example.org[/], or set RITME_PUBLIC_URL.",
        )
    for option, page in {"--website": website, "--privacy": privacy, "--terms": terms}.items():
        if page and not page.startswith("https://"):
            stop(NOT_CONFIGURED, f"Teams wants a page that begins with https://: [bold]{option}[/]")
    if not 0 < len(developer.strip()) <= 32:
        stop(NOT_CONFIGURED, "Teams shows at most 32 characters of a name: [bold]--developer[/]")
    pages = {"website": website, "privacy": privacy, "terms": terms}
    made = build_package(
        (app_id or "").strip(),
        address,
        replies=not mentions_only,
        name=_check_name(name),
        developer=developer.strip(),
        **pages,
    )
    try:
        out.write_bytes(made)
    except OSError as problem:
        stop(FAILED, f"{escape(str(out))} cannot be written: {problem.strerror}. Choose another with [bold]--out[/]")
    say(f"{out} is ready to be uploaded in Teams.")


def _check_name(name: str) -> str:
    if not 0 < len(name.strip()) <= 30:
        stop(NOT_CONFIGURED, "Teams and Slack show at most 30 characters of a name: [bold]--name[/]")
    return name.strip()
