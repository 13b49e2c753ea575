"""Sentences that only Teams needs, such as the line an invoke is answered with."""

from datetime import UTC, datetime

from bot import wording
from bot.domain.person import Language
from bot.wording import Reader

_TEMPLATE = "teams/answers.md.j2"


def answer_phrase(block: str, language: Language) -> str:
    """Return the sentence in one block of the template."""
    # None of them tells a time: zone and clock are only there because every reader has them.
    return wording.render_sentence(_TEMPLATE, block, Reader(language=language, timezone="UTC", now=datetime.now(UTC)))
