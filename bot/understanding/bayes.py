"""A naive Bayes classifier over the words and word pairs of the phrase books and examples.

Phrases say what they say; this says what words that were never written down together make likely.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import pairwise
from math import exp, log
from typing import Any

SMOOTHING = 0.001
"""The share of its documents in which a meaning is taken to have a word that it does not have."""
TEMPERATURE = 4.0
"""Divides the log-odds: words of one message are not independent, so they say less together than one by one."""
BEGIN, END = "<", ">"
BEGINNING = 5
"""Letters with which forms of one word begin alike: "notice" and "noticing"."""


Shares = tuple[tuple[str, float], ...]
"""The meanings that have a feature, each with the share of its documents that do."""


class NaiveBayes:
    """The likelihood of each meaning, given words.

    `documents`: of each meaning what was written down for it. A document is one or more ways, in words, to say one
    thing, which share its weight: a line with many choices says no more than a line without.
    """

    def __init__(self, documents: Mapping[str, Sequence[Collection[Sequence[str]]]]) -> None:
        self._meanings = tuple(sorted(documents))
        self._shares = _find_shares(documents)
        self._log_odds = cache(self._compute_log_odds)

    def among(self, meanings: Collection[str]) -> "NaiveBayes":
        """Return one that knows only some of the meanings, as if nothing were written down for the others."""
        return _restore(tuple(one for one in self._meanings if one in meanings), self._shares)

    def __reduce__(self) -> tuple[Any, ...]:
        # What is remembered of it is not: it is computed again.
        return _restore, (self._meanings, self._shares)

    def probabilities(self, words: Sequence[str]) -> dict[str, float]:
        """Return how likely each meaning is; empty when none of the words is known."""
        # Unknown ones are not asked after: what people type would be remembered for ever.
        found = [self._log_odds(feature) for feature in _features(words) if feature in self._shares]
        known = [odds for odds in found if odds]
        if not known:
            return {}
        sums = [sum(odds) / TEMPERATURE for odds in zip(*known, strict=True)]
        most = max(sums)
        powers = [exp(one - most) for one in sums]
        return {meaning: power / sum(powers) for meaning, power in zip(self._meanings, powers, strict=True)}

    def _compute_log_odds(self, feature: str) -> tuple[float, ...]:
        """Return by meaning how much more often it has this feature than the mean of the others; nothing where none
        has it."""
        shares = {meaning: share for meaning, share in self._shares[feature] if meaning in self._meanings}
        total, others = sum(shares.values()), len(self._meanings) - 1
        return tuple(
            log((shares.get(one, 0.0) + SMOOTHING) / ((total - shares.get(one, 0.0)) / others + SMOOTHING))
            for one in (self._meanings if shares else ())
        )


def _find_shares(documents: Mapping[str, Sequence[Collection[Sequence[str]]]]) -> dict[str, Shares]:
    """Return by feature the shares of documents that have it. Most features stand in one document: equal shares are
    one object, in memory and where they are kept."""
    found: dict[str, Shares] = {}
    equal: dict[Shares, Shares] = {}
    for meaning in sorted(documents):
        counts: defaultdict[str, float] = defaultdict(float)
        for ways in documents[meaning]:
            for feature, count in Counter(one for words in ways for one in _features(words)).items():
                counts[feature] += count / len(ways)
        for feature, share in counts.items():
            shares = (*found.get(feature, ()), (meaning, share / len(documents[meaning])))
            found[feature] = equal.setdefault(shares, shares)
    return found


def _restore(meanings: tuple[str, ...], shares: dict[str, Shares]) -> NaiveBayes:
    restored = NaiveBayes({})
    restored._meanings, restored._shares = meanings, shares
    return restored


def _features(words: Sequence[str]) -> set[str]:
    """Return the words, how they begin, and the pairs of words that follow each other; the ends count as words."""
    marked = (BEGIN, *words, END)
    beginnings = (f"{word[:BEGINNING]}~" for word in words if len(word) >= BEGINNING)
    return {*words, *beginnings, *(f"{first} {second}" for first, second in pairwise(marked))}
