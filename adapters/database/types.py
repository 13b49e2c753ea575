"""Define the column types that SQLAlchemy lacks."""

from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sqlalchemy import DateTime, Dialect, Integer, String
from sqlalchemy.types import TypeDecorator


class Utc(TypeDecorator[datetime]):
    """Store an aware moment as UTC and load it as aware UTC; a naive one raises ValueError.

    SQLite has no time zones: there the zone is left out when it is stored, and added when it is loaded.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a moment to UTC for the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a stored moment to aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EnumValue(TypeDecorator[Enum]):
    """Store a member of an enumeration as its value; an unknown value raises ValueError."""

    impl = String(32)
    cache_ok = True

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind
        # Every row that is loaded passes here, and calling the enumeration takes ten times as long as a dictionary.
        self._members: dict[Any, Enum | None] = {None: None, **{one.value: one for one in kind}}

    def process_bind_param(self, value: Enum | None, dialect: Dialect) -> Any:
        """Convert a member to its value."""
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> Enum | None:
        """Convert a stored value to its member."""
        return self._members[value] if value in self._members else self.kind(value)


class OrderedEnum(EnumValue):
    """Store a member of an `IntEnum` as its number, so that the column sorts by it."""

    impl = Integer()  # type: ignore[assignment]  # narrowed on purpose
    cache_ok = True
