"""The rows of the outbox that one transaction has in hand.

They come in hundreds, and what a session does to keep track of each costs more than all that is decided about it. So
they are plain objects here: what was read is kept beside each, and what differs from it is written, all at once. Each
row has a revision: the second of two writers has lost the race, and begins again.
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
COLUMNS = (*(deliveries.c[name] for name in _NAMES), deliveries.c.revision)
"""What a query selects of each, for `Rows` to make a delivery of."""
WHOLE = select(*COLUMNS)
_ADD = {
    "postgresql": postgresql.insert(deliveries).on_conflict_do_nothing(index_elements=["key"]).inline(),
    "sqlite": sqlite.insert(deliveries).on_conflict_do_nothing(index_elements=["key"]).inline(),
}


_BESIDE = "_as_read"
"""Where a delivery has what was read of it: no business of the domain, and so none of its fields."""


@dataclass
class _Snapshot:
    """What the database holds of a row."""

    revision: int
    values: dict[str, Any]


def _as_read(one: Delivery) -> _Snapshot:
    read: _Snapshot = one.__dict__[_BESIDE]
    return read


class Rows:
    """Each row is one object in a transaction. It may be put down by a later one, which need not read it again."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._in_hand: dict[DeliveryId, Delivery] = {}

    async def found(self, query: Select[Any], given: Mapping[str, Any] | None = None) -> list[Delivery]:
        """The deliveries a query of `COLUMNS` finds, when all that was changed so far is written."""
        await self._session.flush()
        await self.write()
        return await self.read(query, given)

    async def read(self, query: Select[Any], given: Mapping[str, Any] | None = None) -> list[Delivery]:
        """The same, for who changed nothing yet that matters to it."""
        return [self._of(row) for row in await self._session.execute(query, given)]

    async def found_with(self, query: Select[Any]) -> list[tuple[Any, ...]]:
        """As `found`, for a query that selects more than `COLUMNS`: each delivery, and what comes with it."""
        await self._session.flush()
        await self.write()
        return [(self._of(row), *row[len(COLUMNS) :]) for row in await self._session.execute(query)]

    def _of(self, row: Row[Any]) -> Delivery:
        values = dict(zip(_NAMES, row, strict=False))
        known = self._in_hand.get(values["id"])
        if known is not None:
            if _as_read(known).revision != row[len(_NAMES)]:
                if _differing(known):
                    raise StaleDataError("a delivery in hand was changed by somebody else meanwhile")
                known.__dict__.update(values)
                self._take(known, _Snapshot(row[len(_NAMES)], values))
            return known
        delivery = object.__new__(Delivery)  # as it was written, whatever making a new one would fill in
        delivery.__dict__.update(values)
        self._take(delivery, _Snapshot(row[len(_NAMES)], values))
        return delivery

    async def add(self, new: Delivery) -> bool:
        """Writes a new row; False when its key is there already."""
        values = {name: getattr(new, name) for name in _NAMES}
        statement = _ADD[self._session.get_bind().dialect.name]
        done = await self._session.execute(statement, values, execution_options={"preserve_rowcount": True})
        if not done.rowcount:  # type: ignore[attr-defined]  # a cursor result, typed wider
            return False
        self._take(new, _Snapshot(1, values))
        return True

    def _take(self, delivery: Delivery, as_read: _Snapshot) -> None:
        delivery.__dict__[_BESIDE] = as_read
        self._in_hand[delivery.id] = delivery

    async def write(self, these: Iterable[Delivery] | None = None) -> None:
        """Writes what was changed, of these or of all that is in hand."""
        changed: list[Delivery] = []
        names: set[str] = set()
        for one in list(self._in_hand.values()) if these is None else these:
            if differing := _differing(one):
                changed.append(one)
                names.update(differing)
        if not changed:
            return
        if await self._written(changed, sorted(names)) != len(changed):
            raise StaleDataError("a delivery was changed by somebody else meanwhile")
        for one in changed:
            as_read = _as_read(one)
            as_read.revision += 1
            as_read.values.update((name, one.__dict__[name]) for name in names)

    async def _written(self, changed: Sequence[Delivery], names: Sequence[str]) -> int:
        """How many of these rows were still as they were read, and now hold their new values."""
        if self._session.get_bind().dialect.name == "sqlite" or len(changed) == 1:
            rows = [{**_which(one), **{f"new_{name}": one.__dict__[name] for name in names}} for one in changed]
            done = await self._session.execute(_one_by_one(tuple(names)), rows if len(rows) > 1 else rows[0])
        else:
            first = changed[0].__dict__
            alike = tuple(
                name for name in names if name != "args" and all(one.__dict__[name] == first[name] for one in changed)
            )
            each = tuple(name for name in names if name not in alike)
            given = json.dumps([_which(one) | _given_of(one, each) for one in changed], default=_moment)
            shared = {f"new_{name}": first[name] for name in alike}
            done = await self._session.execute(_at_once(each, alike), {**shared, "rows": given})
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider


def _differing(one: Delivery) -> list[str]:
    """In what it is not as it was read."""
    was, now = _as_read(one).values, one.__dict__
    return [name for name in _NAMES if now[name] is not was[name] and now[name] != was[name]]


def _which(one: Delivery) -> dict[str, Any]:
    return {"this": one.id, "was": _as_read(one).revision}


def _given_of(one: Delivery, names: Sequence[str]) -> dict[str, Any]:
    """`args` as text, so that nothing people wrote is taken apart on the way."""
    return {name: json.dumps(one.args) if name == "args" else one.__dict__[name] for name in names}


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is not written so")


def given_rows(*columns: Column[Any]) -> Any:
    """Rows that are given to a statement as one parameter, in JSON: an array for each column costs far more."""
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    return rows.table_valued(*columns, name="given").render_derived(with_types=True)


def _new(name: str) -> Any:
    return bindparam(f"new_{name}", type_=deliveries.c[name].type)


@lru_cache(maxsize=128)
def _one_by_one(names: tuple[str, ...]) -> Update:
    here = (deliveries.c.id == bindparam("this"), deliveries.c.revision == bindparam("was"))
    return (
        update(deliveries)
        .where(*here)
        .values({**{name: _new(name) for name in names}, "revision": bindparam("was") + 1})
    )


@lru_cache(maxsize=128)
def _at_once(each: tuple[str, ...], alike: tuple[str, ...]) -> Update:
    """All rows as one parameter, but for what is the same in each of them."""
    types = {name: Text() if name == "args" else deliveries.c[name].type for name in each}
    given = given_rows(Column("this", Text), Column("was", Integer), *(Column(name, types[name]) for name in each))
    values = {name: cast(given.c.args, JSON) if name == "args" else given.c[name] for name in each}
    return (
        update(deliveries)
        .where(deliveries.c.id == given.c.this, deliveries.c.revision == given.c.was)
        .values({**values, **{name: _new(name) for name in alike}, "revision": given.c.was + 1})
    )
