"""`ritme understand`: how a plain sentence is read, for whoever extends the phrase books."""

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from adapters.cli.console import NOT_CONFIGURED, say, stop
from bot.domain.person import Language


def print_reading(
    text: Annotated[str, typer.Argument(help="A sentence, as somebody would type it.")] = "",
    lang: Annotated[Language | None, typer.Option(help="Its language; without it, both are tried.")] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Read lines of JSON (id, lang, text) from standard input, and answer each.")
    ] = False,
) -> None:
    """Show how a plain sentence is understood; nothing is done or stored."""
    from bot.understanding import read, understand_sentence

    if jsonl:
        for row in read_rows():
            reading = read(row["text"], Language(row["lang"]))
            answer = {"id": row["id"], "intent": reading.meaning, "rest": reading.rest, "sure": reading.sure}
            say(json.dumps(answer, ensure_ascii=False))
        return
    if not text.strip():
        stop(NOT_CONFIGURED, 'Give a sentence: [bold]ritme understand "ik zit vast met de overdracht"[/]')
    reading = read(text, lang) if lang is not None else understand_sentence(text)
    say(f"{reading.meaning} ({'sure' if reading.sure else 'not sure'})")
    if reading.rest:
        say(f"content: {reading.rest}")
    if reading.others:
        say(f"or: {', '.join(reading.others)}")


def read_rows() -> Iterator[dict[str, Any]]:
    """Yield the rows (id, lang, text) of standard input, a line each; stop at a line that is none."""
    for number, line in enumerate(sys.stdin, 1):
        if line.strip():
            yield _parse_row(number, line)


def _parse_row(number: int, line: str) -> dict[str, Any]:
    """Return a line's row; stop with its number when it is not one."""
    row: dict[str, Any] = {}
    try:
        row = json.loads(line)
        is_row = (
            isinstance(row["text"], str) and row["lang"] in {language.value for language in Language} and "id" in row
        )
    except (ValueError, KeyError, TypeError):
        is_row = False
    if not is_row:
        stop(NOT_CONFIGURED, f'Line {number} is not like {{"id": "1", "lang": "nl", "text": "ik zit vast"}}.')
    return row
