"""People, workspaces and the inbox."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    JSON,
    ColumnElement,
    String,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.database.repositories import erasure
from adapters.database.repositories.authors import recall_authors
from adapters.database.repositories.base import Repository, counts_in_group, is_of
from adapters.database.tables import (
    PEOPLE_MISSING_NAME,
    inbox,
    members,
    mentions,
    movements,
    old_messages,
    people,
    places,
    segments,
    workspaces,
)
from adapters.database.types import Utc
from bot.domain.delivery import DeliveryId
from bot.domain.ids import new_id
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId, Role
from bot.domain.person import ERASED, Person, PersonId, Workspace, WorkspaceId
from bot.ports import Context

_CLAIM = {
    "sqlite": sqlite.insert(inbox).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
    "postgresql": postgresql.insert(inbox).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
}

_ACCENT = "*[^ -~]*"
_BEARS_ACCENT = re.compile(r"[^bfhjkmpqvwx0-9]+")
"""All but the letters that no accent stands on, in any language that is written here."""

_AT = bindparam("at", type_=inbox.c.at.type)

# Every intent runs the statements below. They are built once: for SQLAlchemy to build one costs more than running it.
_joined = members.alias("joined")
_CONTEXT = (
    select(Workspace, Person, Place, Movement, Member)
    .select_from(workspaces)
    .outerjoin(people, (people.c.workspace_id == workspaces.c.id) & (people.c.account == bindparam("account")))
    .outerjoin(places, (places.c.workspace_id == workspaces.c.id) & (places.c.channel == bindparam("channel")))
    .outerjoin(
        movements,
        movements.c.id
        == func.coalesce(
            select(_joined.c.movement_id)
            .where(_joined.c.person_id == people.c.id, _joined.c.movement_id == bindparam("movement"))
            .scalar_subquery(),
            places.c.movement_id,
            select(_joined.c.movement_id)
            .where(_joined.c.person_id == people.c.id)
            .order_by(_joined.c.joined_at.desc())
            .limit(1)
            .scalar_subquery(),
        ),
    )
    .outerjoin(members, (members.c.movement_id == movements.c.id) & (members.c.person_id == people.c.id))
    .where(workspaces.c.id == bindparam("workspace"))
)
_LOCKED = (
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
    # FOR NO KEY UPDATE: those who lock wait for each other, but not for those who only insert rows that refer to it.
    .with_for_update(key_share=True)
    .cte("locked")
)
_LOCKED_INSTEAD = (
    select(workspaces.c.id)
    .where(workspaces.c.id == bindparam("workspace"), ~exists(select(_LOCKED.c.id)))
    .with_for_update(key_share=True)
    .cte("instead")
)
_LOCK = select(func.count()).select_from(_LOCKED_INSTEAD)
"""Locks a movement, or else a workspace: what is counted has to be found first."""
_INBOX = ("workspace_id", "key", "at")
_CLAIM_TURN = {
    "sqlite": sqlite.insert(inbox)
    .from_select(
        _INBOX,
        select(
            bindparam("workspace"), func.json_each(bindparam("keys", type_=JSON)).table_valued("value").c.value, _AT
        ).where(true()),  # SQLite takes ON CONFLICT for a join otherwise
    )
    .on_conflict_do_nothing()
    .returning(inbox.c.key),
    "postgresql": postgresql.insert(inbox)
    .from_select(
        _INBOX,
        select(bindparam("workspace", type_=String), func.unnest(bindparam("keys", type_=ARRAY(String))), _AT).where(
            _LOCK.scalar_subquery() >= 0
        ),
    )
    .on_conflict_do_nothing()
    .returning(inbox.c.key),
}


def _not_looked_up_since(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    is_due = or_(people.c.looked_up_at.is_(None), people.c.looked_up_at < moment)
    return people.c.account.is_not(None), is_due


# By the index from its end, however many PostgreSQL expects to have come since.
_LATEST_SINCE = (
    select(inbox.c.at).where(inbox.c.at >= bindparam("since", type_=Utc)).order_by(inbox.c.at.desc()).limit(1)
)


class SqlInbox(Repository):
    """Implements `Inbox`."""

    async def claim(self, workspace: WorkspaceId, key: str, now: datetime) -> bool:
        statement = _CLAIM[self._dialect]
        done = await self._session.execute(statement, {"workspace_id": workspace, "key": key, "at": now})
        return bool(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    async def claim_turn(
        self,
        workspace: WorkspaceId,
        account: str,
        channel: str | None,
        movement: MovementId | None,
        keys: Collection[str],
        now: datetime,
    ) -> Collection[str]:
        given = {"workspace": workspace, "keys": list(keys), "at": now}
        if self._on_postgresql:  # on SQLite, BEGIN IMMEDIATE let this transaction wait for every other already
            given |= {"account": account, "channel": channel or "", "movement": movement or ""}
        statement = _CLAIM_TURN[self._dialect]
        return set(await self._session.scalars(statement, given))

    async def is_claimed(self, workspace: WorkspaceId, key: str) -> bool:
        found = await self._session.execute(
            select(inbox.c.key).where(inbox.c.workspace_id == workspace, inbox.c.key == key)
        )
        return found.first() is not None

    async def has_any_since(self, moment: datetime) -> bool:
        return await self._session.scalar(_LATEST_SINCE, {"since": moment}) is not None

    async def release(self, workspace: WorkspaceId, keys: Collection[str]) -> None:
        await self._session.post(delete(inbox).where(inbox.c.workspace_id == workspace, inbox.c.key.in_(keys)))

    async def forget(self, before: datetime, limit: int) -> int:
        old = select(inbox.c.workspace_id, inbox.c.key).where(inbox.c.at < before).limit(limit)
        done = await self._session.execute(delete(inbox).where(tuple_(inbox.c.workspace_id, inbox.c.key).in_(old)))
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider


class SqlPeople(Repository):
    """Implements `People`."""

    async def workspace(self, id: WorkspaceId) -> Workspace | None:
        return await self._session.get(Workspace, id)

    async def workspaces(self, ids: Collection[WorkspaceId]) -> dict[WorkspaceId, Workspace]:
        found = await self._session.together(*(self._session.get(Workspace, one) for one in ids))
        return {one.id: one for one in found if one is not None}

    async def lock_movement(
        self, workspace: WorkspaceId, account: str, channel: str | None, movement: MovementId | None
    ) -> None:
        if self._on_postgresql:  # on SQLite, BEGIN IMMEDIATE let this transaction wait for every other already
            where = {"workspace": workspace, "account": account, "channel": channel or "", "movement": movement or ""}
            await self._session.execute(_LOCK, where)

    async def load_context(
        self, workspace: WorkspaceId, account: str, channel: str | None, movement: MovementId | None = None
    ) -> Context:
        given = {"workspace": workspace, "account": account, "channel": channel or "", "movement": movement or ""}
        row = next(iter(await self._session.fetch_rows(_CONTEXT, given)), None)
        # Held until the end: the identity map keeps only weak references, and an answer is addressed to who acted.
        self._acting = Context(*row) if row is not None else Context()
        return self._acting

    async def find_expired_workspace(self, moment: datetime) -> Workspace | None:
        return await self._session.scalar(
            select(Workspace).where(workspaces.c.gone_at < moment, workspaces.c.gone_reason != ERASED).limit(1)
        )

    async def find_leaver(self, before: datetime) -> Person | None:
        left = select(Person).where(people.c.deactivated_at < before, people.c.account.is_not(None))
        # Not a stronger lock: rows that refer to this person may still be committed.
        return await self._session.scalar(left.limit(1).with_for_update(skip_locked=True, key_share=True))

    async def delete_past_matters(self, before: datetime, limit: int) -> int:
        return await erasure.delete_past_matters(self._session, before, limit)

    async def accounts_in(self, workspace: WorkspaceId) -> Sequence[Person]:
        found = await self._session.scalars(
            select(Person).where(people.c.workspace_id == workspace, people.c.account.is_not(None))
        )
        return found.all()

    async def erase(self, workspace: WorkspaceId) -> None:
        await erasure.erase_workspace(self._session, workspace)

    async def by_account(self, workspace: WorkspaceId, account: str) -> Person | None:
        return await self._session.scalar(
            select(Person).where(people.c.workspace_id == workspace, people.c.account == account)
        )

    async def get_or_create(self, workspace: WorkspaceId, account: str, now: datetime) -> Person:
        person = await self.by_account(workspace, account)
        if person is None:
            person = Person(id=PersonId(new_id()), workspace_id=workspace, account=account, created_at=now)
            self._session.add(person)
        return person

    async def get(self, id: PersonId, movement: MovementId) -> Person | None:
        loaded = self._session.sync_session.identity_map
        known = loaded.get((Person, (id,), None))
        if known is not None and (Member, (movement, id), None) in loaded:
            return known  # such as who acts
        return await self._session.scalar(
            select(Person)
            .join(Member, members.c.person_id == people.c.id)
            .where(people.c.id == id, members.c.movement_id == movement)
        )

    async def in_workspace(self, id: PersonId, workspace: WorkspaceId) -> Person | None:
        return await self._get(Person, id, workspace_id=workspace)

    async def names_by_ids(self, workspace: WorkspaceId, ids: Collection[str]) -> dict[str, str]:
        asked = (
            select(column, named.c.name).where(named.c.workspace_id == workspace, column.in_(ids), named.c.name != "")
            for named, column in (
                (segments, segments.c.handle),
                (places, places.c.channel),
                (people, people.c.account),
            )
        )
        return {row[0]: row[1] for row in await self._session.execute(union_all(*asked))}

    async def names_like(self, movement: MovementId, words: Collection[str]) -> Sequence[str]:
        if not words:
            return ()
        named = select(people.c.name).join(Member, members.c.person_id == people.c.id)
        like = or_(*(people.c.name.ilike(f"%{word}%") for word in words if word.isascii()))
        # No database takes accents off: of names with any, the letters are compared that never bear one.
        beyond_ascii = (
            people.c.name.regexp_match("[^ -~]") if self._on_postgresql else people.c.name.op("GLOB")(_ACCENT)
        )
        accented = or_(*(people.c.name.ilike(f"%{_BEARS_ACCENT.sub('%', word)}%") for word in words))
        return (
            await self._session.scalars(
                named.where(members.c.movement_id == movement, or_(like, and_(beyond_ascii, accented)))
            )
        ).all()

    async def count_in(self, movement: MovementId, most: int | None = None) -> int:
        counted = select(people.c.id).join_from(people, members, members.c.person_id == people.c.id)
        counted = counted.where(members.c.movement_id == movement, people.c.account.is_not(None)).limit(most)
        return await self._session.scalar(select(func.count()).select_from(counted.subquery())) or 0

    async def among(self, ids: Collection[PersonId], movement: MovementId) -> Sequence[Person]:
        found = await self._session.scalars(
            select(Person)
            .join(Member, members.c.person_id == people.c.id)
            .where(
                self._among(people.c.id, sorted(ids)),
                members.c.movement_id == movement,
                people.c.account.is_not(None),
            )
        )
        return found.all()

    async def keeping_days_of(self, place: PlaceId, workspace: WorkspaceId) -> Sequence[Person]:
        await self._session.flush()  # who began to in this transaction is among them
        found = await self._session.scalars(
            select(Person).where(people.c.workspace_id == workspace, people.c.days_place == place).order_by(people.c.id)
        )
        return found.all()

    async def in_group(self, movement: MovementId, group: str) -> set[PersonId]:
        found = await self._session.scalars(
            select(members.c.person_id)
            .join(people, people.c.id == members.c.person_id)
            .where(is_of(members.c.movement_id, movement), people.c.group == group, people.c.account.is_not(None))
        )
        return set(found)

    async def large_groups(
        self, movement: MovementId, least: int, among: Collection[str] | None = None
    ) -> Sequence[str]:
        large = (
            select(people.c.group)
            .join(members, members.c.person_id == people.c.id)
            .where(members.c.movement_id == movement, counts_in_group(people))
            .group_by(people.c.group)
            .having(func.count() >= least)
        )
        if among is not None:
            large = large.where(self._among(people.c.group, among))
        return sorted(await self._session.scalars(large))

    async def group_sizes(self, movement: MovementId) -> Mapping[str, int]:
        found = await self._session.execute(
            select(people.c.group, func.count())
            .join(members, members.c.person_id == people.c.id)
            .where(members.c.movement_id == movement, people.c.group != "", people.c.account.is_not(None))
            .group_by(people.c.group)
        )
        return {row[0]: row[1] for row in found}

    async def of_groups(self, movement: MovementId, groups: Collection[str]) -> Sequence[Person]:
        found = await self._session.scalars(
            select(Person)
            .join(Member, members.c.person_id == people.c.id)
            .where(
                members.c.movement_id == movement,
                self._among(people.c.group, groups),
                people.c.account.is_not(None),
            )
            .order_by(people.c.id)
        )
        return found.all()

    async def suggestible_in(self, movement: MovementId) -> set[PersonId]:
        found = await self._session.scalars(
            select(members.c.person_id).where(members.c.movement_id == movement, members.c.suggestible.is_(True))
        )
        return set(found)

    async def coordinators(self, movement: MovementId) -> Sequence[Person]:
        found = await self._session.scalars(
            select(Person)
            .join(Member, members.c.person_id == people.c.id)
            .where(
                members.c.movement_id == movement,
                members.c.role == Role.COORDINATOR,
                people.c.account.is_not(None),
                people.c.deactivated_at.is_(None),
            )
            .order_by(members.c.joined_at, people.c.id)
        )
        return found.all()

    async def looked_up_before(self, workspace: WorkspaceId, before: datetime, limit: int) -> Sequence[Person]:
        found = await self._session.scalars(
            select(Person)
            .where(people.c.workspace_id == workspace, *_not_looked_up_since(before))
            .order_by(people.c.looked_up_at.asc().nulls_first())
            .limit(limit)
        )
        return found.all()

    async def note_lookups(self, workspace: WorkspaceId, accounts: Collection[str], at: datetime) -> None:
        asked = (people.c.workspace_id == workspace, people.c.account.in_(accounts))
        # By their keys, as `saving` does: whoever changes the same people waits, instead of each for the other.
        in_order = select(people.c.id).where(*asked).order_by(people.c.id).with_for_update()
        await self._session.post(update(people).where(people.c.id.in_(in_order)).values(looked_up_at=at))

    async def lanes_looked_up_before(self, platform: str, before: datetime) -> Sequence[WorkspaceId]:
        of_platform = people.c.workspace_id.startswith(f"{platform}:", autoescape=True)
        found = await self._session.scalars(
            select(people.c.workspace_id).where(of_platform, *_not_looked_up_since(before)).distinct()
        )
        return [WorkspaceId(one) for one in found]

    async def missing_name(self, workspace: WorkspaceId, limit: int) -> Sequence[Person]:
        found = await self._session.scalars(
            select(Person).where(people.c.workspace_id == workspace, text(PEOPLE_MISSING_NAME)).limit(limit)
        )
        return found.all()

    async def count_rows(self, person: PersonId, tables: Collection[str]) -> dict[str, int]:
        return await erasure.count_rows(self._session, person, tables)

    async def forget(self, person: PersonId) -> None:
        await erasure.forget_person(self._session, person)

    async def note_mentions(
        self, delivery: DeliveryId, workspace: WorkspaceId, reader: PersonId | None, texts: Collection[str]
    ) -> None:
        named = recall_authors(self._session.sync_session, texts)
        for one in self._session.sync_session.new:
            if isinstance(one, Person) and {one.name, one.account} & {*texts}:
                named.add(one.id)
        rows = [{"delivery_id": delivery, "person_id": one, "workspace_id": workspace} for one in named - {reader}]
        if rows:
            insert = postgresql.insert if self._on_postgresql else sqlite.insert
            await self._session.execute(insert(mentions).on_conflict_do_nothing(), rows)

    async def old_messages(self, person: PersonId) -> Sequence[tuple[WorkspaceId, str, str]]:
        found = await self._session.execute(
            select(old_messages.c.workspace_id, old_messages.c.channel, old_messages.c.message)
            .where(old_messages.c.person_id == person)
            .order_by(old_messages.c.id)
        )
        return [(WorkspaceId(workspace), channel, message) for workspace, channel, message in found]
