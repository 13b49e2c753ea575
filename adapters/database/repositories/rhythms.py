"""Rhythms, and changes of single moments."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Integer, bindparam, func, select, update
from sqlalchemy.orm.attributes import set_committed_value

from adapters.database.inline import InlineSession
from adapters.database.repositories.base import DIALECTS, Repository, among
from adapters.database.tables import moment_changes, places, rhythms
from adapters.database.types import Utc
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.rhythm import MAX_MOVE, Due, MomentChange, MomentName, Rhythm, RhythmId, Timing

_GROUP_COLUMNS = (
    places.c.workspace_id,
    rhythms.c.kind,
    rhythms.c.next_at,
    *(rhythms.c[name] for name in Timing._fields),
)
_DUE = (
    select(rhythms.c.id, rhythms.c.place_id, *_GROUP_COLUMNS)
    .join(places, places.c.id == rhythms.c.place_id)
    .where(rhythms.c.movement_id == bindparam("movement"), rhythms.c.next_at <= bindparam("now", type_=Utc))
    .order_by(rhythms.c.next_at, rhythms.c.id)
    .limit(bindparam("limit", type_=Integer))
    # SKIP LOCKED: a rhythm that somebody is changing is left to the next tick, and the others need not wait for it.
    .with_for_update(of=rhythms, skip_locked=True)
    .subquery()
)
_SHARED = list(_DUE.c)[2:]
_DUE_GROUPED = {
    aggregate: select(*_SHARED, getattr(func, aggregate)(_DUE.c.id, _DUE.c.place_id)).group_by(*_SHARED)
    for aggregate in ("json_object_agg", "json_group_object")
}
"""Due rhythms, by the JSON aggregate function to use: `json_object_agg` on PostgreSQL, `json_group_object` on SQLite.

Rhythms of many places often share kind, moment and timing. They are grouped by these, so that each is read once, with a
JSON object of rhythm id → place id.
"""


_ADD_ONE = {
    dialect: update(rhythms).where(among(rhythms.c.id, "ids", dialect)).values(unanswered=rhythms.c.unanswered + 1)
    for dialect in DIALECTS
}


def _find_earliest(after: datetime) -> date:
    """Return the first day on which a moment may be that comes after this one."""
    return after.date() - MAX_MOVE - timedelta(days=1)


class SqlRhythms(Repository):
    """Implements `Rhythms`. Unanswered moments are counted here and added to the database by `write`. Changes to
    moments that were asked for or added are held until the transaction ends, and not asked for again."""

    def __init__(self, session: InlineSession) -> None:
        super().__init__(session)
        self._increments: Counter[RhythmId] = Counter()
        self._known_since: dict[RhythmId, date] = {}
        self._changes: dict[RhythmId, dict[MomentName, MomentChange]] = {}

    def add(self, new: Rhythm | MomentChange) -> None:
        super().add(new)
        if isinstance(new, Rhythm):
            self._known_since[new.id] = date.min
        else:
            self._changes.setdefault(new.rhythm_id, {})[new.moment] = new

    async def get(self, id: RhythmId, movement: MovementId) -> Rhythm | None:
        return await self._get(Rhythm, id, movement_id=movement)

    async def of_movement(self, movement: MovementId, most: int | None = None) -> Sequence[Rhythm]:
        going = select(Rhythm).where(rhythms.c.movement_id == movement, rhythms.c.ended_at.is_(None))
        if most is not None:
            going = going.order_by(rhythms.c.next_at.asc().nulls_last(), rhythms.c.created_at, rhythms.c.id).limit(most)
        return sorted((await self._session.scalars(going)).all(), key=lambda one: (one.created_at, one.id))

    async def oldest(self, movement: MovementId, most: int) -> Sequence[Rhythm]:
        going = select(Rhythm).where(rhythms.c.movement_id == movement, rhythms.c.ended_at.is_(None))
        found = await self._session.scalars(going.order_by(rhythms.c.created_at, rhythms.c.id).limit(most))
        return found.all()

    async def count(self, movement: MovementId) -> int:
        going = select(func.count()).where(rhythms.c.movement_id == movement, rhythms.c.ended_at.is_(None))
        return await self._session.scalar(going) or 0

    async def of_place(self, place: PlaceId) -> Sequence[Rhythm]:
        found = await self._session.scalars(
            select(Rhythm).where(rhythms.c.place_id == place, rhythms.c.ended_at.is_(None))
        )
        return found.all()

    async def of_places(self, among: Collection[PlaceId]) -> Mapping[PlaceId, Sequence[Rhythm]]:
        going = select(Rhythm).where(self._among(rhythms.c.place_id, among), rhythms.c.ended_at.is_(None))
        found: dict[PlaceId, list[Rhythm]] = {}
        for one in await self._session.scalars(going):
            found.setdefault(one.place_id, []).append(one)
        return found

    async def changes(self, rhythm: Rhythm, after: datetime) -> dict[MomentName, MomentChange]:
        since = _find_earliest(after)
        if self._is_unknown(rhythm.id, since):
            its = select(MomentChange).where(moment_changes.c.rhythm_id == rhythm.id, moment_changes.c.on >= since)
            self._keep([rhythm.id], since, await self._session.scalars(its))
        return self._list_changes(rhythm.id, since)

    async def change(self, rhythm: RhythmId, moment: MomentName) -> MomentChange | None:
        if self._is_unknown(rhythm, moment[0]):
            return await self._session.get(MomentChange, (rhythm, *moment))
        return self._changes.get(rhythm, {}).get(moment)

    async def movements_due(self, now: datetime) -> Sequence[MovementId]:
        found = await self._session.scalars(select(rhythms.c.movement_id).where(rhythms.c.next_at <= now).distinct())
        return [MovementId(one) for one in found]

    async def due(self, movement: MovementId, now: datetime, limit: int) -> Sequence[Due]:
        statement = _DUE_GROUPED["json_object_agg" if self._on_postgresql else "json_group_object"]
        found = await self._session.execute(statement, {"movement": movement, "now": now, "limit": limit})
        due: list[Due] = []
        for workspace, kind, next_at, *timing, group in found:
            shared = Timing._make(timing)
            place_of = group if isinstance(group, dict) else json.loads(group)  # SQLite's JSON is text
            due += [
                Due(rhythm, movement, place, workspace, kind, next_at, shared) for rhythm, place in place_of.items()
            ]
        return due

    async def set_next_at(self, planned: Sequence[RhythmId], at: datetime | None) -> None:
        await self._session.post(update(rhythms).where(self._among(rhythms.c.id, planned)).values(next_at=at))

    def increment_unanswered(self, rhythm: Rhythm) -> None:
        # "Committed": the session must not write this number itself, see `write`.
        set_committed_value(rhythm, "unanswered", rhythm.unanswered + 1)
        self._increments[rhythm.id] += 1

    async def write(self) -> None:
        """Add the counted moments in the database, in one statement per round.

        An increment (`unanswered + 1`), not a number: an answer that resets the counter at the same moment is kept.
        """
        while ids := list(self._increments):
            await self._session.post(_ADD_ONE[self._dialect], {"ids": ids})
            self._increments.subtract(ids)
            self._increments += Counter()  # drops the counts that are zero by now

    async def upcoming(self, before: datetime, limit: int) -> Sequence[tuple[Rhythm, Place]]:
        found = await self._session.execute(
            select(Rhythm, Place)
            .join(Place, places.c.id == rhythms.c.place_id)
            .where(rhythms.c.next_at <= before)
            .order_by(rhythms.c.next_at, rhythms.c.id)
            .limit(limit)
        )
        return [(rhythm, place) for rhythm, place in found]

    async def changes_of(
        self, among: Sequence[RhythmId], after: datetime
    ) -> Mapping[RhythmId, dict[MomentName, MomentChange]]:
        since = _find_earliest(after)
        if unknown := [one for one in among if self._is_unknown(one, since)]:
            its = select(MomentChange).where(self._among(moment_changes.c.rhythm_id, unknown))
            self._keep(unknown, since, await self._session.scalars(its.where(moment_changes.c.on >= since)))
        return {one: changes for one in among if (changes := self._list_changes(one, since))}

    async def changes_in(
        self, among: Collection[PlaceId], after: datetime
    ) -> Mapping[RhythmId, dict[MomentName, MomentChange]]:
        found = await self._session.scalars(
            select(MomentChange)
            .join(Rhythm, rhythms.c.id == moment_changes.c.rhythm_id)
            .where(
                self._among(rhythms.c.place_id, among),
                rhythms.c.ended_at.is_(None),
                moment_changes.c.on >= _find_earliest(after),
            )
        )
        changes: dict[RhythmId, dict[MomentName, MomentChange]] = {}
        for change in (one for one in found if one.matters):
            changes.setdefault(change.rhythm_id, {})[change.moment] = change
        return changes

    def _is_unknown(self, rhythm: RhythmId, since: date) -> bool:
        """Return whether changes to moments of a rhythm, from this day on, were not asked for."""
        return self._known_since.get(rhythm, date.max) > since

    def _keep(self, among: Sequence[RhythmId], since: date, found: Iterable[MomentChange]) -> None:
        self._known_since |= dict.fromkeys(among, since)
        for change in found:
            self._changes.setdefault(change.rhythm_id, {})[change.moment] = change

    def _list_changes(self, rhythm: RhythmId, since: date) -> dict[MomentName, MomentChange]:
        known = self._changes.get(rhythm, {})
        return {moment: change for moment, change in known.items() if change.on >= since and change.matters}

    async def next_due(self) -> datetime | None:
        earliest: datetime | None = await self._session.scalar(select(func.min(rhythms.c.next_at)))
        return earliest
