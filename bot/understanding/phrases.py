"""Hold the phrases of a book in little memory: fifty thousand of them, of a few thousand words."""

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

UNKNOWN = "\0"
"""The letter of a word that is in no phrase."""
_FIRST_LETTER = 1
_NONE = -1


class Phrase(NamedTuple):
    """A phrase of one meaning.

    `slot` is the place, counted in words of the phrase, of the person's own words; None where there are none. `keeps`:
    the whole message is the content. `own_from`: the word of the phrase from which its words belong to the content.
    """

    meaning: str
    words: tuple[str, ...]
    slot: int | None
    keeps: bool
    own_from: int | None = None


class PackedPhrases:
    """Phrases in the order of their meanings, in which each word is written as one letter: a phrase is found in a
    message as quickly as one text in another."""

    def __init__(self, phrases: Sequence[Phrase], more_words: Iterable[str] = ()) -> None:
        self._words = tuple(dict.fromkeys((*(word for phrase in phrases for word in phrase.words), *more_words)))
        self._letters = {word: chr(number) for number, word in enumerate(self._words, _FIRST_LETTER)}
        self._text = "".join(self.write(phrase.words) for phrase in phrases)
        self._begins = array("I", (0,))
        for phrase in phrases:
            self._begins.append(self._begins[-1] + len(phrase.words))
        self._names = tuple(sorted({phrase.meaning for phrase in phrases}))
        self._meanings = array("B", (self._names.index(phrase.meaning) for phrase in phrases))
        self._slots, self._own_from = (
            array("b", (_NONE if place is None else place for place in places))
            for places in ([phrase.slot for phrase in phrases], [phrase.own_from for phrase in phrases])
        )
        self._keep = bytes(phrase.keeps for phrase in phrases)
        whole = (number for number, phrase in enumerate(phrases) if phrase.slot is None)
        self._whole = array("I", sorted(whole, key=self.get_letters))

    def __len__(self) -> int:
        return len(self._meanings)

    def __iter__(self) -> Iterator[Phrase]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, number: int) -> Phrase:
        """Return a phrase by its number."""
        slot, own_from, words = self._slots[number], self._own_from[number], self._words
        return Phrase(
            self._names[self._meanings[number]],
            tuple([words[ord(letter) - _FIRST_LETTER] for letter in self.get_letters(number)]),
            None if slot == _NONE else slot,
            bool(self._keep[number]),
            None if own_from == _NONE else own_from,
        )

    def write(self, words: Iterable[str]) -> str:
        """Return words as letters."""
        return "".join([self._letters.get(word, UNKNOWN) for word in words])

    def get_letters(self, number: int) -> str:
        """Return the words of a phrase as letters."""
        return self._text[self._begins[number] : self._begins[number + 1]]

    def find_whole(self, letters: str) -> list[Phrase]:
        """Return the phrases without a place for one's own words that these words are."""
        if UNKNOWN in letters:
            return []
        begin = bisect_left(self._whole, letters, key=self.get_letters)
        end = bisect_right(self._whole, letters, lo=begin, key=self.get_letters)
        return [self[number] for number in self._whole[begin:end]]

    def list_words(self, meaning: str) -> set[str]:
        """Return the words of the phrases of a meaning."""
        place = self._names.index(meaning)
        begin, end = bisect_left(self._meanings, place), bisect_right(self._meanings, place)
        letters = set(self._text[self._begins[begin] : self._begins[end]])
        return {self._words[ord(letter) - _FIRST_LETTER] for letter in letters}


class PhrasesByWords:
    """The numbers of phrases, by the words of which two have to be said."""

    def __init__(self, found: Iterable[tuple[int, str, str]]) -> None:
        numbers, others = defaultdict[str, list[int]](list), defaultdict[str, list[str]](list)
        for number, letter, other in found:
            numbers[letter].append(number)
            others[letter].append(other)
        self._found = {letter: (array("I", numbers[letter]), "".join(others[letter])) for letter in numbers}

    def find(self, said: Collection[str]) -> set[int]:
        """Return the numbers of the phrases of which both words, as letters, are among those that are said."""
        numbers: set[int] = set()
        for letter in said:
            if letter in self._found:
                known, others = self._found[letter]
                numbers.update(compress(known, map(said.__contains__, others)))
        return numbers
