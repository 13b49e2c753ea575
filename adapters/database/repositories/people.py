"""People, workspaces and the inbox."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from sqlalchemy import Column, Table, bindparam, delete, func, or_, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.repositories.base import Repository
from adapters.database.tables import (
    PEOPLE_MISSING_NAME,
    companies,
    deliveries,
    episodes,
    inbox,
    initiatives,
    members,
    metadata,
    moment_changes,
    movements,
    people,
    places,
    purposes,
    retellings,
    rhythms,
    stories,
    teams_conversations,
    workspaces,
)
from bot.domain.delivery import DeliveryState
from bot.domain.ids import new_id
from bot.domain.movement import Member, Movement, MovementId, Place, Role
from bot.domain.person import ERASED, Person, PersonId, Workspace, WorkspaceId

_CLAIM = {
    "sqlite": sqlite.insert(inbox).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
    "postgresql": postgresql.insert(inbox).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
}

_ARRIVING = (
    select(Person, Place, Movement, Member)
    .select_from(workspaces)
    .outerjoin(people, (people.c.workspace_id == workspaces.c.id) & (people.c.account == bindparam("account")))
    .outerjoin(places, (places.c.workspace_id == workspaces.c.id) & (places.c.channel == bindparam("channel")))
    .outerjoin(movements, movements.c.id == places.c.movement_id)
    .outerjoin(members, (members.c.movement_id == movements.c.id) & (members.c.person_id == people.c.id))
    .where(workspaces.c.id == bindparam("workspace"))
)
_LAST_JOINED = (
    select(Movement, Member)
    .join_from(Member, Movement, members.c.movement_id == movements.c.id)
    .where(members.c.person_id == bindparam("person"))
    .order_by(members.c.joined_at.desc())
    .limit(1)
)
_TURN = (
    select(movements.c.id)
    .where(
        movements.c.id
        == func.coalesce(
            select(movements.c.id).where(movements.c.id == bindparam("movement")).scalar_subquery(),
            select(places.c.movement_id)
            .where(places.c.workspace_id == bindparam("workspace"), places.c.channel == bindparam("channel"))
            .scalar_subquery(),
            select(members.c.movement_id)
            .join(people, people.c.id == members.c.person_id)
            .where(people.c.workspace_id == bindparam("workspace"), people.c.account == bindparam("account"))
            .order_by(members.c.joined_at.desc())
            .limit(1)
            .scalar_subquery(),
        )
    )
    .with_for_update(key_share=True)
)
_TURN_OUTSIDE = select(workspaces.c.id).where(workspaces.c.id == bindparam("workspace")).with_for_update(key_share=True)
"""Written once: every intent asks these, and building a statement costs more than running it."""

_ABOUT: dict[Table, list[Column[Any]]] = {
    table: about
    for table in metadata.sorted_tables
    if (
        about := [
            column
            for column in table.c
            if (table is people and column.name == "id")
            or any(key.column.table is people for key in column.foreign_keys)
        ]
    )
}
"""Every table that says something about a person, with the columns that say of whom; a new table is here by itself."""
_STAYING = (people, stories, deliveries, purposes, initiatives, rhythms)
"""What stays, nameless, when someone is forgotten: others live with it, or it carries deletions still to be sent."""


_OURS = ("row", "revision", "correlation")
"""Columns that say nothing of anybody."""


class SqlInbox(Repository):
    async def claim(self, workspace: WorkspaceId, key: str, now: datetime) -> bool:
        statement = _CLAIM[self._session.get_bind().dialect.name]
        done = await self._session.execute(statement, {"workspace_id": workspace, "key": key, "at": now})
        return bool(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    async def forget(self, before: datetime, limit: int) -> int:
        old = select(inbox.c.workspace_id, inbox.c.key).where(inbox.c.at < before).limit(limit)
        done = await self._session.execute(delete(inbox).where(tuple_(inbox.c.workspace_id, inbox.c.key).in_(old)))
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider


class SqlPeople(Repository):
    async def workspace(self, id: WorkspaceId) -> Workspace | None:
        return await self._get(Workspace, id)

    async def lock_movement(
        self, workspace: WorkspaceId, account: str, channel: str | None, movement: MovementId | None
    ) -> None:
        if self._session.get_bind().dialect.name == "sqlite":
            return  # whoever writes waits for every other writer there
        where = {"workspace": workspace, "account": account, "channel": channel or "", "movement": movement or ""}
        if (await self._session.execute(_TURN, where)).first() is None:
            await self._session.execute(_TURN_OUTSIDE, {"workspace": workspace})

    async def load_context(
        self, workspace: WorkspaceId, account: str, channel: str | None
    ) -> tuple[Person | None, Place | None, Movement | None, Member | None]:
        row = (
            await self._session.execute(
                _ARRIVING, {"workspace": workspace, "account": account, "channel": channel or ""}
            )
        ).first()
        person, place, movement, member = row if row is not None else (None, None, None, None)
        if movement is None and person is not None:
            last = (await self._session.execute(_LAST_JOINED, {"person": person.id})).first()
            movement, member = last if last is not None else (None, None)
        return person, place, movement, member

    async def gone_since(self, moment: datetime) -> Workspace | None:
        return await self._session.scalar(
            select(Workspace).where(workspaces.c.gone_at < moment, workspaces.c.gone_reason != ERASED).limit(1)
        )

    async def accounts_in(self, workspace: WorkspaceId) -> Sequence[Person]:
        found = await self._session.scalars(
            select(Person).where(people.c.workspace_id == workspace, people.c.account.is_not(None))
        )
        return found.all()

    async def erase(self, workspace: WorkspaceId) -> None:
        theirs = select(places.c.id).where(places.c.workspace_id == workspace)
        elsewhere = select(places.c.movement_id).where(
            places.c.workspace_id != workspace, places.c.movement_id.is_not(None)
        )
        here = select(places.c.movement_id).where(places.c.workspace_id == workspace, places.c.movement_id.is_not(None))
        dying = select(movements.c.id).where(movements.c.id.in_(here), movements.c.id.not_in(elsewhere))
        dead = list(await self._session.scalars(dying))
        sent = select(deliveries.c.id).where(deliveries.c.workspace_id == workspace)
        ended = select(rhythms.c.id).where(rhythms.c.place_id.in_(theirs))
        await self._session.execute(delete(retellings).where(retellings.c.delivery_id.in_(sent)))
        await self._session.execute(delete(moment_changes).where(moment_changes.c.rhythm_id.in_(ended)))
        # Keys are checked when the transaction ends, so the order is free.
        for table in metadata.sorted_tables:
            if table not in (places, movements) and "movement_id" in table.c:
                await self._session.execute(delete(table).where(table.c.movement_id.in_(dead)))
        for table in metadata.sorted_tables:
            if table is not people and "workspace_id" in table.c and table is not places:
                await self._session.execute(delete(table).where(table.c.workspace_id == workspace))
            for column in table.c:
                if any(key.column.table is places for key in column.foreign_keys):
                    change = update(table).values({column: None}) if column.nullable else delete(table)
                    await self._session.execute(change.where(column.in_(theirs)))
        await self._session.execute(delete(places).where(places.c.workspace_id == workspace))
        await self._session.execute(delete(movements).where(movements.c.id.in_(dead)))

    async def by_account(self, workspace: WorkspaceId, account: str) -> Person | None:
        return await self._session.scalar(
            select(Person).where(people.c.workspace_id == workspace, people.c.account == account)
        )

    async def known(self, workspace: WorkspaceId, account: str, now: datetime) -> Person:
        person = await self.by_account(workspace, account)
        if person is None:
            person = Person(id=PersonId(new_id()), workspace_id=workspace, account=account, created_at=now)
            self._session.add(person)
        return person

    async def get(self, id: PersonId, movement: MovementId) -> Person | None:
        return await self._session.scalar(
            select(Person)
            .join(Member, members.c.person_id == people.c.id)
            .where(people.c.id == id, members.c.movement_id == movement)
        )

    async def in_workspace(self, id: PersonId, workspace: WorkspaceId) -> Person | None:
        found = await self._get(Person, id)
        return found if found is not None and found.workspace_id == workspace else None

    async def of_movement(self, movement: MovementId) -> Sequence[tuple[Person, Member]]:
        found = await self._session.execute(
            select(Person, Member)
            .join_from(Person, Member, members.c.person_id == people.c.id)
            .where(members.c.movement_id == movement, people.c.account.is_not(None))
            .order_by(members.c.joined_at, people.c.id)
        )
        return [(person, member) for person, member in found]

    async def coordinators(self, movement: MovementId) -> Sequence[Person]:
        return [
            person
            for person, member in await self.of_movement(movement)
            if member.role is Role.COORDINATOR and person.deactivated_at is None
        ]

    async def missing_name(self, workspace: WorkspaceId, limit: int) -> Sequence[Person]:
        found = await self._session.scalars(
            select(Person).where(people.c.workspace_id == workspace, text(PEOPLE_MISSING_NAME)).limit(limit)
        )
        return found.all()

    async def everything(self, person: PersonId) -> dict[str, list[dict[str, object]]]:
        found = {}
        for table, about in _ABOUT.items():
            rows = await self._session.execute(select(table).where(or_(*(column == person for column in about))))
            found[table.name] = [
                {name: _plain(value) for name, value in row.items() if value not in (None, "") and name not in _OURS}
                for row in rows.mappings()
            ]
        return found

    async def counted(self, person: PersonId, tables: Collection[str]) -> dict[str, int]:
        each = [
            select(func.count())
            .select_from(table)
            .where(or_(*(column == person for column in about)))
            .scalar_subquery()
            .label(table.name)
            for table, about in _ABOUT.items()
            if table.name in tables
        ]
        found = await self._session.execute(select(*each))
        return {name: many for name, many in found.mappings().one().items() if many}

    async def forget(self, person: PersonId) -> None:
        theirs = select(episodes.c.id).where(episodes.c.person_id == person)
        await self._session.execute(delete(companies).where(companies.c.episode_id.in_(theirs)))
        for table, about in _ABOUT.items():
            if table not in _STAYING:
                await self._session.execute(delete(table).where(or_(*(column == person for column in about))))
        whose = select(people.c.workspace_id, people.c.account).where(people.c.id == person)
        chat = tuple_(teams_conversations.c.workspace_id, teams_conversations.c.account).in_(whose)
        await self._session.execute(delete(teams_conversations).where(chat))
        waiting = (deliveries.c.person_id == person) & (deliveries.c.state == DeliveryState.WAITING)
        await self._session.execute(
            update(deliveries)
            .where(waiting)
            .values(state=DeliveryState.DROPPED, reason="forgotten", revision=deliveries.c.revision + 1)
        )
        await self._session.execute(
            update(deliveries)
            .where(deliveries.c.person_id == person)
            .values(args={}, target=None, receipt=None, receipt_channel=None, revision=deliveries.c.revision + 1)
        )


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date | time) else value
