"""Plan the due moments of rhythms as deliveries in the outbox."""

from collections import defaultdict
from datetime import datetime, timedelta

import structlog

from bot.domain.calendar import holidays_of
from bot.domain.delivery import BulkRow
from bot.domain.movement import MovementId
from bot.domain.person import WorkspaceId
from bot.domain.rhythm import MISFIRE_GRACE, Due, Moment, RhythmId, RhythmKind, due_moments, moment_key, plan_moment
from bot.ports import UnitOfWork
from bot.upkeep import record_missed_moment, record_unplannable

UNPLANNABLE_RETRY = timedelta(hours=1)
"""When a rhythm whose moments cannot be computed is tried again: an operator has to see to it, and it must not stop the
others."""
log = structlog.get_logger(__name__)


async def plan_due(work: UnitOfWork, now: datetime, limit: int, movement: MovementId) -> int:
    """Turn due moments of a movement into deliveries, keyed by rhythm and moment. Returns how many rhythms were
    planned.

    A moment at most `MISFIRE_GRACE` past is still sent. Of older ones, only the last is recorded, as dropped, and the
    coordinators are notified once. Deliveries for one moment in many places are written in bulk.
    """
    owner = await work.movements.get(movement)
    if owner is None:
        return 0
    found = await work.rhythms.due(movement, now, limit)
    usual = holidays_of(owner)
    there = await work.movements.places_abroad(movement, {one.place_id for one in found}) if found else ()
    abroad = {one.id: holidays_of(owner, one) for one in there}
    earliest = min((due.next_at for due in found if due.next_at is not None), default=now)
    changed = await work.rhythms.changes_of([due.id for due in found], earliest)
    coming: dict[tuple[WorkspaceId, RhythmKind, Moment], list[Due]] = defaultdict(list)
    following: dict[datetime | None, list[RhythmId]] = defaultdict(list)
    for due in found:
        try:
            past, next_at = due_moments(due, changed.get(due.id, {}), abroad.get(due.place_id, usual), now)
        except (ValueError, KeyError, OSError):  # an invalid rule, or a time zone that is not known (any more)
            log.exception("rhythm_plan_failed", rhythm=due.id, rule=due.timing.rule, timezone=due.timing.timezone)
            past, next_at = (), now + UNPLANNABLE_RETRY
            await record_unplannable(work, due, now)
        following[next_at].append(due.id)
        for moment in past:
            if now - moment.at <= MISFIRE_GRACE:
                coming[due.workspace_id, due.kind, moment].append(due)
        missed = [moment for moment in past if now - moment.at > MISFIRE_GRACE]
        if missed:
            await record_missed_moment(work, plan_moment(due, missed[-1], now), len(missed) - 1)
    for (_, _, moment), alike in coming.items():
        each = [BulkRow(due.place_id, due.id, moment_key(due.id, moment)) for due in alike]
        await work.deliveries.bulk_add(plan_moment(alike[0], moment, now), each)
    for next_at, rhythms in following.items():
        await work.rhythms.set_next_at(rhythms, next_at)
    return len(found)
