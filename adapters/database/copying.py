"""Moving everything Ritme keeps to another database, usually from SQLite to PostgreSQL, and comparing it afterwards.

What others wrote goes along but is never shown: a row is named by its table and key only.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    NullPool,
    Row,
    Table,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, IntegrityError

from adapters.database.postgresql import connection_timeouts, keep_quiet
from adapters.database.tables import metadata

BATCH = 1000
"""How many rows are read, and written in one transaction, at a time."""
NAMED = 3
"""How many keys of a table are named when rows of it differ."""
ONE_AT_A_TIME = 0x436F7079
"""The lock of who copies from or to a PostgreSQL database: "Copy"."""
TABLES = tuple(table for table in metadata.sorted_tables if table.name != "engine_failures")
"""What is copied, referents first: a foreign key holds when a batch is committed. Why jobs of many workers failed is no
business of another database; procrastinate's own tables are no business of ours."""

Key = tuple[Any, ...]
Kept = Row[Any]


class CannotCopy(Exception):
    """Why there is no (whole) copy: a sentence without anything people wrote, and the cure."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(problem)
        self.cure = cure


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A table in both databases: how many rows each has, and the keys of (at most `NAMED`) rows that differ."""

    table: str
    here: int
    there: int
    different: int
    keys: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        return self.here == self.there and not self.different


class Copying:
    """A copy under way: `check` the target, then `copy`, then `compare`. See `copying`."""

    def __init__(self, source: Connection, target: Connection, batch: int) -> None:
        self._source, self._target, self._batch = source, target, batch
        self._written = _version(source)

    def check(self) -> None:
        """Raises `CannotCopy` when the target holds anything but what an earlier copy of the same rows left there."""
        for table in TABLES:
            for rows in _pages(self._target, table, self._batch):
                ours = _same_keys(self._source, table, rows)
                strange = next((row for row in rows if ours.get(_key(table, row)) != row), None)
                if strange is not None:
                    raise CannotCopy(
                        f"the other database holds something that is not, or no longer, in this one: "
                        f"{name_of(table, _key(table, strange))}",
                        "Give an empty database. If all that is left there is an earlier copy that nobody uses, "
                        "empty it (ritme migrate base, then ritme migrate, with RITME_DATABASE_URL set to it).",
                    )
            self._target.rollback()

    def copy(self) -> Iterator[tuple[str, int]]:
        """Copies batch by batch, each committed; yields the table and how many of its rows are there now. Broken off,
        it can be done again: what is there already stays as it is."""
        for table in TABLES:
            done = 0
            for rows in _pages(self._source, table, self._batch):
                self._put(table, rows)
                done += len(rows)
                yield table.name, done
            self._go_on_counting(table)
        if self._target.dialect.name == "postgresql":
            # Without statistics it would look through everything to find one row.
            with self._target.begin():
                self._target.execute(text(f"ANALYZE {', '.join(table.name for table in TABLES)}"))

    def compare(self) -> Iterator[Compared]:
        """Every row of every table, in both."""
        for table in TABLES:
            here, there = (
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for connection in (self._source, self._target)
            )
            different = self._missing(self._source, self._target, table)
            if here != there or different:
                known = set(different)
                different += [key for key in self._missing(self._target, self._source, table) if key not in known]
            self._target.rollback()
            yield Compared(
                table=table.name,
                here=here,
                there=there,
                different=len(different),
                keys=tuple(name_of(table, key) for key in different[:NAMED]),
            )

    def written_meanwhile(self) -> bool:
        """Whether somebody wrote in the source since we began (on SQLite; elsewhere it is not known). Ends the copy."""
        self._source.rollback()
        return _version(self._source) != self._written

    def _missing(self, one: Connection, other: Connection, table: Table) -> list[Key]:
        """Keys of rows of one that the other does not have like that."""
        found: list[Key] = []
        for rows in _pages(one, table, self._batch):
            theirs = _same_keys(other, table, rows)
            found += [key for row in rows if theirs.get(key := _key(table, row)) != row]
        return found

    def _put(self, table: Table, rows: Sequence[Kept]) -> None:
        insert = postgresql.insert if self._target.dialect.name == "postgresql" else sqlite.insert
        statement = insert(table).on_conflict_do_nothing(index_elements=list(table.primary_key))
        try:
            with self._target.begin():
                self._target.execute(statement, [dict(row._mapping) for row in rows])
        except (DataError, IntegrityError) as problem:
            for row in rows if len(rows) > 1 else ():  # which of them is it?
                self._put(table, [row])
            if len(rows) == 1:
                raise _does_not_fit(table, rows[0], problem) from None

    def _go_on_counting(self, table: Table) -> None:
        """Rows that come after these get higher numbers. SQLite sees to that by itself."""
        numbered = table.autoincrement_column
        if numbered is None or self._target.dialect.name != "postgresql":
            return
        following = func.coalesce(func.max(numbered), 0) + 1
        with self._target.begin():
            sequence = func.pg_get_serial_sequence(table.name, numbered.name)
            self._target.execute(select(func.setval(sequence, following, False)))


@contextmanager
def copying(source: str, target: str, *, batch: int = BATCH) -> Iterator[Copying]:
    """Opens both databases (SQLAlchemy URLs): the source to be read as it is at this moment, whatever happens to it
    meanwhile. Raises `CannotCopy` when they are the same."""
    here, there = make_url(source), make_url(target)
    if _same(here, there):
        raise _same_database()
    with (
        closing(_reading(here).connect()) as reading,
        closing(_writing(there).connect()) as writing,
    ):
        # One and the same database under two addresses has one and the same lock.
        if not all([_locked(reading), _locked(writing)]):
            raise _same_database()
        writing.rollback()
        yield Copying(reading, writing, batch)


def name_of(table: Table, key: Key) -> str:
    """A row, without anything it says."""
    return f"{table.name} {'/'.join(str(part) for part in key)}"


def _reading(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _file(str(url.database), begin="BEGIN", pragma="query_only=ON")
    return _server(url, isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _writing(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _file(str(url.database), begin="BEGIN IMMEDIATE", pragma="foreign_keys=ON")
    return _server(url)


def _server(url: URL, **options: object) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, poolclass=NullPool, execution_options=options, connect_args=connection_timeouts(url)
    )
    keep_quiet(engine)
    return engine


def _file(file: str, *, begin: str, pragma: str) -> Engine:
    def opened() -> sqlite3.Connection:
        # Not created when it is not there. A file that may only be read is opened like that.
        connection = sqlite3.connect(
            f"{Path(file).resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10
        )
        connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine("sqlite://", creator=opened, hide_parameters=True, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _same(here: URL, there: URL) -> bool:
    if here.get_backend_name() != there.get_backend_name():
        return False
    if here.get_backend_name() == "sqlite":
        return Path(str(here.database)).resolve() == Path(str(there.database)).resolve()
    return (here.host, here.port or 5432, here.database) == (there.host, there.port or 5432, there.database)


def _locked(connection: Connection) -> bool:
    """Whether we, and no one else, copy from or to this database, until the connection closes."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(text(f"SELECT pg_try_advisory_lock({ONE_AT_A_TIME})")).scalar_one())


def _same_database() -> CannotCopy:
    return CannotCopy(
        "both addresses are the same database, or another copy of it is under way",
        "Give the address of another, empty database, or wait for that copy to end.",
    )


def _version(connection: Connection) -> int | None:
    """A number that changes when another connection writes. SQLite only has one outside a transaction."""
    if connection.dialect.name != "sqlite":
        return None
    found = connection.connection.cursor().execute("PRAGMA data_version").fetchone()
    return int(found[0])


def _pages(connection: Connection, table: Table, size: int) -> Iterator[Sequence[Kept]]:
    """All rows, so many at a time, in the order of the primary key as this database sorts it."""
    columns = list(table.primary_key)
    query = select(table).order_by(*columns).limit(size)
    rows = connection.execute(query).all()
    while rows:
        yield rows
        if len(rows) < size:
            return
        last = (literal(part, column.type) for part, column in zip(_key(table, rows[-1]), columns, strict=True))
        rows = connection.execute(query.where(tuple_(*columns) > tuple_(*last))).all()


def _same_keys(connection: Connection, table: Table, rows: Sequence[Kept]) -> dict[Key, Kept]:
    """The rows with the keys of these. Looked up rather than read side by side: databases sort text differently."""
    keys = [_key(table, row) for row in rows]
    found = connection.execute(select(table).where(tuple_(*table.primary_key).in_(keys))).all()
    return {_key(table, row): row for row in found}


def _key(table: Table, row: Kept) -> Key:
    return tuple(row._mapping[column.name] for column in table.primary_key)


def _does_not_fit(table: Table, row: Kept, problem: DataError | IntegrityError) -> CannotCopy:
    # The database's own sentence may quote the row.
    reason = type(problem.orig).__name__
    for column in table.columns:
        value, most = row._mapping[column.name], getattr(column.type, "length", None)
        if isinstance(value, str) and "\0" in value:
            reason = f"{column.name} holds a character that is no text (NUL)"
        elif isinstance(value, str) and most is not None and len(value) > most:
            reason = f"{column.name} is longer than {most} characters"
    return CannotCopy(
        f"the other database does not take {name_of(table, _key(table, row))}: {reason}",
        "Mend or remove that row in this database. Then run it again: it goes on where it was.",
    )
