"""The words of the page itself, from `prompts/<language>/playground/page.md.j2`."""

from datetime import datetime

from bot import wording
from bot.domain.person import Language
from bot.wording import Reader

PAGE = "playground/page.md.j2"
REASONS = "errors/reasons.md.j2"
TIMEZONE = "Europe/Amsterdam"


def of_page(language: Language, now: datetime) -> dict[str, str]:
    """Every block of the page's words, by name. `[name]` in a text is filled in by the page."""
    reader = Reader(language=language, timezone=TIMEZONE, now=now)
    return {block: wording.sentence(PAGE, block, reader) for block in sorted(wording.blocks(PAGE, language))}


def of_reason(reason: str, language: Language, now: datetime) -> str:
    """Why something was put off or dropped, as a person can read it; empty when there is no reason."""
    if not reason:
        return ""
    reader = Reader(language=language, timezone=TIMEZONE, now=now)
    block = reason if reason in wording.blocks(REASONS, language) else "other"
    return wording.sentence(REASONS, block, reader)


def of_kind(kind: str, language: Language, now: datetime) -> str:
    """What kind of message it is, in a few words."""
    reader = Reader(language=language, timezone=TIMEZONE, now=now)
    block = f"kind_{kind}" if f"kind_{kind}" in wording.blocks(PAGE, language) else "kind_other"
    return wording.sentence(PAGE, block, reader)
