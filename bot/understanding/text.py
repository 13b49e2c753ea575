"""Normalise what people type, and remember where each word stood, so that their own words can be given back."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[:!?]")
_SEPARATORS = ":!"
"""Marks that set a word of command apart from what follows: "kans! de wethouder komt"."""
_SEPARATED_WITHIN = 3
"""Words within which such a mark counts; later it is punctuation like any other."""


class Token(NamedTuple):
    """A normalised word (or ":" or "?"), and where in the text it begins and ends."""

    word: str
    start: int
    end: int


def tokenize(text: str, spellings: Mapping[str, Sequence[str]]) -> list[Token]:
    """Split a text into normalised words. `spellings` maps what people type to the words it stands for, such as
    "kben" to "ik ben"; all words of one spelling keep its place."""
    tokens: list[Token] = []
    for typed, word, start, end in _split(text):
        if typed in _SEPARATORS:
            if 0 < len(tokens) <= _SEPARATED_WITHIN and not any(token.word == ":" for token in tokens):
                tokens.append(Token(":", start, end))
            continue
        # "I'll" is no illness and "we'll" is not well: the apostrophe counts where the spellings have it.
        meant = spellings.get(typed) or spellings.get(word)
        if meant is None:
            tokens.append(Token(word, start, end))
        else:
            tokens += [Token(one, start, end) for one in meant]
    # A mark at the end sets nothing apart.
    return tokens[:-1] if tokens and tokens[-1].word == ":" else tokens


@lru_cache(maxsize=2)  # a text is read in one language after the other
def _split(text: str) -> tuple[tuple[str, str, int, int], ...]:
    """Return the words of a text, and the marks that count: as typed in small letters, folded, and where they stand."""
    found = ((one.group(), one.start(), one.end()) for one in _WORD.finditer(text))
    return tuple((raw.casefold().replace("’", "'"), fold(raw), start, end) for raw, start, end in found)


def spell_words(text: str, spellings: Mapping[str, Sequence[str]], known: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the words of `tokenize`. `known` remembers those of what stands between spaces: the phrases of a book are
    made of the same few thousand, a hundred thousand times."""
    if any(mark in text for mark in _SEPARATORS):  # what those mean depends on where they stand
        return [token.word for token in tokenize(text, spellings)]
    words: list[str] = []
    for part in text.split():
        if part not in known:
            known[part] = tuple(token.word for token in tokenize(part, spellings))
        words += known[part]
    return words


@lru_cache(maxsize=4096)
def fold(word: str) -> str:
    """Return a word in lower case, without accents and apostrophes, and no letter more than twice in a row."""
    split = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(letter for letter in split if letter.isalnum() or letter == "?")
    return re.sub(r"(.)\1{2,}", r"\1\1", plain)


def tidy(text: str) -> str:
    """Return a part of a text without the marks and spaces that set it apart from its introduction."""
    return text.strip().lstrip(":,;.!?-–—… ").rstrip().rstrip(",;:-–—").strip()
