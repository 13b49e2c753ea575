"""Read the books of what stands around content: how messages begin, are introduced, close and conclude."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.understanding.lines import expand_line, read_lines
from bot.understanding.text import tokenize

SLOT = "…"


@dataclass(frozen=True)
class WordGroup:
    """Words of one kind, and those that may stand before and after them."""

    words: frozenset[str]
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()


Framing = tuple[tuple[str, ...], bool]
"""Words of an opening or a closing, and whether a mark has to set them apart from the content."""


@dataclass(frozen=True)
class Frame:
    """The words around content.

    `openings` are found by their first word, `closings` by their last; the longest come first.
    """

    openings: Mapping[str, Sequence[Framing]]
    closings: Mapping[str, Sequence[Framing]]
    introducing: WordGroup
    concluding: WordGroup
    moments: WordGroup


def read_frame(folder: Path, spellings: Mapping[str, Sequence[str]]) -> Frame:
    """Read the books of a language in a folder."""
    openings = read_framing(folder / "opening.txt", spellings)
    closings = read_framing(folder / "closing.txt", spellings)
    return Frame(
        openings=_group_by_word(openings, place=0),
        closings=_group_by_word(closings, place=-1),
        introducing=_word_group(folder / "introducing.txt", spellings),
        concluding=_word_group(folder / "concluding.txt", spellings),
        moments=_word_group(folder / "moment.txt", spellings),
    )


def _group_by_word(framings: Iterable[Framing], place: int) -> dict[str, list[Framing]]:
    found: dict[str, list[Framing]] = {}
    for words, needs_mark in framings:
        if words:
            found.setdefault(words[place], []).append((words, needs_mark))
    return found


def read_framing(file: Path, spellings: Mapping[str, Sequence[str]]) -> list[Framing]:
    """Return lines as words, the longest first; with "…" beside them they need no mark."""
    found = {
        (tuple(token.word for token in tokenize(words.strip(f" {SLOT}"), spellings)), SLOT not in words)
        for line in read_lines(file)
        for words in expand_line(line)
    }
    return sorted(found, key=lambda one: (-len(one[0]), one))


def _word_group(file: Path, spellings: Mapping[str, Sequence[str]]) -> WordGroup:
    """Return the words of a file; "volgende …" stands before one of them, "… lang" after one."""
    groups: dict[tuple[bool, bool], set[str]] = defaultdict(set)
    for line in read_lines(file):
        words = {token.word for token in tokenize(line.strip(f" {SLOT}"), spellings)}
        groups[line.endswith(SLOT), line.startswith(SLOT)] |= words
    return WordGroup(
        words=frozenset(groups[False, False]),
        before=frozenset(groups[True, False]),
        after=frozenset(groups[False, True]),
    )
