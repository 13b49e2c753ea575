"""Search stories: the index of their words says which may be meant, the columns of the stories themselves decide.

A search goes back in time in stretches, each larger than the one before, until it has found enough. Of a stretch it
reads the rows of its words in the index, the rarest first, and of the others only what may be meant.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from time import perf_counter

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, text

from adapters.database.inline import InlineSession
from adapters.database.repositories.base import is_among_few, is_of
from adapters.database.story_words import OPEN
from adapters.database.tables import STORIES_UNINDEXED, members, people, stories
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId
from bot.domain.story import Readers, Story
from bot.domain.story_search import (
    StoryFilters,
    StoryMatch,
    StoryReader,
    holds,
    index_story,
    match_filters,
    match_tellers,
    moment_of,
    own_tokens,
    position_at,
    story_position,
)
from bot.ports import TookTooLong

MAX_TELLERS = 200
"""Tellers of a group that the index is asked for one by one; of a larger group there are stories enough."""
MAX_UNINDEXED = 200
"""Stories that are not in the index yet, the newest, that a search looks through."""
FIRST_STRETCH = 4_000
"""Stories in the first stretch of time, about."""
GROWTH = (8, 64)
"""How many times as long as the first are those after it; then everything else."""
BATCHES = (1, 16, 128)
"""How many times as many stories as are still wanted are looked at, when those before were not readable after all."""
LONGEST_SEARCH = 1.5
"""Seconds after which a search goes no further back."""

FoundRow = tuple[Story, Person]
_position = stories.c.search_position


def is_readable_by(reader: StoryReader) -> ColumnElement[bool]:
    """Match the stories that somebody may read: see `Story.is_readable`; and their own."""
    mine = stories.c.teller_id == reader.person
    own = mine if reader.place is None else or_(mine, stories.c.place_id == reader.place)
    return and_(stories.c.withdrawn_at.is_(None), or_(stories.c.readers != Readers.THREAD, own))


class StorySearcher:
    """One search within one movement, for one reader; in different ways one after the other, by what it looked up
    first."""

    def __init__(
        self,
        session: InlineSession,
        movement: MovementId,
        reader: StoryReader,
        filters: StoryFilters,
        before: int | None,
    ) -> None:
        self._session, self._movement, self._reader, self._filters = session, movement, reader, filters
        self._upper = min(OPEN if before is None else before, OPEN if not filters.until else position_at(filters.until))
        self._floor = position_at(filters.since) if filters.since is not None else 0
        self._matches = and_(is_readable_by(reader), *self._narrow())
        self._within = and_(stories.c.movement_id == movement, self._matches)
        self._new: Sequence[FoundRow] | None = None
        self._begins: Sequence[int] | None = None

    async def find(self, match: StoryMatch, limit: int) -> Sequence[FoundRow]:
        """Return at most `limit` stories that match, newest first, with their tellers."""
        narrowed = StoryMatch(every=match.every + match_filters(self._filters).every, without=match.without)
        if self._filters.group:
            tellers: list[PersonId] = list(await self._session.scalars(self._tellers().limit(MAX_TELLERS + 1)))
            if not tellers:
                return []
            if len(tellers) <= MAX_TELLERS:
                narrowed = StoryMatch(every=(*narrowed.every, match_tellers(tellers)), without=match.without)
        if narrowed.every:
            new, begins = await self._session.together(self._load_new(), self._stretches())
            indexed = await self._find_by_words(narrowed, begins, limit)
        else:
            new, indexed = await self._session.together(self._load_new(), self._find_newest(limit))
        found = {story.id: (story, teller) for story, teller in self._choose_new(new, match)}
        # One may just have been put in the index.
        found |= {story.id: (story, teller) for story, teller in indexed}
        return sorted(found.values(), key=lambda one: story_position(one[0]), reverse=True)[:limit]

    # -- not in the index --------------------------------------------------------------------------------------------

    async def _load_new(self) -> Sequence[FoundRow]:
        """Return the stories that are not in the index yet."""
        if self._new is not None:
            return self._new
        of_it = is_among_few(stories.c.movement_id, self._movement)
        newest = _load().where(text(STORIES_UNINDEXED), of_it, self._matches).order_by(stories.c.told_at.desc())
        if self._upper < OPEN:
            newest = newest.where(stories.c.told_at < moment_of(self._upper, later=True))
        if self._floor:
            newest = newest.where(stories.c.told_at >= moment_of(self._floor))
        found = await self._session.execute(newest.limit(MAX_UNINDEXED))
        self._new = [(story, teller) for story, teller in found]
        return self._new

    def _choose_new(self, new: Sequence[FoundRow], match: StoryMatch) -> Iterator[FoundRow]:
        for story, teller in new:
            position, tokens = index_story(story)
            if position is not None and self._floor <= position < self._upper and holds(tokens, match):
                yield story, teller

    async def _find_newest(self, limit: int) -> Sequence[FoundRow]:
        """Return stories by nothing but their columns."""
        newest = _load().where(stories.c.search_indexed, self._within, _position < self._upper)
        if self._filters.initiative is not None:  # by its index, where nothing else leads to few
            newest = newest.where(stories.c.initiative_id == self._filters.initiative)
        if self._floor:
            newest = newest.where(_position >= self._floor)
        return [(story, teller) for story, teller in await self._session.execute(_newest_first(newest).limit(limit))]

    # -- by the index ------------------------------------------------------------------------------------------------

    async def _find_by_words(self, match: StoryMatch, begins: Sequence[int], limit: int) -> Sequence[FoundRow]:
        # Here: only a process in which people search needs what this is made with, and it takes memory.
        from adapters.database.repositories.postings import Postings

        postings = Postings(self._session, self._movement, match, own_tokens(self._reader))
        found: list[FoundRow] = []
        upper, began = self._upper, perf_counter()
        for lower in begins:
            for some in _in_batches(await postings.find(lower, upper), limit):
                found += await self._load_matching(some, match)
                if len(found) >= limit:
                    return found[:limit]
            if perf_counter() - began > LONGEST_SEARCH:  # whoever acts in this movement waits meanwhile
                raise TookTooLong("search")
            upper = lower
        return found

    async def _stretches(self) -> Sequence[int]:
        """Return where the stretches of time begin that are searched one after the other."""
        if self._begins is None:
            self._begins = await self._find_stretches()
        return self._begins

    async def _find_stretches(self) -> Sequence[int]:
        before = select(_position).where(stories.c.movement_id == self._movement, _position < self._upper)
        back = before.order_by(_position.desc()).limit(1)
        newest, oldest = (
            await self._session.execute(select(back.scalar_subquery(), back.offset(FIRST_STRETCH).scalar_subquery()))
        ).one()
        if newest is None:
            return ()
        begins = [] if oldest is None else [oldest, *(newest - (newest - oldest) * many for many in GROWTH)]
        return [*(one for one in begins if one > self._floor), self._floor]

    async def _load_matching(self, positions: Sequence[int], match: StoryMatch) -> list[FoundRow]:
        """Load stories that are readable, and hold what the index says they do."""
        these = _load().where(_position.in_(positions), self._within)
        return [
            (story, teller)
            for story, teller in await self._session.execute(_newest_first(these))
            if holds(index_story(story)[1], match)
        ]

    # -- what decides ------------------------------------------------------------------------------------------------

    def _narrow(self) -> Iterator[ColumnElement[bool]]:
        filters = self._filters
        if filters.initiative is not None:
            yield is_of(stories.c.initiative_id, filters.initiative)
        if filters.dimension is not None:
            yield stories.c.dimension == filters.dimension
        if filters.group:
            # Of the teller who is loaded with the story: in a large group, of all tellers each time, it takes a second.
            is_member = exists().where(members.c.movement_id == self._movement, members.c.person_id == people.c.id)
            yield and_(stories.c.named.is_(True), is_of(people.c.group, filters.group), self._shows_name(), is_member)

    def _tellers(self) -> Select[PersonId]:
        """Select the members of the group whose name the reader may see."""
        return (
            select(people.c.id)
            .join(members, members.c.person_id == people.c.id)
            .where(
                members.c.movement_id == self._movement,
                people.c.group == self._filters.group,
                self._shows_name(),
            )
        )

    def _shows_name(self) -> ColumnElement[bool]:
        """Match people whose name the reader may see."""
        beyond = or_(people.c.workspace_id == self._reader.workspace, people.c.named_beyond.is_(True))
        return and_(people.c.account.is_not(None), beyond)


def _load() -> Select[Story, Person]:
    return select(Story, Person).join_from(stories, people, people.c.id == stories.c.teller_id)


def _newest_first(found: Select[Story, Person]) -> Select[Story, Person]:
    return found.order_by(_position.desc())


def _in_batches(positions: Sequence[int], limit: int) -> Iterator[Sequence[int]]:
    begin, sizes = 0, chain(BATCHES, repeat(BATCHES[-1]))
    while begin < len(positions):
        size = next(sizes) * limit
        yield positions[begin : begin + size]
        begin += size
