"""What every repository shares."""

from collections.abc import Collection
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, String, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.util import identity_key

E = TypeVar("E")


class Repository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, new: Any) -> None:
        self._session.add(new)

    async def _get(self, entity: type[E], id: str) -> E | None:
        """As the session's own, but for the detour by which that waits for the database: what was loaded already is
        there at once."""
        known = self._session.sync_session.identity_map.get(identity_key(entity, id))
        return known if known is not None else await self._session.get(entity, id)

    @property
    def _on_postgresql(self) -> bool:
        return self._session.get_bind().dialect.name == "postgresql"

    def _among(self, column: ColumnElement[str], values: Collection[str | None]) -> ColumnElement[bool]:
        """The column has one of many values: on PostgreSQL a single parameter, so that it is one statement to prepare
        however many there are."""
        if self._on_postgresql:
            return column == any_(literal(list(values), ARRAY(String)))
        return column.in_(values)
