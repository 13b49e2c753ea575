"""Persist the playground's state as JSON in one table of its own, beside the core's in the same database.

The chat is held in memory and every change is written here first, so that a restart loses nothing. The core and its
migrations know nothing of this table, just as they know nothing of Slack's storage.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Column, MetaData, String, Table, delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine

_metadata = MetaData()
_store = Table(
    "playground_shelf",
    _metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("value", JSON, nullable=False),
)


class PlaygroundStore:
    """Key-value store: JSON objects by kind and id."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def load(self) -> dict[str, dict[str, Any]]:
        """Create the table when it is missing, and return everything in it: kind → id → value."""
        found: dict[str, dict[str, Any]] = {}
        async with self._database.begin() as connection:
            await connection.run_sync(_metadata.create_all)
            for kind, name, value in await connection.execute(select(_store)):
                found.setdefault(kind, {})[name] = value
        return found

    async def save(self, kind: str, id: str, value: Mapping[str, Any]) -> None:
        """Insert a value, or replace the one that is there."""
        row = insert(_store).values(kind=kind, id=id, value=dict(value))
        async with self._database.begin() as connection:
            await connection.execute(row.on_conflict_do_update(set_={"value": row.excluded.value}))

    async def delete(self, kind: str, *ids: str) -> None:
        """Delete the values of some ids."""
        async with self._database.begin() as connection:
            await connection.execute(delete(_store).where(_store.c.kind == kind, _store.c.id.in_(ids)))
