"""Read the index of the words of stories, and find the stories that match: sets of numbers, in arrays."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import CompoundSelect, Dialect, Executable, Select, func, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by

from adapters.database.inline import InlineSession
from adapters.database.story_words import rows_between
from adapters.database.tables import story_postings
from bot.domain.movement import MovementId
from bot.domain.story_search import Alternative, StoryMatch

Entries = np.ndarray[Any, np.dtype[np.uint64]]
"""Entries of the index, from the oldest to the newest."""
Truths = np.ndarray[Any, np.dtype[np.bool_]]
ENTRY = np.dtype("<u8")
"""How one is stored; see `write_entries`."""
NONE: Entries = np.array([], ENTRY)
_rows = story_postings.c


class Postings:
    """The stories that match, by the index: of one movement, for one reader."""

    def __init__(self, session: InlineSession, movement: MovementId, match: StoryMatch, own: Sequence[str]) -> None:
        self._session, self._movement, self._match, self._own = session, movement, match, own
        self._seen = dict.fromkeys(match.every, 0)

    async def find(self, lower: int, upper: int) -> Sequence[int]:
        """Return the positions from `lower` until before `upper` that match, the newest first."""
        # The rarest first, as far as is known by now: only where that is, the others are read.
        rarest, *others = sorted(self._match.every, key=self._seen.__getitem__)
        found = await self._read(rarest, lower, upper)
        self._seen[rarest] += len(found)
        for group in others:
            held = await self._read_beside(found, group)
            self._seen[group] += len(held)
            found = found[_are_among(found, held)]
        found = await self._leave_readable(await self._leave_out(found))
        return [int(entry) >> 1 for entry in found[::-1]]

    async def _leave_out(self, found: Entries) -> Entries:
        unwanted = found
        for group in self._match.without:
            unwanted = unwanted[_are_among(unwanted, await self._read_beside(unwanted, group))]
        return found[~_are_among(found, unwanted)] if self._match.without else found

    async def _leave_readable(self, found: Entries) -> Entries:
        hidden = found[found & 1 == 1]
        if not len(hidden):
            return found
        own = await self._read_beside(hidden, tuple((token,) for token in self._own))
        readable: Entries = found[(found & 1 == 0) | _are_among(found, own)]
        return readable

    async def _read_beside(self, found: Entries, group: tuple[Alternative, ...]) -> Entries:
        """Read the entries of a group that may be among those found."""
        return await self._read(group, int(found[0]) >> 1, (int(found[-1]) >> 1) + 1) if len(found) else NONE

    async def _read(self, group: tuple[Alternative, ...], lower: int, upper: int) -> Entries:
        """Read the entries, in order, that have one of these alternatives, from one position until before another."""
        asked = list(dict.fromkeys(chain.from_iterable(group)))
        words = [token for token in asked if not token.endswith("*")]
        dialect = self._session.get_bind().dialect
        parts: list[Select[Any, Any, Any, Any]] = []
        if words:
            parts.append(rows_between(dialect, self._movement, words, lower, upper - 1).add_columns(literal("")))
        parts += [self._rows_of_prefix(token, lower, upper) for token in asked if token.endswith("*")]
        rows: dict[str, dict[str, list[tuple[int, bytes]]]] = {}
        for token, until, content, prefix in await self._session.execute(_gather(dialect, union_all(*parts))):
            if token is not None:
                rows.setdefault(prefix or token, {}).setdefault(token, []).append((until, content))
        held = {token: _in_order(*(_join(each, lower, upper) for each in its.values())) for token, its in rows.items()}
        return _in_order(*(_having_all([held.get(token, NONE) for token in one]) for one in group))

    def _rows_of_prefix(self, prefix: str, lower: int, upper: int) -> Select[Any, Any, Any, Any]:
        above = story_postings.alias()
        last = select(func.min(above.c.until)).where(
            above.c.movement_id == _rows.movement_id, above.c.token == _rows.token, above.c.until >= upper - 1
        )
        return select(_rows.token, _rows.until, _rows.entries, literal(prefix)).where(
            _rows.movement_id == self._movement,
            _rows.token > prefix[:-1],
            _rows.token < prefix[:-1] + "{",  # it comes after "z"
            _rows.until >= lower,
            or_(_rows.until < upper - 1, _rows.until == last.correlate(story_postings).scalar_subquery()),
        )


def _gather(dialect: Dialect, rows: CompoundSelect[Any, Any, Any, Any]) -> Executable:
    """Have PostgreSQL put the rows of a token together, in order: a frequent word has thousands, and each costs more on
    its way here than all that is in it. SQLite hands them over at no such cost."""
    if dialect.name != "postgresql":
        return rows
    token, until, entries, prefix = rows.subquery().c
    whole = func.string_agg(entries, aggregate_order_by(literal(b""), until))
    return select(token, func.max(until), whole, prefix).where(token.is_not(None)).group_by(token, prefix)


def _join(rows: list[tuple[int, bytes]], lower: int, upper: int) -> Entries:
    """Return the entries of rows of one token, in order, from one position until before another."""
    entries = np.frombuffer(b"".join(content for _, content in sorted(rows)), ENTRY)
    first, last = np.searchsorted(entries, np.array((lower << 1, upper << 1), ENTRY))
    return entries[first:last]


def _having_all(tokens: Sequence[Entries]) -> Entries:
    found, *others = tokens
    for other in others:
        found = found[_are_among(found, other)]
    return found


def _in_order(*parts: Entries) -> Entries:
    """Return these entries, each once, of parts that are in order."""
    filled = [one for one in parts if len(one)]
    if len(filled) < 2:
        return filled[0] if filled else NONE
    both = np.concatenate(filled)
    both.sort(kind="stable")  # this one makes use of the order of the parts
    once: Entries = both[np.append(True, both[1:] != both[:-1])]
    return once


def _are_among(some: Entries, others: Entries) -> Truths:
    """Return of each of some entries whether it is among others; both are in order."""
    if not len(some) or not len(others):
        return np.zeros(len(some), bool)
    at = np.minimum(np.searchsorted(others, some), len(others) - 1)
    among: Truths = others[at] == some
    return among
