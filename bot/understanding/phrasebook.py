"""Read the phrase books: what people say for each thing they can mean.

Every file in `prompts/<language>/understanding/` holds the phrases of one meaning, one a line, in lower case:

- `ik zit vast met …`: the person's own words stand at `…`, and are kept without the phrase;
- `+ geen idee hoe`: a sign of the meaning; the whole message is kept;
- `laat maar zitten`: anything else keeps nothing.

`wis/verwijder mijn gegevens` gives a choice, `(nog) niet gelukt` leaves a word optional, `kans : …` wants a colon or
an exclamation mark, and a line that begins with `#` is a remark. Six files are no meanings: `spelling.txt`
(`ff = even`, and `dinsdag = weekdag` for what phrases need not tell apart; a form with an apostrophe is only itself),
`filler.txt` (words that say little), `words.txt` (ordinary words that only look like a mistyped one), `negation.txt`,
`asking.txt` (how a question begins), `opening.txt` and `closing.txt` (how a message begins and ends).
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path

from bot.domain.person import Language
from bot.understanding.bayes import NaiveBayes
from bot.understanding.text import fold, tokenize

PHRASES_ROOT = Path(__file__).resolve().parents[2] / "prompts"
SLOT = "…"
NO_MEANINGS = ("spelling", "filler", "words", "negation", "asking", "opening", "closing")
FILLER_WEIGHT = 0.15
"""The weight of a filler word; a word that belongs to one meaning only weighs 1.35."""

MIN_COVERAGE = 0.6
"""The share of a phrase, by weight, that has to be in a message."""


@dataclass(frozen=True)
class Phrase:
    """A phrase of one meaning.

    `slot` is the place, counted in words of the phrase, of the person's own words; None where there are none. `keeps`:
    the whole message is the content.
    """

    meaning: str
    words: tuple[str, ...]
    slot: int | None
    keeps: bool


class PhraseBook:
    """The phrases of one language, found by the words they contain."""

    def __init__(
        self,
        phrases: Sequence[Phrase],
        *,
        spellings: Mapping[str, Sequence[str]],
        filler: frozenset[str],
        ordinary: frozenset[str],
        negations: frozenset[str],
        askings: frozenset[tuple[str, ...]],
        closings: Sequence[tuple[str, ...]],
        openings: Sequence[tuple[tuple[str, ...], bool]],
    ) -> None:
        self.phrases = tuple(phrases)
        self.spellings = spellings
        self.filler = filler
        self.ordinary = ordinary
        self.negations = negations
        self.askings = askings
        self.closings = closings
        self.openings = openings
        """Openings of messages, the longest first, each with whether a mark has to follow it."""
        meanings: dict[str, set[str]] = defaultdict(set)
        by_meaning: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        self.by_word: dict[str, list[int]] = defaultdict(list)
        for number, phrase in enumerate(self.phrases):
            by_meaning[phrase.meaning].add(phrase.words)
            for word in set(phrase.words):
                meanings[word].add(phrase.meaning)
                self.by_word[word].append(number)
        self.bayes = NaiveBayes(by_meaning)
        total = len({phrase.meaning for phrase in self.phrases}) + 1
        self._weights = {
            word: FILLER_WEIGHT if word in filler else 0.35 + log(total / len(found)) / log(total)
            for word, found in meanings.items()
        }
        self.totals = tuple(sum(self.weight(word) for word in phrase.words) for phrase in self.phrases)
        """How much each phrase says in all."""
        self.needing: dict[str, list[int]] = defaultdict(list)
        """The phrases by the words of which at least one has to be there: without them too little of a phrase is."""
        for number, phrase in enumerate(self.phrases):
            for word in self._find_words_it_needs(phrase, MIN_COVERAGE * self.totals[number]):
                self.needing[word].append(number)
        self.whole: dict[tuple[str, ...], list[Phrase]] = defaultdict(list)
        """The phrases without a place for one's own words, by their words: for messages that are exactly that."""
        for phrase in self.phrases:
            if phrase.slot is None:
                self.whole[phrase.words].append(phrase)
        spelled = (typed for typed, meant in spellings.items() if len(meant) == 1 and meant[0] in self._weights)
        self.words = tuple(dict.fromkeys(word for word in (*self._weights, *spelled) if len(word) > 3))
        """The words long enough to be recognised when they are mistyped."""

    def weight(self, word: str) -> float:
        """Return how much a word says: more when fewer meanings use it."""
        if word == ":":
            return 0.3
        return self._weights.get(word, FILLER_WEIGHT if word in self.filler else 0.6)

    def _find_words_it_needs(self, phrase: Phrase, least: float) -> Iterator[str]:
        words = sorted(set(phrase.words), key=lambda word: (-self.weight(word), word))
        without = sum(map(self.weight, words))
        for word in words:
            if without < least:
                return
            yield word
            without -= self.weight(word)


@cache
def phrase_book(language: Language) -> PhraseBook:
    """Read the phrase book of a language, once."""
    folder = PHRASES_ROOT / language.value / "understanding"
    spelled = dict(_spellings(folder / "spelling.txt"))
    spellings = {
        typed: tuple(same for word in meant for same in spelled.get(word, (word,))) for typed, meant in spelled.items()
    }
    filler, ordinary, negations = (
        frozenset(fold(word) for line in _lines(folder / f"{name}.txt") for word in line.split())
        for name in ("filler", "words", "negation")
    )
    phrases = {
        phrase
        for file in sorted(folder.glob("*.txt"))
        if file.stem not in NO_MEANINGS
        for line in _lines(file)
        for phrase in _phrases(file.stem, line, spellings)
    }
    askings, closings = (
        {tuple(token.word for token in tokenize(line, spellings)) for line in _lines(folder / f"{name}.txt")}
        for name in ("asking", "closing")
    )
    openings = {
        (tuple(token.word for token in tokenize(line.rstrip(f" {SLOT}"), spellings)), not line.endswith(SLOT))
        for line in _lines(folder / "opening.txt")
    }
    ordered = sorted(phrases, key=lambda one: (one.meaning, one.words, one.slot is not None, one.keeps))
    return PhraseBook(
        ordered,
        spellings=spellings,
        filler=filler,
        ordinary=ordinary,
        negations=negations,
        askings=frozenset(askings),
        closings=sorted(closings, key=lambda one: (-len(one), one)),
        openings=sorted(openings, key=lambda one: (-len(one[0]), one)),
    )


def _lines(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _spellings(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in _lines(file):
        typed, _, meant = line.partition("=")
        for one in typed.split():
            yield one if "'" in one else fold(one), tuple(fold(word) for word in meant.split())


def _phrases(meaning: str, line: str, spellings: Mapping[str, Sequence[str]]) -> Iterator[Phrase]:
    keeps = line.startswith("+")
    for words in _expand(line.lstrip("+ ")):
        before, slot, after = words.partition(SLOT)
        # With a word in the place of the slot: a mark at the end of a message sets nothing apart, but here it does.
        first = [token.word for token in tokenize(f"{before} x", spellings)][:-1]
        second = [token.word for token in tokenize(after, spellings)]
        if first or second:
            yield Phrase(meaning, (*first, *second), len(first) if slot else None, keeps)


def _expand(line: str) -> Iterator[str]:
    """Expand the choices and the optional words of a line."""
    parts: list[list[str]] = []
    for optional, word in re.findall(r"\(([^)]*)\)|(\S+)", line):
        parts.append([optional, ""] if optional else word.split("/") if len(word) > 1 else [word])
    for chosen in itertools.product(*parts):
        yield " ".join(word for word in chosen if word)
