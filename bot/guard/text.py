"""Split a text into words that remember where they stood."""

import re
import unicodedata
from collections.abc import Container, Iterator
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"['’]?[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+[^\W\d_]{0,2}(?![^\W_])|\d+|[&#@+]")
_ENDS_SENTENCE = re.compile(r"[.!?…]+[\"'”’)]*\s|\n")


class Word(NamedTuple):
    """A word (or number, or one of `&#@+`) of a text: from `start` up to `end`.

    `plain` is in small letters without accents and without the ending of a possessive; `gap` what stands between it
    and the word before; `sentence` counts the sentences before it, of which it `begins` one.
    """

    text: str
    plain: str
    start: int
    end: int
    gap: str
    sentence: int
    begins: bool = False

    @property
    def is_capital(self) -> bool:
        """True when it is written as a name is."""
        return self.text.lstrip("'’")[:1].isupper()

    @property
    def is_initial(self) -> bool:
        """True when it is one capital, as the initial of a name."""
        return len(self.text) == 1 and self.is_capital

    @property
    def is_number(self) -> bool:
        return self.plain[:1].isdigit()

    @property
    def number(self) -> int:
        """The number that it is, or begins with; -1 when it is none."""
        digits = re.match(r"\d{1,9}", self.plain)
        return int(digits.group()) if digits else -1

    @property
    def is_close(self) -> bool:
        """True when nothing but a space, or the full stop of an abbreviation, sets it apart from the word before."""
        return not self.begins and self.gap.replace(".", "", 1).strip(" ") == "" and "\n" not in self.gap


def split_text(text: str, abbreviations: Container[str] = ()) -> tuple[Word, ...]:
    """Split a text into its words; the full stop of an abbreviation (in small letters) or initial ends no sentence."""
    words: list[Word] = []
    sentence, end = 0, 0
    for found in _WORD.finditer(text):
        start, word = found.start(), found.group()
        gap = text[end:start]
        is_stop = gap != " " and bool(words and _ENDS_SENTENCE.search(gap))
        begins = is_stop and not (gap.startswith(".") and _is_short(words[-1], abbreviations))
        sentence += begins
        end = found.end()
        words.append(Word(word, make_plain(word), start, end, gap, sentence, begins))
    return tuple(words)


def list_plain_words(text: str) -> Iterator[str]:
    """Yield the words of a text in plain letters, where nothing else about them matters."""
    return (make_plain(word) for word in _WORD.findall(text))


def _is_short(word: Word, abbreviations: Container[str]) -> bool:
    return (len(word.text) == 1 and word.text.isalpha()) or word.plain in abbreviations


@lru_cache(maxsize=8192)
def make_plain(word: str) -> str:
    """Return a word in small letters, without accents or the ending of a possessive."""
    split = unicodedata.normalize("NFKD", word.casefold().replace("’", "'"))
    plain = "".join(letter for letter in split if not unicodedata.combining(letter))
    return plain.removesuffix("'s") if len(plain) > 3 else plain.rstrip("'") or plain
