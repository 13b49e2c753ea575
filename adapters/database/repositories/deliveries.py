"""The outbox."""

import json
import operator
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Integer,
    Text,
    TextClause,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError
from structlog.contextvars import get_contextvars

from adapters.database.repositories.base import Repository
from adapters.database.tables import (
    HELD_BACK,
    NOT_SENT_IN_PLACES,
    NUDGES_IN_PLACES,
    WAITING,
    Utc,
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
from bot.domain.attention import WEEK, Attention
from bot.domain.delivery import ANSWER, Act, Alike, Delivery, DeliveryId, DeliveryState, Priority, new_delivery_id
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.rhythm import Rhythm

_UNSETTLED = (DeliveryState.WAITING, DeliveryState.UNKNOWN)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is not written so")


_WRITTEN = tuple(column.name for column in deliveries.c if column.name not in ("row", "revision", "correlation"))
_DIFFERENT = ("id", *Alike._fields)
_SHARED = tuple(name for name in (*_WRITTEN, "correlation") if name not in _DIFFERENT)
_CHANGING = (
    "state", "reason", "due_at", "queued_at", "expires_at", "attempts", "attempted_at", "sent_at", "receipt",
    "receipt_channel", "target", "args",
)  # fmt: skip
"""What sending, or not sending, can change of a row."""
_SETTLED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DROPPED)
_REACHED = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)


_WAITING, _HELD_BACK = text(WAITING), text(HELD_BACK)
_NUDGES_IN_PLACES, _NOT_SENT_IN_PLACES = text(NUDGES_IN_PLACES), text(NOT_SENT_IN_PLACES)
"""As the partial indexes have it: with a parameter in its place, a prepared statement would not use them."""
OPEN = deliveries.c.workspace_id.not_in(select(workspaces.c.id).where(workspaces.c.gone_at.is_not(None)))
"""Not of a workspace that Ritme was removed from."""


def _given(*columns: Column[Any]) -> Any:
    """Rows that are given as one parameter, in JSON: an array for each column costs far more."""
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    return rows.table_valued(*columns, name="given").render_derived(with_types=True)


_EACH = _given(*(Column(name, Text) for name in _DIFFERENT))
_ADD_ALIKE = (
    postgresql.insert(deliveries)
    .from_select(
        [*_DIFFERENT, *_SHARED],
        select(*_EACH.c, *(bindparam(name, type_=deliveries.c[name].type) for name in _SHARED)),
    )
    .on_conflict_do_nothing(index_elements=["key"])
)
"""A statement for each would cost more than the writing does."""
_changing = operator.attrgetter(*_CHANGING)
_PUT_DOWN = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("this"), deliveries.c.revision == bindparam("was"))
    .values({**{deliveries.c[name]: bindparam(f"new_{name}") for name in _CHANGING}, "revision": bindparam("was") + 1})
)
_NEW = _given(
    Column("this", Text),
    Column("was", Integer),
    *(Column(name, Text() if name == "args" else deliveries.c[name].type) for name in _CHANGING),
)
_PUT_DOWN_AT_ONCE = (
    update(deliveries)
    .where(deliveries.c.id == _NEW.c.this, deliveries.c.revision == _NEW.c.was)
    .values({**{name: _NEW.c[name] for name in _CHANGING}, "args": cast(_NEW.c.args, JSON), "revision": _NEW.c.was + 1})
)
"""All rows as one parameter. `args` is text in it, so that nothing people wrote is taken apart on the way."""

# Asked before every batch: built once, as building one costs more than running it.
_OF_LANE = select(Delivery).where(deliveries.c.workspace_id == bindparam("lane"))
_DUE = (
    _OF_LANE.where(_WAITING, deliveries.c.due_at <= bindparam("now", type_=Utc))
    .order_by(deliveries.c.priority, deliveries.c.queued_at, deliveries.c.row)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True)
)
_UNKNOWN = _OF_LANE.where(deliveries.c.state == DeliveryState.UNKNOWN).order_by(deliveries.c.row)
_UNSURE = _OF_LANE.where(deliveries.c.state.in_((DeliveryState.UNKNOWN, DeliveryState.SENDING)))
_TO_TRY_AGAIN = _OF_LANE.where(_HELD_BACK)
_WAITING_OF_KIND = _OF_LANE.where(_WAITING, deliveries.c.kind == bindparam("kind"))


@dataclass(frozen=True)
class _Whose:
    """Whose attention: by which column, and which of its rows count."""

    column: Column[str]
    counts: TextClause


_PERSON = _Whose(deliveries.c.person_id, text("act = 'post' AND priority <> 0"))
_PLACE = _Whose(deliveries.c.place_id, _NUDGES_IN_PLACES)


class SqlDeliveries(Repository):
    def __init__(self, session: AsyncSession, woken: set[WorkspaceId]) -> None:
        super().__init__(session)
        self._woken = woken

    async def add(self, new: Delivery) -> bool:  # type: ignore[override]  # looks whether the key is known first
        # Writers are serialised (BEGIN IMMEDIATE, or the unique index on the key), so looking first suffices.
        with self._session.no_autoflush:
            if any(isinstance(one, Delivery) and one.key == new.key for one in self._session.new):
                return False
            if await self.by_key(new.key) is not None:
                return False
        new.correlation = new.correlation or str(get_contextvars().get("correlation", ""))
        self._session.add(new)
        self._woken.add(new.workspace_id)
        return True

    async def add_alike(self, new: Delivery, each: Sequence[Alike]) -> None:
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

    async def around(self, claimed: Sequence[Delivery]) -> Sequence[object]:
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
        found = await self._session.scalars(
            select(Delivery).where(
                self._which(whose, wanted),
                _WAITING,
                deliveries.c.sent_at.is_(None),
                deliveries.c.priority < last,
                deliveries.c.due_at <= until,
            )
        )
        return found.all()

    def _which(self, whose: _Whose, wanted: Collection[str | None]) -> ColumnElement[bool]:
        return and_(self._among(whose.column, wanted), whose.counts)

    async def in_hand(self, ids: Sequence[DeliveryId], workspace: WorkspaceId) -> Sequence[Delivery]:
        found = await self._session.scalars(
            select(Delivery)
            .where(self._among(deliveries.c.id, ids), deliveries.c.workspace_id == workspace)
            .order_by(deliveries.c.row)
            .with_for_update()
        )
        return found.all()

    async def put_down(self, changed: Sequence[Delivery]) -> None:
        # In one statement for all of them: the session would write a row of a table with revisions at a time.
        if not changed:
            return
        for one in changed:
            if one in self._session:
                self._session.expunge(one)
        written = await (self._put_down_at_once if self._on_postgresql else self._put_down_each)(changed)
        if written != len(changed):
            raise StaleDataError("a delivery was changed by somebody else meanwhile")
        for one in changed:
            one._revision += 1  # type: ignore[attr-defined]  # the mapping's, see tables.py

    async def _put_down_at_once(self, changed: Sequence[Delivery]) -> int:
        rows = []
        for one in changed:
            new = dict(zip(_CHANGING, _changing(one), strict=True))
            new |= {"this": one.id, "was": one._revision, "args": json.dumps(one.args)}  # type: ignore[attr-defined]
            rows.append(new)
        done = await self._session.execute(_PUT_DOWN_AT_ONCE, {"rows": json.dumps(rows, default=_moment)})
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    async def _put_down_each(self, changed: Sequence[Delivery]) -> int:
        rows = [
            {"this": one.id, "was": one._revision, **{f"new_{name}": getattr(one, name) for name in _CHANGING}}  # type: ignore[attr-defined]
            for one in changed
        ]
        done = await self._session.execute(_PUT_DOWN, rows)
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    async def get(self, id: DeliveryId, workspace: WorkspaceId) -> Delivery | None:
        return await self._session.scalar(
            select(Delivery).where(deliveries.c.id == id, deliveries.c.workspace_id == workspace)
        )

    async def by_key(self, key: str) -> Delivery | None:
        return await self._session.scalar(select(Delivery).where(deliveries.c.key == key))

    async def by_receipt(self, place: PlaceId, message: str) -> Delivery | None:
        return await self._session.scalar(
            select(Delivery)
            .where(deliveries.c.place_id == place, deliveries.c.receipt == message, deliveries.c.act == Act.POST)
            .limit(1)
        )

    async def about(self, kind: str, subject: str, movement: MovementId) -> Sequence[Delivery]:
        found = await self._session.scalars(
            select(Delivery)
            .where(deliveries.c.kind == kind, deliveries.c.subject == subject, deliveries.c.movement_id == movement)
            .order_by(deliveries.c.row)
        )
        return found.all()

    async def claim(self, lane: WorkspaceId, now: datetime, limit: int) -> Sequence[Delivery]:
        found = await self._session.scalars(_DUE, {"lane": lane, "now": now, "limit": limit})
        return found.all()

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

    async def abandoned(self, before: datetime) -> Sequence[Delivery]:
        found = await self._session.scalars(
            select(Delivery).where(deliveries.c.state == DeliveryState.SENDING, deliveries.c.attempted_at < before)
        )
        return found.all()

    async def unknown(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return (await self._session.scalars(_UNKNOWN, {"lane": lane})).all()

    async def held_back(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return (await self._session.scalars(_TO_TRY_AGAIN, {"lane": lane})).all()

    async def unsure(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return (await self._session.scalars(_UNSURE, {"lane": lane})).all()

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
        return (await self._session.scalars(_WAITING_OF_KIND, {"lane": lane, "kind": kind})).all()

    async def trouble(self, movement: MovementId, since: datetime) -> Sequence[tuple[Delivery, Place | None]]:
        ended = (DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.DROPPED)
        held = (deliveries.c.state == DeliveryState.WAITING) & (deliveries.c.reason != "")
        found = await self._session.execute(
            select(Delivery, Place)
            .join_from(Delivery, Place, places.c.id == deliveries.c.place_id, isouter=True)
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
        found = await self._session.scalars(
            select(Delivery)
            .where(
                _WAITING,
                deliveries.c.workspace_id == place.workspace_id,
                deliveries.c.place_id == place.id,
                deliveries.c.person_id.is_(None),
                deliveries.c.reason == place.state_reason,
            )
            .order_by(deliveries.c.row)
        )
        return found.all()

    async def cancel_for(self, place: Place, reason: str) -> int:
        there = and_(_WAITING, deliveries.c.workspace_id == place.workspace_id, deliveries.c.place_id == place.id)
        # What an answer said is not kept, as with any other that is dropped.
        await self._session.execute(update(Delivery).where(there, deliveries.c.kind == ANSWER).values(args={}))
        done = await self._session.execute(
            update(Delivery)
            .where(there)
            .values(state=DeliveryState.DROPPED, reason=reason, _revision=deliveries.c.revision + 1)
        )
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    async def cancel(self, kind: str, subject: str, reason: str) -> int:
        done = await self._session.execute(
            update(Delivery)
            .where(
                deliveries.c.kind == kind,
                deliveries.c.subject == subject,
                deliveries.c.state == DeliveryState.WAITING,
            )
            .values(state=DeliveryState.DROPPED, reason=reason, _revision=deliveries.c.revision + 1)
        )
        return int(done.rowcount)  # type: ignore[attr-defined]  # a cursor result, typed wider

    async def planned(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        waiting = deliveries.c.state == DeliveryState.WAITING
        return await self._with_whom(lane, waiting, deliveries.c.due_at, limit)

    async def settled(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        at = func.coalesce(deliveries.c.sent_at, deliveries.c.attempted_at, deliveries.c.due_at)
        return await self._with_whom(lane, deliveries.c.state != DeliveryState.WAITING, at.desc(), limit)

    async def _with_whom(
        self, lane: WorkspaceId, which: ColumnElement[bool], order: ColumnElement[Any], limit: int
    ) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        found = await self._session.execute(
            select(Delivery, Place, Person)
            .join_from(Delivery, Place, places.c.id == deliveries.c.place_id, isouter=True)
            .join(Person, people.c.id == deliveries.c.person_id, isouter=True)
            .where(deliveries.c.workspace_id == lane, which)
            .order_by(order, deliveries.c.id)
            .limit(limit)
        )
        return [(delivery, place, person) for delivery, place, person in found]

    async def of_person(self, person: PersonId, since: datetime) -> Sequence[Delivery]:
        found = await self._session.scalars(
            select(Delivery)
            .where(deliveries.c.person_id == person, deliveries.c.created_at > since, deliveries.c.act != Act.HOME)
            .order_by(deliveries.c.row.desc())
        )
        return found.all()

    async def posted_for(self, person: PersonId) -> Sequence[Delivery]:
        theirs = union_all(
            select(episodes.c.id).where(episodes.c.person_id == person),
            select(steps.c.id).where(steps.c.person_id == person),
        )
        found = await self._session.scalars(
            select(Delivery).where(
                deliveries.c.subject.in_(theirs),
                deliveries.c.place_id.is_not(None),
                deliveries.c.person_id.is_(None),
                deliveries.c.act == Act.POST,
                deliveries.c.state.in_(_REACHED),
            )
        )
        return found.all()

    async def of_movement(
        self, movement: MovementId, since: datetime, limit: int, *, held_back: bool = False
    ) -> Sequence[Delivery]:
        query = select(Delivery).where(deliveries.c.movement_id == movement, deliveries.c.created_at > since)
        if held_back:
            query = query.where(_was_held_back())
        # As the index has them, so that the last few are read and no others.
        query = query.order_by(deliveries.c.created_at.desc(), deliveries.c.row.desc())
        found = await self._session.scalars(query.limit(limit))
        return found.all()


def _was_held_back() -> ColumnElement[bool]:
    """`Delivery.was_held_back`, in the database."""
    return and_(_NOT_SENT_IN_PLACES, deliveries.c.state.not_in((DeliveryState.SENDING, DeliveryState.SENT)))
