"""Loads and writes rows of the outbox in bulk, without SQLAlchemy's session (docs/adr/0083).

Deliveries come in hundreds, and the session's tracking of each attribute costs more than all that is decided about
them. So a `Delivery` is a plain object, with a snapshot of its row as it was read. `Rows` does what the session does:

- Identity map: one object per row in a transaction.
- Unit of work: columns that differ from the snapshot are written, all rows in one statement.
- Optimistic lock: an update matches id and `revision`, and increments the revision. A row that somebody else changed
  since it was read does not match: StaleDataError, and the whole transaction runs again.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Column, Dialect, Integer, Row, Select, Text, Update, bindparam, cast, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm.exc import StaleDataError

from adapters.database.inline import InlineSession
from adapters.database.tables import deliveries
from bot.domain.delivery import Delivery, DeliveryId

_NAMES = tuple(one.name for one in fields(Delivery))
_values_in: Callable[[Mapping[str, Any]], tuple[Any, ...]] = itemgetter(*_NAMES)
"""Takes the values of all columns out of an object's `__dict__`."""
DELIVERY_COLUMNS = (*(deliveries.c[name] for name in _NAMES), deliveries.c.revision)
"""The columns that a query selects for `Rows` to make deliveries of: all fields, then the revision."""
SELECT_DELIVERIES = select(*DELIVERY_COLUMNS)
_ADD = {
    "postgresql": postgresql.insert(deliveries).on_conflict_do_nothing(index_elements=["key"]).inline(),
    "sqlite": sqlite.insert(deliveries).on_conflict_do_nothing(index_elements=["key"]).inline(),
}

_SNAPSHOT_ATTRIBUTE = "_as_read"
"""Where a delivery keeps its snapshot. Not a field: the domain knows nothing of it."""


@dataclass(slots=True)
class _Snapshot:
    """The values of a row as read or last written, in the order of the columns."""

    revision: int
    values: tuple[Any, ...]
    is_sure: bool = True
    """False for a row that was added without asking whether its key was new: it may not be there."""


def _snapshot(one: Delivery) -> _Snapshot:
    snapshot: _Snapshot = one.__dict__[_SNAPSHOT_ATTRIBUTE]
    return snapshot


class Rows:
    """The deliveries loaded in one transaction. A later transaction may write them without reading them again."""

    def __init__(self, session: InlineSession) -> None:
        self._session = session
        self._loaded: dict[DeliveryId, Delivery] = {}

    async def find(self, query: Select[Any], given: Mapping[str, Any] | None = None) -> list[Delivery]:
        """Write all changes, then run a query of `DELIVERY_COLUMNS`, which therefore sees them."""
        await self._session.flush()
        await self.write()
        return await self.read(query, given)

    async def read(self, query: Select[Any], given: Mapping[str, Any] | None = None) -> list[Delivery]:
        """Run a query of `DELIVERY_COLUMNS` without writing first: for callers that changed nothing it depends on."""
        return [self._to_delivery(row) for row in await self._session.execute(query, given)]

    async def find_with(self, query: Select[Any]) -> list[tuple[Any, ...]]:
        """Like `find`, for a query with more columns after `DELIVERY_COLUMNS`: returns (delivery, *others) per row."""
        await self._session.flush()
        await self.write()
        return [(self._to_delivery(row), *row[len(DELIVERY_COLUMNS) :]) for row in await self._session.execute(query)]

    def _to_delivery(self, row: Row[Any]) -> Delivery:
        """Return the object for a row; a loaded one is refreshed when the row is newer. It may be older: what is asked
        beside a change (`together`) is asked before it.

        Raises StaleDataError when the loaded one has changes that would be lost.
        """
        values, revision = tuple(row[: len(_NAMES)]), row[len(_NAMES)]
        known = self._loaded.get(row[0])
        if known is not None:
            if revision <= _snapshot(known).revision:
                return known
            if _changed_columns(known):
                raise StaleDataError("a delivery in hand was changed by somebody else meanwhile")
        # As stored: __init__ might fill in defaults of a new one.
        delivery = object.__new__(Delivery) if known is None else known
        delivery.__dict__.update(zip(_NAMES, values, strict=True))
        self._track(delivery, _Snapshot(revision, values))
        return delivery

    async def add(self, new: Delivery) -> None:
        """Insert a delivery, unless another has its key already."""
        values = {name: getattr(new, name) for name in _NAMES}
        await self._session.post(_ADD[self._session.dialect.name], values)
        self._track(new, _Snapshot(1, tuple(values.values()), is_sure=False))

    async def add_new(self, new: Delivery) -> bool:
        """Insert a delivery; return False when another has its key already (a unique index decides)."""
        values = {name: getattr(new, name) for name in _NAMES}
        done = await self._session.execute(_ADD[self._session.dialect.name], values)
        if not done.rowcount:  # type: ignore[attr-defined]  # a cursor result, typed wider
            return False
        self._track(new, _Snapshot(1, tuple(values.values())))
        return True

    async def add_all(self, new: Sequence[Delivery]) -> None:
        """Insert many deliveries in one statement, without tracking them: for callers that are done with them."""
        rows = [{name: getattr(one, name) for name in _NAMES} for one in new]
        if rows:
            await self._session.post(_ADD[self._session.dialect.name], rows)

    def _track(self, delivery: Delivery, snapshot: _Snapshot) -> None:
        delivery.__dict__[_SNAPSHOT_ATTRIBUTE] = snapshot
        self._loaded[delivery.id] = delivery

    async def write(self, these: Iterable[Delivery] | None = None) -> None:
        """Update the rows of changed deliveries: of these, or of all loaded. Raises StaleDataError for a lost race."""
        changed: list[Delivery] = []
        names: set[str] = set()
        for one in list(self._loaded.values()) if these is None else these:
            if differing := _changed_columns(one):
                changed.append(one)
                names.update(differing)
        if not changed:
            return
        for some in ([one for one in changed if _snapshot(one).is_sure is sure] for sure in (True, False)):
            if some:
                await self._update_rows(some, sorted(names))
        for one in changed:
            snapshot = _snapshot(one)
            snapshot.revision, snapshot.values = snapshot.revision + 1, _values_in(one.__dict__)

    async def _update_rows(self, changed: Sequence[Delivery], names: Sequence[str]) -> None:
        """Update these columns of rows. Raises StaleDataError unless all that are surely there have their revision: on
        PostgreSQL with the next trip, or with the commit. Rows that outlive a transaction which failed are not used
        again: they are claimed or read anew."""
        expects = len(changed) if _snapshot(changed[0]).is_sure else None
        dialect = self._session.dialect
        if dialect.name == "sqlite":
            sql, converts = _driver_update(tuple(names), dialect)
            columns = [_convert([one.__dict__[name] for one in changed], convert) for name, convert in converts]
            found = [one.id for one in changed], [_snapshot(one).revision for one in changed]
            done = self._session.run_sql(sql, [*zip(*columns, *found, strict=True)])
            if expects is not None and done != expects:
                raise StaleDataError("a delivery was changed by somebody else meanwhile")
        else:
            # A value that is equal in all rows is one parameter; the others travel as one JSON document for all rows.
            first = changed[0].__dict__
            alike = tuple(
                name for name in names if name != "args" and all(one.__dict__[name] == first[name] for one in changed)
            )
            each = tuple(name for name in names if name not in alike)
            given = json.dumps([_identity(one) | _changed_values(one, each) for one in changed], default=_encode_moment)
            shared = {f"new_{name}": first[name] for name in alike}
            await self._session.post(_bulk_update(each, alike), {**shared, "rows": given}, expects=expects)


def _changed_columns(one: Delivery) -> list[str]:
    """List the columns in which a delivery differs from its snapshot."""
    was, now = _snapshot(one).values, _values_in(one.__dict__)
    if was == now:
        return []
    changes = zip(_NAMES, was, now, strict=True)
    return [name for name, before, after in changes if before is not after and before != after]


def _identity(one: Delivery) -> dict[str, Any]:
    """Return the parameters by which an update finds the row: its id, and the revision that was read."""
    return {"this": one.id, "was": _snapshot(one).revision}


def _changed_values(one: Delivery, names: Sequence[str]) -> dict[str, Any]:
    """Return the values of these columns. `args` goes as text: PostgreSQL must not take apart what people wrote."""
    return {name: json.dumps(one.args) if name == "args" else one.__dict__[name] for name in names}


def _encode_moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is not written so")


def json_rows(*columns: Column[Any]) -> Any:
    """Build a table expression of rows that come as one JSON parameter, `rows`. An array per column costs far more."""
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    return rows.table_valued(*columns, name="given").render_derived(with_types=True)


def _new(name: str) -> Any:
    return bindparam(f"new_{name}", type_=deliveries.c[name].type)


_Convert = Callable[[Any], Any] | None


@lru_cache(maxsize=128)
def _driver_update(names: tuple[str, ...], dialect: Dialect) -> tuple[str, list[tuple[str, _Convert]]]:
    """Build an update of one row as SQLite's driver takes it, and find what converts the values of each column: it runs
    twice a message, and SQLAlchemy takes longer to convert the parameters of a row than SQLite to write it."""
    sets = ", ".join(f"{name} = ?" for name in names)
    sql = f"UPDATE deliveries SET {sets}, revision = revision + 1 WHERE id = ? AND revision = ?"  # noqa: S608  # names of columns
    return sql, [(name, deliveries.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names]


def _convert(values: list[Any], convert: _Convert) -> list[Any]:
    """Convert the values of a column for the driver; one that is the same in all rows once."""
    if convert is None:
        return values
    first = values[0]
    if all(one is first for one in values):
        return [convert(first)] * len(values)
    return [convert(one) for one in values]


@lru_cache(maxsize=128)
def _bulk_update(each: tuple[str, ...], alike: tuple[str, ...]) -> Update:
    """Build one update of many rows: values that differ come from `json_rows`, equal ones from a parameter each."""
    types = {name: Text() if name == "args" else deliveries.c[name].type for name in each}
    given = json_rows(Column("this", Text), Column("was", Integer), *(Column(name, types[name]) for name in each))
    values = {name: cast(given.c.args, JSON) if name == "args" else given.c[name] for name in each}
    return (
        update(deliveries)
        .where(deliveries.c.id == given.c.this, deliveries.c.revision == given.c.was)
        .values({**values, **{name: _new(name) for name in alike}, "revision": given.c.was + 1})
    )
