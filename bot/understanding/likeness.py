"""Compare texts by the words they share, the rare ones most: who is busy with the same question, who solved it before.

The words that say nothing about a subject stand in `prompts/<language>/likeness/common.txt`; a line that begins with
`#` is a remark.
"""

import re
from collections import Counter
from collections.abc import Hashable, Mapping
from functools import cache
from math import log, sqrt
from typing import TypeVar

from bot.domain.person import Language
from bot.understanding.phrasebook import PHRASES_ROOT
from bot.understanding.text import fold

TextKey = TypeVar("TextKey", bound=Hashable)

ALIKE = 0.12
"""The least likeness, between 0 and 1, at which two texts are about the same."""
STEM = 5
"""Letters with which forms of one word begin alike: "overdracht", "overdrachten"."""
SHORTEST = 3
_WORD = re.compile(r"[^\W\d_]+")


def find_alike(text: str, others: Mapping[TextKey, str], *, most: int, least: float = ALIKE) -> list[TextKey]:
    """Return the keys of at most `most` other texts that are about the same as a text, the most alike first.

    Texts equally alike keep the order they were given in.
    """
    if not others:
        return []
    subjects = {key: _subject(other) for key, other in others.items()}
    about = _subject(text)
    found = Counter(stem for subject in (about, *subjects.values()) for stem in subject)
    # A word in every text says nothing; in one of them alone it is worth most.
    weights = {stem: log((len(subjects) + 2) / number) for stem, number in found.items()}
    alike = {key: _cosine(about, subject, weights) for key, subject in subjects.items()}
    chosen = sorted((key for key, value in alike.items() if value >= least), key=lambda key: -alike[key])
    return chosen[:most]


def _cosine(one: frozenset[str], other: frozenset[str], weights: Mapping[str, float]) -> float:
    shared = sum(weights[stem] ** 2 for stem in one & other)
    if not shared:
        return 0.0
    return shared / sqrt(sum(weights[stem] ** 2 for stem in one) * sum(weights[stem] ** 2 for stem in other))


def _subject(text: str) -> frozenset[str]:
    """Return the stems of the words that say what a text is about."""
    words = (fold(word) for word in _WORD.findall(text))
    return frozenset(word[:STEM] for word in words if len(word) >= SHORTEST and word not in common_words())


@cache
def common_words() -> frozenset[str]:
    """Read the words of both languages: in one movement people write both."""
    lines = (
        line
        for language in Language
        for line in (PHRASES_ROOT / language.value / "likeness" / "common.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
    return frozenset(fold(word) for line in lines for word in line.split())
