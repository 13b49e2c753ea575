"""Base class of the repositories."""

from collections.abc import Collection
from typing import Any, TypeVar

from sqlalchemy import JSON, ColumnElement, FromClause, String, any_, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import attributes

from adapters.database.inline import InlineSession

T = TypeVar("T")
DIALECTS = ("sqlite", "postgresql")
"""The databases that statements with `among` are built for, once for each."""


def has_changed(entity: object, *names: str) -> bool:
    """Return whether one of these attributes is not what was loaded or last saved."""
    return any(attributes.get_history(entity, name).has_changes() for name in names)


def among(column: ColumnElement[str], name: str, dialect: str) -> ColumnElement[bool]:
    """Match rows whose column has one of the values of the parameter `name`, a list: for statements that are built
    once."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(String)))
    return column.in_(select(func.json_each(bindparam(name, type_=JSON)).table_valued("value").c.value))


def is_of(column: ColumnElement[Any], owner: Any) -> ColumnElement[bool]:
    """Match rows of a movement, a place or a kind that are found by something else. To SQLite, which has no statistics,
    all indexes are equally good: it may look through all that the movement has, unless it cannot look by that."""
    matches: ColumnElement[bool] = func.coalesce(column, "") == owner
    return matches


def is_among_few(column: ColumnElement[str], movement: str) -> ColumnElement[bool]:
    """Match rows of a movement in a partial index, which holds few. To SQLite it is as good as one of all rows; said as
    a range, it knows that there are fewer."""
    return column.between(movement, movement)


def counts_in_group(person: FromClause) -> ColumnElement[bool]:
    """Match people who count in their group, in its size and its figures alike: their account is in use."""
    return person.c.account.is_not(None) & person.c.deactivated_at.is_(None) & (person.c.group != "")


class Repository:
    """Queries of one family, in the session (and so the transaction) of a unit of work."""

    def __init__(self, session: InlineSession) -> None:
        self._session = session

    def add(self, new: Any) -> None:
        self._session.add(new)

    async def _get(self, entity: type[T], id: str, **its: object) -> T | None:
        """Return an entity by its id, which is asked for once in a transaction; None for an empty id, and unless these
        attributes are `its`."""
        found: T | None = await self._session.get(entity, id) if id else None
        return found if found is not None and all(getattr(found, name) == one for name, one in its.items()) else None

    async def _get_each(self, entity: type[Any], key: ColumnElement[str], ids: Collection[str]) -> dict[Any, Any]:
        """Return entities by their ids, with those that the session has, which are not asked for again; ids of none are
        left out."""
        known = self._session.sync_session.identity_map
        found = {one: has for one in ids if (has := known.get((entity, (one,), None))) is not None}
        if missing := [one for one in ids if one not in found]:
            loaded = await self._session.scalars(select(entity).where(self._among(key, missing)))
            found |= {one.id: one for one in loaded}
        return found

    @property
    def _dialect(self) -> str:
        return self._session.get_bind().dialect.name

    @property
    def _on_postgresql(self) -> bool:
        return self._dialect == "postgresql"

    def _among(self, column: ColumnElement[str], values: Collection[str | None]) -> ColumnElement[bool]:
        """Match rows whose column has one of these values.

        On PostgreSQL they are one array parameter: one prepared statement serves any number of values.
        """
        if self._on_postgresql:
            return column == any_(literal(list(values), ARRAY(String)))
        return column.in_(values)
