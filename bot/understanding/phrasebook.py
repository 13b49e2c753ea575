"""Read the phrase books: what people say for each thing they can mean.

Every file in `prompts/<language>/understanding/` holds the phrases of one meaning, one a line, in lower case:

- `ik zit vast met …`: the person's own words stand at `…`, and are kept without the phrase;
- `+ geen idee hoe`: a sign of the meaning; the whole message is kept;
- `laat maar zitten`: anything else keeps nothing.

`wis/verwijder mijn gegevens` gives a choice, `wis/verwijder & gegevens/account` stands for both orders, with anything
in between, `(nog) niet gelukt` leaves a word optional, `kans : …` wants a colon or
an exclamation mark, `ik zoek [iemand die …]` keeps the words in brackets too, and a line that begins with `#` is a
remark. Some files are no meanings: `spelling.txt` (`ff = even`, and `dinsdag = weekdag` for what phrases need not tell
apart; a form with an apostrophe is only itself), `filler.txt` (words that say little), `words.txt` (ordinary words that
only look like a mistyped one), `negation.txt`, `asking.txt` (how a question begins), `opening.txt` and `closing.txt`
(how a message begins and ends), `introducing.txt`, `concluding.txt` and `moment.txt` (words of which introductions,
conclusions and moments consist) and `examples.txt` (`stuck: niemand komt meer`: whole sentences, from which only the
classifier of words learns).
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from math import log
from pathlib import Path

from bot.compiled import compiled_folder, keep_value
from bot.domain.person import Language
from bot.understanding.bayes import Features, NaiveBayes, QuickLook
from bot.understanding.framing import SLOT, Frame, read_frame, read_framing
from bot.understanding.lines import expand_line, read_lines
from bot.understanding.phrases import PackedPhrases, Phrase, PhrasesByWords
from bot.understanding.spelling import SHORT_WORD, KnownWords
from bot.understanding.text import fold, spell_words, tokenize

PHRASES_ROOT = Path(__file__).resolve().parents[2] / "prompts"
NO_MEANINGS = (
    "spelling",
    "filler",
    "words",
    "negation",
    "asking",
    "opening",
    "closing",
    "examples",
    "introducing",
    "concluding",
    "moment",
)
WEIGHED_AMONG = 28
"""The number of meanings that weights reckon with. Fixed: a new meaning does not change how all others are read."""
CRISIS = "crisis"
"""The meaning of despair."""
SHOWN_MEANINGS = frozenset(
    {"door", "magazine", "map", "cloud", "significant", "changes", "effect", "takeaway", "quilt"}
)
"""Meanings that ask for a page, a picture or a form, in words that stories and despair are told with as well: what is
written down for them changes neither how much a word says, nor how likely it makes any other meaning."""
FILLER_WEIGHT = 0.15
"""The weight of a filler word; a word that belongs to one meaning only weighs 1.35."""

COUNTRY_NAME = "countryname"
"""The word that `spelling.txt` makes of the name of a country: a phrase that has one, needs one."""
MIN_COVERAGE = 0.6
"""The share of a phrase, by weight, that has to be in a message."""
LEAST_WEIGHT = 1e-9
"""Less than any word says: what is left of a difference that is nothing."""
TYPO_DISCOUNT = 0.9
"""How sure it is that a mistyped word was recognised."""


class PhraseBook:
    """The phrases of one language, found by the words they contain."""

    def __init__(
        self,
        phrases: Sequence[Phrase],
        *,
        features: Features,
        spellings: Mapping[str, Sequence[str]],
        filler: frozenset[str],
        ordinary: frozenset[str],
        negations: frozenset[str],
        askings: frozenset[tuple[str, ...]],
        frame: Frame,
    ) -> None:
        self.phrases = PackedPhrases(phrases, (*negations, COUNTRY_NAME))
        self.spellings = spellings
        self.filler = filler
        self.ordinary = ordinary
        self.negations = negations
        self.askings = askings
        self.frame = frame
        self.greetings = frozenset(
            word for openings in frame.openings.values() for (word, *more), _ in openings if not more
        )
        self._wider = NaiveBayes(features)
        """Tells what is shown from all else."""
        self.bayes = NaiveBayes(features, {phrase.meaning for phrase in phrases} - SHOWN_MEANINGS)
        self.despair = QuickLook(self.bayes, CRISIS)
        self._weights = {
            word: FILLER_WEIGHT if word in filler else 0.35 + log(WEIGHED_AMONG / len(found)) / log(WEIGHED_AMONG)
            for word, found in _find_meanings(phrases).items()
        }
        self._weights[":"] = 0.3
        weigh = self._weights.__getitem__
        self.totals = array("d", (sum(map(weigh, phrase.words)) for phrase in phrases))
        """How much each phrase says in all."""
        found = [
            (number, *pair)
            for number, phrase in enumerate(phrases)
            for pair in self._find_words_it_needs(phrase, MIN_COVERAGE * self.totals[number])
        ]
        self.needing = PhrasesByWords(found)
        """The phrases by the words of which two, or one, have to be there: without them too little of a phrase is."""
        self.despairing = PhrasesByWords([one for one in found if phrases[one[0]].meaning == CRISIS])
        """Those of despair, which every text is looked through for."""
        self.needed = frozenset(self.phrases.write((*negations, COUNTRY_NAME)))
        """The words, as letters, without which a phrase that has them is not there: a negation, or a country."""
        spelled = (typed for typed, meant in spellings.items() if len(meant) == 1 and meant[0] in self._weights)
        self.known = KnownWords(dict.fromkeys(word for word in (*self._weights, *spelled) if len(word) > 3))

    def knows(self, word: str) -> bool:
        """Return whether a word is in the book, or an ordinary one."""
        return word in self._weights or word in self.filler or word in self.ordinary

    def correct(self, words: Iterable[str]) -> list[tuple[str, float]]:
        """Return each word as the book spells it, and how sure that is."""
        weights, filler, ordinary = self._weights, self.filler, self.ordinary
        return [
            (word, 1.0) if word in weights or word in filler or word in ordinary else self._correct(word)
            for word in words
        ]

    def _correct(self, word: str) -> tuple[str, float]:
        """Return a word that the book does not know as it spells it, and how sure that is."""
        if len(word) < SHORT_WORD or word.isdigit():
            return word, 1.0
        near = self.known.find(word)
        return (word, 1.0) if near is None else (self.spellings.get(near, (near,))[0], TYPO_DISCOUNT)

    def weight(self, word: str) -> float:
        """Return how much a word says: more when fewer meanings use it."""
        return self.weigh((word,))[0]

    def weigh(self, words: Iterable[str]) -> tuple[float, ...]:
        """Return how much each word says: more when fewer meanings use it."""
        weights, filler = self._weights, self.filler
        return tuple([weights.get(word, FILLER_WEIGHT if word in filler else 0.6) for word in words])

    def find_likely(self, words: Sequence[str]) -> tuple[dict[str, float], frozenset[str]]:
        """Return how likely each meaning is by the words themselves, and the likeliest: of those that are not shown,
        as if there were no others, and of all where that one is shown."""
        found = self.bayes.features.find(words)
        usual, wider = self.bayes.rate(found), self._wider.rate(found)
        likeliest = {max(usual, key=usual.__getitem__)} if usual else set()
        if wider and (most := max(wider, key=wider.__getitem__)) in SHOWN_MEANINGS:
            likeliest.add(most)
        shown = {meaning: chance for meaning, chance in wider.items() if meaning in SHOWN_MEANINGS}
        return {**usual, **shown}, frozenset(likeliest)

    def is_question(self, words: Sequence[str]) -> bool:
        """Return whether a message is a question, with or without the mark."""
        return bool(words) and (words[-1] == "?" or any(tuple(words[:length]) in self.askings for length in (1, 2)))

    def _find_words_it_needs(self, phrase: Phrase, least: float) -> Iterator[tuple[str, str]]:
        """Yield the pairs of words, as letters, of which one has to be said for enough of a phrase to be there: the
        words that say most. Twice the same, where that is enough alone."""
        words = sorted(set(phrase.words), key=lambda word: (-self._weights[word], word))
        weights, letters = [self._weights[word] for word in words], self.phrases.write(words)
        least -= LEAST_WEIGHT
        for first, letter in enumerate(letters):
            if weights[first] >= least:
                yield letter, letter
                continue
            left = sum(weights[first:])
            for second in range(first + 1, len(letters)):
                if left < least:
                    break
                yield letter, letters[second]
                left -= weights[second]


def _find_meanings(phrases: Sequence[Phrase]) -> dict[str, set[str]]:
    """Return by word the meanings that count for what it says."""
    usual: dict[str, set[str]] = {}
    shown: dict[str, set[str]] = {}
    for phrase in phrases:
        found = shown if phrase.meaning in SHOWN_MEANINGS else usual
        for word in phrase.words:
            found.setdefault(word, set()).add(phrase.meaning)
    return {**shown, **usual}


@cache
def phrase_book(language: Language) -> PhraseBook:
    """Return the phrase book of a language, as it was read before if nothing changed since."""
    return keep_value(compiled_folder(), f"phrases-{language.value}", partial(_read_phrase_book, language))


def _read_phrase_book(language: Language) -> PhraseBook:
    folder = PHRASES_ROOT / language.value / "understanding"
    spelled = dict(_spellings(folder / "spelling.txt"))
    spellings = {
        typed: tuple(same for word in meant for same in spelled.get(word, (word,))) for typed, meant in spelled.items()
    }
    filler, ordinary, negations = (
        frozenset(fold(word) for line in read_lines(folder / f"{name}.txt") for word in line.split())
        for name in ("filler", "words", "negation")
    )
    known: dict[str, tuple[str, ...]] = {}
    lines = [
        [*_phrases(file.stem, line, partial(spell_words, spellings=spellings, known=known))]
        for file in sorted(folder.glob("*.txt"))
        if file.stem not in NO_MEANINGS
        for line in read_lines(file)
    ]
    phrases = {phrase for line in lines for phrase in line}
    documents: dict[str, list[set[tuple[str, ...]]]] = defaultdict(list)
    for line in lines:
        for meaning in {phrase.meaning for phrase in line}:
            documents[meaning].append({phrase.words for phrase in line})
    for meaning, sentence in read_examples(language):
        documents[meaning].append({tuple(token.word for token in tokenize(sentence, spellings))})
    askings = frozenset(words for words, _ in read_framing(folder / "asking.txt", spellings))
    ordered = sorted(
        phrases,
        key=lambda one: (one.meaning, one.words, one.slot is not None, one.keeps, str(one.own_from), str(one.slot)),
    )
    return PhraseBook(
        ordered,
        features=Features(documents),
        spellings=spellings,
        filler=filler,
        ordinary=ordinary,
        negations=negations,
        askings=askings,
        frame=read_frame(folder, spellings),
    )


def read_examples(language: Language) -> list[tuple[str, str]]:
    """Return the sentences that people typed, each with its meaning before it."""
    lines = (
        line.partition(":") for line in read_lines(PHRASES_ROOT / language.value / "understanding" / "examples.txt")
    )
    return [(meaning, sentence.strip()) for meaning, _, sentence in lines]


def _spellings(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in read_lines(file):
        typed, _, meant = line.partition("=")
        for one in typed.split():
            yield one if "'" in one else fold(one), tuple(fold(word) for word in meant.split())


def _phrases(meaning: str, line: str, split: Callable[[str], list[str]]) -> Iterator[Phrase]:
    keeps = line.startswith("+")
    for words in expand_line(re.sub(r"([\[\]])", r" \1 ", line.lstrip("+ "))):
        before, slot, after = words.replace("]", " ").partition(SLOT)
        outer, inner, _ = before.partition("[")
        before = before.replace("[", " ")
        # With a word in the place of the slot: a mark at the end of a message sets nothing apart, but here it does.
        first, second = split(f"{before} x")[:-1], split(after)
        if first or second:
            own_from = len(split(f"{outer} x")) - 1 if inner else None
            yield Phrase(meaning, (*first, *second), len(first) if slot else None, keeps, own_from)
