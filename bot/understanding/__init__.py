"""Understand plain sentences, in Dutch and English, without a language model: phrase books and fuzzy matching.

`ritme understand "…"` prints how a sentence is read; the phrases stand in `prompts/<language>/understanding/`.
"""

from collections.abc import Sequence

from bot.domain.person import Language
from bot.understanding.phrasebook import phrase_book
from bot.understanding.reading import CRISIS, OTHER, Reading, read

__all__ = ["CRISIS", "OTHER", "Reading", "load_books", "read", "understand_sentence"]


def load_books() -> None:
    """Read the phrase books, a second's work each, so that the first who says something need not wait for it."""
    for language in Language:
        phrase_book(language)


def understand_sentence(text: str, names: Sequence[str] = ("ritme",)) -> Reading:
    """Read a sentence in whichever language it makes more sense. Of despair in either language nothing goes first."""
    readings = [read(text, language, names) for language in Language]
    return max(readings, key=lambda one: (one.meaning == CRISIS, one.sure, one.score))
