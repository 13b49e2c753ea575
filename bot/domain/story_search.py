"""Find stories by their words: which words of a story it is found by, and what a search asks for.

A word is found in any of its forms, in Dutch and in English (Snowball stemmers), without accents and capitals; as the
beginning or end of a longer one ("dienst" in "nachtdienst") where whole words are too few; and where nothing is found,
with one letter wrong. All of this is computed here, so that both databases find the same.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from hashlib import blake2s
from itertools import chain
from zlib import crc32

from bot.domain.initiative import InitiativeId
from bot.domain.movement import PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.story import Dimension, Story

MAX_SEARCH_WORDS = 6
"""Words of a search that count; more make it no better."""
LONGEST_WORD = 40
"""Letters of a word that count: what is longer is an address or a slip."""
COMPOUND_FROM = 7
"""Letters of a word that may be made of two."""
PART_FROM = 4
"""Letters of a word that may be the beginning or end of a longer one."""
MOST_NEARLY = 2
"""How many words of a search may be spelled otherwise, the longest ones."""
MISTYPED_FROM = 5
"""Letters of a word in which one may be wrong; a shorter one would mean too many others."""
SNIPPET_CHARS = 180
"""Characters of a story shown where it was found."""
MAX_POSITION, LONGEST_CURSOR = 2**63 - 1, 19
"""The last position that a database can hold, and its digits."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_BITS_OF_ID = 31
_STEMMED_IN = ("dutch", "english")

Alternative = tuple[str, ...]
"""Tokens that must all be there; one that ends in `*` stands for all longer ones that begin so."""


class FoundBy(StrEnum):
    """How stories were found: by all words, by words of which these are a part, by some of them, or by words spelled
    nearly so."""

    ALL = "all"
    PARTS = "parts"
    SOME = "some"
    NEAR = "near"


@dataclass(frozen=True, kw_only=True)
class StoryMatch:
    """Says what a story must hold: of each group in `every` one alternative at least, and not all of `without`."""

    every: tuple[tuple[Alternative, ...], ...]
    without: tuple[tuple[Alternative, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoryReader:
    """A person who searches, in which workspace, and in which place (None: their own chat or page)."""

    person: PersonId
    workspace: WorkspaceId
    place: PlaceId | None = None


@dataclass(frozen=True, kw_only=True)
class StoryFilters:
    """Narrows a search: to stories told from `since` until before `until`. `group`: told with their name by somebody
    of that group, whose name the reader may see; a nameless story is of no group."""

    initiative: InitiativeId | None = None
    dimension: Dimension | None = None
    group: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Period(StrEnum):
    """How far back a search looks."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


SEARCH_PERIODS = {
    Period.WEEK: timedelta(days=7),
    Period.MONTH: timedelta(days=31),
    Period.QUARTER: timedelta(days=92),
    Period.YEAR: timedelta(days=366),
}


@dataclass(frozen=True, kw_only=True)
class SearchCursor:
    """Where the next page of a search begins: in which way stories are found there, and before which position."""

    by: FoundBy
    before: int

    def __str__(self) -> str:
        return f"{self.by.value}:{self.before}"

    @classmethod
    def parse(cls, text: str) -> "SearchCursor | None":
        """Return the cursor that was written so; None for anything else."""
        way, _, before = text.partition(":")
        is_number = before.isascii() and before.isdecimal() and len(before) <= LONGEST_CURSOR
        if way not in tuple(FoundBy) or not is_number or int(before) > MAX_POSITION:
            return None
        return cls(by=FoundBy(way), before=int(before))


@dataclass(frozen=True, kw_only=True)
class SnippetPart:
    """A part of a snippet, in the teller's words; `found` when it is what was searched for."""

    text: str
    found: bool


def position_at(moment: datetime) -> int:
    """Return the least position of a story told at a moment, or later; see `story_position`."""
    return int(moment.timestamp()) << _BITS_OF_ID


def moment_of(position: int, *, later: bool = False) -> datetime:
    """Return the second of a position; with `later` the one after it."""
    return datetime.fromtimestamp((position >> _BITS_OF_ID) + later, UTC)


def story_position(story: Story) -> int:
    """Return the place of a story among all in order of time: a number that grows with the second it was told in."""
    return position_at(story.told_at) | (crc32(story.id.encode()) & ((1 << _BITS_OF_ID) - 1))


def index_story(story: Story) -> tuple[int | None, frozenset[str]]:
    """Return by what a story is found within its movement: its position and its tokens; nothing when it was
    withdrawn."""
    if not story.is_told:
        return None, frozenset()
    tokens = {_about("t", story.teller_id)}
    if story.place_id is not None:
        tokens.add(_about("p", story.place_id))
    if story.initiative_id is not None:
        tokens.add(_about("i", story.initiative_id))
    if story.dimension is not None:
        tokens.add(f"_d{story.dimension.value}")
    for word in split_words(story.text):
        tokens.update(_stems(word))
        if len(word) >= COMPOUND_FROM:
            tokens.update(_ending(stem) for stem in _stems(word))
    return story_position(story), frozenset(tokens)


def holds(tokens: Collection[str], match: StoryMatch) -> bool:
    """Return whether a story with these tokens matches."""
    return all(map(partial(_holds_one, tokens), match.every)) and not (
        match.without and all(map(partial(_holds_one, tokens), match.without))
    )


def _holds_one(tokens: Collection[str], group: tuple[Alternative, ...]) -> bool:
    def has(token: str) -> bool:
        if not token.endswith("*"):
            return token in tokens
        return any(one.startswith(token[:-1]) and len(one) >= len(token) for one in tokens)

    return any(all(map(has, alternative)) for alternative in group)


def split_words(text: str) -> set[str]:
    """Return the words of a text, folded."""
    return {word for found in _WORD.findall(text) if (word := _fold(found))}


def load_stemmers() -> None:
    """Load the library that finds stems, so that nobody's story waits for it."""
    _stems("verhalen")


def read_query(text: str, common: Collection[str] = ()) -> tuple[str, ...]:
    """Return the words of a search in the order they were typed, folded and at most `MAX_SEARCH_WORDS`; those that say
    nothing about a subject (`common`) only where there are no others."""
    words = tuple(dict.fromkeys(word for found in _WORD.findall(text) if (word := _fold(found))))
    telling = tuple(word for word in words if word not in common)
    return (telling or words)[:MAX_SEARCH_WORDS]


def match_words(words: Sequence[str], by: FoundBy) -> StoryMatch | None:
    """Return what a story must hold to be found by these words in this way; None where there is no such way."""
    whole = tuple(_alone(_stems(word)) for word in words)
    if by is FoundBy.ALL:
        return StoryMatch(every=whole)
    if by is FoundBy.PARTS:
        every = tuple((*_alone(_stems(word)), *_parts(word)) for word in words)
        return StoryMatch(every=every, without=whole) if every != whole else None
    if by is FoundBy.SOME:
        return StoryMatch(every=(tuple(chain(*whole)),)) if len(words) > 1 else None
    doubtful = sorted(words, key=len)[-MOST_NEARLY:]  # each has hundreds of spellings near it
    every = tuple((*_alone(_stems(word)), *(_spell_nearly(word) if word in doubtful else ())) for word in words)
    return StoryMatch(every=every) if every != whole else None


def match_filters(filters: StoryFilters) -> StoryMatch:
    """Return what a story must hold to be of an initiative, or of a dimension."""
    every: list[tuple[Alternative, ...]] = []
    if filters.initiative is not None:
        every.append(((_about("i", filters.initiative),),))
    if filters.dimension is not None:
        every.append(((f"_d{filters.dimension.value}",),))
    return StoryMatch(every=tuple(every))


def own_tokens(reader: StoryReader) -> tuple[str, ...]:
    """Return the tokens of stories that a reader may read whoever else may: their own, and those of the place they
    are in."""
    here = (_about("p", reader.place),) if reader.place is not None else ()
    return (_about("t", reader.person), *here)


def match_tellers(tellers: Collection[PersonId]) -> tuple[Alternative, ...]:
    """Return the alternatives of stories told by one of these people."""
    return tuple((_about("t", one),) for one in sorted(tellers))


def make_snippet(text: str, words: Sequence[str], by: FoundBy, most: int = SNIPPET_CHARS) -> tuple[SnippetPart, ...]:
    """Return the part of a text around the first word that was found, on one line, with every such word apart."""
    line = " ".join(text.split())
    wanted = frozenset(stem for word in words for stem in _stems(word))
    marks = [found.span() for found in _WORD.finditer(line) if _is_found(_fold(found.group()), words, wanted, by)]
    begin = _find_beginning(line, marks[0][0] if marks else 0, most)
    end = len(line) if len(line) - begin <= most else (line.rfind(" ", begin, begin + most) + 1 or begin + most + 1) - 1
    parts, at = [SnippetPart(text="…", found=False)] if begin else [], begin
    for first, last in marks:
        if first >= at and last <= end:
            parts += [SnippetPart(text=line[at:first], found=False), SnippetPart(text=line[first:last], found=True)]
            at = last
    parts.append(SnippetPart(text=line[at:end] + ("…" if end < len(line) else ""), found=False))
    return tuple(part for part in parts if part.text)


def _find_beginning(line: str, mark: int, most: int) -> int:
    """Return where a snippet begins: a little before the first word found, after a space."""
    if mark < most * 2 // 3 or len(line) <= most:
        return 0
    begin = min(mark - most // 3, len(line) - most)
    return line.find(" ", begin) + 1 if " " in line[begin:mark] else mark


def _is_found(word: str, words: Sequence[str], wanted: frozenset[str], by: FoundBy) -> bool:
    if wanted.intersection(_stems(word)):
        return True
    if by is FoundBy.PARTS:
        own = _stems(word)
        begins_or_ends = any(
            len(stem) >= PART_FROM and (one.startswith(stem) or one.endswith(stem)) for stem in wanted for one in own
        )
        return begins_or_ends or any(own[0] in parts for each in words for parts in _splits(each))
    return by is FoundBy.NEAR and any((stem,) in _spell_nearly(each) for each in words for stem in _stems(word))


def _alone(tokens: Collection[str]) -> tuple[Alternative, ...]:
    return tuple((token,) for token in tokens)


def _parts(word: str) -> Iterator[Alternative]:
    """Yield the tokens of longer words that begin or end with this one, and of two words it is made of."""
    for stem in _stems(word):
        if len(stem) >= PART_FROM:
            yield (f"{stem}*",)
            yield (f"{_ending(stem)}*",)
    yield from _splits(word)


@lru_cache(maxsize=1024)
def _splits(word: str) -> tuple[Alternative, ...]:
    """Return the ways in which a word can be split in two, also with an s between them: "arbeids|markt"."""
    if len(word) < COMPOUND_FROM + 1:
        return ()
    found: dict[Alternative, None] = {}
    for at in range(PART_FROM, len(word) - PART_FROM + 1):
        before, after = word[:at], word[at:]
        for first in (before, before[:-1]) if before.endswith("s") and at > PART_FROM else (before,):
            found[(_stems(first)[0], _stems(after)[0])] = None
    return tuple(found)


@lru_cache(maxsize=16)  # each holds up to two thousand
def _spell_nearly(word: str) -> frozenset[Alternative]:
    """Return the stems that differ from that of a word in one letter, or two beside each other that changed places."""
    stem = _stems(word)[0]
    if len(word) < MISTYPED_FROM or not word.isascii() or not word.isalpha():
        return frozenset()
    pairs = [(stem[:at], stem[at:]) for at in range(len(stem) + 1)]
    missed = (before + letter + after for before, after in pairs for letter in _LETTERS)
    other = (before + letter + after[1:] for before, after in pairs if after for letter in _LETTERS)
    doubled = (before + after[1:] for before, after in pairs if after)
    swapped = (before + after[1] + after[0] + after[2:] for before, after in pairs if len(after) > 1)
    return frozenset((one,) for one in chain(missed, other, doubled, swapped) if one != stem and len(one) > 1)


@lru_cache(maxsize=65_536)
def _stems(word: str) -> tuple[str, ...]:
    """Return the stems of a word, the Dutch one first: a movement speaks both languages, sometimes in one story."""
    import snowballstemmer  # not at the start: it brings thirty languages

    # A stemmer for each word: it holds the word it is at, and some read in threads.
    stems = (snowballstemmer.stemmer(language).stemWord(word) for language in _STEMMED_IN)
    return tuple(dict.fromkeys(stem or word for stem in stems))


def _ending(stem: str) -> str:
    """Return the token by which the end of a word is found: its letters from the last to the first."""
    return f"_e{stem[::-1]}"


@lru_cache(maxsize=65_536)
def _fold(word: str) -> str:
    """Return a word in small letters without accents, at most `LONGEST_WORD` of them; letters of other alphabets as
    their numbers, which every database takes for part of a word."""
    letters = (one for one in unicodedata.normalize("NFKD", word.casefold()) if one.isalnum())
    return "".join(one if one.isascii() else f"u{ord(one):x}" for one in letters)[:LONGEST_WORD]


def _about(kind: str, key: str) -> str:
    """Return the token that says of which teller, place or initiative a story is."""
    return f"_{kind}{blake2s(key.encode(), digest_size=6).hexdigest()}"
