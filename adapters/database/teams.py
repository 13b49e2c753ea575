"""Storage of Teams conversations: how to reach places and people there, and from which we were removed."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from adapters.database.errors import translate_errors
from adapters.database.sqlite import inline_writer
from adapters.database.tables import teams_conversations as conversations
from adapters.database.tables import teams_removals as removals

StoredConversation = Mapping[str, str]


class SqlConversations:
    """Stores conversations in `teams_conversations`; each call is a transaction of its own.

    Every method raises `StorageUnavailable` when the database does not answer.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection | AsyncSession]:
        if self._engine.dialect.name == "sqlite":
            # In the queue of all writers of this process: beside it, each would wait for SQLite's lock by polling.
            async with inline_writer(self._engine).transaction() as session:
                yield session
            return
        with translate_errors():
            async with self._engine.begin() as connection:
                yield connection

    async def get(self, workspace: str, channel: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.channel == channel)

    async def with_person(self, workspace: str, account: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.account == account)

    async def latest(self, workspace: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.channel != conversations.c.member)

    async def of_groups(self, workspace: str, limit: int) -> Sequence[StoredConversation]:
        of_many = (conversations.c.workspace_id == workspace, conversations.c.account == "")
        async with self._transaction() as connection:
            found = await connection.execute(select(conversations).where(*of_many).limit(limit))
            return [dict(row) for row in found.mappings()]

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

    async def removed_at(self, workspace: str, channels: Collection[str]) -> datetime | None:
        here = (removals.c.workspace_id == workspace, removals.c.channel.in_(channels))
        async with self._transaction() as connection:
            found = await connection.execute(select(func.max(removals.c.removed_at)).where(*here))
            at: datetime | None = found.scalar()
            return at

    async def last_removal(self, workspace: str) -> StoredConversation | None:
        fields = (removals.c.workspace_id, removals.c.channel, removals.c.service_url, removals.c.bot)
        latest = select(*fields).where(removals.c.workspace_id == workspace).order_by(removals.c.removed_at.desc())
        async with self._transaction() as connection:
            row = (await connection.execute(latest.limit(1))).mappings().first()
            return dict(row) if row is not None else None

    async def save_removal(self, row: StoredConversation, at: datetime, *, keep_since: datetime) -> None:
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        values = {name: row[name] for name in ("workspace_id", "channel", "service_url", "bot")}
        values_now = {**values, "removed_at": at}
        async with self._transaction() as connection:
            await connection.execute(delete(removals).where(removals.c.removed_at < keep_since))
            await connection.execute(
                insert(removals)
                .values(**values_now)
                .on_conflict_do_update(index_elements=list(removals.primary_key), set_=values_now)
            )

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
