"""Search stories: the index of their words narrows, the columns of the stories themselves decide what is found.

SQLite's FTS5 gives matches newest first by itself, one after the other, until enough are found. PostgreSQL's GIN index
knows no order: what many stories hold is found quickest by looking through the newest, what few hold by the index.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from psycopg.errors import QueryCanceled
from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.expression import true

from adapters.database.story_words import TOKENS, fts5_query, tsquery
from adapters.database.tables import members, people, stories
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId
from bot.domain.story import Readers, Story
from bot.domain.story_search import (
    Alternative,
    StoryFilters,
    StoryMatch,
    StoryReader,
    match_scope,
    match_tellers,
    position_at,
)
from bot.ports import TookTooLong

T = TypeVar("T")
MAX_TELLERS = 200
"""Tellers of a group that the index is asked for one by one; of a larger group there are stories enough."""
NEWEST = 2_000
"""Stories that PostgreSQL looks through before it asks its index."""
MAX_LIKE = 12
"""Tokens up to which looking through the newest stories is quick."""
MAX_HITS = 5_000
"""Matches that PostgreSQL sorts at once; of more, first those among the newest stories."""
WINDOWS = (50_000, 400_000, None)
"""How many of the newest stories are then searched, one after the other, until enough are found."""

LONGEST_MS = 1_500
"""Milliseconds that PostgreSQL may take for one of the ways to find stories."""

_words = table("story_words", column("rowid"))
_position = stories.c.search_position


def _without_index(found: Column[T]) -> ColumnElement[T]:
    """Return a column of stories as SQLite finds no index for: it must go from the words to the stories. With an index
    at hand it goes, for a group, through all stories of its people, and looks each up among the words."""
    return literal_column(f"+stories.{found.name}", found.type)


def _as_it_is(found: Column[T]) -> ColumnElement[T]:
    return found


def is_readable_by(reader: StoryReader, by: Callable[[Column[Any]], ColumnElement[Any]]) -> ColumnElement[bool]:
    """Match the stories that somebody may read: see `Story.is_readable`; and their own."""
    mine = by(stories.c.teller_id) == reader.person
    here = by(stories.c.place_id) == reader.place if reader.place is not None else None
    own = mine if here is None else or_(mine, here)
    return and_(stories.c.withdrawn_at.is_(None), or_(stories.c.readers != Readers.THREAD, own))


class StorySearcher:
    """One search within one movement, for one reader."""

    def __init__(
        self,
        session: AsyncSession,
        movement: MovementId,
        reader: StoryReader,
        filters: StoryFilters,
        before: int | None,
    ) -> None:
        self._session, self._movement, self._reader, self._filters = session, movement, reader, filters
        self._scope = match_scope(movement, reader, filters)
        self._on_sqlite = session.get_bind().dialect.name == "sqlite"
        self._by = _without_index if self._on_sqlite else _as_it_is
        of_movement = self._by(stories.c.movement_id) == movement
        # On SQLite the words have the limits: their rowid is the position.
        limits = () if self._on_sqlite else tuple(self._limits(before))
        self._within = and_(of_movement, is_readable_by(reader, self._by), *limits, *self._narrow())
        self._before = before

    async def find(self, match: StoryMatch, limit: int) -> Sequence[tuple[Story, Person]]:
        """Return at most `limit` stories that match, newest first, with their tellers."""
        matches: list[StoryMatch] = [match, self._scope]
        if self._filters.group:
            tellers: list[PersonId] = list(await self._session.scalars(self._tellers().limit(MAX_TELLERS + 1)))
            if not tellers:
                return []
            if len(tellers) <= MAX_TELLERS:
                matches.append(StoryMatch(every=(match_tellers(tellers),)))
        if self._on_sqlite:
            return await self._load(self._in_fts5(matches, limit))
        found = await self._find_on_postgresql(match, matches, limit)
        return await self._load(select(Story, Person).where(_position.in_(found), self._within))

    def _in_fts5(self, matches: Sequence[StoryMatch], limit: int) -> Select[Story, Person]:
        rowid = _words.c.rowid
        return (
            select(Story, Person)
            .select_from(_words)
            .join(stories, _position == rowid)
            .where(text("story_words MATCH :matching").bindparams(matching=fts5_query(*matches)))
            .where(self._within, *self._limits(self._before, rowid))
            .order_by(rowid.desc())
            .limit(limit)
        )

    async def _load(self, found: Select[Story, Person]) -> Sequence[tuple[Story, Person]]:
        if self._on_sqlite:
            rows = await self._session.execute(found.join(people, people.c.id == self._by(stories.c.teller_id)))
        else:
            joined = found.join_from(stories, people, people.c.id == stories.c.teller_id)
            rows = await self._session.execute(joined.order_by(_position.desc()))
        return [(story, teller) for story, teller in rows]

    # -- PostgreSQL ---------------------------------------------------------------------------------------------------

    async def _find_on_postgresql(self, match: StoryMatch, matches: Sequence[StoryMatch], limit: int) -> Sequence[int]:
        if sum(map(len, match.every + match.without)) <= MAX_LIKE:
            newest = self._newest(NEWEST)
            like = and_(true(), *map(_like_group, match.every), *_unlike(match))
            among = select(_position).where(_position >= newest, self._within, like)
            found = (await self._session.scalars(among.order_by(_position.desc()).limit(limit))).all()
            if len(found) == limit:
                return found
        # What it costs to take a text apart is not known to the planner: it would read the whole table.
        await self._session.execute(text("SET LOCAL enable_seqscan = off"))
        # Whoever acts in this movement waits meanwhile.
        await self._session.execute(text(f"SET LOCAL statement_timeout = {LONGEST_MS}"))
        try:
            found = await self._find_by_index(matches, limit)
        except DBAPIError as problem:
            if isinstance(problem.orig, QueryCanceled):
                raise TookTooLong("search") from problem
            raise
        await self._session.execute(text("SET LOCAL statement_timeout = DEFAULT"))
        await self._session.execute(text("SET LOCAL enable_seqscan = DEFAULT"))
        return found

    async def _find_by_index(self, matches: Sequence[StoryMatch], limit: int) -> Sequence[int]:
        matching = text(f"{TOKENS} @@ CAST(:matching AS tsquery)").bindparams(bindparam("matching", tsquery(*matches)))
        some = select(_position).where(matching, self._within).limit(MAX_HITS + 1)
        # Materialized: else the planner would walk through all stories, the newest first, and take each apart.
        hits = some.cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
        counted = select(hits.c.search_position, func.count().over()).order_by(hits.c.search_position.desc())
        rows = (await self._session.execute(counted.limit(limit))).all()
        if not rows or rows[0][1] <= MAX_HITS:
            return [position for position, _ in rows]
        found: Sequence[int] = ()
        for window in WINDOWS:
            newest = _position >= self._newest(window) if window is not None else true()
            some = select(_position).where(matching, self._within, newest)
            hits = some.cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
            first = select(hits.c.search_position).order_by(hits.c.search_position.desc()).limit(limit)
            found = (await self._session.scalars(first)).all()
            if len(found) == limit:
                break
        return found

    def _newest(self, many: int) -> ColumnElement[int]:
        """Return the position from which there are this many stories of the movement, before where the page begins."""
        all_before = select(_position).where(stories.c.movement_id == self._movement, *self._limits(self._before))
        last = all_before.order_by(_position.desc()).offset(many).limit(1).scalar_subquery()
        return func.coalesce(last, literal_column("0"))

    # -- what decides --------------------------------------------------------------------------------------------------

    def _limits(self, before: int | None, position: ColumnElement[int] = _position) -> Iterator[ColumnElement[bool]]:
        filters = self._filters
        if before is not None:
            yield position < before
        if filters.until is not None:
            yield position < position_at(filters.until)
        if filters.since is not None:
            yield position >= position_at(filters.since)

    def _narrow(self) -> Iterator[ColumnElement[bool]]:
        filters = self._filters
        if filters.initiative is not None:
            yield self._by(stories.c.initiative_id) == filters.initiative
        if filters.dimension is not None:
            yield stories.c.dimension == filters.dimension
        if filters.group:
            yield and_(stories.c.named.is_(True), self._by(stories.c.teller_id).in_(self._tellers()))

    def _tellers(self) -> Select[PersonId]:
        """Select the members of the group whose name the reader may see."""
        return (
            select(people.c.id)
            .join(members, members.c.person_id == people.c.id)
            .where(
                members.c.movement_id == self._movement,
                people.c.group == self._filters.group,
                people.c.account.is_not(None),
                or_(people.c.workspace_id == self._reader.workspace, people.c.named_beyond.is_(True)),
            )
        )


def _like_group(group: tuple[Alternative, ...]) -> ColumnElement[bool]:
    """Match the stories that hold one of these alternatives, by looking through their tokens."""
    spaced: ColumnElement[str] = literal_column("' '", String) + stories.c.search_words + literal_column("' '")
    return or_(*(and_(*(spaced.like(_pattern(one)) for one in each)) for each in group))


def _unlike(match: StoryMatch) -> Iterator[ColumnElement[bool]]:
    if match.without:
        yield ~and_(*map(_like_group, match.without))


def _pattern(token: str) -> str:
    escaped = token.rstrip("*").replace("_", r"\_")  # tokens are letters, digits and underscores
    return f"% {escaped}%" if token.endswith("*") else f"% {escaped} %"
