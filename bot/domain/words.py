"""Matching of typed words with the words Ritme knows, exactly or nearly."""

import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches

MIN_PREFIX = 3
"""Letters of a word that have to be typed before it is recognised by its beginning."""


def normalize_word(word: str) -> str:
    """Return a typed word in lower case, without accents and the marks around it."""
    folded = word.casefold()
    if folded.isascii() and folded.isalnum():  # as most
        return folded
    split = unicodedata.normalize("NFKD", folded)
    return "".join(letter for letter in split if letter.isalnum())


class Vocabulary:
    """Words people type, normalised (see `normalize_word`), each with the intent it means: {"vast": "stuck", …}."""

    def __init__(self, intents: Mapping[str, str]) -> None:
        self._intents = intents

    def knows(self, word: str) -> bool:
        """Return whether this very word means an intent."""
        return normalize_word(word) in self._intents

    def meaning(self, word: str) -> str:
        """Return the intent a word means, also when only its beginning was typed and words of no other intent begin
        so; an empty string when unsure."""
        typed = normalize_word(word)
        if typed in self._intents:
            return self._intents[typed]
        begun = {intent for known, intent in self._intents.items() if known.startswith(typed)}
        return begun.pop() if len(typed) >= MIN_PREFIX and len(begun) == 1 else ""

    def nearest(self, word: str) -> str:
        """Return the intent of the word most like what was typed; an empty string when nothing is near."""
        found = get_close_matches(normalize_word(word), self._intents, n=1, cutoff=0.6)
        return self.meaning(word) or (self._intents[found[0]] if found else "")
