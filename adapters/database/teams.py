"""Storage of Teams conversations: how to reach places and people there."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.database.errors import translate_errors
from adapters.database.tables import teams_conversations as conversations

StoredConversation = Mapping[str, str]


class SqlConversations:
    """Stores conversations in `teams_conversations`; each call is a transaction of its own.

    Every method raises `StorageUnavailable` when the database does not answer.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        with translate_errors():
            async with self._engine.begin() as connection:
                yield connection

    async def get(self, workspace: str, channel: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.channel == channel)

    async def with_person(self, workspace: str, account: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.account == account)

    async def latest(self, workspace: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.channel != conversations.c.member)

    async def of_team(self, workspace: str, team: str) -> Sequence[StoredConversation]:
        async with self._transaction() as connection:
            found = await connection.execute(
                select(conversations).where(conversations.c.workspace_id == workspace, conversations.c.team == team)
            )
            return [dict(row) for row in found.mappings()]

    async def save(self, row: StoredConversation) -> None:
        # One statement: two processes may hear of the same place at the same moment, and both would insert.
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        key = list(conversations.primary_key)
        async with self._transaction() as connection:
            await connection.execute(
                insert(conversations).values(**row).on_conflict_do_update(index_elements=key, set_=dict(row))
            )

    async def remove(self, workspace: str, channel: str) -> None:
        gone = (conversations.c.workspace_id == workspace, conversations.c.channel == channel)
        async with self._transaction() as connection:
            await connection.execute(delete(conversations).where(*gone))

    async def _first(self, workspace: str, *where: ColumnElement[bool]) -> StoredConversation | None:
        async with self._transaction() as connection:
            found = await connection.execute(
                select(conversations)
                .where(conversations.c.workspace_id == workspace, *where)
                .order_by(conversations.c.team.desc(), conversations.c.channel)
                .limit(1)
            )
            row = found.mappings().first()
            return dict(row) if row is not None else None
