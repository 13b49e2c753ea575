"""Asks of one person are few, over all movements, also when two are made at the same moment."""

import asyncio
from datetime import datetime

from bot.domain.delivery import DeliveryState, Priority
from bot.domain.movement import MovementId
from bot.ports import Transact
from tests.contract.seed import DAY, JAN, NOW, OURS, THEIRS, Seeded, delivery

A_MOMENT = 0.3
"""Seconds in which a transaction that waits for nobody would be done."""


async def ask(transact: Transact, movement: MovementId, kind: str = "invitation", **more: object) -> bool:
    message = delivery(
        person_id=JAN, place_id=None, movement_id=movement, kind=kind, priority=Priority.FROM_A_PERSON, **more
    )
    return await transact(lambda work: work.deliveries.add_ask(message, NOW))


async def test_two_in_a_month_of_whatever_kind_and_movement(seeded: Seeded) -> None:
    assert await ask(seeded.storage.transact, OURS, "company_asked")
    assert await ask(seeded.storage.transact, THEIRS, "nominated")
    assert not await ask(seeded.storage.transact, OURS)
    async with seeded.begin() as work:
        assert await work.deliveries.asked_enough([JAN], NOW) == {JAN}
        assert await work.deliveries.asked_enough([JAN], NOW + 31 * DAY) == set()
        assert await work.deliveries.count_asks(JAN, NOW + 31 * DAY) == 0
        assert await work.deliveries.asked_enough([], NOW) == set()


async def test_what_was_dropped_or_failed_before_it_was_sent_does_not_count(seeded: Seeded) -> None:
    for state in (DeliveryState.DROPPED, DeliveryState.FAILED):
        assert await ask(seeded.storage.transact, OURS, state=state)
    assert await ask(seeded.storage.transact, OURS)
    assert await ask(seeded.storage.transact, OURS)
    assert not await ask(seeded.storage.transact, OURS)


async def test_one_that_may_wait_gets_the_first_moment_with_room(seeded: Seeded) -> None:
    async def postpone(due_at: datetime) -> datetime:
        message = delivery(
            person_id=JAN, place_id=None, kind="invitation", priority=Priority.FROM_A_PERSON, due_at=due_at
        )
        async with seeded.begin() as work:
            assert await work.deliveries.add_ask(message, NOW, postpone=True)
        return message.due_at

    assert await postpone(NOW) == NOW
    assert await postpone(NOW + 14 * DAY) == NOW + 14 * DAY
    assert await postpone(NOW + 14 * DAY) == NOW + 30 * DAY
    assert await postpone(NOW) == NOW + 44 * DAY


async def test_at_the_same_moment_one_waits_for_the_other_to_be_counted(seeded: Seeded) -> None:
    assert await ask(seeded.storage.transact, OURS)
    message = delivery(person_id=JAN, place_id=None, kind="invitation", priority=Priority.FROM_A_PERSON)
    async with seeded.begin() as work:
        assert await work.deliveries.add_ask(message, NOW)
        meanwhile = asyncio.create_task(ask(seeded.other, THEIRS))
        done, _ = await asyncio.wait({meanwhile}, timeout=A_MOMENT)
        assert done == set()
    assert not await meanwhile
