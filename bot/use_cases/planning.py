"""Planning: what the clock asks for, as deliveries in the outbox."""

from datetime import datetime, timedelta
from itertools import takewhile

from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.rhythm import LATEST, Rhythm, holidays_of, moments, planned, reckon
from bot.ports import UnitOfWork


async def plan_due(work: UnitOfWork, now: datetime, limit: int) -> int:
    """Turns due moments into deliveries, keyed by rhythm and moment. Returns how many rhythms were planned.

    A moment at most four hours past is still sent. Of what is older, the last is put on record as dropped, and the
    coordinators hear of it once.
    """
    due = await work.rhythms.due(now, limit)
    for rhythm in due:
        movement = await work.movements.get(rhythm.movement_id)
        there = await work.movements.place(rhythm.place_id)
        if movement is None or there is None or rhythm.next_at is None:
            rhythm.next_at = None
            continue
        since = rhythm.next_at - timedelta(microseconds=1)
        changes, is_holiday = await work.rhythms.changes(rhythm, since), holidays_of(movement)
        coming = moments(rhythm, changes, is_holiday, after=since)
        past = list(takewhile(lambda moment: moment.at <= now, coming))
        for moment in past:
            if now - moment.at <= LATEST:
                await work.deliveries.add(planned(rhythm, there, moment, now))
        missed = [moment for moment in past if now - moment.at > LATEST]
        if missed:
            await _record_missed(work, rhythm, planned(rhythm, there, missed[-1], now), len(missed) - 1)
        reckon(rhythm, changes, is_holiday, after=now)
    return len(due)


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
