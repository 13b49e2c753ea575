"""Storage of Teams conversations: how to reach places and people there, and from which we were removed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Executable, Select, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.inline import InlineSession
from adapters.database.sessions import sessions
from adapters.database.tables import teams_conversations as conversations
from adapters.database.tables import teams_removals as removals
from adapters.database.unit_of_work import SqlUnitOfWork
from bot.ports import UnitOfWork

StoredConversation = Mapping[str, str]
_NAMES = tuple(conversations.c.keys())

# Every turn runs these. They are built once: for SQLAlchemy to build one costs more than running it.
_CHANNELS: tuple[Any, ...] = tuple(bindparam(name) for name in ("channel", "team", "member"))
_latest = (
    select(func.max(removals.c.removed_at).label("at"))
    .where(removals.c.workspace_id == bindparam("workspace"), removals.c.channel.in_(_CHANNELS))
    .subquery()
)
_KNOWN = select(_latest.c.at, *conversations.c).select_from(
    _latest.outerjoin(
        conversations,
        (conversations.c.workspace_id == bindparam("workspace")) & conversations.c.channel.in_(_CHANNELS),
    )
)
"""One row at least, with the moment of the last removal; more where several conversations are stored."""


def _upsert(insert: Any) -> Any:
    # One statement: two processes may hear of the same place at the same moment, and both would insert.
    save = insert(conversations)
    new = {name: save.excluded[name] for name in _NAMES}
    return save.on_conflict_do_update(index_elements=list(conversations.primary_key), set_=new)


_SAVE = {"postgresql": _upsert(postgresql.insert), "sqlite": _upsert(sqlite.insert)}


class SqlConversations:
    """Stores conversations in `teams_conversations`; each call is a transaction of its own, but for those `within` one.

    Every method raises `StorageUnavailable` when the database does not answer.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._dialect = engine.dialect.name
        # Those of the units of work. On SQLite all writers of this process queue there; beside it, each would wait for
        # its lock by polling.
        self._sessions = sessions(engine)
        self._engine = engine

    def within(self, work: UnitOfWork) -> "SqlConversations":
        return _WithinTransaction(self._engine, work)

    async def get(self, workspace: str, channel: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.channel == channel)

    async def with_person(self, workspace: str, account: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.account == account)

    async def latest(self, workspace: str) -> StoredConversation | None:
        return await self._first(workspace, conversations.c.channel != conversations.c.member)

    async def of_groups(self, workspace: str, limit: int) -> Sequence[StoredConversation]:
        of_many = (conversations.c.workspace_id == workspace, conversations.c.account == "")
        return await self._read(select(conversations).where(*of_many).limit(limit))

    async def of_team(self, workspace: str, team: str) -> Sequence[StoredConversation]:
        return await self._read(
            select(conversations).where(conversations.c.workspace_id == workspace, conversations.c.team == team)
        )

    async def save(self, row: StoredConversation) -> None:
        await self._write((_SAVE[self._dialect], row))

    async def remove(self, workspace: str, channel: str) -> None:
        gone = (conversations.c.workspace_id == workspace, conversations.c.channel == channel)
        await self._write((delete(conversations).where(*gone), {}))

    async def removed_at(self, workspace: str, channels: Collection[str]) -> datetime | None:
        here = (removals.c.workspace_id == workspace, removals.c.channel.in_(channels))
        (latest,) = await self._read(select(func.max(removals.c.removed_at).label("at")).where(*here))
        at: datetime | None = latest["at"]
        return at

    async def find_all(
        self, workspace: str, channel: str, team: str, member: str
    ) -> tuple[Mapping[str, StoredConversation], datetime | None]:
        given = {"workspace": workspace, "channel": channel, "team": team, "member": member}
        found = [(at, dict(zip(_NAMES, row, strict=True))) for at, *row in await self._find(_KNOWN, given)]
        return {row["channel"]: row for _, row in found if row["channel"] is not None}, found[0][0]

    async def last_removal(self, workspace: str) -> StoredConversation | None:
        fields = (removals.c.workspace_id, removals.c.channel, removals.c.service_url, removals.c.bot)
        latest = select(*fields).where(removals.c.workspace_id == workspace).order_by(removals.c.removed_at.desc())
        return next(iter(await self._read(latest.limit(1))), None)

    async def save_removal(self, row: StoredConversation, at: datetime, *, keep_since: datetime) -> None:
        values = {name: row[name] for name in ("workspace_id", "channel", "service_url", "bot")}
        values_now = {**values, "removed_at": at}
        save = self._insert(removals).values(**values_now)
        await self._write(
            (delete(removals).where(removals.c.removed_at < keep_since), {}),
            (save.on_conflict_do_update(index_elements=list(removals.primary_key), set_=values_now), {}),
        )

    async def _first(self, workspace: str, *where: ColumnElement[bool]) -> StoredConversation | None:
        found = await self._read(
            select(conversations)
            .where(conversations.c.workspace_id == workspace, *where)
            .order_by(conversations.c.team.desc(), conversations.c.channel)
            .limit(1)
        )
        return next(iter(found), None)

    def _insert(self, table: Table) -> Any:
        return (postgresql.insert if self._dialect == "postgresql" else sqlite.insert)(table)

    async def _read(self, query: Select[Any]) -> Sequence[dict[str, Any]]:
        names = query.selected_columns.keys()
        return [dict(zip(names, row, strict=True)) for row in await self._find(query)]

    async def _find(self, query: Select[Any], given: Mapping[str, str] | None = None) -> Sequence[Sequence[Any]]:
        async def find(session: InlineSession) -> Sequence[Sequence[Any]]:
            found: Sequence[Sequence[Any]] = (await session.execute(query, given)).all()
            return found

        return await self._sessions.run(find)

    async def _write(self, *statements: tuple[Executable, Mapping[str, str]]) -> None:
        async def write(session: InlineSession) -> None:
            for statement, given in statements:
                await session.execute(statement, given)

        await self._sessions.run(write)


class _WithinTransaction(SqlConversations):
    """Stores conversations in a unit of work that somebody else began."""

    def __init__(self, engine: AsyncEngine, work: UnitOfWork) -> None:
        super().__init__(engine)
        if not isinstance(work, SqlUnitOfWork):
            raise TypeError(f"a {type(work).__name__} is not stored in a database")
        self._work = work

    async def _find(self, query: Select[Any], given: Mapping[str, str] | None = None) -> Sequence[Sequence[Any]]:
        found: Sequence[Sequence[Any]] = (await self._work.execute(query, given)).all()
        return found

    async def _write(self, *statements: tuple[Executable, Mapping[str, str]]) -> None:
        for statement, given in statements:
            await self._work.execute(statement, given)
