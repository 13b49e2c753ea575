"""Find which word of a book was probably meant by a mistyped one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

TYPO_CUTOFF = 0.78
"""How alike (of 1) a mistyped word has to be to one of the book."""
SHORT_WORD, SHORT_TYPO_CUTOFF = 4, 0.75
"""Letters up to which a word is short, and how alike it has to be."""
_ROUNDING = 0.001
"""Added before a number of errors is rounded down: .22 × 50 is a little less than 11."""


class KnownWords:
    """Words of at least four letters, to be recognised when they are mistyped.

    Comparing a word with thousands of others takes .2 ms. One error leaves the first letters or the last as they were:
    a word is only compared with those of about its length that share either, and a long one, in which more errors are
    allowed, with all of about its length.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for word in self.words:
            for key in (str(len(word)), *_name_halves(word, len(word))):
                groups[key].append(word)
        self._groups = {key: tuple(group) for key, group in groups.items()}
        self._places = {word: place for place, word in enumerate(self.words)}

    @lru_cache(maxsize=2048)  # noqa: B019 (those of a book are never let go)
    def find(self, word: str) -> str | None:
        """Return the word that was probably meant, the first of those equally alike; None where none is near. Swapped
        letters are one error; of a short word only those are mended: it has too many neighbours."""
        is_short = len(word) <= SHORT_WORD
        cutoff = SHORT_TYPO_CUTOFF if is_short else TYPO_CUTOFF
        groups = (self._groups[key] for key in _name_near(word, cutoff) if key in self._groups)
        found = (process.extractOne(word, one, scorer=OSA.normalized_similarity, score_cutoff=cutoff) for one in groups)
        ranked = ((score, -self._places[near], near) for near, score, _ in filter(None, found))
        _, _, best = max(ranked, default=(0.0, 0, ""))
        return None if not best or (is_short and sorted(best) != sorted(word)) else best


def _name_near(word: str, cutoff: float) -> Iterator[str]:
    """Yield the keys of the words that may be as near as a cutoff."""
    length = len(word)
    reach = int(length * (1 - cutoff) / cutoff + _ROUNDING)
    for other in range(length - reach, length + reach + 1):
        errors = int((1 - cutoff) * max(length, other) + _ROUNDING)
        if errors > 1 and abs(length - other) <= errors:
            yield str(other)
        elif abs(length - other) <= 1:
            yield from _name_halves(word, other)


def _name_halves(word: str, length: int) -> tuple[str, str]:
    """Return the keys of the words of a length that begin, and that end, like a word. Together two letters less than
    the whole, so that letters swapped in the middle leave one of both as it was."""
    first = (length - 2) // 2
    last = length - 2 - first
    return f"{length}{word[:first]}-", f"{length}-{word[-last:]}"
