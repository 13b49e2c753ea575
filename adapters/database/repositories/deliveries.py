"""The outbox: deliveries, from planned to settled.

Deliveries are not mapped by SQLAlchemy; `Rows` loads and writes them. Ordering within a lane relies on `claim`, which
locks due rows in the order in which they are to be sent, and on a job's lock, by which one worker drains a lane.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    union,
)
from sqlalchemy.dialects import postgresql, sqlite
from structlog.contextvars import get_contextvars

from adapters.database.inline import InlineSession
from adapters.database.repositories.asked import ASKED_AT, IS_ASK_OF_THEM
from adapters.database.repositories.attention import IS_WAITING, POSSIBLY_SENT, AttentionQueries
from adapters.database.repositories.base import DIALECTS, Repository, among, is_of
from adapters.database.repositories.figures import FigureQueries
from adapters.database.repositories.rows import DELIVERY_COLUMNS, SELECT_DELIVERIES, Rows, json_rows
from adapters.database.tables import (
    AWAITING_RETRY,
    NOT_POSTED,
    TROUBLED,
    WAITING,
    companies,
    deliveries,
    episodes,
    history_answers,
    invitations,
    members,
    mentions,
    movements,
    old_messages,
    people,
    places,
    retellings,
    rhythms,
    rooms,
    steps,
    stories,
    story_requests,
    workspaces,
)
from adapters.database.types import Utc
from bot.domain.asks import MONTH, next_ask_at
from bot.domain.attention import Attention
from bot.domain.delivery import (
    ANSWER,
    Act,
    BulkRow,
    Delivery,
    DeliveryId,
    DeliveryState,
    Priority,
    new_delivery_id,
)
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import WENT_QUIET, Person, PersonId, WorkspaceId
from bot.domain.retelling import SHARED
from bot.domain.rhythm import Rhythm, RhythmId
from bot.domain.trouble import OUT_OF_REACH
from bot.domain.week_figures import AnswerCount, ReasonCount, WeekCount
from bot.domain.year import GivenMoment

MAX_LATE_MENTIONS = 200
_UNSETTLED = (DeliveryState.WAITING, DeliveryState.UNKNOWN)
_ROW_COLUMNS = ("id", *BulkRow._fields)
_SHARED_COLUMNS = tuple(column.name for column in deliveries.c if column.name not in (*_ROW_COLUMNS, "row", "revision"))
_SETTLED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DROPPED)


_WAITING, _AWAITING_RETRY = text(WAITING), text(AWAITING_RETRY)
_NOT_POSTED = text(NOT_POSTED)
"""The conditions of partial indexes, as literal text: with parameters instead of values, a prepared statement would not
use the index."""
IN_ACTIVE_WORKSPACE = deliveries.c.workspace_id.not_in(select(workspaces.c.id).where(workspaces.c.gone_at.is_not(None)))
"""Matches deliveries of workspaces that Ritme was not removed from."""


_JSON_ROWS = json_rows(*(Column(name, Text) for name in _ROW_COLUMNS))
_BULK_ADD = (
    postgresql.insert(deliveries)
    .from_select(
        [*_ROW_COLUMNS, *_SHARED_COLUMNS],
        select(*_JSON_ROWS.c, *(bindparam(name, type_=deliveries.c[name].type) for name in _SHARED_COLUMNS)),
    )
    .on_conflict_do_nothing(index_elements=["key"])
)
"""Inserts all rows of `bulk_add` on PostgreSQL: one statement for each would cost more than the writing does."""

# These run before every batch. They are built once: for SQLAlchemy to build one costs more than running it.
_OF_LANE = SELECT_DELIVERIES.where(deliveries.c.workspace_id == bindparam("lane"))
_DUE = (
    _OF_LANE.where(_WAITING, deliveries.c.due_at <= bindparam("now", type_=Utc))
    .order_by(deliveries.c.priority, deliveries.c.queued_at, deliveries.c.row)
    .limit(bindparam("limit", type_=Integer))
    # Without SKIP LOCKED: it waits for a row that somebody is changing. Skipped, that delivery would be overtaken by
    # those behind it in the same place. `lock_timeout` bounds the wait.
    .with_for_update()
)
_UNKNOWN = _OF_LANE.where(deliveries.c.state == DeliveryState.UNKNOWN).order_by(deliveries.c.row)
_IN_DOUBT = _OF_LANE.where(deliveries.c.state.in_((DeliveryState.UNKNOWN, DeliveryState.SENDING)))
_RETRIES_OF_LANE = _OF_LANE.where(_AWAITING_RETRY)
_OTHERS = select(deliveries.c.row).where(
    deliveries.c.workspace_id == bindparam("lane"), deliveries.c.id != bindparam("this")
)
_IN_FLIGHT = deliveries.c.state.in_((DeliveryState.UNKNOWN, DeliveryState.SENDING))
_AHEAD = and_(
    _WAITING,
    deliveries.c.priority == Priority.ANSWER,  # nothing else is sent before an answer
    or_(deliveries.c.due_at <= bindparam("now", type_=Utc), _AWAITING_RETRY),
)
_AHEAD_OF_PERSON = _OTHERS.where(
    deliveries.c.person_id == bindparam("person"),
    deliveries.c.sent_at.is_(None),  # so that the index finds the few that are not sent
    deliveries.c.place_id.is_(None),
    deliveries.c.act != Act.HOME,
    or_(_IN_FLIGHT, _AHEAD),
).limit(1)
_IN_PLACE = _OTHERS.where(deliveries.c.place_id == bindparam("place"))
_AHEAD_IN_PLACE = (
    _IN_PLACE.where(_IN_FLIGHT, deliveries.c.act != Act.HOME).limit(1),
    _IN_PLACE.where(_AHEAD, deliveries.c.act != Act.HOME).limit(1),
)
"""Queries for what stands ahead of an answer, by the keys of `bot.outbox.claim.ordering_key`; in a place, one for each
index."""
_PREFETCH = {
    dialect: [
        select(entity).where(among(key, "ids", dialect))
        for entity, key in (
            (Place, places.c.id),
            (Person, people.c.id),
            (Movement, movements.c.id),
            (Rhythm, rhythms.c.id),
        )
    ]
    for dialect in DIALECTS
}
"""Load what claimed deliveries are for and about."""
_WAITING_OF_KIND = _OF_LANE.where(_WAITING, deliveries.c.kind == bindparam("kind"))


_GIVEN_MOMENTS = select(
    deliveries.c.subject,
    deliveries.c.state,
    deliveries.c.due_at,
    deliveries.c.sent_at,
    deliveries.c.expires_at,
    deliveries.c.args["on"].as_string(),
).order_by(deliveries.c.row)


class SqlDeliveries(Repository):
    """Implements `Deliveries`. Adds the lanes of new deliveries to `woken`, shared with the unit of work."""

    def __init__(self, session: InlineSession, rows: Rows, woken: set[WorkspaceId]) -> None:
        super().__init__(session)
        self._rows = rows
        self._woken = woken

    async def add(self, new: Delivery) -> None:  # type: ignore[override]  # inserts a row
        new.correlation = new.correlation or str(get_contextvars().get("correlation", ""))
        await self._rows.add(new)
        self._wake(new)

    async def add_new(self, new: Delivery, *, wakes: bool = True) -> bool:
        new.correlation = new.correlation or str(get_contextvars().get("correlation", ""))
        if not await self._rows.add_new(new):
            return False
        if wakes:
            self._wake(new)
        return True

    def _wake(self, new: Delivery) -> None:
        # What comes due later is found by the ticks of then.
        if new.due_at <= new.created_at:
            self._woken.add(new.workspace_id)

    async def stands_behind(self, answer: Delivery, now: datetime) -> bool:
        await self._rows.write()
        given = {"lane": answer.workspace_id, "this": answer.id, "now": now}
        if answer.place_id is None:
            ahead = (_AHEAD_OF_PERSON, {**given, "person": answer.person_id})
            return await self._session.scalar(*ahead) is not None
        given["place"] = answer.place_id
        both = await self._session.together(*(self._session.scalar(one, given) for one in _AHEAD_IN_PLACE))
        return any(one is not None for one in both)

    async def add_ask(self, new: Delivery, now: datetime, *, postpone: bool = False) -> bool:
        whom = PersonId(new.person_id or "")
        _, listed = await self._session.together(self._lock_people([whom]), self._list_asks([whom], now))
        asked = listed.get(whom, [])
        free = next_ask_at(asked, max(now, new.due_at) if postpone else now)
        if postpone and free > new.due_at:
            new.due_at = new.queued_at = free
        elif not postpone and free > now:
            return False
        return await self.add_new(new)

    async def add_asks(self, new: Sequence[Delivery], now: datetime) -> int:
        whom = [PersonId(one.person_id or "") for one in new]
        _, enough = await self._session.together(self._lock_people(whom), self.asked_enough(whom, now))
        asks = [one for one in new if one.person_id not in enough]
        await self.add_all(asks)
        return len(asks)

    async def _lock_people(self, whom: Sequence[PersonId]) -> None:
        """Let other asks of these people wait until the transaction ends."""
        if self._on_postgresql:  # SQLite's transactions run one after the other
            # FOR NO KEY UPDATE: another ask waits, rows that refer to the person do not. In order: two who ask several
            # do not wait for each other.
            locked = select(people.c.id).where(self._among(people.c.id, whom)).order_by(people.c.id)
            await self._session.execute(locked.with_for_update(key_share=True))

    async def asked_enough(self, people: Collection[PersonId], now: datetime) -> set[PersonId]:
        asked = await self._list_asks(people, now)
        return {one for one, moments in asked.items() if next_ask_at(moments, now) > now}

    async def count_asks(self, person: PersonId, now: datetime) -> int:
        asked = await self._list_asks([person], now)
        return sum(now - MONTH < at <= now for at in asked.get(person, ()))

    async def _list_asks(self, whom: Collection[PersonId], now: datetime) -> dict[PersonId, list[datetime]]:
        """Return when these people were asked something in the last month, or will be."""
        if not whom:
            return {}
        await self._rows.write()
        found = await self._session.execute(
            select(deliveries.c.person_id, ASKED_AT).where(
                self._among(deliveries.c.person_id, list(whom)),
                IS_ASK_OF_THEM,
                deliveries.c.due_at > now - 2 * MONTH,
            )
        )
        asked: dict[PersonId, list[datetime]] = {}
        for person, moment in found:
            asked.setdefault(person, []).append(moment)
        return asked

    async def bulk_add(self, new: Delivery, each: Sequence[BulkRow]) -> None:
        # Not tracked by `Rows`: there may be many, and nobody reads them in this transaction.
        new.correlation = new.correlation or str(get_contextvars().get("correlation", ""))
        shared = {name: getattr(new, name) for name in _SHARED_COLUMNS}
        ids = [new_delivery_id() for _ in each]
        if self._on_postgresql:
            given = json.dumps([{**one._asdict(), "id": its} for its, one in zip(ids, each, strict=True)])
            await self._session.execute(_BULK_ADD, {**shared, "rows": given})
        else:
            rows = [{**shared, **one._asdict(), "id": its} for its, one in zip(ids, each, strict=True)]
            await self._session.execute(sqlite.insert(deliveries).on_conflict_do_nothing(index_elements=["key"]), rows)
        self._woken.add(new.workspace_id)

    async def prefetch(self, claimed: Sequence[Delivery]) -> Sequence[object]:
        wanted: tuple[set[str | None], ...] = (
            {one.place_id for one in claimed},
            {one.person_id for one in claimed},
            {one.movement_id for one in claimed},
            {one.subject for one in claimed if one.priority is Priority.RHYTHM},
        )
        loads = (
            self._session.scalars(load, {"ids": [*ids]})
            for those, load in zip(wanted, _PREFETCH[self._dialect], strict=True)
            if (ids := those - {None})
        )
        return [one for found in await self._session.together(*loads) for one in found]

    async def attention(self, claimed: Sequence[Delivery], now: datetime) -> Attention:
        return await AttentionQueries(self._session, self._rows).load(claimed, now)

    async def lock(self, ids: Sequence[DeliveryId], workspace: WorkspaceId) -> Sequence[Delivery]:
        # Always in the order of `row`: two transactions that lock the same rows cannot deadlock.
        return await self._rows.find(
            SELECT_DELIVERIES.where(self._among(deliveries.c.id, ids), deliveries.c.workspace_id == workspace)
            .order_by(deliveries.c.row)
            .with_for_update()
        )

    async def save_all(self, changed: Sequence[Delivery]) -> None:
        await self._rows.write(changed)

    async def get(self, id: DeliveryId, workspace: WorkspaceId) -> Delivery | None:
        return await self._first(SELECT_DELIVERIES.where(deliveries.c.id == id, deliveries.c.workspace_id == workspace))

    async def by_key(self, key: str) -> Delivery | None:
        return await self._first(SELECT_DELIVERIES.where(deliveries.c.key == key))

    async def by_keys(self, keys: Collection[str]) -> Mapping[str, Delivery]:
        if not keys:
            return {}
        found = await self._rows.find(SELECT_DELIVERIES.where(self._among(deliveries.c.key, keys)))
        return {one.key: one for one in found}

    async def _first(self, query: Select[Any]) -> Delivery | None:
        return next(iter(await self._rows.find(query)), None)

    async def by_receipt(self, place: PlaceId, message: str) -> Delivery | None:
        return await self._first(
            SELECT_DELIVERIES.where(
                deliveries.c.place_id == place, deliveries.c.receipt == message, deliveries.c.act == Act.POST
            ).limit(1)
        )

    async def about(self, kind: str, subject: str, movement: MovementId) -> Sequence[Delivery]:
        return await self._rows.find(
            SELECT_DELIVERIES.where(
                deliveries.c.kind == kind, deliveries.c.subject == subject, deliveries.c.movement_id == movement
            ).order_by(deliveries.c.row)
        )

    async def given_moments(
        self, kinds: Collection[str], rhythms: Collection[RhythmId], movement: MovementId
    ) -> Mapping[RhythmId, Sequence[GivenMoment]]:
        query = _GIVEN_MOMENTS.where(
            self._among(deliveries.c.kind, kinds),
            self._among(deliveries.c.subject, rhythms),
            is_of(deliveries.c.movement_id, movement),
        )
        found: dict[RhythmId, list[GivenMoment]] = {}
        for rhythm, *its in await self._session.execute(query):
            found.setdefault(RhythmId(rhythm), []).append(GivenMoment(*its))
        return found

    async def claim(self, lane: WorkspaceId, now: datetime, limit: int) -> Sequence[Delivery]:
        return await self._rows.read(_DUE, {"lane": lane, "now": now, "limit": limit})

    async def lanes_due(self, now: datetime) -> list[WorkspaceId]:
        found = await self._session.scalars(
            select(deliveries.c.workspace_id)
            .where(deliveries.c.state.in_(_UNSETTLED), deliveries.c.due_at <= now, IN_ACTIVE_WORKSPACE)
            .distinct()
        )
        return [WorkspaceId(lane) for lane in found]

    async def next_due(self) -> datetime | None:
        earliest: datetime | None = await self._session.scalar(
            select(func.min(deliveries.c.due_at)).where(deliveries.c.state.in_(_UNSETTLED), IN_ACTIVE_WORKSPACE)
        )
        return earliest

    async def stale(self, before: datetime) -> Sequence[Delivery]:
        return await self._rows.find(
            SELECT_DELIVERIES.where(deliveries.c.state == DeliveryState.SENDING, deliveries.c.attempted_at < before)
        )

    async def unknown(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.read(_UNKNOWN, {"lane": lane})

    async def awaiting_retry(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.read(_RETRIES_OF_LANE, {"lane": lane})

    async def in_doubt(self, lane: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.read(_IN_DOUBT, {"lane": lane})

    async def forget(self, before: datetime, limit: int) -> int:
        # Kept: by its delivery, a retold story can be taken away again.
        told = exists().where(retellings.c.delivery_id == deliveries.c.id)
        found = await self._session.execute(
            select(deliveries.c.row, deliveries.c.id)
            .where(deliveries.c.state.in_(_SETTLED), deliveries.c.due_at < before, ~told)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        old = found.all()
        if not old:
            return 0
        rows = [row for row, _ in old]
        await self._keep_track(rows)
        await self._session.execute(
            delete(mentions).where(self._among(mentions.c.delivery_id, [one for _, one in old]))
        )
        await self._session.execute(delete(deliveries).where(deliveries.c.row.in_(rows)))
        return len(rows)

    async def _keep_track(self, rows: Sequence[int]) -> None:
        """Remember where the messages of these deliveries stand, as far as they are about somebody."""
        # What one person was shown in a channel is not there any more.
        stands = and_(
            deliveries.c.row.in_(rows),
            deliveries.c.state == DeliveryState.SENT,
            deliveries.c.receipt.is_not(None),
            deliveries.c.receipt_channel != "",
            or_(
                deliveries.c.person_id.is_(None),
                deliveries.c.place_id.is_(None),
                places.c.channel != deliveries.c.receipt_channel,
            ),
        )
        where = (deliveries.c.receipt_channel, deliveries.c.receipt)
        their_own = (
            select(deliveries.c.workspace_id, deliveries.c.person_id, *where)
            .select_from(deliveries)
            .outerjoin(places, places.c.id == deliveries.c.place_id)
            .where(stands, deliveries.c.act == Act.POST, deliveries.c.person_id.is_not(None))
        )
        about_them = (
            select(deliveries.c.workspace_id, mentions.c.person_id, *where)
            .select_from(deliveries)
            .join(mentions, mentions.c.delivery_id == deliveries.c.id)
            .outerjoin(places, places.c.id == deliveries.c.place_id)
            .where(stands, deliveries.c.act.in_((Act.POST, Act.UPDATE)))
        )
        columns = ("workspace_id", "person_id", "channel", "message")
        await self._session.execute(insert(old_messages).from_select(columns, union(their_own, about_them)))

    async def waiting(self, kind: str, lane: WorkspaceId) -> Sequence[Delivery]:
        return await self._rows.read(_WAITING_OF_KIND, {"lane": lane, "kind": kind})

    async def count_weeks(self, movement: MovementId, begins: Sequence[datetime]) -> Sequence[WeekCount]:
        await self._rows.write()
        return await FigureQueries(self._session).count_weeks(movement, begins)

    async def count_reasons(self, movement: MovementId, since: datetime, until: datetime) -> Sequence[ReasonCount]:
        await self._rows.write()
        return await FigureQueries(self._session).count_reasons(movement, since, until)

    async def count_answers(self, movement: MovementId, since: datetime, until: datetime) -> Sequence[AnswerCount]:
        await self._rows.write()
        return await FigureQueries(self._session).count_answers(movement, since, until)

    async def trouble(self, movement: MovementId, since: datetime) -> Sequence[tuple[Delivery, Place | None]]:
        found = await self._rows.find_with(
            select(*DELIVERY_COLUMNS, Place)
            .join_from(deliveries, Place, places.c.id == deliveries.c.place_id, isouter=True)
            .where(
                deliveries.c.movement_id == movement,
                deliveries.c.due_at > since,
                text(TROUBLED),
            )
            .order_by(deliveries.c.due_at.desc(), deliveries.c.row.desc())
            .limit(200)
        )
        return [(delivery, place) for delivery, place in found]

    async def held_for(self, place: Place) -> Sequence[Delivery]:
        return await self._rows.find(
            SELECT_DELIVERIES.where(
                _WAITING,
                deliveries.c.workspace_id == place.workspace_id,
                deliveries.c.place_id == place.id,
                deliveries.c.person_id.is_(None),
                deliveries.c.reason.in_(OUT_OF_REACH),
            ).order_by(deliveries.c.row)
        )

    async def was_nudged(self, person: PersonId, since: datetime, but: Collection[DeliveryId]) -> bool:
        found = await self._rows.find(
            SELECT_DELIVERIES.where(
                deliveries.c.person_id == person,
                deliveries.c.sent_at > since,
                deliveries.c.act == Act.POST,
                deliveries.c.priority != Priority.ANSWER,
                deliveries.c.id.not_in(but),
            ).limit(1)
        )
        return bool(found)

    async def held_while_quiet(self, person: PersonId) -> Sequence[Delivery]:
        return await self._rows.find(
            SELECT_DELIVERIES.where(
                IS_WAITING, deliveries.c.person_id == person, deliveries.c.reason == WENT_QUIET
            ).order_by(deliveries.c.row)
        )

    async def cancel_for(self, place: Place, reason: str) -> int:
        there = and_(_WAITING, deliveries.c.workspace_id == place.workspace_id, deliveries.c.place_id == place.id)
        return await self._cancel(there, reason)

    async def cancel(self, kind: str, subject: str, reason: str) -> int:
        return await self._cancel(and_(IS_WAITING, deliveries.c.kind == kind, deliveries.c.subject == subject), reason)

    async def cancel_each(self, kind: str, subjects: Collection[str], reason: str) -> Collection[str]:
        if not subjects:
            return set()
        which = and_(IS_WAITING, deliveries.c.kind == kind, self._among(deliveries.c.subject, subjects))
        return {one.subject for one in await self._drop_all(which, reason)}

    async def _cancel(self, which: ColumnElement[bool], reason: str) -> int:
        return len(await self._drop_all(which, reason))

    async def _drop_all(self, which: ColumnElement[bool], reason: str) -> Sequence[Delivery]:
        waiting = await self._rows.find(SELECT_DELIVERIES.where(which).order_by(deliveries.c.row))
        for one in waiting:
            one.drop(reason)
        await self._rows.write()
        return waiting

    async def upcoming(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        waiting = deliveries.c.state == DeliveryState.WAITING
        return await self._with_whom(lane, waiting, deliveries.c.due_at, limit)

    async def history(self, lane: WorkspaceId, limit: int) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        at = func.coalesce(deliveries.c.sent_at, deliveries.c.attempted_at, deliveries.c.due_at)
        return await self._with_whom(lane, deliveries.c.state != DeliveryState.WAITING, at.desc(), limit)

    async def _with_whom(
        self, lane: WorkspaceId, which: ColumnElement[bool], order: ColumnElement[Any], limit: int
    ) -> Sequence[tuple[Delivery, Place | None, Person | None]]:
        found = await self._rows.find_with(
            select(*DELIVERY_COLUMNS, Place, Person)
            .join_from(deliveries, Place, places.c.id == deliveries.c.place_id, isouter=True)
            .join(Person, people.c.id == deliveries.c.person_id, isouter=True)
            .where(deliveries.c.workspace_id == lane, which)
            .order_by(order, deliveries.c.id)
            .limit(limit)
        )
        return [(delivery, place, person) for delivery, place, person in found]

    async def of_person(self, person: PersonId, since: datetime) -> Sequence[Delivery]:
        return await self._rows.find(
            SELECT_DELIVERIES.where(
                deliveries.c.person_id == person, deliveries.c.created_at > since, deliveries.c.act != Act.HOME
            ).order_by(deliveries.c.row.desc())
        )

    async def sent_to(self, person: PersonId) -> Sequence[Delivery]:
        return await self._rows.find(
            SELECT_DELIVERIES.where(
                deliveries.c.person_id == person,
                deliveries.c.act == Act.POST,
                deliveries.c.state.in_(POSSIBLY_SENT),
            ).order_by(deliveries.c.row)
        )

    async def telling_of(self, person: PersonId) -> Sequence[Delivery]:
        named = select(mentions.c.delivery_id).where(mentions.c.person_id == person)
        joined = select(members.c.movement_id).where(members.c.person_id == person)
        ways = (
            *(_about(kinds, ids) for kinds, ids in _subjects_of(person)),
            deliveries.c.id.in_(named),
            _WITH_WHO_DID_IT & (deliveries.c.args["by"].as_string() == person),
            (deliveries.c.kind == "rhythm_look_back") & deliveries.c.movement_id.in_(joined),
        )
        asks = (self._rows.find(SELECT_DELIVERIES.where(which, _may_tell_of(person))) for which in ways)
        found = {one.id: one for rows in await self._session.together(*asks) for one in rows}
        return sorted(found.values(), key=lambda one: one.created_at)

    async def take_late_mentions(self) -> Sequence[Delivery]:
        late = await self._session.execute(
            select(mentions.c.delivery_id, mentions.c.person_id)
            .join(people, people.c.id == mentions.c.person_id)
            .where(people.c.account.is_(None), ~_TELLS_FROM_OUTSIDE)
            .limit(MAX_LATE_MENTIONS)
            .with_for_update(of=mentions, skip_locked=True)
        )
        found = late.all()
        if not found:
            return []
        those = tuple_(mentions.c.delivery_id, mentions.c.person_id).in_([tuple(one) for one in found])
        await self._session.execute(delete(mentions).where(those))
        named = self._among(deliveries.c.id, {delivery for delivery, _ in found})
        return await self._rows.find(
            SELECT_DELIVERIES.where(named, deliveries.c.state.in_((*POSSIBLY_SENT, DeliveryState.WAITING)))
        )

    async def shared_by(self, person: PersonId) -> Sequence[Delivery]:
        by = deliveries.c.args["by"].as_string() == person
        return await self._rows.find(SELECT_DELIVERIES.where(deliveries.c.kind == SHARED, by))

    async def add_all(self, new: Sequence[Delivery]) -> None:
        correlation = str(get_contextvars().get("correlation", ""))
        for one in new:
            one.correlation = one.correlation or correlation
        await self._rows.add_all(new)
        self._woken.update(one.workspace_id for one in new)

    async def of_movement(
        self, movement: MovementId, since: datetime, limit: int, *, not_posted: bool = False
    ) -> Sequence[Delivery]:
        query = SELECT_DELIVERIES.where(deliveries.c.movement_id == movement, deliveries.c.created_at > since)
        if not_posted:
            query = query.where(_was_not_posted())
        # In the order of the index, so that only the last few are read.
        query = query.order_by(deliveries.c.created_at.desc(), deliveries.c.row.desc())
        return await self._rows.find(query.limit(limit))


_TELLS_FROM_OUTSIDE = exists().where(
    stories.c.teller_id == people.c.id, stories.c.called != "", stories.c.withdrawn_at.is_(None)
)
"""Matches the rows of nobody that stand for who told a story at a door: they were not forgotten, they never had an
account. Once the story is taken back, they are as good as forgotten."""
_WITH_WHO_DID_IT = deliveries.c.kind.in_((SHARED, "place_joined"))
"""Matches deliveries with a person in their argument `by`."""


def _subjects_of(person: PersonId) -> Sequence[tuple[Sequence[str], Select[Any]]]:
    """Return the kinds of deliveries that tell others of someone, each with the subjects that they then have."""
    spells = select(episodes.c.id).where(episodes.c.person_id == person)
    helped = select(companies.c.episode_id).where(companies.c.person_id == person)
    asked = select(companies.c.id).where(companies.c.episode_id.in_(spells))
    return (
        (("stuck_posted",), spells),
        (("company_together",), helped),
        (("company_asked",), asked),
        (("step_posted",), select(steps.c.id).where(steps.c.person_id == person)),
        (
            ("invitation", "invitation_answered", "invitation_quiet", "did_you_meet"),
            select(invitations.c.id).where(or_(invitations.c.inviter_id == person, invitations.c.invitee_id == person)),
        ),
        (
            ("history_posted", "history_given"),
            select(history_answers.c.round_id).where(history_answers.c.person_id == person),
        ),
        (
            ("room_asked", "room_answered", "room_unanswered", "room_ending", "support_given"),
            select(rooms.c.id).where(or_(rooms.c.asker_id == person, rooms.c.giver_id == person)),
        ),
        (("story_asked",), select(story_requests.c.id).where(story_requests.c.asked_by_id == person)),
        (("story_saved",), select(stories.c.id).where(stories.c.teller_id == person)),
    )


def _about(kinds: Sequence[str], subjects: Select[Any]) -> ColumnElement[bool]:
    return and_(deliveries.c.kind.in_(kinds), deliveries.c.subject.in_(subjects))


def _may_tell_of(person: PersonId) -> ColumnElement[bool]:
    """Match messages to others that stand or may stand, and answers to others that do not stand yet."""
    stands = and_(deliveries.c.act == Act.POST, deliveries.c.state.in_(POSSIBLY_SENT))
    return and_(
        or_(deliveries.c.person_id.is_(None), deliveries.c.person_id != person),
        # Not "or": by the states, SQLite would take all that was ever sent.
        case(
            (deliveries.c.kind == ANSWER, deliveries.c.state.in_((*POSSIBLY_SENT, DeliveryState.WAITING))), else_=stands
        ),
    )


def _was_not_posted() -> ColumnElement[bool]:
    """Match the deliveries for which `Delivery.was_not_posted` is true; both must change together."""
    return and_(_NOT_POSTED, deliveries.c.state.not_in((DeliveryState.SENDING, DeliveryState.SENT)))
