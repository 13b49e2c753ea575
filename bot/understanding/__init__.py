"""Understand plain sentences, in Dutch and English, without a language model: phrase books and fuzzy matching.

`ritme understand "…"` prints how a sentence is read; the phrases stand in `prompts/<language>/understanding/`.
"""

from collections.abc import Sequence

from bot.domain.person import Language
from bot.understanding.phrasebook import CRISIS, phrase_book
from bot.understanding.reading import OTHER, Reading, may_tell_despair, read, understand_sentence

__all__ = ["CRISIS", "OTHER", "Reading", "load_books", "read", "read_for_despair", "understand_sentence"]


def load_books() -> None:
    """Read the phrase books, a second's work each where none is kept, so that the first who says something need not
    wait for it."""
    for language in Language:
        phrase_book(language)


def read_for_despair(text: str, names: Sequence[str] = ("ritme",)) -> Reading | None:
    """Return how a text is read that is read as despair, in whichever language; None of any other, at a tenth of what
    it costs to know what it says."""
    if not any(may_tell_despair(text, language, names) for language in Language):
        return None
    reading = understand_sentence(text, names)
    return reading if reading.meaning == CRISIS else None
