"""The rows that a movement takes along: without names of people who did not agree to that, safe for a spreadsheet."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from bot.domain.initiative import InitiativeId
from bot.domain.movement import PlaceId
from bot.domain.story import Dimension, StoryId

FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
"""Beginnings by which a spreadsheet takes a cell for a formula, or a command."""
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w.+-])@[\w.-]*\w")
"""An e-mail address, or somebody's @handle."""
_INNER = re.compile(r"['’\-]")
MOST_JUDGED = 50_000
"""Words of which is remembered whether they are of a name: more than a language's common ones."""
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


TakenAfter = tuple[datetime, str]
"""The moment and the id of the last row that was taken."""


class TakenStory(NamedTuple):
    """The columns of a story that everyone in the movement may read. `teller` is the name of one who agreed to be named
    beyond their own organisation too; empty for anybody else. `outside`: told by somebody without an account."""

    told_at: datetime
    id: StoryId
    text: str
    teller: str
    outside: bool
    initiative_id: InitiativeId | None
    dimension: Dimension | None
    ripples: int


class TakenStep(NamedTuple):
    """The columns of a step that was done, and posted where others are; what came of it is its maker's to tell."""

    closed_at: datetime
    id: str
    cue: str
    action: str
    initiative_id: InitiativeId | None


class TakenMoment(NamedTuple):
    """The columns of a moment of a rhythm that was posted."""

    created_at: datetime
    id: str
    kind: str
    place_id: PlaceId | None
    sent_at: datetime


def make_cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(FORMULA_MARKS) else text


class NameMask:
    """Takes the names of people out of texts, with e-mail addresses and @handles, and puts `instead` in their place.

    A word of a name that is written with a capital goes, whatever else it may mean there; in small letters it stays
    where it is an `ordinary` word. Particles ("van", "de") go only between two words of a name.
    """

    def __init__(
        self, names: Iterable[str], instead: str, *, ordinary: Collection[str] = (), particles: Collection[str] = ()
    ) -> None:
        self._particles = {one.casefold() for one in particles}
        self._ordinary = {one.casefold() for one in ordinary}
        self._instead = instead
        self._words: set[str] = set()
        self._judged: dict[str, bool] = {}
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        """Take these names out as well, from now on."""
        for name in names:
            for found in _WORD.findall(name):
                self._words |= {part.casefold() for part in (found, *_INNER.split(found)) if len(part) > 1}
        self._words -= self._particles
        self._judged.clear()

    def mask(self, text: str) -> str:
        """Return a text without the names."""
        text = _ADDRESS.sub(lambda _: self._instead, text)
        if not self._words or not text:
            return text
        spans: list[tuple[int, int]] = []
        for found in _WORD.finditer(text):
            if not self._is_name(found.group()):
                continue
            if spans and self._is_within_name(text[spans[-1][1] : found.start()]):
                spans[-1] = (spans[-1][0], found.end())
            else:
                spans.append((found.start(), found.end()))
        kept, end = [], 0
        for start, stop in spans:
            kept += [text[end:start], self._instead]
            end = stop
        return "".join((*kept, text[end:]))

    def _is_within_name(self, between: str) -> bool:
        """Return whether what stands between two words of a name belongs to it: blanks and particles."""
        return not between.strip(" ") or (
            between[:1].isspace() and all(one.casefold() in self._particles for one in between.split())
        )

    def _is_name(self, word: str) -> bool:
        """Return whether a word is of a name: judged once, as people write the same words over and over."""
        if (known := self._judged.get(word)) is not None:
            return known
        if len(self._judged) >= MOST_JUDGED:
            self._judged.clear()
        self._judged[word] = judged = self._judge(word)
        return judged

    def _judge(self, word: str) -> bool:
        for one in {word, word.removesuffix("'s").removesuffix("’s"), word[:-1] if word[-1:] in "sS" else word}:
            small = one.casefold()
            if small in self._words and (one[:1].isupper() or small not in self._ordinary):
                return True
        return any(part.casefold() in self._words and part[:1].isupper() for part in _INNER.split(word))
