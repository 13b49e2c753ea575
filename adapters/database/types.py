"""Define the column types that SQLAlchemy lacks."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, cast

from sqlalchemy import ColumnElement, DateTime, Dialect, Integer, String, literal_column, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

_decode = json.JSONDecoder().decode
_EMPTY: dict[str | bytes, Callable[[], Any]] = {"{}": dict, "[]": list, b"{}": dict, b"[]": list}


def read_json(document: str | bytes) -> Any:
    """Decode a JSON document. Most are empty: an intent loads a dozen of those."""
    empty = _EMPTY.get(document)
    if empty is not None:
        return empty()
    return _decode(document if isinstance(document, str) else document.decode())


class Utc(TypeDecorator[datetime]):
    """Store an aware moment as UTC and load it as aware UTC; a naive one raises ValueError.

    SQLite has no time zones: there the zone is left out when it is stored, and added when it is loaded.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """Return what converts a moment to UTC as the driver takes it, in one step: an intent writes a dozen."""
        return _write_text if dialect.name == "sqlite" else _write_moment

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Return what converts a stored moment to aware UTC, in one step: a worker loads six a message."""
        return _read_text if dialect.name == "sqlite" else _read_moment


class DaysBefore(FunctionElement[Any]):
    """A moment some days before another, to compare moments with: SQLite's may be up to two seconds earlier."""

    type = Utc()
    inherit_cache = True


def days_before(moment: ColumnElement[datetime], within: timedelta) -> DaysBefore:
    """Return the moment so many whole days before that in a column."""
    return DaysBefore(moment, literal_column(str(within.days)))


@compiles(DaysBefore, "postgresql")
def _subtract_days(element: DaysBefore, compiler: SQLCompiler, **settings: Any) -> str:
    moment, days = (compiler.process(one, **settings) for one in element.clauses)
    return f"{moment} - INTERVAL '{days} days'"


@compiles(DaysBefore, "sqlite")
def _subtract_days_of_text(element: DaysBefore, compiler: SQLCompiler, **settings: Any) -> str:
    moment, days = (compiler.process(one, **settings) for one in element.clauses)
    # Thousandths, of which it rounds the last; as text that begins alike the shorter one comes first.
    return f"strftime('%Y-%m-%d %H:%M:%f', {moment}, '-{days} days', '-1 second')"


class EachOf(FunctionElement[Any]):
    """A value of another row, to be looked up for each of those by an index. PostgreSQL would else gather all that may
    match, to sort or hash it, where it takes a few rows for many."""

    type = String()
    inherit_cache = True


@compiles(EachOf, "postgresql")
def _match_any(element: EachOf, compiler: SQLCompiler, **settings: Any) -> str:
    return f"ANY (ARRAY[{compiler.process(element.clauses, **settings)}])"  # cannot be hashed or merged


@compiles(EachOf, "sqlite")
def _match_itself(element: EachOf, compiler: SQLCompiler, **settings: Any) -> str:
    return compiler.process(element.clauses, **settings)


def _write_text(value: datetime | None) -> str | None:
    moment = _write_moment(value)
    return None if moment is None else moment.isoformat(" ", "microseconds").removesuffix("+00:00")


def _write_moment(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be stored")
    return value.astimezone(UTC)


def _read_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


def _read_moment(value: datetime | None) -> datetime | None:
    # Nearly always: our sessions are in UTC, and to convert what is takes longer.
    return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


class _WritesMembers(TypeDecorator.Comparator[Enum], String.Comparator[Enum]):
    """Writes a member that a column is compared with into the statement, instead of giving it as a parameter.

    Conditions of partial indexes have such columns. SQLite plans a statement anew each time that it is given a
    parameter for one of these, whether or not it takes the index: that takes ten times as long as running it.
    """

    def operate(self, op: Any, *other: Any, **settings: Any) -> Any:
        """Compare with members as they are written in SQL."""
        kind = cast(EnumValue, self.expr.type).kind
        written = [text(f"'{kind(one).value}'") if isinstance(one, Enum) else one for one in other]
        return super().operate(op, *written, **settings)


class EnumValue(TypeDecorator[Enum]):
    """Store a member of an enumeration as its value; an unknown value raises ValueError."""

    impl = String(32)
    cache_ok = True
    comparator_factory = _WritesMembers

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        if any(not re.fullmatch(r"\w+", str(one.value)) for one in kind):
            raise ValueError(f"a value of {kind.__name__} cannot be written into a statement")
        self.kind = kind
        self._members, self._values = _Members(kind), _Values(kind)

    def process_bind_param(self, value: Enum | None, dialect: Dialect) -> Any:
        """Convert a member to its value."""
        return self._values[value]

    def bind_processor(self, dialect: Dialect) -> Callable[[Enum | None], Any]:
        """Return what converts a member to its value."""
        return self._values.__getitem__

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Enum | None]:
        """Return what converts a stored value to its member."""
        return self._members.__getitem__


class _Members(dict[Any, Enum | None]):
    """The members of an enumeration by value. Every row that is loaded is looked up here: calling the enumeration takes
    ten times as long."""

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__({None: None, **{one.value: one for one in kind}})
        self._kind = kind

    def __missing__(self, value: Any) -> Enum:
        return self._kind(value)


class _Values(dict[Any, Any]):
    """The values of an enumeration by member, for the same reason."""

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__([(None, None), *((one, one.value) for one in kind)])
        self._kind = kind

    def __missing__(self, member: Any) -> Any:
        return self._kind(member).value


class OrderedEnum(EnumValue):
    """Store a member of an `IntEnum` as its number, so that the column sorts by it."""

    impl = Integer()  # type: ignore[assignment]  # narrowed on purpose
    cache_ok = True
    comparator_factory = TypeDecorator.Comparator  # type: ignore[assignment]  # as above
