"""Claims of the outbox on both databases: order, row locks, concurrent claimers, saved results and conflicts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import text

from adapters.database.unit_of_work import Begin
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority
from bot.ports import Conflict, UnitOfWork
from tests.contract.seed import (
    DAY,
    FATIMA,
    HERE,
    HOUR,
    NIGHT,
    NOW,
    OURS,
    W1,
    WEEKLY,
    Seeded,
    delivery,
    ids,
    place,
    rhythm,
)


async def test_claims_are_ordered_by_priority_then_by_position_in_the_queue(seeded: Seeded) -> None:
    await seeded.add(
        delivery("news"),
        delivery("second", priority=Priority.ANSWER),
        delivery("third", priority=Priority.ANSWER),
        delivery("first", priority=Priority.ANSWER, due_at=NOW, queued_at=NOW - HOUR, reason="pace"),
        delivery("later", due_at=NOW + HOUR, queued_at=NOW - DAY),
        *(delivery(one.value, state=one) for one in DeliveryState if one is not DeliveryState.WAITING),
    )
    async with seeded.begin() as work:
        assert ids(await work.deliveries.claim(W1, NOW, 2)) == ["first", "second"]
        assert ids(await work.deliveries.claim(W1, NOW, 9)) == ["first", "second", "third", "news"]


async def test_a_locked_row_is_waited_for_and_not_overtaken(seeded_postgresql: Seeded) -> None:
    await seeded_postgresql.add(*(delivery(f"d{number}") for number in range(4)))

    async def claim(other: UnitOfWork) -> list[str]:
        return ids(await other.deliveries.claim(W1, NOW, 2))

    async with asyncio.timeout(10):
        async with seeded_postgresql.begin() as work:
            first, second = await work.deliveries.lock([DeliveryId("d0"), DeliveryId("d1")], W1)
            claiming = asyncio.create_task(seeded_postgresql.other(claim))
            await waiting_for_a_lock(seeded_postgresql)
            first.drop("gone")
            second.add_args(more="to say")
        assert await claiming == ["d1", "d2"]


async def waiting_for_a_lock(seeded: Seeded) -> None:
    """Poll until a connection waits for a lock of another."""
    waits = text("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    while True:
        async with seeded.storage.database.connect() as connection:
            if (await connection.execute(waits)).first():
                return


async def test_concurrent_claims_share_what_is_due(seeded: Seeded) -> None:
    async def take(work: UnitOfWork) -> list[str]:
        claimed = await work.deliveries.claim(W1, NOW, 3)
        for one in claimed:
            one.start(NOW)
        await work.deliveries.save_all(claimed)
        return ids(claimed)

    await seeded.add(*(delivery(f"d{number}") for number in range(12)))
    taken = await asyncio.gather(*(transact(take) for transact in seeded.both * 2))
    assert sorted(one for claimed in taken for one in claimed) == sorted(f"d{number}" for number in range(12))


async def test_save_all_stores_every_field_and_can_be_repeated(seeded: Seeded) -> None:
    said = {"text": 'Zoë\'s “stapje” 🌊 \\u0041 {"a": 1}', "list": [1, None, True]}
    await seeded.add(*(delivery(key, args=said, expires_at=NOW + DAY) for key in ("a", "b", "c")))
    async with seeded.begin() as work:
        claimed = await work.deliveries.claim(W1, NOW, 9)
        for one in claimed:
            one.start(NOW + HOUR)
        await work.deliveries.save_all(claimed)
        await work.deliveries.save_all([])
    a, b, c = claimed
    a.record_receipt(NOW + DAY, "c1", "m1")
    b.reschedule(NOW + DAY, "pace")
    c.fail("gone")
    async with seeded.begin() as work:
        await work.deliveries.save_all(claimed)
    async with seeded.begin_other() as work:
        kept = [await work.deliveries.by_key(key) for key in ("a", "b", "c")]
    assert [state(one) for one in kept] == [
        ("sent", "", NOW, 1, NOW + HOUR, NOW + DAY, "m1", "c1", said),
        ("waiting", "pace", NOW + DAY, 1, NOW + HOUR, None, None, None, said),
        ("failed", "gone", NOW, 1, NOW + HOUR, None, None, None, said),
    ]


def state(row: Delivery | None) -> tuple[object, ...]:
    assert row is not None
    said = (row.state.value, row.reason, row.due_at, row.attempts, row.attempted_at, row.sent_at)
    return (*said, row.receipt, row.receipt_channel, row.args)


MEANWHILE: dict[str, Callable[[UnitOfWork], Awaitable[object]]] = {
    "someone is forgotten": lambda work: work.people.forget(FATIMA),
    "it is cancelled": lambda work: work.deliveries.cancel("news", "", "closed"),
    "its place is lost": lambda work: work.deliveries.cancel_for(place(HERE, W1, OURS), "place_gone"),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
async def test_saving_a_row_that_changed_meanwhile_raises_conflict_and_changes_nothing(
    seeded: Seeded, meanwhile: str
) -> None:
    await seeded.add(delivery("a", person_id=FATIMA), delivery("b", kind="other", place_id=NIGHT))
    async with seeded.begin() as work:
        rows = await work.deliveries.claim(W1, NOW, 9)
    async with seeded.begin_other() as work:
        await MEANWHILE[meanwhile](work)
    for one in rows:
        one.record_receipt(NOW, "c1", "m1")
    with pytest.raises(Conflict):
        await save_all(seeded.begin, rows)
    async with seeded.begin() as work:
        again = await work.deliveries.lock([one.id for one in rows], W1)
    assert [one.state for one in again] == [DeliveryState.DROPPED, DeliveryState.WAITING]
    await save_all(seeded.begin, again)


async def save_all(begin: Begin, rows: Sequence[Delivery]) -> None:
    async with begin() as work:
        await work.deliveries.save_all(rows)


async def test_one_transaction_has_one_object_per_row_and_queries_see_its_changes(seeded: Seeded) -> None:
    await seeded.add(delivery("a"), delivery("b"), delivery("c"))
    async with seeded.begin() as work:
        (a, b, c) = await work.deliveries.claim(W1, NOW, 9)
        assert await work.deliveries.by_key("a") is a
        a.drop("gone")
        b.add_args(tried_again=True)
        b.thread = "t1"
        assert [one for one, _ in await work.deliveries.trouble(OURS, NOW - DAY)] == [a]
        assert await work.deliveries.about("news", "", OURS) == [a, b, c]
        c.fail("broken")
    async with seeded.begin_other() as work:
        kept = [await work.deliveries.by_key(key) for key in ("a", "b", "c")]
    told = [(one.state, one.reason, one.args, one.thread) for one in kept if one is not None]
    assert told == [
        (DeliveryState.DROPPED, "gone", {}, None),
        (DeliveryState.WAITING, "", {"tried_again": True}, "t1"),
        (DeliveryState.FAILED, "broken", {}, None),
    ]


async def test_an_added_row_can_be_changed_and_a_rollback_undoes_both(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        new = delivery("a")
        assert await work.deliveries.add_new(new)
        assert await work.deliveries.by_key("a") is new
        new.target = "m1"

    async def break_off() -> None:
        async with seeded.begin() as work:
            row = await work.deliveries.by_key("a")
            assert row is not None
            assert row.target == "m1"
            row.fail("broken")
            assert await work.deliveries.add_new(delivery("b"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    async with seeded.begin() as work:
        kept, never = await work.deliveries.by_key("a"), await work.deliveries.by_key("b")
    assert kept is not None
    assert kept.state is DeliveryState.WAITING
    assert never is None


async def test_prefetch_loads_what_claimed_rows_refer_to(seeded: Seeded) -> None:
    await seeded.add(
        rhythm(WEEKLY),
        delivery("post", kind="rhythm_stories", subject=WEEKLY, priority=Priority.RHYTHM),
        delivery("private", person_id=FATIMA, place_id=None),
    )
    async with seeded.begin() as work:
        held = await work.deliveries.prefetch(await work.deliveries.claim(W1, NOW, 9))
        asked = [
            await work.movements.place(HERE),
            await work.people.in_workspace(FATIMA, W1),
            await work.movements.get(OURS),
            await work.rhythms.get(WEEKLY, OURS),
        ]
    assert [type(one).__name__ for one in held] == ["Place", "Person", "Movement", "Rhythm"]
    assert held == asked
