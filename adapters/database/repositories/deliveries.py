"""The outbox."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    Text,
    TextClause,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import get_contextvars

from adapters.database.repositories.base import Repository
from adapters.database.repositories.rows import COLUMNS, WHOLE, Rows, given_rows
from adapters.database.tables import (
    AWAITING_RETRY,
    NOT_POSTED,
    NUDGES_IN_PLACES,
    WAITING,
    deliveries,
    episodes,
    movements,
    people,
    places,
    retellings,
    rhythms,
    steps,
    workspaces,
)
from adapters.database.types import Utc
from bot.domain.attention import WEEK, Attention
from bot.domain.delivery import Act, BulkRow, Delivery, DeliveryId, DeliveryState, Priority, new_delivery_id
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.rhythm import Rhythm
from bot.domain.trouble import OUT_OF_REACH

_UNSETTLED = (DeliveryState.WAITING, DeliveryState.UNKNOWN)
_DIFFERENT = ("id", *BulkRow._fields)
_SHARED = tuple(column.name for column in deliveries.c if column.name not in (*_DIFFERENT, "row", "revision"))
_SETTLED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DROPPED)
_REACHED = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)


_WAITING, _AWAITING_RETRY = text(WAITING), text(AWAITING_RETRY)
_NUDGES_IN_PLACES, _NOT_POSTED = text(NUDGES_IN_PLACES), text(NOT_POSTED)
"""As the partial indexes have it: with a parameter in its place, a prepared statement would not use them."""
OPEN = deliveries.c.workspace_id.not_in(select(workspaces.c.id).where(workspaces.c.gone_at.is_not(None)))
"""Not of a workspace that Ritme was removed from."""


_EACH = given_rows(*(Column(name, Text) for name in _DIFFERENT))
_ADD_ALIKE = (
    postgresql.insert(deliveries)
    .from_select(
        [*_DIFFERENT, *_SHARED],
        select(*_EACH.c, *(bindparam(name, type_=deliveries.c[name].type) for name in _SHARED)),
    )
    .on_conflict_do_nothing(index_elements=["key"])
)
"""A statement for each would cost more than the writing does."""
# Asked before every batch: built once, as building one costs more than running it.
_OF_LANE = WHOLE.where(deliveries.c.workspace_id == bindparam("lane"))
_DUE = (
    _OF_LANE.where(_WAITING, deliveries.c.due_at <= bindparam("now", type_=Utc))
    .order_by(deliveries.c.priority, deliveries.c.queued_at, deliveries.c.row)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update()  # somebody's change of one is waited for: skipped, it would be overtaken by what is behind it
)
_UNKNOWN = _OF_LANE.where(deliveries.c.state == DeliveryState.UNKNOWN).order_by(deliveries.c.row)
_UNSURE = _OF_LANE.where(deliveries.c.state.in_((DeliveryState.UNKNOWN, DeliveryState.SENDING)))
_TO_TRY_AGAIN = _OF_LANE.where(_AWAITING_RETRY)
_WAITING_OF_KIND = _OF_LANE.where(_WAITING, deliveries.c.kind == bindparam("kind"))


@dataclass(frozen=True)
class _Whose:
    """Whose attention: by which column, and which of its rows count."""

    column: Column[str]
    counts: TextClause


_PERSON = _Whose(deliveries.c.person_id, text("act = 'post' AND priority <> 0"))
_PLACE = _Whose(deliveries.c.place_id, _NUDGES_IN_PLACES)


class SqlDeliveries(Repository):
    def __init__(self, session: AsyncSession, rows: Rows, woken: set[WorkspaceId]) -> None:
        super().__init__(session)
        self._rows = rows
        self._woken = woken

    async def add(self, new: Delivery) -> bool:  # type: ignore[override]  # looks whether the key is known
        new.correlation = new.correlation or str(get_contextvars().get("correlation", ""))
        if not await self._rows.add(new):
            return False
        self._woken.add(new.workspace_id)
        return True

    async def bulk_add(self, new: Delivery, each: Sequence[BulkRow]) -> None:
        # Written without being kept in mind: there may be many, and nobody asks for them in this transaction.
        new.correlation = new.correlation or str(get_contextvars().get("correlation", ""))
        shared = {name: getattr(new, name) for name in _SHARED}
        ids = [new_delivery_id() for _ in each]
        if self._on_postgresql:
            given = json.dumps([{**one._asdict(), "id": its} for its, one in zip(ids, each, strict=True)])
            await self._session.execute(_ADD_ALIKE, {**shared, "rows": given})
        else:
            rows = [{**shared, **one._asdict(), "id": its} for its, one in zip(ids, each, strict=True)]
            await self._session.execute(sqlite.insert(deliveries).on_conflict_do_nothing(index_elements=["key"]), rows)
        self._woken.add(new.workspace_id)

    async def prefetch(self, claimed: Sequence[Delivery]) -> Sequence[object]:
        found: list[object] = []
        for entity, key, wanted in (
            (Place, places.c.id, {one.place_id for one in claimed}),
            (Person, people.c.id, {one.person_id for one in claimed}),
            (Movement, movements.c.id, {one.movement_id for one in claimed}),
            (Rhythm, rhythms.c.id, {one.subject for one in claimed if one.priority is Priority.RHYTHM}),
        ):
            if wanted := wanted - {None}:
                found += await self._session.scalars(select(entity).where(self._among(key, wanted)))
        return found

    async def attention(self, claimed: Sequence[Delivery], now: datetime) -> Attention:
        nudges = [one for one in claimed if one.is_nudge]
        to_people = {one.person_id for one in nudges} - {None}
        in_places = {one.place_id for one in nudges if one.person_id is None} - {None}
        sent: list[tuple[str, datetime]] = []
        waiting: list[Delivery] = []
        for whose, wanted in ((_PERSON, to_people), (_PLACE, in_places)):
            if wanted:
                sent += await self._nudges(whose, wanted, now - WEEK)
                last = max(one.priority for one in nudges)
                waiting += await self._going_first(whose, wanted, last, now + WEEK)
        return Attention(sent=sent, waiting=waiting)

    async def _nudges(
        self, whose: _Whose, wanted: Collection[str | None], since: datetime
    ) -> list[tuple[str, datetime]]:
        # Two questions, as each has an index of its own: a busy place has years of what was sent.
        nudges = and_(
            self._which(whose, wanted),
            deliveries.c.state.in_(_REACHED),
        )
        found = await self._session.execute(
            union_all(
                select(whose.column, deliveries.c.sent_at.label("at")).where(nudges, deliveries.c.sent_at > since),
                select(whose.column, deliveries.c.attempted_at).where(
                    nudges, deliveries.c.sent_at.is_(None), deliveries.c.attempted_at > since
                ),
            )
        )
        return [(one, at) for one, at in found]

    async def _going_first(
        self, whose: _Whose, wanted: Collection[str | None], last: Priority, until: datetime
    ) -> Sequence[Delivery]:
        return await self._rows.read(
            WHOLE.where(
                self._which(whose, wanted),
                _WAITING,
                deliveries.c.sent_at.is_(None),
                deliveries.c.priority < last,
                deliveries.c.due_at <= until,
            )
        )

    def _which(self, whose: _Whose, wanted: Collection[str | None]) -> ColumnElement[bool]:
        return and_(self._among(whose.column, wanted), whose.counts)

    async def lock(self, ids: Sequence[DeliveryId], workspace: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.found(
            WHOLE.where(self._among(deliveries.c.id, ids), deliveries.c.workspace_id == workspace)
            .order_by(deliveries.c.row)
            .with_for_update()
        )

    async def save_all(self, changed: Sequence[Delivery]) -> None:
        await self._rows.write(changed)

    async def get(self, id: DeliveryId, workspace: WorkspaceId) -> Delivery | None:
        return await self._first(WHOLE.where(deliveries.c.id == id, deliveries.c.workspace_id == workspace))

    async def by_key(self, key: str) -> Delivery | None:
        return await self._first(WHOLE.where(deliveries.c.key == key))

    async def _first(self, query: Select[Any]) -> Delivery | None:
        return next(iter(await self._rows.found(query)), None)

    async def by_receipt(self, place: PlaceId, message: str) -> Delivery | None:
        return await self._first(
            WHOLE.where(
                deliveries.c.place_id == place, deliveries.c.receipt == message, deliveries.c.act == Act.POST
            ).limit(1)
        )

    async def about(self, kind: str, subject: str, movement: MovementId) -> Sequence[Delivery]:
        return await self._rows.found(
            WHOLE.where(
                deliveries.c.kind == kind, deliveries.c.subject == subject, deliveries.c.movement_id == movement
            ).order_by(deliveries.c.row)
        )

    async def claim(self, lane: WorkspaceId, now: datetime, limit: int) -> Sequence[Delivery]:
        return await self._rows.read(_DUE, {"lane": lane, "now": now, "limit": limit})

    async def lanes_due(self, now: datetime) -> list[WorkspaceId]:
        found = await self._session.scalars(
            select(deliveries.c.workspace_id)
            .where(deliveries.c.state.in_(_UNSETTLED), deliveries.c.due_at <= now, OPEN)
            .distinct()
        )
        return [WorkspaceId(lane) for lane in found]

    async def next_due(self) -> datetime | None:
        earliest: datetime | None = await self._session.scalar(
            select(func.min(deliveries.c.due_at)).where(deliveries.c.state.in_(_UNSETTLED), OPEN)
        )
        return earliest

    async def stale(self, before: datetime) -> Sequence[Delivery]:
        return await self._rows.found(
            WHOLE.where(deliveries.c.state == DeliveryState.SENDING, deliveries.c.attempted_at < before)
        )

    async def unknown(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.read(_UNKNOWN, {"lane": lane})

    async def awaiting_retry(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.read(_TO_TRY_AGAIN, {"lane": lane})

    async def in_doubt(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.read(_UNSURE, {"lane": lane})

    async def forget(self, before: datetime, limit: int) -> int:
        told = exists().where(retellings.c.delivery_id == deliveries.c.id)
        old = (
            select(deliveries.c.row)
            .where(deliveries.c.state.in_(_SETTLED), deliveries.c.due_at < before, ~told)
            .limit(limit)
        )
        done = await self._session.execute(delete(deliveries).where(deliveries.c.row.in_(old)))
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    async def waiting(self, kind: str, lane: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.read(_WAITING_OF_KIND, {"lane": lane, "kind": kind})

    async def trouble(self, movement: MovementId, since: datetime) -> Sequence[tuple[Delivery, Place | None]]:
        ended = (DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.DROPPED)
        held = (deliveries.c.state == DeliveryState.WAITING) & (deliveries.c.reason != "")
        found = await self._rows.found_with(
            select(*COLUMNS, Place)
            .join_from(deliveries, Place, places.c.id == deliveries.c.place_id, isouter=True)
            .where(
                deliveries.c.movement_id == movement,
                deliveries.c.due_at > since,
                or_(deliveries.c.state.in_(ended), held),
            )
            .order_by(deliveries.c.due_at.desc(), deliveries.c.row.desc())
            .limit(200)
        )
        return [(delivery, place) for delivery, place in found]

    async def held_for(self, place: Place) -> Sequence[Delivery]:
        return await self._rows.found(
            WHOLE.where(
                _WAITING,
                deliveries.c.workspace_id == place.workspace_id,
                deliveries.c.place_id == place.id,
                deliveries.c.person_id.is_(None),
                deliveries.c.reason.in_(OUT_OF_REACH),
            ).order_by(deliveries.c.row)
        )

    async def cancel_for(self, place: Place, reason: str) -> int:
        there = and_(_WAITING, deliveries.c.workspace_id == place.workspace_id, deliveries.c.place_id == place.id)
        return await self._cancel(there, reason)

    async def cancel(self, kind: str, subject: str, reason: str) -> int:
        return await self._cancel(and_(_WAITING, deliveries.c.kind == kind, deliveries.c.subject == subject), reason)

    async def _cancel(self, which: ColumnElement[bool], reason: str) -> int:
        waiting = await self._rows.found(WHOLE.where(which).order_by(deliveries.c.row))
        for one in waiting:
            one.drop(reason)
        await self._rows.write(waiting)
        return len(waiting)

    async def planned(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        waiting = deliveries.c.state == DeliveryState.WAITING
        return await self._with_whom(lane, waiting, deliveries.c.due_at, limit)

    async def settled(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        at = func.coalesce(deliveries.c.sent_at, deliveries.c.attempted_at, deliveries.c.due_at)
        return await self._with_whom(lane, deliveries.c.state != DeliveryState.WAITING, at.desc(), limit)

    async def _with_whom(
        self, lane: WorkspaceId, which: ColumnElement[bool], order: ColumnElement[Any], limit: int
    ) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        found = await self._rows.found_with(
            select(*COLUMNS, Place, Person)
            .join_from(deliveries, Place, places.c.id == deliveries.c.place_id, isouter=True)
            .join(Person, people.c.id == deliveries.c.person_id, isouter=True)
            .where(deliveries.c.workspace_id == lane, which)
            .order_by(order, deliveries.c.id)
            .limit(limit)
        )
        return [(delivery, place, person) for delivery, place, person in found]

    async def of_person(self, person: PersonId, since: datetime) -> Sequence[Delivery]:
        return await self._rows.found(
            WHOLE.where(
                deliveries.c.person_id == person, deliveries.c.created_at > since, deliveries.c.act != Act.HOME
            ).order_by(deliveries.c.row.desc())
        )

    async def posted_for(self, person: PersonId) -> Sequence[Delivery]:
        theirs = union_all(
            select(episodes.c.id).where(episodes.c.person_id == person),
            select(steps.c.id).where(steps.c.person_id == person),
        )
        return await self._rows.found(
            WHOLE.where(
                deliveries.c.subject.in_(theirs),
                deliveries.c.place_id.is_not(None),
                deliveries.c.person_id.is_(None),
                deliveries.c.act == Act.POST,
                deliveries.c.state.in_(_REACHED),
            )
        )

    async def of_movement(
        self, movement: MovementId, since: datetime, limit: int, *, not_posted: bool = False
    ) -> Sequence[Delivery]:
        query = WHOLE.where(deliveries.c.movement_id == movement, deliveries.c.created_at > since)
        if not_posted:
            query = query.where(_was_not_posted())
        # As the index has them, so that the last few are read and no others.
        query = query.order_by(deliveries.c.created_at.desc(), deliveries.c.row.desc())
        return await self._rows.found(query.limit(limit))


def _was_not_posted() -> ColumnElement[bool]:
    """`Delivery.was_not_posted`, in the database."""
    return and_(_NOT_POSTED, deliveries.c.state.not_in((DeliveryState.SENDING, DeliveryState.SENT)))
