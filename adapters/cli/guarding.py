"""`ritme guard`: what a story would give away, for whoever extends the word lists, and to measure by."""

import json
from typing import Annotated

import typer

from adapters.cli.console import NOT_CONFIGURED, say, stop
from adapters.cli.understanding import read_rows
from bot.domain.person import Language


def print_findings(
    text: Annotated[str, typer.Argument(help="A story, as somebody would tell it.")] = "",
    lang: Annotated[Language | None, typer.Option(help="Its language; without it, its words tell.")] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Read lines of JSON (id, lang, text) from standard input, and answer each.")
    ] = False,
) -> None:
    """Show what in a story may give somebody away; nothing is done or stored. It cannot see everything."""
    from bot.guard import guess_language, look_through
    from bot.guard.replacing import replace_giveaways

    if jsonl:
        for row in read_rows():
            spans = [[one.text, one.kind.value] for one in look_through(row["text"], Language(row["lang"]))]
            say(json.dumps({"id": row["id"], "spans": spans}, ensure_ascii=False))
        return
    if not text.strip():
        stop(NOT_CONFIGURED, 'Give a story: [bold]ritme guard "mevrouw Bos schonk zelf koffie in"[/]')
    language = lang or guess_language(text, Language.NL)
    found = look_through(text, language)
    for one in found:
        say(f"{one.kind.value}: {one.text}")
    say(f"instead: {replace_giveaways(text, language, found)}" if found else "nothing found")
