"""Books that are small and quick to search hold what was written down, and find what looking at all of it finds."""

from itertools import pairwise
from math import exp, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.domain.person import Language
from bot.understanding.bayes import BEGIN, BEGINNING, END, SMOOTHING, TEMPERATURE, Features, NaiveBayes, QuickLook
from bot.understanding.phrasebook import phrase_book, read_examples
from bot.understanding.phrases import PackedPhrases, Phrase, PhrasesByWords
from bot.understanding.reading import LIKELY_ALONE_FROM
from bot.understanding.spelling import SHORT_TYPO_CUTOFF, SHORT_WORD, TYPO_CUTOFF, KnownWords

LETTERS = "abcé"
WORDS = st.lists(st.sampled_from(["ik", "zit", "vast", "met", ":", "?", "notice", "noticing"]), min_size=1, max_size=6)
PHRASES = st.lists(
    st.builds(
        Phrase,
        meaning=st.sampled_from(["stuck", "story", "step"]),
        words=WORDS.map(tuple),
        slot=st.none() | st.integers(0, 6),
        keeps=st.booleans(),
        own_from=st.none() | st.integers(0, 6),
    ),
    unique=True,
    max_size=20,
).map(lambda phrases: sorted(phrases, key=lambda one: (one.meaning, one.words)))


def find_by_comparing_all(word: str, words: tuple[str, ...]) -> str | None:
    is_short = len(word) <= SHORT_WORD
    cutoff = SHORT_TYPO_CUTOFF if is_short else TYPO_CUTOFF
    near = process.extractOne(word, words, scorer=OSA.normalized_similarity, score_cutoff=cutoff)
    return None if near is None or (is_short and sorted(near[0]) != sorted(word)) else near[0]


@given(st.lists(st.text(LETTERS, min_size=4, max_size=24), unique=True), st.text(LETTERS, min_size=4, max_size=24))
def test_a_mistyped_word_is_found_as_if_it_were_compared_with_all(words: list[str], word: str) -> None:
    assert KnownWords(words).find(word) == find_by_comparing_all(word, tuple(words))


@settings(deadline=None)  # a book that nobody kept takes seconds to read
@given(st.data(), st.sampled_from(list(Language)))
def test_a_word_of_a_book_is_found_however_it_is_mistyped(data: st.DataObject, language: Language) -> None:
    words = phrase_book(language).known
    letters = list(data.draw(st.sampled_from(words.words)))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(letters) - 1))
        match data.draw(st.sampled_from(["leave out", "swap", "put in", "change"])):
            case "leave out" if len(letters) > 4:
                del letters[at]
            case "swap":
                letters[at : at + 2] = reversed(letters[at : at + 2])
            case "put in":
                letters.insert(at, data.draw(st.sampled_from("aenrt")))
            case _:
                letters[at] = data.draw(st.sampled_from("aenrt"))
    word = "".join(letters)
    assert words.find(word) == find_by_comparing_all(word, words.words)


@given(PHRASES, WORDS)
def test_phrases_are_kept_whole_and_found_by_their_words(phrases: list[Phrase], words: list[str]) -> None:
    kept = PackedPhrases(phrases)
    assert list(kept) == phrases
    assert kept.find_whole(kept.write(words)) == [
        phrase for phrase in phrases if phrase.slot is None and phrase.words == tuple(words)
    ]
    for meaning in {phrase.meaning for phrase in phrases}:
        assert kept.list_words(meaning) == {word for one in phrases if one.meaning == meaning for word in one.words}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcd"), st.sampled_from("abcd"))),
    st.sets(st.sampled_from("abcd")),
)
def test_phrases_are_found_of_which_both_words_are_said(found: list[tuple[int, str, str]], said: set[str]) -> None:
    expected = {number for number, first, second in found if {first, second} <= said}
    assert PhrasesByWords(found).find(said) == expected


@given(
    st.dictionaries(
        st.sampled_from(["stuck", "story", "step"]),
        st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1),
        min_size=3,
    ),
    WORDS | st.just(["xyzzy"]),
    st.none() | st.just({"stuck", "story"}),
)
def test_words_make_meanings_as_likely_as_counting_says(
    documents: dict[str, list[list[list[str]]]], words: list[str], among: set[str] | None
) -> None:
    known = {name: documents[name] for name in sorted(documents) if among is None or name in among}
    shares = {
        name: {
            feature: sum(sum(feature in list_features(way) for way in ways) / len(ways) for ways in each) / len(each)
            for feature in list_features(words)
        }
        for name, each in known.items()
    }
    said = {feature for feature in list_features(words) if any(shares[name][feature] for name in known)}
    odds = {
        name: sum(
            log(
                (shares[name][one] + SMOOTHING)
                / (sum(shares[o][one] for o in known if o != name) / (len(known) - 1) + SMOOTHING)
            )
            for one in said
        )
        for name in known
    }
    powers = {name: exp(one / TEMPERATURE) for name, one in odds.items()} if said else {}
    expected = {name: power / sum(powers.values()) for name, power in powers.items()}
    assert NaiveBayes(Features(documents), among).probabilities(words) == pytest.approx(expected)


@given(
    st.dictionaries(
        st.sampled_from(["stuck", "story", "step"]),
        st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1),
        min_size=2,
    ),
    WORDS,
    st.floats(0.5, 0.95),
)
def test_a_quick_look_never_misses_what_words_make_likely(
    documents: dict[str, list[list[list[str]]]], words: list[str], likelihood: float
) -> None:
    bayes = NaiveBayes(Features(documents))
    for meaning in documents:
        if bayes.probabilities(words).get(meaning, 0.0) >= likelihood:
            assert QuickLook(bayes, meaning).may_be(words, likelihood)


@pytest.mark.parametrize("language", list(Language), ids=str)
def test_a_quick_look_spares_most_sentences_the_rest(language: Language) -> None:
    book, sentences = phrase_book(language), [sentence.split() for _, sentence in read_examples(language)]
    assert sum(book.despair.may_be(words, LIKELY_ALONE_FROM) for words in sentences) < len(sentences) / 5


def list_features(words: list[str]) -> set[str]:
    beginnings = {f"{word[:BEGINNING]}~" for word in words if len(word) >= BEGINNING}
    return {*words, *beginnings, *(" ".join(pair) for pair in pairwise((BEGIN, *words, END)))}
