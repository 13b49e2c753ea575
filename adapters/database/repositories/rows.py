"""Loads and writes rows of the outbox in bulk, without SQLAlchemy's session (docs/adr/0083).

Deliveries come in hundreds, and the session's tracking of each attribute costs more than all that is decided about
them. So a `Delivery` is a plain object, with a snapshot of its row as it was read. `Rows` does what the session does:

- Identity map: one object per row in a transaction.
- Unit of work: columns that differ from the snapshot are written, all rows in one statement.
- Optimistic lock: an update matches id and `revision`, and increments the revision. A row that somebody else changed
  since it was read does not match: StaleDataError, and the whole transaction runs again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Column, Integer, Row, Select, Text, Update, bindparam, cast, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from adapters.database.tables import deliveries
from bot.domain.delivery import Delivery, DeliveryId

_NAMES = tuple(one.name for one in fields(Delivery))
DELIVERY_COLUMNS = (*(deliveries.c[name] for name in _NAMES), deliveries.c.revision)
"""The columns that a query selects for `Rows` to make deliveries of: all fields, then the revision."""
SELECT_DELIVERIES = select(*DELIVERY_COLUMNS)
_ADD = {
    "postgresql": postgresql.insert(deliveries).on_conflict_do_nothing(index_elements=["key"]).inline(),
    "sqlite": sqlite.insert(deliveries).on_conflict_do_nothing(index_elements=["key"]).inline(),
}

_SNAPSHOT_ATTRIBUTE = "_as_read"
"""Where a delivery keeps its snapshot. Not a field: the domain knows nothing of it."""


@dataclass
class _Snapshot:
    """The values of a row as read or last written."""

    revision: int
    values: dict[str, Any]


def _snapshot(one: Delivery) -> _Snapshot:
    snapshot: _Snapshot = one.__dict__[_SNAPSHOT_ATTRIBUTE]
    return snapshot


class Rows:
    """The deliveries loaded in one transaction. A later transaction may write them without reading them again."""

    def __init__(self, session: AsyncSession) -> None:
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
        """Return the object for a row; a loaded one is refreshed when the row is newer.

        Raises StaleDataError when the loaded one has changes that would be lost.
        """
        values = dict(zip(_NAMES, row, strict=False))
        known = self._loaded.get(values["id"])
        if known is not None:
            if _snapshot(known).revision != row[len(_NAMES)]:
                if _changed_columns(known):
                    raise StaleDataError("a delivery in hand was changed by somebody else meanwhile")
                known.__dict__.update(values)
                self._track(known, _Snapshot(row[len(_NAMES)], values))
            return known
        delivery = object.__new__(Delivery)  # as stored: __init__ might fill in defaults of a new one
        delivery.__dict__.update(values)
        self._track(delivery, _Snapshot(row[len(_NAMES)], values))
        return delivery

    async def add(self, new: Delivery) -> bool:
        """Insert a delivery; return False when another has its key already (a unique index decides)."""
        values = {name: getattr(new, name) for name in _NAMES}
        statement = _ADD[self._session.get_bind().dialect.name]
        done = await self._session.execute(statement, values, execution_options={"preserve_rowcount": True})
        if not done.rowcount:  # type: ignore[attr-defined]  # a cursor result, typed wider
            return False
        self._track(new, _Snapshot(1, values))
        return True

    async def add_all(self, new: Sequence[Delivery]) -> None:
        """Insert many deliveries in one statement, without tracking them: for callers that are done with them."""
        rows = [{name: getattr(one, name) for name in _NAMES} for one in new]
        if rows:
            await self._session.execute(_ADD[self._session.get_bind().dialect.name], rows)

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
        if await self._update_rows(changed, sorted(names)) != len(changed):
            raise StaleDataError("a delivery was changed by somebody else meanwhile")
        for one in changed:
            snapshot = _snapshot(one)
            snapshot.revision += 1
            snapshot.values.update((name, one.__dict__[name]) for name in names)

    async def _update_rows(self, changed: Sequence[Delivery], names: Sequence[str]) -> int:
        """Update these columns of rows that still have their revision; return how many those were."""
        if self._session.get_bind().dialect.name == "sqlite" or len(changed) == 1:
            rows = [{**_identity(one), **{f"new_{name}": one.__dict__[name] for name in names}} for one in changed]
            done = await self._session.execute(_update_each(tuple(names)), rows if len(rows) > 1 else rows[0])
        else:
            # A value that is equal in all rows is one parameter; the others travel as one JSON document for all rows.
            first = changed[0].__dict__
            alike = tuple(
                name for name in names if name != "args" and all(one.__dict__[name] == first[name] for one in changed)
            )
            each = tuple(name for name in names if name not in alike)
            given = json.dumps([_identity(one) | _changed_values(one, each) for one in changed], default=_encode_moment)
            shared = {f"new_{name}": first[name] for name in alike}
            done = await self._session.execute(_bulk_update(each, alike), {**shared, "rows": given})
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider


def _changed_columns(one: Delivery) -> list[str]:
    """List the columns in which a delivery differs from its snapshot."""
    was, now = _snapshot(one).values, one.__dict__
    return [name for name in _NAMES if now[name] is not was[name] and now[name] != was[name]]


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


@lru_cache(maxsize=128)
def _update_each(names: tuple[str, ...]) -> Update:
    """Build an update of one row by parameters; executed with many, the driver runs it for each."""
    here = (deliveries.c.id == bindparam("this"), deliveries.c.revision == bindparam("was"))
    return (
        update(deliveries)
        .where(*here)
        .values({**{name: _new(name) for name in names}, "revision": bindparam("was") + 1})
    )


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
