"""`ritme trust-pack`: what a works council needs to read, filled from the settings, as one file."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from adapters.cli.console import FAILED, say, stop
from adapters.cli.preconditions import load_settings
from bot.domain.person import Language

if TYPE_CHECKING:
    from adapters.settings import Settings


def write_trust_pack(
    file: Annotated[Path, typer.Option("--to", help="The file to write: .pdf, or .md for text.")] = Path(
        "trust-pack.pdf"
    ),
    language: Annotated[Language, typer.Option("--language", "-l", help="In which language.")] = Language.NL,
) -> None:
    """Write the works-council pack: what is kept about whom and how long, who reads it, and a DPIA to start from."""
    settings = load_settings()
    content = asyncio.run(_compose(settings, language, as_text=file.suffix == ".md"))
    try:
        file.write_bytes(content)
    except OSError as problem:
        stop(FAILED, f"Nothing was written to {escape(str(file))}: {escape(problem.strerror or str(problem))}.")
    say(f"Written to {file}. It says how Ritme is set up here now: make it again after changing settings.")


async def _compose(settings: "Settings", language: Language, *, as_text: bool) -> bytes:
    from adapters.clock import SystemClock
    from adapters.trust import compose_pack, dump_pack, format_markdown
    from adapters.typesetting import TypstTypesetter

    pack = compose_pack(settings, language, SystemClock().now())
    if as_text:
        return format_markdown(pack).encode()
    return await TypstTypesetter().typeset("trust_pack", dump_pack(pack), "pdf")
