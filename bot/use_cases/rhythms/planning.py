"""Planning: what the clock asks for, as deliveries in the outbox."""

from collections import defaultdict
from datetime import datetime, timedelta

import structlog

from bot.domain.delivery import BulkRow, Delivery, Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.person import WorkspaceId
from bot.domain.rhythm import LATEST, Due, Moment, RhythmId, RhythmKind, due_moments, key_of, planned
from bot.ports import UnitOfWork

LOOK_AGAIN = timedelta(hours=1)
"""When a rhythm that cannot be reckoned is tried again: somebody has to see to it, and it must not stop the others."""
log = structlog.get_logger(__name__)


async def plan_due(work: UnitOfWork, now: datetime, limit: int, movement: MovementId) -> int:
    """Turns due moments of a movement into deliveries, keyed by rhythm and moment. Returns how many rhythms were
    planned.

    A moment at most four hours past is still sent. Of what is older, the last is put on record as dropped, and the
    coordinators hear of it once. What the same moment asks for in many places is written at once.
    """
    kept_by = await work.movements.get(movement)
    if kept_by is None:
        return 0
    found = await work.rhythms.due(movement, now, limit)
    changed = await work.rhythms.changes_of(found)
    coming: dict[tuple[WorkspaceId, RhythmKind, Moment], list[Due]] = defaultdict(list)
    following: dict[datetime | None, list[RhythmId]] = defaultdict(list)
    for due in found:
        try:
            past, next_at = due_moments(due, changed.get(due.id, {}), kept_by, now)
        except (ValueError, KeyError, OSError):  # a rule or a time zone that nobody knows (any more)
            log.exception("rhythm_plan_failed", rhythm=due.id, rule=due.timing.rule, timezone=due.timing.timezone)
            past, next_at = (), now + LOOK_AGAIN
        following[next_at].append(due.id)
        for moment in past:
            if now - moment.at <= LATEST:
                coming[due.workspace_id, due.kind, moment].append(due)
        missed = [moment for moment in past if now - moment.at > LATEST]
        if missed:
            await _record_missed(work, planned(due, missed[-1], now), len(missed) - 1)
    for (_, _, moment), alike in coming.items():
        each = [BulkRow(due.place_id, due.id, key_of(due.id, moment)) for due in alike]
        await work.deliveries.bulk_add(planned(alike[0], moment, now), each)
    for next_at, rhythms in following.items():
        await work.rhythms.set_next_at(rhythms, next_at)
    return len(found)


async def _record_missed(work: UnitOfWork, missed: Delivery, more: int) -> None:
    missed.drop("too_late")
    if missed.movement_id is None or not await work.deliveries.add(missed):
        return
    for coordinator in await work.people.coordinators(missed.movement_id):
        await work.deliveries.add(
            to_person(
                coordinator,
                "moment_dropped",
                key=f"moment_dropped:{missed.key}:{coordinator.id}",
                now=missed.created_at,
                movement=missed.movement_id,
                subject=missed.subject,
                priority=Priority.NEWS,
                args={"at": missed.due_at.isoformat(), "more": more},
            )
        )
