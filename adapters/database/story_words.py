"""The index of the words of stories: for each token of a movement, the stories that hold it, in order of time.

`story_postings` has, for every token (see `bot.domain.story_search`), the positions of its stories, cut into rows of at
most `MAX_IN_ROW`: a row holds what lies above the row before it, up to `until`; the last one is open (`OPEN`). So the
newest stories of a word are in one row, and any stretch of time is in few. Whether only some may read a story is a bit
of its entry: so what others told among themselves costs a search nothing.

New stories are put in by `index_stories`, many at a time; until then a search looks through them itself. What was
changed or withdrawn is taken out in the transaction that does so.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from json import dumps
from typing import Any
from zlib import crc32

from sqlalchemy import (
    JSON,
    Connection,
    CursorResult,
    Delete,
    Dialect,
    FromClause,
    Select,
    String,
    Update,
    bindparam,
    cast,
    delete,
    func,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.event import listens_for
from sqlalchemy.orm import Mapper, object_session
from sqlalchemy.orm.exc import StaleDataError

from adapters.database.inline import run_statement
from adapters.database.prepared import prepare_statement
from adapters.database.tables import stories, story_postings
from bot.domain.movement import MovementId
from bot.domain.story import Readers, Story
from bot.domain.story_search import MAX_POSITION, index_story, story_position

MAX_IN_ROW = 112
"""Entries of a row: with its key a little below a kilobyte, of which four go on a page of SQLite."""
OPEN = MAX_POSITION
"""The `until` of the last row of a token: whatever is newer belongs there, too."""
APART = 31 * 86_400 << 31
"""How far apart two positions are (a month) that are not put in together: between them may be many rows."""
POSTINGS_LOCK = 0x576F7264
"""First key of the PostgreSQL advisory lock of a movement's postings: the bytes of "Word"."""
FOUND_BY = (
    "movement_id", "place_id", "teller_id", "text", "readers", "initiative_id", "dimension", "told_at", "withdrawn_at",
)  # fmt: skip
"""Columns that a story is found by: when one of these changes, so does the index."""
_OLD = (
    select(*(stories.c[name] for name in ("id", *FOUND_BY)), stories.c.search_indexed)
    .where(stories.c.id.in_(bindparam("some", expanding=True)))
    .order_by(stories.c.id)
    .with_for_update()
)
_OLD_ROWS = "old stories"
"""Where a session keeps what was read of stories that are written next."""
_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

EntriesByToken = dict[str, list[int]]


def make_entry(position: int, readers: Readers) -> int:
    """Return the entry of a story: its position, and as the last bit whether only some may read it."""
    return position << 1 | (readers is Readers.THREAD)


def read_entries(content: bytes) -> "array[int]":
    """Return the entries of a row, from the oldest to the newest."""
    entries = array("Q")
    entries.frombytes(content)
    if sys.byteorder == "big":
        entries.byteswap()
    return entries


def write_entries(entries: Iterable[int]) -> bytes:
    """Return how entries are stored in a row."""
    content = array("Q", entries)
    if sys.byteorder == "big":
        content.byteswap()
    return content.tobytes()


def put_in(connection: Connection, movement: MovementId, found: Collection[Story]) -> None:
    """Put stories of a movement, whose postings are locked, into the index; they are not in it yet."""
    indexed = sorted(
        (make_entry(position, story.readers), tokens)
        for story in found
        for position, tokens in (index_story(story),)
        if position is not None
    )
    for some in _split_where_apart(indexed):
        added: EntriesByToken = {}
        for entry, tokens in some:
            for token in tokens:
                added.setdefault(token, []).append(entry)
        _put_in(connection, movement, added, some[0][0] >> 1, some[-1][0] >> 1)
    if found:
        marked = [{"its": story.id, "at": story_position(story)} for story in found]
        mark = update(stories).where(stories.c.id == bindparam("its"))
        connection.execute(mark.values(search_position=bindparam("at"), search_indexed=True), marked)


def _split_where_apart(indexed: Sequence[tuple[int, Any]]) -> Iterator[Sequence[tuple[int, Any]]]:
    cuts = [at for at, (one, other) in enumerate(pairwise(indexed), 1) if other[0] - one[0] > APART << 1]
    for first, last in pairwise([0, *cuts, len(indexed)]):
        if first < last:
            yield indexed[first:last]


def _put_in(connection: Connection, movement: MovementId, added: EntriesByToken, first: int, last: int) -> None:
    rows: dict[str, list[tuple[int, array[int]]]] = {token: [] for token in added}
    for token, until, content in _read_rows(connection, movement, added, first, last):
        if token is not None:
            rows[token].append((until, read_entries(content)))
    written = []
    for token, entries in sorted(added.items()):
        for until, kept, new in _share_out(sorted(rows[token]), entries):
            written += [
                {"movement_id": movement, "token": token, "until": upto, "entries": write_entries(piece)}
                for upto, piece in _cut(until, kept, new)
            ]
    insert = _INSERTS[connection.dialect.name](story_postings)
    key = [column.name for column in story_postings.primary_key]
    upsert = insert.on_conflict_do_update(index_elements=key, set_={"entries": insert.excluded.entries})
    connection.execute(upsert, written)


def _share_out(
    rows: Sequence[tuple[int, "array[int]"]], entries: Sequence[int]
) -> Iterator[tuple[int, "array[int]", Sequence[int]]]:
    """Yield every row that gets some of these entries (sorted), with its `until`, what it holds and what it gets."""
    untils = [until for until, _ in rows]
    shares: dict[int, list[int]] = {}
    for entry in entries:
        shares.setdefault(bisect_left(untils, entry >> 1), []).append(entry)
    for at, share in shares.items():
        until, kept = rows[at] if at < len(rows) else (OPEN, array("Q"))
        yield until, kept, share


def _cut(until: int, kept: "array[int]", new: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield the rows, by their `until`, in which entries are kept with new ones: full ones but for the end at which
    stories are added."""
    whole = sorted({*kept, *new})
    many = -(-len(whole) // MAX_IN_ROW)
    if kept and new[-1] < kept[0]:
        cuts = [0, *range(len(whole) - (many - 1) * MAX_IN_ROW, len(whole), MAX_IN_ROW)]
    elif not kept or new[0] > kept[-1]:
        cuts = list(range(0, len(whole), MAX_IN_ROW))
    else:
        cuts = [len(whole) * number // many for number in range(many)]
    for first, last in pairwise([*cuts, len(whole)]):
        yield until if last == len(whole) else whole[last - 1] >> 1, whole[first:last]


def take_out(connection: Connection, story: Story) -> None:
    """Take a story, as it was when it was put in, out of the index, whose postings are locked: nothing of its words
    stays."""
    position, tokens = index_story(story)
    if position is None:
        return
    changed, emptied = [], []
    for token, until, content in _read_rows(connection, story.movement_id, tokens, position, position).all():
        if token is None:
            continue
        left = [entry for entry in read_entries(content) if entry >> 1 != position]
        row = {"of": story.movement_id, "its_token": token, "its_until": until}
        if left:
            changed.append({**row, "entries": write_entries(left)})
        else:
            emptied.append(row)
    if changed:
        _post_rows(connection, _CHANGE_ROW, changed)
    if emptied:
        _post_rows(connection, _DELETE_ROW, emptied)


def _post_rows(connection: Connection, statement: Update | Delete, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement for each of these rows: on PostgreSQL in one trip with what is awaited next."""
    prepared: Any  # it can be
    prepared, written = prepare_statement(statement, connection.dialect, tuple(rows[0]))
    given = [prepared.bind(row, written) for row in rows]
    run_statement(connection, prepared.sql, given, many=True, posts=connection.dialect.name == "postgresql")


_its_row = (
    (story_postings.c.movement_id == bindparam("of"))
    & (story_postings.c.token == bindparam("its_token"))
    & (story_postings.c.until == bindparam("its_until"))
)
_CHANGE_ROW, _DELETE_ROW = update(story_postings).where(_its_row), delete(story_postings).where(_its_row)


def _read_rows(
    connection: Connection, movement: MovementId, tokens: Collection[str], first: int, last: int
) -> CursorResult[Any, Any, Any]:
    """Read what `rows_between` selects."""
    given = {"tokens": _words_value(connection.dialect, tokens), "of": movement, "first": first, "last": last}
    return connection.execute(_select_given_rows(connection.dialect.name), given)


@cache
def _select_given_rows(dialect: str) -> Select[Any, Any, Any]:
    tokens = bindparam("tokens", type_=String() if dialect == "sqlite" else JSON())
    return _select_rows(_each_of(dialect, tokens), *map(bindparam, ("of", "first", "last")))


def rows_between(
    dialect: Dialect, movement: MovementId, tokens: Collection[str], first: int, last: int
) -> Select[Any, Any, Any]:
    """Select the rows of tokens (which token, `until`, entries) in which positions from `first` to `last` are, or
    belong; for a token without any, one of nothing."""
    return _select_rows(_each_of(dialect.name, _words_value(dialect, tokens)), movement, first, last)


def _select_rows(these: FromClause, movement: Any, first: Any, last: Any) -> Select[Any, Any, Any]:
    rows, upper = story_postings.c, story_postings.alias().c

    def row_of(position: Any) -> Any:
        first_above = select(func.min(upper.until)).where(
            upper.movement_id == movement, upper.token == these.c.value, upper.until >= position
        )
        return first_above.correlate(these).scalar_subquery()

    of_it = (rows.movement_id == movement) & (rows.token == these.c.value)
    its = of_it & (rows.until >= row_of(first)) & (rows.until <= row_of(last))
    # Outer: SQLite must go from the tokens to their rows; by itself it would go through all rows of a movement.
    return select(rows.token, rows.until, rows.entries).select_from(these.outerjoin(story_postings, its))


def _words_value(dialect: Dialect, words: Collection[str]) -> Any:
    """Return words as one value of a statement, however many they are; see `_each_of`."""
    return dumps(sorted(words)) if dialect.name == "sqlite" else sorted(words)


def _each_of(dialect: str, words: Any) -> FromClause:
    """Return a table of words, in a column `value`."""
    if dialect == "sqlite":
        return func.json_each(words).table_valued("value").alias("these")
    return func.json_array_elements_text(cast(words, JSON)).table_valued("value").alias("these")


def lock_postings(connection: Connection, movement: MovementId) -> None:
    """Have others who write postings of this movement wait; SQLite has one writer at a time already. Before a story is
    read or locked for it: the other way round is a deadlock."""
    if connection.dialect.name == "postgresql":
        keys = {"kind": POSTINGS_LOCK, "movement": crc32(movement.encode()) - 2**31}
        # Awaited with what is read under it.
        run_statement(connection, "SELECT pg_advisory_xact_lock(%(kind)s, %(movement)s)", keys, posts=True)


@listens_for(Story, "before_insert")
def _place_new(_mapper: Mapper[Story], _connection: Connection, story: Story) -> None:
    """Write with a story where it is among all in order of time."""
    story._search_position, _ = index_story(story)  # type: ignore[attr-defined]  # mapped, not told


@listens_for(Story, "before_update")
def _follow_change(_mapper: Mapper[Story], connection: Connection, story: Story) -> None:
    """Take a story out of the index as it was, when it is found by something else from now on."""
    if not _is_found_otherwise(story):
        return
    old = _read_old(connection, story)
    if old.search_indexed:
        take_out(connection, Story(id=old.id, part="", **{name: getattr(old, name) for name in FOUND_BY}))
    story._search_position, _ = index_story(story)  # type: ignore[attr-defined]
    story._search_indexed = False  # type: ignore[attr-defined]


def _is_found_otherwise(story: Story) -> bool:
    state = inspect(story)
    return any(state.attrs[name].history.has_changes() for name in FOUND_BY)


def _read_old(connection: Connection, story: Story) -> Any:
    """Return a story as it is stored, locked: it may just be put in. Read with all others of its movement that are
    written beside it, as each would wait for the database. Raises StaleDataError when it is gone."""
    session: Any = object_session(story)
    read: dict[str, Any] = session.info.setdefault(_OLD_ROWS, {})
    if story.id not in read:
        lock_postings(connection, story.movement_id)
        beside = [one for one in session.dirty if isinstance(one, Story) and one.movement_id == story.movement_id]
        some = [one.id for one in beside if _is_found_otherwise(one)]
        read.update((row.id, row) for row in connection.execute(_OLD, {"some": some}))
    if story.id not in read:
        raise StaleDataError(f"story {story.id} is gone")
    return read.pop(story.id)
