"""What keeps rhythms whole: a moment that is due by now is planned or recorded as missed, also while things change."""

from datetime import datetime

from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.movement import Movement
from bot.domain.rhythm import MISFIRE_GRACE, Rhythm, due_moments, plan_moment
from bot.ports import UnitOfWork


async def plan_past(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime) -> None:
    """Plan the moments of a rhythm that are due by now, before it is changed: as it was, since they were to come before
    the change. Of those that are too late the last is recorded."""
    place = await work.movements.place(rhythm.place_id)
    if place is None or rhythm.next_at is None or rhythm.next_at > now:
        return
    due, changes = rhythm.due_in(place), await work.rhythms.changes(rhythm, rhythm.next_at)
    past, rhythm.next_at = due_moments(due, changes, movement, now)
    missed = [plan_moment(due, moment, now) for moment in past if now - moment.at > MISFIRE_GRACE]
    for moment in past[len(missed) :]:
        await work.deliveries.add(plan_moment(due, moment, now))
    if missed:
        await record_missed_moment(work, missed[-1], len(missed) - 1)


async def record_missed_moment(work: UnitOfWork, missed: Delivery, more: int) -> None:
    """Store a moment as dropped: too late. Notify the coordinators. `more` counts those missed before it."""
    missed.drop("too_late")
    if missed.movement_id is None or not await work.deliveries.add(missed):
        return  # its key was there: another run recorded it
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
