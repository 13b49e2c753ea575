"""Copy all data to another database, usually from SQLite to PostgreSQL, and compare the two afterwards.

Error messages name a row by its table and key only: what people wrote is copied but never shown.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Table,
    func,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, IntegrityError

from adapters.database.copy_connections import is_same_database, open_for_reading, open_for_writing, try_lock
from adapters.database.tables import metadata

COPY_BATCH = 1000
"""Rows read, and written in one transaction, at a time."""
MAX_KEYS_SHOWN = 3
"""How many keys are shown of the rows of a table that differ."""
TABLES = tuple(table for table in metadata.sorted_tables if table.name != "engine_failures")
"""The tables to copy, those that others refer to first, so that foreign keys hold when a batch is committed. Reasons of
failed jobs are of no use in another database, and procrastinate's own tables are not ours to copy."""

Key = tuple[Any, ...]
_Row = Row[Any]


class CannotCopy(Exception):
    """The copy failed or is incomplete. The message contains nothing people wrote; `cure` says what to do."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(problem)
        self.cure = cure


@dataclass(frozen=True, kw_only=True)
class TableComparison:
    """A table in both databases: the rows each has, how many differ, and keys of at most `MAX_KEYS_SHOWN` of those."""

    table: str
    here: int
    there: int
    different: int
    keys: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        return self.here == self.there and not self.different


class DatabaseCopy:
    """A copy in progress: `check` the target, then `copy`, then `compare`. Made by `open_copy`."""

    def __init__(self, source: Connection, target: Connection, batch: int) -> None:
        self._source, self._target, self._batch = source, target, batch
        self._source_version = _version(source)

    def check(self) -> None:
        """Raise `CannotCopy` when the target holds any row that is not the same in the source."""
        for table in TABLES:
            for rows in _pages(self._target, table, self._batch):
                ours = _same_keys(self._source, table, rows)
                strange = next((row for row in rows if ours.get(_key(table, row)) != row), None)
                if strange is not None:
                    raise CannotCopy(
                        f"the other database holds something that is not, or no longer, in this one: "
                        f"{row_name(table, _key(table, strange))}",
                        "Give an empty database. If all that is left there is an earlier copy that nobody uses, "
                        "empty it (ritme migrate base, then ritme migrate, with RITME_DATABASE_URL set to it).",
                    )
            self._target.rollback()

    def copy(self) -> Iterator[tuple[str, int]]:
        """Copy batch by batch, each committed; yields the table and how many of its rows are copied so far.

        It can be repeated after an interruption: rows that are there already are left as they are.
        """
        for table in TABLES:
            done = 0
            for rows in _pages(self._source, table, self._batch):
                self._insert(table, rows)
                done += len(rows)
                yield table.name, done
            self._advance_sequence(table)
        if self._target.dialect.name == "postgresql":
            # Without statistics the planner would scan whole tables to find one row, until autovacuum has run.
            with self._target.begin():
                self._target.execute(text(f"ANALYZE {', '.join(table.name for table in TABLES)}"))

    def compare(self) -> Iterator[TableComparison]:
        """Compare every row of every table."""
        for table in TABLES:
            source_rows, target_rows = (
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for connection in (self._source, self._target)
            )
            different = self._missing(self._source, self._target, table)
            if source_rows != target_rows or different:
                known = set(different)
                different += [key for key in self._missing(self._target, self._source, table) if key not in known]
            self._target.rollback()
            yield TableComparison(
                table=table.name,
                here=source_rows,
                there=target_rows,
                different=len(different),
                keys=tuple(row_name(table, key) for key in different[:MAX_KEYS_SHOWN]),
            )

    def was_source_changed(self) -> bool:
        """Return whether another connection wrote to the source since the copy began. Ends the copy's read transaction.

        Known on SQLite only; always False on PostgreSQL.
        """
        self._source.rollback()
        return _version(self._source) != self._source_version

    def _missing(self, one: Connection, other: Connection, table: Table) -> list[Key]:
        """Return the keys of rows in `one` that `other` lacks or has with other values."""
        found: list[Key] = []
        for rows in _pages(one, table, self._batch):
            theirs = _same_keys(other, table, rows)
            found += [key for row in rows if theirs.get(key := _key(table, row)) != row]
        return found

    def _insert(self, table: Table, rows: Sequence[_Row]) -> None:
        insert = postgresql.insert if self._target.dialect.name == "postgresql" else sqlite.insert
        statement = insert(table).on_conflict_do_nothing(index_elements=list(table.primary_key))
        try:
            with self._target.begin():
                self._target.execute(statement, [dict(row._mapping) for row in rows])
        except (DataError, IntegrityError) as problem:
            # One by one, to find out which row it is.
            for row in rows if len(rows) > 1 else ():
                self._insert(table, [row])
            if len(rows) == 1:
                raise _does_not_fit(table, rows[0], problem) from None

    def _advance_sequence(self, table: Table) -> None:
        """Set PostgreSQL's sequence for a numbered table beyond the copied rows. SQLite needs no such thing."""
        numbered = table.autoincrement_column
        if numbered is None or self._target.dialect.name != "postgresql":
            return
        following = func.coalesce(func.max(numbered), 0) + 1
        with self._target.begin():
            sequence = func.pg_get_serial_sequence(table.name, numbered.name)
            self._target.execute(select(func.setval(sequence, following, False)))


@contextmanager
def open_copy(source: str, target: str, *, batch: int = COPY_BATCH) -> Iterator[DatabaseCopy]:
    """Open both databases by their SQLAlchemy URLs. Raises `CannotCopy` when they are the same one.

    The source is read as it is at this moment, in one read transaction, whatever others write meanwhile.
    """
    here, there = make_url(source), make_url(target)
    if is_same_database(here, there):
        raise _same_database()
    with (
        closing(open_for_reading(here).connect()) as reading,
        closing(open_for_writing(there).connect()) as writing,
    ):
        # A database under two addresses refuses its second lock. Both are tried: a list, where `and` would stop early.
        if not all([try_lock(reading), try_lock(writing)]):
            raise _same_database()
        writing.rollback()
        yield DatabaseCopy(reading, writing, batch)


def row_name(table: Table, key: Key) -> str:
    """Name a row by its table and key."""
    return f"{table.name} {'/'.join(str(part) for part in key)}"


def _same_database() -> CannotCopy:
    return CannotCopy(
        "both addresses are the same database, or another copy of it is under way",
        "Give the address of another, empty database, or wait for that copy to end.",
    )


def _version(connection: Connection) -> int | None:
    """Return a number that changes when another connection writes; None where there is none, as on PostgreSQL.

    Called outside a transaction: within one SQLite does not update it.
    """
    if connection.dialect.name != "sqlite":
        return None
    found = connection.connection.cursor().execute("PRAGMA data_version").fetchone()
    return int(found[0])


def _pages(connection: Connection, table: Table, size: int) -> Iterator[Sequence[_Row]]:
    """Read a table in pages of `size` rows, by primary key as this database sorts it (keyset pagination)."""
    columns = list(table.primary_key)
    query = select(table).order_by(*columns).limit(size)
    rows = connection.execute(query).all()
    while rows:
        yield rows
        if len(rows) < size:
            return
        last = (literal(part, column.type) for part, column in zip(_key(table, rows[-1]), columns, strict=True))
        rows = connection.execute(query.where(tuple_(*columns) > tuple_(*last))).all()


def _same_keys(connection: Connection, table: Table, rows: Sequence[_Row]) -> dict[Key, _Row]:
    """Look up the rows with the same keys. Not a merge of two sorted reads: databases sort text differently."""
    keys = [_key(table, row) for row in rows]
    found = connection.execute(select(table).where(tuple_(*table.primary_key).in_(keys))).all()
    return {_key(table, row): row for row in found}


def _key(table: Table, row: _Row) -> Key:
    return tuple(row._mapping[column.name] for column in table.primary_key)


def _does_not_fit(table: Table, row: _Row, problem: DataError | IntegrityError) -> CannotCopy:
    # Not the database's own message: it may quote the row.
    reason = type(problem.orig).__name__
    for column in table.columns:
        value, most = row._mapping[column.name], getattr(column.type, "length", None)
        if isinstance(value, str) and "\0" in value:
            reason = f"{column.name} holds a character that is no text (NUL)"
        elif isinstance(value, str) and most is not None and len(value) > most:
            reason = f"{column.name} is longer than {most} characters"
    return CannotCopy(
        f"the other database does not take {row_name(table, _key(table, row))}: {reason}",
        "Mend or remove that row in this database. Then run it again: it goes on where it was.",
    )
