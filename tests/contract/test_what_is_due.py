"""Rhythms and the outbox, as both databases keep them: what is due comes once, in order, to one at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.domain.delivery import RETRY_REASONS, Act, BulkRow, Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.person import Workspace, WorkspaceId
from bot.domain.rhythm import RhythmId
from bot.domain.story import Retelling
from bot.ports import Begin, Conflict, UnitOfWork
from tests.contract.seed import (
    DAY,
    FATIMA,
    HERE,
    HOUR,
    NIGHT,
    NOW,
    OURS,
    SPELL,
    THEIRS,
    THERE,
    TOLD,
    W1,
    W2,
    WEEKLY,
    Furnished,
    change,
    delivery,
    episode,
    furnished,
    ids,
    place,
    rhythm,
    story,
)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Furnished]:
    """Where two transactions can be open at the same time: on SQLite one waits for the other."""
    async with furnished("postgresql", tmp_path) as made:
        yield made


async def test_rhythms_are_due_by_movement_the_first_first_and_come_next_when_they_are_told(rooms: Furnished) -> None:
    await rooms.keep(
        rhythm("second", next_at=NOW),
        rhythm("first", next_at=NOW - HOUR),
        rhythm("later", next_at=NOW + HOUR),
        rhythm("never", next_at=None),
        rhythm("theirs", movement_id=THEIRS, place_id=THERE, next_at=NOW),
    )
    async with rooms.begin() as work:
        assert await work.rhythms.next_due() == NOW - HOUR
        assert sorted(await work.rhythms.movements_due(NOW)) == [OURS, THEIRS]
        assert await work.rhythms.movements_due(NOW - DAY) == []
        assert [due.id for due in await work.rhythms.due(OURS, NOW, 1)] == ["first"]
        due = sorted(await work.rhythms.due(OURS, NOW, 9))
        assert [(one.id, one.workspace_id, one.next_at) for one in due] == [
            ("first", W1, NOW - HOUR),
            ("second", W1, NOW),
        ]
        first = await work.rhythms.get(RhythmId("first"), OURS)
        assert first is not None
        assert due[0] == first.due_in(await work.movements.place(HERE))  # type: ignore[arg-type]
        await work.rhythms.set_next_at([RhythmId("first")], NOW + DAY)
        await work.rhythms.set_next_at([RhythmId("second"), RhythmId("theirs")], None)
    async with rooms.begin() as work:
        assert await work.rhythms.movements_due(NOW) == []
        assert ids(await work.rhythms.coming(NOW + DAY, 9)) == ["later", "first"]
        assert await work.rhythms.next_due() == NOW + HOUR


async def test_a_rhythm_that_somebody_plans_is_not_planned_by_another(shared: Furnished) -> None:
    await shared.keep(*(rhythm(f"r{number}") for number in range(3)))
    async with asyncio.timeout(10), shared.begin() as work, shared.elsewhere() as other:
        assert sorted(due.id for due in await work.rhythms.due(OURS, NOW, 2)) == ["r0", "r1"]
        assert [due.id for due in await other.rhythms.due(OURS, NOW, 2)] == ["r2"]


async def test_what_was_changed_about_moments_is_found_by_rhythm_for_as_long_as_it_matters(rooms: Furnished) -> None:
    monday = NOW.date()
    await rooms.keep(
        rhythm("r1"),
        rhythm("r2"),
        rhythm("ended", ended_at=NOW, next_at=None),
        change("r1", monday, skipped=True),
        change("r1", monday + timedelta(days=7), moved_to=NOW + DAY),
        change("r1", monday - timedelta(days=90), skipped=True),
        change("r2", monday, skipped=True),
    )
    async with rooms.begin() as work:
        r1, _ = await work.rhythms.of_place(HERE)
        assert set(await work.rhythms.changes(r1, NOW)) == {monday, monday + timedelta(days=7)}
        due = await work.rhythms.due(OURS, NOW, 2)
        changes = await work.rhythms.changes_of(due)
        assert {its: set(of) for its, of in changes.items()} == {
            "r1": {monday, monday + timedelta(days=7)},
            "r2": {monday},
        }
        assert await work.rhythms.changes_of([]) == {}
        assert (await work.rhythms.change(RhythmId("r2"), monday)) is changes[RhythmId("r2")][monday]
        assert await work.rhythms.change(RhythmId("r2"), date(2027, 1, 1)) is None


# -- the outbox -------------------------------------------------------------------------------------------------------


async def test_what_is_due_is_claimed_by_priority_then_by_its_place_in_the_line(rooms: Furnished) -> None:
    await rooms.keep(
        delivery("news"),
        delivery("second", priority=Priority.ANSWER),
        delivery("third", priority=Priority.ANSWER),
        delivery("first", priority=Priority.ANSWER, due_at=NOW, queued_at=NOW - HOUR, reason="pace"),
        delivery("later", due_at=NOW + HOUR, queued_at=NOW - DAY),
        *(delivery(one.value, state=one) for one in DeliveryState if one is not DeliveryState.WAITING),
    )
    async with rooms.begin() as work:
        assert ids(await work.deliveries.claim(W1, NOW, 2)) == ["first", "second"]
        assert ids(await work.deliveries.claim(W1, NOW, 9)) == ["first", "second", "third", "news"]


async def test_what_somebody_has_in_hand_is_waited_for_and_not_overtaken(shared: Furnished) -> None:
    await shared.keep(*(delivery(f"d{number}") for number in range(4)))

    async def claim() -> list[str]:
        async with shared.elsewhere() as other:
            return ids(await other.deliveries.claim(W1, NOW, 2))

    async with asyncio.timeout(10):
        async with shared.begin() as work:
            first, second = await work.deliveries.lock([DeliveryId("d0"), DeliveryId("d1")], W1)
            claiming = asyncio.create_task(claim())
            await waiting_for_a_lock(shared)
            first.drop("gone")
            second.note(more="to say")
        assert await claiming == ["d1", "d2"]


async def waiting_for_a_lock(rooms: Furnished) -> None:
    """Returns when somebody waits for somebody else."""
    waits = text("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    while True:
        async with rooms.kept.database.connect() as connection:
            if (await connection.execute(waits)).first():
                return


async def test_several_that_claim_at_once_share_what_is_due(rooms: Furnished) -> None:
    async def take(begin: Begin) -> list[str]:
        async with begin() as work:
            claimed = await work.deliveries.claim(W1, NOW, 3)
            for one in claimed:
                one.start(NOW)
            await work.deliveries.save_all(claimed)
            return ids(claimed)

    await rooms.keep(*(delivery(f"d{number}") for number in range(12)))
    taken = await asyncio.gather(*(take(begin) for begin in (rooms.begin, rooms.elsewhere) * 2))
    assert sorted(one for claimed in taken for one in claimed) == sorted(f"d{number}" for number in range(12))


async def test_what_is_put_down_is_as_it_was_left_and_can_be_put_down_again(rooms: Furnished) -> None:
    said = {"text": 'Zoë\'s “stapje” 🌊 \\u0041 {"a": 1}', "list": [1, None, True]}
    await rooms.keep(*(delivery(key, args=said, expires_at=NOW + DAY) for key in ("a", "b", "c")))
    async with rooms.begin() as work:
        claimed = await work.deliveries.claim(W1, NOW, 9)
        for one in claimed:
            one.start(NOW + HOUR)
        await work.deliveries.save_all(claimed)
        await work.deliveries.save_all([])
    a, b, c = claimed
    a.arrived(NOW + DAY, "c1", "m1")
    b.reschedule(NOW + DAY, "pace")
    c.fail("gone")
    async with rooms.begin() as work:
        await work.deliveries.save_all(claimed)
    async with rooms.elsewhere() as work:
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
async def test_who_changes_a_row_last_has_lost_the_race_and_changes_nothing(rooms: Furnished, meanwhile: str) -> None:
    await rooms.keep(delivery("a", person_id=FATIMA), delivery("b", kind="other", place_id=NIGHT))
    async with rooms.begin() as work:
        rows = await work.deliveries.claim(W1, NOW, 9)
    async with rooms.elsewhere() as work:
        await MEANWHILE[meanwhile](work)
    for one in rows:
        one.arrived(NOW, "c1", "m1")
    with pytest.raises(Conflict):
        await save_all(rooms.begin, rows)
    async with rooms.begin() as work:
        again = await work.deliveries.lock([one.id for one in rows], W1)
    assert [one.state for one in again] == [DeliveryState.DROPPED, DeliveryState.WAITING]
    await save_all(rooms.begin, again)


async def save_all(begin: Begin, rows: Sequence[Delivery]) -> None:
    async with begin() as work:
        await work.deliveries.save_all(rows)


async def test_in_one_transaction_a_row_is_one_object_and_questions_see_what_was_changed(rooms: Furnished) -> None:
    await rooms.keep(delivery("a"), delivery("b"), delivery("c"))
    async with rooms.begin() as work:
        (a, b, c) = await work.deliveries.claim(W1, NOW, 9)
        assert await work.deliveries.by_key("a") is a
        a.drop("gone")
        b.note(tried_again=True)
        b.thread = "t1"
        assert [one for one, _ in await work.deliveries.trouble(OURS, NOW - DAY)] == [a]
        assert await work.deliveries.about("news", "", OURS) == [a, b, c]
        c.fail("broken")
    async with rooms.elsewhere() as work:
        kept = [await work.deliveries.by_key(key) for key in ("a", "b", "c")]
    told = [(one.state, one.reason, one.args, one.thread) for one in kept if one is not None]
    assert told == [
        (DeliveryState.DROPPED, "gone", {}, None),
        (DeliveryState.WAITING, "", {"tried_again": True}, "t1"),
        (DeliveryState.FAILED, "broken", {}, None),
    ]


async def test_what_was_added_may_still_be_changed_and_what_is_rolled_back_was_never_there(rooms: Furnished) -> None:
    async with rooms.begin() as work:
        new = delivery("a")
        assert await work.deliveries.add(new)
        assert await work.deliveries.by_key("a") is new
        new.target = "m1"

    async def break_off() -> None:
        async with rooms.begin() as work:
            row = await work.deliveries.by_key("a")
            assert row is not None
            assert row.target == "m1"
            row.fail("broken")
            assert await work.deliveries.add(delivery("b"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    async with rooms.begin() as work:
        kept, never = await work.deliveries.by_key("a"), await work.deliveries.by_key("b")
    assert kept is not None
    assert kept.state is DeliveryState.WAITING
    assert never is None


async def test_a_reminder_counts_as_unanswered_from_what_is_known_by_then(shared: Furnished) -> None:
    await shared.keep(rhythm("r", unanswered=2))
    async with asyncio.timeout(10), shared.begin() as work:
        sent = await work.rhythms.get(RhythmId("r"), OURS)
        assert sent is not None
        work.rhythms.increment_unanswered(sent)
        async with shared.elsewhere() as other:  # somebody answers the one before
            answered = await other.rhythms.get(RhythmId("r"), OURS)
            assert answered is not None
            answered.unanswered = 0
        assert sent.unanswered == 3
    async with shared.begin() as work:
        again = await work.rhythms.get(RhythmId("r"), OURS)
        assert again is not None
        assert again.unanswered == 1


async def test_reminders_are_counted_each_also_two_of_one_rhythm_at_once(rooms: Furnished) -> None:
    await rooms.keep(rhythm("r"), rhythm("other", place_id=NIGHT), rhythm("silent"))
    async with rooms.begin() as work:
        found = [await work.rhythms.get(RhythmId(one), OURS) for one in ("r", "other", "r")]
        for one in found:
            assert one is not None
            work.rhythms.increment_unanswered(one)
    async with rooms.begin() as work:
        again = await work.rhythms.of_movement(OURS)
    assert {one.id: one.unanswered for one in again} == {"r": 2, "other": 1, "silent": 0}


async def test_a_key_is_kept_once_and_wakes_its_lane_once(rooms: Furnished) -> None:
    async with rooms.begin() as work:
        assert await work.deliveries.add(delivery("a"))
        assert not await work.deliveries.add(delivery("a", id=DeliveryId("other"), workspace_id=W2))
        assert work.woken == {W1}
    async with rooms.begin() as work:
        assert not await work.deliveries.add(delivery("a", id=DeliveryId("other")))
        assert work.woken == set()
    async with rooms.begin() as work:
        assert ids(await work.deliveries.claim(W1, NOW, 9)) == ["a"]


async def test_many_alike_are_kept_in_order_and_twice_is_once(rooms: Furnished) -> None:
    like = delivery("like", kind="rhythm_stories", args={"on": "2027-03-01"}, priority=Priority.RHYTHM)
    await rooms.keep(delivery("k2", subject="here already"))
    each = [BulkRow(place, f"r{number}", f"k{number}") for number, place in enumerate((NIGHT, HERE, NIGHT, HERE))]
    for some in (each[:3], each):
        async with rooms.begin() as work:
            await work.deliveries.bulk_add(like, some)
            assert work.woken == {W1}
    async with rooms.begin() as work:
        rows = await work.deliveries.claim(W1, NOW, 9)
    assert [(one.key, one.place_id, one.subject) for one in rows] == [
        ("k0", NIGHT, "r0"),
        ("k1", HERE, "r1"),
        ("k3", HERE, "r3"),
        ("k2", HERE, "here already"),
    ]
    assert [(one.kind, one.args, one.movement_id) for one in rows[:3]] == [("rhythm_stories", like.args, OURS)] * 3
    assert len({one.id for one in rows}) == 4


async def test_lanes_with_something_to_send_or_to_look_up_are_due_but_not_those_that_let_us_in_no_more(
    rooms: Furnished,
) -> None:
    lanes = {name: WorkspaceId(f"test:{name}") for name in ("waits", "unknown", "later", "sent", "gone")}
    states = {"unknown": DeliveryState.UNKNOWN, "sent": DeliveryState.SENT}
    elsewhere = {"movement_id": None, "place_id": None}
    await rooms.keep(
        *(Workspace(id=lane, gone_at=NOW if name == "gone" else None) for name, lane in lanes.items()),
        *(
            delivery(
                workspace_id=lane,
                state=states.get(name, DeliveryState.WAITING),
                due_at=NOW + HOUR if name == "later" else NOW - DAY if name == "gone" else NOW,
                **elsewhere,
            )
            for name, lane in (*lanes.items(), *lanes.items())
        ),
    )
    async with rooms.begin() as work:
        assert sorted(await work.deliveries.lanes_due(NOW)) == [lanes["unknown"], lanes["waits"]]
        assert await work.deliveries.lanes_due(NOW - HOUR) == []
        assert await work.deliveries.next_due() == NOW


async def test_what_may_have_been_sent_and_what_waits_to_be_tried_again(rooms: Furnished) -> None:
    await rooms.keep(
        delivery("old", state=DeliveryState.SENDING, attempted_at=NOW - HOUR),
        delivery("fresh", state=DeliveryState.SENDING, attempted_at=NOW),
        delivery("lost", state=DeliveryState.UNKNOWN, attempted_at=NOW - HOUR),
        delivery("lost later", state=DeliveryState.UNKNOWN, attempted_at=NOW),
        *(delivery(reason, reason=reason) for reason in RETRY_REASONS),
        delivery("quiet", reason="quiet_hours"),
        delivery("sent", reason="pace", state=DeliveryState.SENT),
        delivery("theirs", workspace_id=W2, state=DeliveryState.SENDING, attempted_at=NOW - HOUR, reason="pace"),
    )
    async with rooms.begin() as work:
        assert sorted(ids(await work.deliveries.stale(NOW))) == ["old", "theirs"]
        assert ids(await work.deliveries.unknown(W1)) == ["lost", "lost later"]
        assert sorted(ids(await work.deliveries.in_doubt(W1))) == ["fresh", "lost", "lost later", "old"]
        assert sorted(ids(await work.deliveries.awaiting_retry(W1))) == sorted(RETRY_REASONS)


async def test_what_is_settled_is_forgotten_but_not_that_by_which_a_story_can_be_taken_back(rooms: Furnished) -> None:
    old = {"due_at": NOW - DAY}
    await rooms.keep(
        *(delivery(one.value, state=one, **old) for one in DeliveryState),
        delivery("told", state=DeliveryState.SENT, **old),
        delivery("fresh", state=DeliveryState.SENT),
        story(TOLD),
    )
    async with rooms.begin() as work:
        work.stories.add(Retelling(story_id=TOLD, delivery_id=DeliveryId("told"), movement_id=OURS))
    async with rooms.begin() as work:
        assert [await work.deliveries.forget(NOW, 2) for _ in range(3)] == [2, 1, 0]
        left = ids(await work.deliveries.of_movement(OURS, NOW - DAY, 99))
    assert sorted(left) == ["fresh", "sending", "told", "unknown", "waiting"]


async def test_what_waits_for_a_place_and_what_is_dropped_of_it(rooms: Furnished) -> None:
    lost = {"reason": "place_gone"}
    await rooms.keep(
        delivery("first", **lost),
        delivery("second", **lost),
        delivery("private", person_id=FATIMA, **lost),
        delivery("quiet", reason="quiet_hours"),
        delivery("night", place_id=NIGHT, **lost),
        delivery("sending", state=DeliveryState.SENDING, attempted_at=NOW),
    )
    async with rooms.begin() as work:
        here = await work.movements.place(HERE)
        assert here is not None
        here.lose("place_gone")
        await work.flush()
        assert ids(await work.deliveries.held_for(here)) == ["first", "second"]
    async with rooms.begin() as work:
        assert await work.deliveries.cancel_for(here, "place_gone") == 4
        assert await work.deliveries.cancel_for(here, "place_gone") == 0
        assert ids(await work.deliveries.planned(W1, 9)) == ["night"]


async def test_only_what_waits_of_a_kind_about_a_subject_is_cancelled(rooms: Furnished) -> None:
    about = {"kind": "follow_up", "subject": "p1"}
    await rooms.keep(
        delivery("gone", **about),
        delivery("sending", state=DeliveryState.SENDING, **about),
        delivery("other kind", kind="news", subject="p1"),
        delivery("other subject", kind="follow_up", subject="p2"),
    )
    async with rooms.begin() as work:
        assert await work.deliveries.cancel("follow_up", "p1", "closed") == 1
    async with rooms.begin() as work:
        assert sorted(ids(await work.deliveries.waiting("follow_up", W1))) == ["other subject"]
        assert ids(await work.deliveries.about("follow_up", "p1", OURS)) == ["gone", "sending"]
        gone = await work.deliveries.by_key("gone")
        assert gone is not None
        assert (gone.state, gone.reason) == (DeliveryState.DROPPED, "closed")


async def test_what_coordinators_and_people_look_back_on_comes_in_order(rooms: Furnished) -> None:
    spell = episode(SPELL)
    await rooms.keep(
        spell,
        delivery("failed", state=DeliveryState.FAILED, due_at=NOW - HOUR),
        delivery("held", reason="place_gone", due_at=NOW),
        delivery("waits", due_at=NOW + HOUR, subject=SPELL),
        delivery("sent", state=DeliveryState.SENT, sent_at=NOW, person_id=FATIMA, created_at=NOW + HOUR),
        delivery("page", state=DeliveryState.SENT, sent_at=NOW - DAY, person_id=FATIMA, act=Act.HOME),
        delivery("old", state=DeliveryState.DROPPED, due_at=NOW - 2 * DAY, created_at=NOW - 2 * DAY),
        delivery("posted", state=DeliveryState.SENT, sent_at=NOW + HOUR, subject=SPELL),
    )
    async with rooms.begin() as work:
        trouble = await work.deliveries.trouble(OURS, NOW - DAY)
        assert [(row.id, where and where.id) for row, where in trouble] == [("held", HERE), ("failed", HERE)]
        assert ids(await work.deliveries.planned(W1, 9)) == ["held", "waits"]
        assert ids(await work.deliveries.settled(W1, 3)) == ["posted", "sent", "failed"]
        assert ids(await work.deliveries.of_person(FATIMA, NOW - DAY)) == ["sent"]
        assert ids(await work.deliveries.posted_for(FATIMA)) == ["posted"]
        assert ids(await work.deliveries.of_movement(OURS, NOW - DAY, 3)) == ["sent", "posted", "page"]


async def test_what_coordinators_see_was_held_back_is_the_same_in_the_database(rooms: Furnished) -> None:
    everything = [
        delivery(state=state, reason=reason, act=act, priority=priority, person_id=whose)
        for state in DeliveryState
        for reason in ("", "place_gone", "pace")
        for act in (Act.POST, Act.UPDATE)
        for priority in (Priority.ANSWER, Priority.RHYTHM)
        for whose in (None, FATIMA)
    ]
    await rooms.keep(*everything)
    async with rooms.begin() as work:
        rows = await work.deliveries.of_movement(OURS, NOW - DAY, 999)
        found = await work.deliveries.of_movement(OURS, NOW - DAY, 999, not_posted=True)
        assert len(rows) == len(everything)
        assert ids(found) == ids(one for one in rows if one.was_not_posted) != []
        assert ids(await work.deliveries.of_movement(OURS, NOW - DAY, 2, not_posted=True)) == ids(found)[:2]


async def test_what_claimed_rows_are_for_is_loaded_all_at_once(rooms: Furnished) -> None:
    await rooms.keep(
        rhythm(WEEKLY),
        delivery("post", kind="rhythm_stories", subject=WEEKLY, priority=Priority.RHYTHM),
        delivery("private", person_id=FATIMA, place_id=None),
    )
    async with rooms.begin() as work:
        held = await work.deliveries.prefetch(await work.deliveries.claim(W1, NOW, 9))
        asked = [
            await work.movements.place(HERE),
            await work.people.in_workspace(FATIMA, W1),
            await work.movements.get(OURS),
            await work.rhythms.get(WEEKLY, OURS),
        ]
    assert [type(one).__name__ for one in held] == ["Place", "Person", "Movement", "Rhythm"]
    assert held == asked
