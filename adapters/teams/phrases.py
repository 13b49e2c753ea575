"""Sentences that only Teams needs, such as the line an invoke is answered with."""

from datetime import UTC, datetime

from bot import wording
from bot.chat import DEFAULT_SYNTAX, CommandSyntax
from bot.domain.person import Language
from bot.wording import Reader

_TEMPLATE = "teams/answers.md.j2"


def answer_phrase(block: str, language: Language, syntax: CommandSyntax = DEFAULT_SYNTAX) -> str:
    """Return the sentence in one block of the template. `syntax` tells what the app is called."""
    # None of them tells a time: zone and clock are only there because every reader has them.
    reader = Reader(language=language, timezone="UTC", now=datetime.now(UTC), syntax=syntax)
    return wording.render_sentence(_TEMPLATE, block, reader)
