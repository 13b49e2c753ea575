"""A naive Bayes classifier over the words and word pairs of the phrase books and examples.

Phrases say what they say; this says what words that were never written down together make likely.
"""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from math import exp, log

SMOOTHING = 0.001
"""The share of its documents in which a meaning is taken to have a word that it does not have."""
TEMPERATURE = 4.0
"""Divides the log-odds: words of one message are not independent, so they say less together than one by one."""
BEGIN, END = "<", ">"
ROUNDING = 1e-6
"""More than sums in another order may differ."""
BEGINNING = 5
"""Letters with which forms of one word begin alike: "notice" and "noticing"."""

Documents = Mapping[str, Sequence[Collection[Sequence[str]]]]
"""Of each meaning what was written down for it. A document is one or more ways, in words, to say one thing, which share
its weight: a line with many choices says no more than a line without."""


class Features:
    """The features of documents: the words, how they begin, and the pairs of words that follow each other, each with
    the number of its shares: of each meaning, the share of its documents that have it. Most features stand in one
    document, so that many have equal shares.

    Kept in arrays: there are fifty thousand features.
    """

    def __init__(self, documents: Documents) -> None:
        self.meanings = tuple(sorted(documents))
        found: defaultdict[str | tuple[str, str], tuple[tuple[int, float], ...]] = defaultdict(tuple)
        for place, meaning in enumerate(self.meanings):
            for feature, share in _find_shares(documents[meaning]).items():
                found[feature] += ((place, share),)
        distinct: dict[tuple[tuple[int, float], ...], int] = {}
        numbered = {feature: distinct.setdefault(shares, len(distinct)) for feature, shares in found.items()}
        self._begins, self._places, self._shares = array("I", (0,)), array("B"), array("d")
        for shares in distinct:
            self._places.extend(place for place, _ in shares)
            self._shares.extend(share for _, share in shares)
            self._begins.append(len(self._places))
        alone = [feature for feature in numbered if isinstance(feature, str)]
        self._numbers = {word: number for number, word in enumerate((*alone, BEGIN, END))}
        self._shares_of_words = array("I", (numbered[word] for word in alone))
        pairs = sorted((self._key(*one), number) for one, number in numbered.items() if isinstance(one, tuple))
        self._pairs = array("Q", (key for key, _ in pairs))
        self._shares_of_pairs = array("I", (number for _, number in pairs))

    def find(self, words: Sequence[str]) -> list[int]:
        """Return the numbers of the shares of each feature of a message that any document has."""
        numbers, pairs = self._numbers, self._pairs
        found = [self._shares_of_words[numbers[one]] for one in dict.fromkeys(_name_words(words)) if one in numbers]
        known = [numbers.get(word) for word in (BEGIN, *words, END)]
        for first, second in dict.fromkeys(pairwise(known)):
            if first is not None and second is not None:
                key = first * len(numbers) + second
                at = bisect_left(pairs, key)
                if at < len(pairs) and pairs[at] == key:
                    found.append(self._shares_of_pairs[at])
        return found

    def name_all(self) -> Iterator[tuple[str | tuple[str, str], int]]:
        """Yield every feature, a word, beginning or pair, with the number of its shares."""
        names = tuple(self._numbers)
        yield from zip(names, self._shares_of_words, strict=False)
        for key, number in zip(self._pairs, self._shares_of_pairs, strict=True):
            first, second = divmod(key, len(names))
            yield (names[first], names[second]), number

    def list_shares(self) -> Iterator[list[tuple[int, float]]]:
        """Yield the shares, by number: the places of meanings among `meanings`, each with its share."""
        for begin, end in pairwise(self._begins):
            yield list(zip(self._places[begin:end], self._shares[begin:end], strict=True))

    def _key(self, first: str, second: str) -> int:
        return self._numbers[first] * len(self._numbers) + self._numbers[second]


class QuickLook:
    """Tells of most messages that they do not have one meaning, at a tenth of what it costs to know how likely each
    is."""

    def __init__(self, bayes: "NaiveBayes", meaning: str) -> None:
        self._bayes, self._odds = bayes, bayes.list_odds(meaning)

    def may_be(self, words: Sequence[str], likelihood: float) -> bool:
        """Return whether the meaning may be this likely; where it is, never False."""
        features = {*_name_words(words), *pairwise((BEGIN, *words, END))}
        said = sum([self._odds[one] for one in features if one in self._odds])
        return said >= self._bayes.find_least_odds(likelihood)


class NaiveBayes:
    """The likelihood of each meaning, given words. `among`: the only meanings it knows, as if nothing were written down
    for the others; all where none are given."""

    def __init__(self, features: Features, among: Collection[str] | None = None) -> None:
        self.features = features
        chosen = [one for one, name in enumerate(features.meanings) if among is None or name in among]
        self._meanings = tuple(features.meanings[one] for one in chosen)
        places = {one: place for place, one in enumerate(chosen)}
        self._absent = array("d")
        """By shares, the log-odds of a meaning that has none: much the same for all meanings, so that only what the
        others have more is looked up. What says nothing of these meanings has none of either."""
        self._begins, self._places, self._more = array("I", (0,)), array("B"), array("d")
        for shares in features.list_shares():
            known = [(places[one], share) for one, share in shares if one in places]
            total = sum(share for _, share in known)
            absent = self._compute_log_odds(0.0, total) if known else 0.0
            self._absent.append(absent)
            self._places.extend(place for place, _ in known)
            self._more.extend(self._compute_log_odds(share, total) - absent for _, share in known)
            self._begins.append(len(self._places))

    def probabilities(self, words: Sequence[str]) -> dict[str, float]:
        """Return how likely each meaning is; empty when none of the words is known."""
        return self.rate(self.features.find(words))

    def rate(self, found: Sequence[int]) -> dict[str, float]:
        """Return how likely each meaning is by the shares of features; empty when they say nothing of any."""
        begins, places, more = self._begins, self._places, self._more
        sums, is_known = [sum([self._absent[one] for one in found])] * len(self._meanings), False
        for one in found:
            begin, end = begins[one], begins[one + 1]
            is_known = is_known or begin < end
            for place, odds in zip(places[begin:end], more[begin:end], strict=True):
                sums[place] += odds
        if not is_known:
            return {}
        most = max(sums)
        powers = [exp((one - most) / TEMPERATURE) for one in sums]
        total = sum(powers)
        return {meaning: power / total for meaning, power in zip(self._meanings, powers, strict=True)}

    def list_odds(self, meaning: str) -> dict[str | tuple[str, str], float]:
        """Return by feature how much more it says for a meaning than for the others in the mean; only of features that
        this meaning has: no other speaks for it."""
        place, others = self._meanings.index(meaning), len(self._meanings) - 1
        odds: dict[int, float] = {}
        for number, (begin, end) in enumerate(pairwise(self._begins)):
            more = dict(zip(self._places[begin:end], self._more[begin:end], strict=True))
            if place in more:
                odds[number] = more.pop(place) - sum(more.values()) / others
        return {feature: odds[number] for feature, number in self.features.name_all() if number in odds}

    def find_least_odds(self, likelihood: float) -> float:
        """Return how much the features of a message have to say for a meaning, beyond the others in the mean, where it
        is this likely. The powers of the others are at least, in the mean, the power of their mean (Jensen)."""
        return TEMPERATURE * log((len(self._meanings) - 1) * likelihood / (1 - likelihood)) - ROUNDING

    def _compute_log_odds(self, share: float, total: float) -> float:
        """Return how much more often a meaning has a feature than the mean of the others. `total`: all their shares."""
        return log((share + SMOOTHING) / ((total - share) / (len(self._meanings) - 1) + SMOOTHING))


def _find_shares(documents: Sequence[Collection[Sequence[str]]]) -> Mapping[str | tuple[str, str], float]:
    """Return by feature the share of the documents of a meaning that have it."""
    counts: defaultdict[str | tuple[str, str], float] = defaultdict(float)
    for ways in documents:
        found: Counter[str | tuple[str, str]] = Counter()
        for words in ways:
            found.update({*_name_words(words), *pairwise((BEGIN, *words, END))})
        for feature, count in found.items():
            counts[feature] += count / len(ways)
    return {feature: count / len(documents) for feature, count in counts.items()}


def _name_words(words: Sequence[str]) -> list[str]:
    """List the features that are one word: the words, and how they begin."""
    return [*words, *[f"{word[:BEGINNING]}~" for word in words if len(word) >= BEGINNING]]
