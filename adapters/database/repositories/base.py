"""What every repository shares."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, String, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession


class Repository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, new: Any) -> None:
        self._session.add(new)

    @property
    def _on_postgresql(self) -> bool:
        return self._session.get_bind().dialect.name == "postgresql"

    def _among(self, column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
        """The column has one of many values: on PostgreSQL a single parameter, so that it is one statement to prepare
        however many there are."""
        if self._on_postgresql:
            return column == any_(literal(list(values), ARRAY(String)))
        return column.in_(values)
