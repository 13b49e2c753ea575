"""Where the playground keeps what it is: one table of its own, beside the core's in the same database.

The chat lives in memory and every change is written here first, so that a restart forgets nothing. The values are the
playground's own JSON: the core and its migrations know nothing of it, just as they know nothing of Slack's storage.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Column, MetaData, String, Table, delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine

_metadata = MetaData()
_shelf = Table(
    "playground_shelf",
    _metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("value", JSON, nullable=False),
)


class Shelf:
    """Things by kind and id; a value is a JSON object."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def open(self) -> dict[str, dict[str, Any]]:
        """Everything there is: kind → id → value."""
        found: dict[str, dict[str, Any]] = {}
        async with self._database.begin() as connection:
            await connection.run_sync(_metadata.create_all)
            for kind, name, value in await connection.execute(select(_shelf)):
                found.setdefault(kind, {})[name] = value
        return found

    async def put(self, kind: str, id: str, value: Mapping[str, Any]) -> None:
        """Keeps a value in the place of what was there."""
        kept = insert(_shelf).values(kind=kind, id=id, value=dict(value))
        async with self._database.begin() as connection:
            await connection.execute(kept.on_conflict_do_update(set_={"value": kept.excluded.value}))

    async def drop(self, kind: str, *ids: str) -> None:
        async with self._database.begin() as connection:
            await connection.execute(delete(_shelf).where(_shelf.c.kind == kind, _shelf.c.id.in_(ids)))
