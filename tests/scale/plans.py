"""How a database goes about a statement: which were asked, whether an index leads it there, and how far it goes."""

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

LOOKS = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
FEW = re.compile(r"\s+LIMIT (%\(\w+\)s(::\w+)?|\d+)")
PREPARED_AFTER = 6
"""The sixth time it is asked, PostgreSQL decides whether one plan is good for any values."""


@dataclass(kw_only=True)
class Asked:
    """A statement, with the values it had the last time; how often it was asked, and the seconds that took in all."""

    statement: str
    values: Any = None
    times: int = 0
    seconds: float = 0.0


class Listening:
    """Notes what is asked of any database meanwhile, by statement."""

    def __init__(self, asked: dict[str, Asked] | None = None) -> None:
        self.asked = {} if asked is None else asked
        self._began = 0.0

    def __enter__(self) -> "Listening":
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._before)
        event.remove(Engine, "after_cursor_execute", self._after)

    def _before(self, connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        self._began = perf_counter()

    def _after(self, connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        if LOOKS.match(statement):
            one = self.asked.setdefault(statement, Asked(statement=statement))
            one.values = values[0] if many else values
            one.times += 1
            one.seconds += perf_counter() - self._began


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a statement is answered. `whole`: the tables (of those asked about) that it reads from one end to the other,
    or an index of theirs; `work`: how far it went, in pages (PostgreSQL) or steps of its program (SQLite)."""

    statement: str
    text: str
    whole: Sequence[str]
    work: int


@contextmanager
def planning_on(url: str, *, however_small: bool = False) -> Iterator["Planner"]:
    """A planner over the database at an SQLAlchemy URL, which stays as it is. With `however_small`, nothing is done in
    the way that is good enough only while there is little, nor done at all: `work` is 0."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        file = sqlite3.connect(str(parsed.database), isolation_level=None)
        try:
            yield OnSqlite(file)
        finally:
            file.close()
        return
    plain = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, cursor_factory=psycopg.ClientCursor) as connection:
        yield OnPostgresql(connection, however_small=however_small)


class OnPostgresql:
    """As it is asked for the first time, with these values, and as it is once it was prepared."""

    def __init__(self, connection: "psycopg.Connection[Any]", *, however_small: bool) -> None:
        self._connection = connection
        self._however_small = however_small
        for way in ("seqscan", "mergejoin", "hashjoin") if however_small else ():
            connection.execute(f"SET enable_{way} = off")
        connection.commit()
        self._indexes = {name: _Index(*about) for name, *about in connection.execute(_INDEXES)}

    def plan(self, asked: Asked, tables: Collection[str]) -> Plan:
        # Of a small table the first few rows that fit are soon found, whichever way it is gone through.
        statement = FEW.sub("", asked.statement) if self._however_small else asked.statement
        values: list[Any] = []

        def numbered(name: re.Match[str]) -> str:
            values.append(asked.values[name.group(1)])
            return f"${len(values)}"

        statement = re.sub(r"%\((\w+)\)s", numbered, statement).replace("%%", "%")
        given = f"EXECUTE asked({', '.join('%s' for _ in values)})" if values else "EXECUTE asked"
        done = "" if self._however_small else "ANALYZE, BUFFERS, "
        with self._connection.transaction(force_rollback=True):
            self._connection.execute(f"PREPARE asked AS {statement}")
            try:
                shown = [self._explained("FORMAT JSON", given, values) for _ in range(PREPARED_AFTER)]
                shown.append(self._explained(f"{done}FORMAT JSON", given, values))
                text = "\n".join(self._explained(f"{done}FORMAT TEXT", given, values))
            finally:
                self._connection.execute("DEALLOCATE asked")
        first, last = (plan[0][0]["Plan"] for plan in (shown[0], shown[-1]))
        return Plan(
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
        """The table this step reads from one end to the other; or an index of it, which it does when it has no
        condition on the first column, unless that index holds few rows."""
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


class OnSqlite:
    """As it is each time: SQLite asks for no values."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def plan(self, asked: Asked, tables: Collection[str]) -> Plan:
        values = asked.values or ()
        steps = [step for *_, step in self._connection.execute(f"EXPLAIN QUERY PLAN {asked.statement}", values)]
        read = [match.group(1) for step in steps if (match := re.match(r"SCAN (\w+?)(_\d+)?( USING .*)?$", step))]
        return Plan(
            statement=asked.statement,
            text="\n".join(steps),
            whole=sorted(set(read) & set(tables)),
            work=self._steps(asked.statement, values),
        )

    def _steps(self, statement: str, values: Any) -> int:
        taken = 0

        def one_more() -> None:
            nonlocal taken
            taken += 1

        self._connection.execute("BEGIN")
        self._connection.set_progress_handler(one_more, 1)
        try:
            self._connection.execute(statement, values).fetchall()
        finally:
            self._connection.set_progress_handler(None, 1)
            self._connection.execute("ROLLBACK")
        return taken


Planner = OnPostgresql | OnSqlite


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
