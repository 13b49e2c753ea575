"""Render the texts of the page itself, from `prompts/<language>/playground/page.md.j2`."""

from datetime import datetime

from adapters.playground.personas import TIMEZONE
from bot import wording
from bot.domain.person import Language
from bot.wording import Reader

PAGE_TEMPLATE = "playground/page.md.j2"
REASONS_TEMPLATE = "errors/reasons.md.j2"


def render_page_texts(language: Language, now: datetime) -> dict[str, str]:
    """Return every block of the page's texts, by name. `[name]` in a text is filled in by the page."""
    reader = Reader(language=language, timezone=TIMEZONE, now=now)
    return {
        block: wording.render_sentence(PAGE_TEMPLATE, block, reader)
        for block in sorted(wording.block_names(PAGE_TEMPLATE, language))
    }


def describe_reason(reason: str, language: Language, now: datetime) -> str:
    """Return in words why a delivery was put off or dropped; empty when there is no reason."""
    if not reason:
        return ""
    reader = Reader(language=language, timezone=TIMEZONE, now=now)
    block = reason if reason in wording.block_names(REASONS_TEMPLATE, language) else "other"
    return wording.render_sentence(REASONS_TEMPLATE, block, reader)


def describe_kind(kind: str, language: Language, now: datetime) -> str:
    """Return in a few words which kind of delivery this is."""
    reader = Reader(language=language, timezone=TIMEZONE, now=now)
    block = f"kind_{kind}" if f"kind_{kind}" in wording.block_names(PAGE_TEMPLATE, language) else "kind_other"
    return wording.render_sentence(PAGE_TEMPLATE, block, reader)
