"""Planning: what the clock asks for, as deliveries in the outbox."""

from datetime import datetime

from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.rhythm import LATEST, Rhythm, due_moments, planned
from bot.ports import UnitOfWork


async def plan_due(work: UnitOfWork, now: datetime, limit: int, movement: MovementId) -> int:
    """Turns due moments of a movement into deliveries, keyed by rhythm and moment. Returns how many rhythms were
    planned.

    A moment at most four hours past is still sent. Of what is older, the last is put on record as dropped, and the
    coordinators hear of it once.
    """
    found = await work.rhythms.due(movement, now, limit)
    changed = await work.rhythms.changes_of([rhythm for rhythm, _, _ in found])
    coming: list[Delivery] = []
    for rhythm, there, kept_by in found:
        past, rhythm.next_at = due_moments(rhythm, changed.get(rhythm.id, {}), kept_by, now)
        coming += [planned(rhythm, there, moment, now) for moment in past if now - moment.at <= LATEST]
        missed = [moment for moment in past if now - moment.at > LATEST]
        if missed:
            await _record_missed(work, rhythm, planned(rhythm, there, missed[-1], now), len(missed) - 1)
    await work.deliveries.add_all(coming)
    return len(found)


async def _record_missed(work: UnitOfWork, rhythm: Rhythm, missed: Delivery, more: int) -> None:
    missed.drop("too_late")
    if not await work.deliveries.add(missed):
        return
    for coordinator in await work.people.coordinators(rhythm.movement_id):
        await work.deliveries.add(
            to_person(
                coordinator,
                "moment_dropped",
                key=f"moment_dropped:{missed.key}:{coordinator.id}",
                now=missed.created_at,
                movement=rhythm.movement_id,
                subject=rhythm.id,
                priority=Priority.NEWS,
                args={"at": missed.due_at.isoformat(), "more": more},
            )
        )
