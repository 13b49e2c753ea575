"""Base class of the repositories."""

from collections.abc import Collection
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, String, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import attributes

E = TypeVar("E")


def has_changed(entity: object, *names: str) -> bool:
    """Return whether one of these attributes is not what was loaded or last saved."""
    return any(attributes.get_history(entity, name).has_changes() for name in names)


class Repository:
    """Queries of one family, in the session (and so the transaction) of a unit of work."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, new: Any) -> None:
        self._session.add(new)

    async def _get(self, entity: type[E], id: str) -> E | None:
        """Load an entity by its primary key, once per transaction.

        Looks in the session's identity map first, by the key that `identity_key` would take ten times as long to make.
        """
        known = self._session.sync_session.identity_map.get((entity, (id,), None))
        return known if known is not None else await self._session.get(entity, id)

    @property
    def _on_postgresql(self) -> bool:
        return self._session.get_bind().dialect.name == "postgresql"

    def _among(self, column: ColumnElement[str], values: Collection[str | None]) -> ColumnElement[bool]:
        """Match rows whose column has one of these values.

        On PostgreSQL they are one array parameter: one prepared statement serves any number of values.
        """
        if self._on_postgresql:
            return column == any_(literal(list(values), ARRAY(String)))
        return column.in_(values)
