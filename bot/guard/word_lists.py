"""Read the word lists of the guard, `prompts/<language>/guard/*.txt`, which anybody can extend.

A line holds one word or phrase, in any case; a line that begins with `#` is a remark. `*kanker` is any word that ends
like that, `hoor* stemmen` a phrase whose first word begins like that. Two lists have values: `number_words.txt`
(`acht = 8`) and `repeats.txt`. First names, surnames, titles and particles of all languages count in each of them:
people move.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path

from bot.domain.person import Language
from bot.guard.text import Word, split_text

LISTS_ROOT = Path(__file__).resolve().parents[2] / "prompts"
SHARED_LISTS = frozenset({"first_names", "surnames", "titles", "particles"})

_SMALLEST_TENS = 20
"""The first number whose word has the units beside it: twenty-one."""


class Phrases:
    """A list of words and phrases, to be found at a place in a text."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.words: set[str] = set()
        self._endings: list[str] = []
        self._longer: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._open: list[tuple[str, ...]] = []
        for line in lines:
            words = tuple(word.plain for word in split_text(line.replace("*", "xstarx")))
            if not words:
                continue
            if line.startswith("*"):
                self._endings.append(words[0].removeprefix("xstarx"))
                self.words.add(words[0].removeprefix("xstarx"))
            elif words[0].endswith("xstarx"):
                self._open.append(words)
            elif len(words) == 1:
                self.words.add(words[0])
            else:
                self._longer[words[0]].append(words)
        for phrases in self._longer.values():
            phrases.sort(key=len, reverse=True)
        self._suffixes = tuple(self._endings)
        self._begins = frozenset((*self.words, *self._longer))
        self._open_begins = tuple(phrase[0].removesuffix("xstarx") for phrase in self._open)

    @cached_property
    def endings(self) -> tuple[str, ...]:
        """The words, to find out whether a longer one ends like any of them."""
        return tuple(self.words)

    def __contains__(self, word: Word) -> bool:
        """Return whether one word is in the list."""
        return word.plain in self.words or (bool(self._suffixes) and word.plain.endswith(self._suffixes))

    def match(self, words: Sequence[Word], at: int) -> int:
        """Return where the longest phrase that begins at a place ends; that place itself when none does."""
        if not 0 <= at < len(words) or not self._may_begin(words[at].plain):
            return at
        for phrase in (*self._longer.get(words[at].plain, ()), *self._open):
            if _stands_at(phrase, words, at):
                return at + len(phrase)
        return at + 1 if words[at] in self else at

    def _may_begin(self, plain: str) -> bool:
        """Return whether anything of the list may begin with a word: nearly always nothing does."""
        return (
            plain in self._begins
            or (bool(self._suffixes) and plain.endswith(self._suffixes))
            or (bool(self._open_begins) and plain.startswith(self._open_begins))
        )

    def find(self, words: Sequence[Word], begin: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield where the phrases in a part of a text begin and end."""
        last = len(words) if end is None else min(end, len(words))
        is_sure = not self._suffixes and not self._open_begins
        known = self._begins.__contains__ if is_sure else self._may_begin
        for at in [one for one in range(max(begin, 0), last) if known(words[one].plain)]:
            if (stop := self.match(words, at)) > at and stop <= last:
                yield at, stop


def _stands_at(phrase: tuple[str, ...], words: Sequence[Word], at: int) -> bool:
    if at + len(phrase) > len(words) or words[at].sentence != words[at + len(phrase) - 1].sentence:
        return False
    return all(
        words[at + step].plain.startswith(part.removesuffix("xstarx"))
        if part.endswith("xstarx")
        else words[at + step].plain == part
        for step, part in enumerate(phrase)
    )


class _ListsByName(dict[str, Phrases]):
    """Lists by the names of their files, each read when it is first asked for."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, name: str) -> Phrases:
        languages = Language if name in SHARED_LISTS else (self._language,)
        self[name] = Phrases([line for language in languages for line in _read_lines(language, name)])
        return self[name]


class WordLists:
    """The word lists of one language, each read once: those of words and phrases `by_name`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.by_name = _ListsByName(language)
        self._values: dict[str, dict[str, str]] = {}

    def __getitem__(self, name: str) -> Phrases:
        """Return a list by the name of its file."""
        return self.by_name[name]

    @cached_property
    def tens(self) -> tuple[str, ...]:
        """The words for numbers from twenty: in Dutch the units stand before them, in one word."""
        return tuple(word for word, value in self.values("number_words").items() if int(value) >= _SMALLEST_TENS)

    def values(self, name: str) -> dict[str, str]:
        """Return a list of values: word → value."""
        if name not in self._values:
            pairs = (line.split("=") for line in _read_lines(self.language, name))
            self._values[name] = {split_text(word)[0].plain: value.strip() for word, value in pairs}
        return self._values[name]


@cache
def word_lists(language: Language) -> WordLists:
    """Return the word lists of a language."""
    return WordLists(language)


def _read_lines(language: Language, name: str) -> Iterator[str]:
    file = LISTS_ROOT / language.value / "guard" / f"{name}.txt"
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("# "):
            yield line.strip()
