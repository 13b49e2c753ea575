"""Record the statements asked of a database, and explain them: which tables are read whole, and how much work it is."""

import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

TRACKED = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
LIMIT_CLAUSE = re.compile(r"\s+LIMIT (%\(\w+\)s(::\w+)?|\d+)")
CHECK_OF_CHANGES = re.compile(r"SELECT 1 / \(count\(\*\) = \d+\)::int FROM changed$")
"""Fails where a row was changed by somebody else meanwhile: asked a second time, that was the first."""
GENERIC_PLAN_AFTER = 6
"""At its sixth execution, PostgreSQL decides whether to plan a prepared statement once for any values."""


@dataclass(kw_only=True)
class QueryStats:
    """A statement with its last values; how often it was asked, and the seconds that took in all."""

    statement: str
    values: Any = None
    times: int = 0
    seconds: float = 0.0


class QueryRecorder:
    """Records, from entering to leaving the context, what is asked of any SQLAlchemy engine, by statement."""

    def __init__(self, asked: dict[str, QueryStats] | None = None) -> None:
        self.asked = {} if asked is None else asked
        self._began = 0.0

    def __enter__(self) -> "QueryRecorder":
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._before)
        event.remove(Engine, "after_cursor_execute", self._after)

    def _before(self, connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        self._began = perf_counter()

    def _after(self, connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        if TRACKED.match(statement):
            one = self.asked.setdefault(statement, QueryStats(statement=statement))
            one.values = values[0] if many else values
            one.times += 1
            one.seconds += perf_counter() - self._began


@dataclass(frozen=True, kw_only=True)
class QueryPlan:
    """The plan of a statement.

    `whole`: the tables (of those asked about) that it reads from one end to the other, or an index of theirs; `work`:
    what it took, in pages (PostgreSQL) or steps of the virtual machine (SQLite).
    """

    statement: str
    text: str
    whole: Sequence[str]
    work: int


@contextmanager
def open_planner(url: str, *, force_indexes: bool = False) -> Iterator["Planner"]:
    """Open a planner over the database at an SQLAlchemy URL; it changes nothing there.

    With `force_indexes`, PostgreSQL avoids plans that are good only for small tables, and statements are not executed:
    `work` is 0.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        file = sqlite3.connect(str(parsed.database), isolation_level=None)
        try:
            yield SqlitePlanner(file)
        finally:
            file.close()
        return
    plain = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, cursor_factory=psycopg.ClientCursor) as connection:
        yield PostgresqlPlanner(connection, force_indexes=force_indexes)


class PostgresqlPlanner:
    """Plans a statement both as it is asked the first time, with these values, and as it is once prepared."""

    def __init__(self, connection: "psycopg.Connection[Any]", *, force_indexes: bool) -> None:
        self._connection = connection
        self._force_indexes = force_indexes
        for way in ("seqscan", "mergejoin", "hashjoin") if force_indexes else ():
            connection.execute(f"SET enable_{way} = off")
        connection.commit()
        self._indexes = {name: _Index(*about) for name, *about in connection.execute(_INDEXES)}

    def plan(self, asked: QueryStats, tables: Collection[str]) -> QueryPlan:
        # With a limit, a scan of a small table looks cheap: it soon finds the first few rows that fit.
        statement = LIMIT_CLAUSE.sub("", asked.statement) if self._force_indexes else asked.statement
        statement = CHECK_OF_CHANGES.sub("SELECT count(*) FROM changed", statement)
        values: list[Any] = []

        def numbered(name: re.Match[str]) -> str:
            values.append(asked.values[name.group(1)])
            return f"${len(values)}"

        statement = re.sub(r"%\((\w+)\)s", numbered, statement).replace("%%", "%")
        given = f"EXECUTE asked({', '.join('%s' for _ in values)})" if values else "EXECUTE asked"
        done = "" if self._force_indexes else "ANALYZE, BUFFERS, "
        with self._connection.transaction(force_rollback=True):
            self._connection.execute(f"PREPARE asked AS {statement}")
            try:
                shown = [self._explained("FORMAT JSON", given, values) for _ in range(GENERIC_PLAN_AFTER)]
                shown.append(self._explained(f"{done}FORMAT JSON", given, values))
                text = "\n".join(self._explained(f"{done}FORMAT TEXT", given, values))
            finally:
                self._connection.execute("DEALLOCATE asked")
        first, last = (plan[0][0]["Plan"] for plan in (shown[0], shown[-1]))
        return QueryPlan(
            statement=asked.statement,
            text=text,
            whole=sorted(
                {one for node in (*_nodes(first), *_nodes(last)) if (one := self._read_whole(node)) in tables}
            ),
            work=sum(last.get(f"Shared {pages} Blocks", 0) for pages in ("Hit", "Read")),
        )

    def _explained(self, how: str, given: str, values: Sequence[Any]) -> list[Any]:
        found = self._connection.execute(f"EXPLAIN ({how}) {given}", values)
        return [line for (line,) in found]

    def _read_whole(self, node: dict[str, Any]) -> str:
        """Return the table that a node of the plan reads from one end to the other, or an index of it; else empty.

        An index is read whole when no condition is on its first column; one that holds few rows does not count.
        """
        if node["Node Type"] == "Seq Scan":
            return str(node["Relation Name"])
        index = self._indexes.get(node.get("Index Name", ""))
        if index is None or index.is_short:
            return ""
        led = re.search(rf"(?<!\w){re.escape(index.first)}(?!\w)", node.get("Index Cond", ""))
        return "" if led else index.table


@dataclass(frozen=True)
class _Index:
    table: str
    first: str
    is_short: bool


_INDEXES = """
    SELECT c.relname, t.relname, pg_get_indexdef(i.indexrelid, 1, true),
        i.indpred IS NOT NULL AND c.reltuples BETWEEN 0 AND t.reltuples / 20
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
"""


class SqlitePlanner:
    """Plans a statement as SQLite does each time; there, a plan does not depend on the values."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def plan(self, asked: QueryStats, tables: Collection[str]) -> QueryPlan:
        values = asked.values or ()
        steps = [step for *_, step in self._connection.execute(f"EXPLAIN QUERY PLAN {asked.statement}", values)]
        read = [match.group(1) for step in steps if (match := re.match(r"SCAN (\w+?)(_\d+)?( USING .*)?$", step))]
        return QueryPlan(
            statement=asked.statement,
            text="\n".join(steps),
            whole=sorted(set(read) & set(tables)),
            work=self._steps(asked.statement, values),
        )

    def _steps(self, statement: str, values: Any) -> int:
        taken = 0

        def count_step() -> None:
            nonlocal taken
            taken += 1

        self._connection.execute("BEGIN")
        self._connection.set_progress_handler(count_step, 1)
        try:
            self._connection.execute(statement, values).fetchall()
        finally:
            self._connection.set_progress_handler(None, 1)
            self._connection.execute("ROLLBACK")
        return taken


Planner = PostgresqlPlanner | SqlitePlanner


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


class Tally:
    """Counts, from entering to leaving the context, the statements asked of any SQLAlchemy engine, and the rows they
    gave."""

    def __init__(self) -> None:
        self.statements = 0
        self.rows = 0

    def __enter__(self) -> "Tally":
        event.listen(Engine, "after_cursor_execute", self._after)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "after_cursor_execute", self._after)

    def _after(self, connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        self.statements += 1
        # Whether it gives rows, is not known yet of one that goes with the next.
        context.cursor = _CountedCursor(cursor, self)

    def count(self, rows: int) -> None:
        """Count rows that were taken off a cursor."""
        self.rows += rows


class _CountedCursor:
    """A cursor of a driver that tells a tally how many rows were taken off it."""

    def __init__(self, cursor: Any, tally: Tally) -> None:
        self._cursor = cursor
        self._tally = tally

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def fetchone(self) -> Any:
        row = self._cursor.fetchone()
        self._tally.count(row is not None)
        return row

    def fetchmany(self, *given: Any) -> Any:
        rows = self._cursor.fetchmany(*given)
        self._tally.count(len(rows))
        return rows

    def fetchall(self) -> Any:
        rows = self._cursor.fetchall()
        self._tally.count(len(rows))
        return rows
