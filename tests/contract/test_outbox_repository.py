"""Storage of the outbox on both databases: unique keys, lanes due, queries by state, place and reader."""

from typing import Any

from bot.domain.delivery import RETRY_REASONS, Act, BulkRow, DeliveryId, DeliveryState, Priority
from bot.domain.person import Workspace, WorkspaceId
from bot.domain.story import Retelling
from tests.contract.seed import (
    DAY,
    FATIMA,
    HERE,
    HOUR,
    NIGHT,
    NOW,
    OURS,
    SPELL,
    TOLD,
    W1,
    W2,
    Seeded,
    delivery,
    episode,
    ids,
    story,
)


async def test_a_key_is_stored_once_and_wakes_its_lane_once(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        assert await work.deliveries.add_new(delivery("a"))
        assert not await work.deliveries.add_new(delivery("a", id=DeliveryId("other"), workspace_id=W2))
        assert work.woken == {W1}
    async with seeded.begin() as work:
        assert not await work.deliveries.add_new(delivery("a", id=DeliveryId("other")))
        assert work.woken == set()
    async with seeded.begin() as work:
        assert ids(await work.deliveries.claim(W1, NOW, 9)) == ["a"]


async def test_what_comes_due_later_wakes_no_lane_yet(seeded: Seeded) -> None:
    async with seeded.begin() as work:
        assert await work.deliveries.add_new(delivery("a", due_at=NOW + HOUR))
        assert await work.deliveries.add_new(delivery("b"), wakes=False)
        assert work.woken == set()


async def test_an_answer_stands_behind_what_is_ahead_of_it_for_the_same_place_or_person(seeded: Seeded) -> None:
    there: dict[str, Any] = {"priority": Priority.ANSWER}
    mine = {**there, "place_id": None, "person_id": FATIMA}
    answer, here = delivery("answer", **mine), delivery("here", **there, person_id=FATIMA)
    later = {"due_at": NOW + HOUR}
    ahead = (
        {},
        {"state": DeliveryState.SENDING},
        {"state": DeliveryState.UNKNOWN, "priority": Priority.NEWS, **later},
        *({"reason": reason, **later} for reason in RETRY_REASONS),
    )
    beside = (
        later,
        {"priority": Priority.RHYTHM},
        {"state": DeliveryState.SENT, "sent_at": NOW},
        {"state": DeliveryState.FAILED},
        {"act": Act.HOME},
        {"workspace_id": W2},
    )
    for waits, where in ((answer, mine), (here, there)):
        async with seeded.begin() as work:
            await work.deliveries.add(waits)
            assert not await work.deliveries.stands_behind(waits, NOW)
        for number, more in enumerate((*ahead, *beside)):
            async with seeded.begin() as work:
                one = delivery(f"{waits.key}.{number}", **{**where, **more})
                await work.deliveries.add(one)
                assert await work.deliveries.stands_behind(waits, NOW) is (number < len(ahead)), more
                one.drop("over")
                await work.deliveries.save_all([one])
    async with seeded.begin() as work:
        assert not await work.deliveries.stands_behind(answer, NOW)  # "here" waits in a place


async def test_bulk_add_keeps_the_order_and_skips_known_keys(seeded: Seeded) -> None:
    like = delivery("like", kind="rhythm_stories", args={"on": "2027-03-01"}, priority=Priority.RHYTHM)
    await seeded.add(delivery("k2", subject="here already"))
    each = [BulkRow(place, f"r{number}", f"k{number}") for number, place in enumerate((NIGHT, HERE, NIGHT, HERE))]
    for some in (each[:3], each):
        async with seeded.begin() as work:
            await work.deliveries.bulk_add(like, some)
            assert work.woken == {W1}
    async with seeded.begin() as work:
        rows = await work.deliveries.claim(W1, NOW, 9)
    assert [(one.key, one.place_id, one.subject) for one in rows] == [
        ("k0", NIGHT, "r0"),
        ("k1", HERE, "r1"),
        ("k3", HERE, "r3"),
        ("k2", HERE, "here already"),
    ]
    assert [(one.kind, one.args, one.movement_id) for one in rows[:3]] == [("rhythm_stories", like.args, OURS)] * 3
    assert len({one.id for one in rows}) == 4


async def test_lanes_due_have_something_to_send_or_look_up_and_are_still_installed(
    seeded: Seeded,
) -> None:
    lanes = {name: WorkspaceId(f"test:{name}") for name in ("waits", "unknown", "later", "sent", "gone")}
    states = {"unknown": DeliveryState.UNKNOWN, "sent": DeliveryState.SENT}
    elsewhere = {"movement_id": None, "place_id": None}
    await seeded.add(
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
    async with seeded.begin() as work:
        assert sorted(await work.deliveries.lanes_due(NOW)) == [lanes["unknown"], lanes["waits"]]
        assert await work.deliveries.lanes_due(NOW - HOUR) == []
        assert await work.deliveries.next_due() == NOW


async def test_stale_unknown_in_doubt_and_awaiting_retry(seeded: Seeded) -> None:
    await seeded.add(
        delivery("old", state=DeliveryState.SENDING, attempted_at=NOW - HOUR),
        delivery("fresh", state=DeliveryState.SENDING, attempted_at=NOW),
        delivery("lost", state=DeliveryState.UNKNOWN, attempted_at=NOW - HOUR),
        delivery("lost later", state=DeliveryState.UNKNOWN, attempted_at=NOW),
        *(delivery(reason, reason=reason) for reason in RETRY_REASONS),
        delivery("quiet", reason="quiet_hours"),
        delivery("sent", reason="pace", state=DeliveryState.SENT),
        delivery("theirs", workspace_id=W2, state=DeliveryState.SENDING, attempted_at=NOW - HOUR, reason="pace"),
    )
    async with seeded.begin() as work:
        assert sorted(ids(await work.deliveries.stale(NOW))) == ["old", "theirs"]
        assert ids(await work.deliveries.unknown(W1)) == ["lost", "lost later"]
        assert sorted(ids(await work.deliveries.in_doubt(W1))) == ["fresh", "lost", "lost later", "old"]
        assert sorted(ids(await work.deliveries.awaiting_retry(W1))) == sorted(RETRY_REASONS)


async def test_settled_deliveries_are_deleted_but_not_those_that_carry_a_story(seeded: Seeded) -> None:
    old = {"due_at": NOW - DAY}
    await seeded.add(
        *(delivery(one.value, state=one, **old) for one in DeliveryState),
        delivery("told", state=DeliveryState.SENT, **old),
        delivery("fresh", state=DeliveryState.SENT),
        story(TOLD),
    )
    async with seeded.begin() as work:
        work.stories.add(Retelling(story_id=TOLD, delivery_id=DeliveryId("told"), movement_id=OURS))
    async with seeded.begin() as work:
        assert [await work.deliveries.forget(NOW, 2) for _ in range(3)] == [2, 1, 0]
        left = ids(await work.deliveries.of_movement(OURS, NOW - DAY, 99))
    assert sorted(left) == ["fresh", "sending", "told", "unknown", "waiting"]


async def test_deliveries_held_for_a_lost_place_and_cancelled_with_it(seeded: Seeded) -> None:
    lost = {"reason": "place_gone"}
    await seeded.add(
        delivery("first", **lost),
        delivery("second", **lost),
        delivery("private", person_id=FATIMA, **lost),
        delivery("quiet", reason="quiet_hours"),
        delivery("night", place_id=NIGHT, **lost),
        delivery("sending", state=DeliveryState.SENDING, attempted_at=NOW),
    )
    async with seeded.begin() as work:
        lost_place = await work.movements.place(HERE)
        assert lost_place is not None
        lost_place.mark_unreachable("place_gone")
        await work.flush()
        assert ids(await work.deliveries.held_for(lost_place)) == ["first", "second"]
    async with seeded.begin() as work:
        assert await work.deliveries.cancel_for(lost_place, "place_gone") == 4
        assert await work.deliveries.cancel_for(lost_place, "place_gone") == 0
        assert ids(await work.deliveries.upcoming(W1, 9)) == ["night"]


async def test_cancel_drops_only_waiting_deliveries_of_a_kind_and_subject(seeded: Seeded) -> None:
    about = {"kind": "follow_up", "subject": "p1"}
    await seeded.add(
        delivery("gone", **about),
        delivery("sending", state=DeliveryState.SENDING, **about),
        delivery("other kind", kind="news", subject="p1"),
        delivery("other subject", kind="follow_up", subject="p2"),
    )
    async with seeded.begin() as work:
        assert await work.deliveries.cancel("follow_up", "p1", "closed") == 1
    async with seeded.begin() as work:
        assert sorted(ids(await work.deliveries.waiting("follow_up", W1))) == ["other subject"]
        assert ids(await work.deliveries.about("follow_up", "p1", OURS)) == ["gone", "sending"]
        gone = await work.deliveries.by_key("gone")
        assert gone is not None
        assert (gone.state, gone.reason) == (DeliveryState.DROPPED, "closed")


async def test_lists_for_coordinators_and_people_are_in_order(seeded: Seeded) -> None:
    spell = episode(SPELL)
    await seeded.add(
        spell,
        delivery("failed", state=DeliveryState.FAILED, due_at=NOW - HOUR),
        delivery("held", reason="place_gone", due_at=NOW),
        delivery("waits", due_at=NOW + HOUR, subject=SPELL),
        delivery("sent", state=DeliveryState.SENT, sent_at=NOW, person_id=FATIMA, created_at=NOW + HOUR),
        delivery("page", state=DeliveryState.SENT, sent_at=NOW - DAY, person_id=FATIMA, act=Act.HOME),
        delivery("old", state=DeliveryState.DROPPED, due_at=NOW - 2 * DAY, created_at=NOW - 2 * DAY),
        delivery("posted", state=DeliveryState.SENT, sent_at=NOW + HOUR, subject=SPELL),
    )
    async with seeded.begin() as work:
        trouble = await work.deliveries.trouble(OURS, NOW - DAY)
        assert [(row.id, where and where.id) for row, where in trouble] == [("held", HERE), ("failed", HERE)]
        assert ids(await work.deliveries.upcoming(W1, 9)) == ["held", "waits"]
        assert ids(await work.deliveries.history(W1, 3)) == ["posted", "sent", "failed"]
        assert ids(await work.deliveries.of_person(FATIMA, NOW - DAY)) == ["sent"]
        assert ids(await work.deliveries.sent_to(FATIMA)) == ["sent"]
        assert ids(await work.deliveries.of_movement(OURS, NOW - DAY, 3)) == ["sent", "posted", "page"]


async def test_not_posted_selects_the_same_rows_in_the_database_as_in_python(seeded: Seeded) -> None:
    everything = [
        delivery(state=state, reason=reason, act=act, priority=priority, person_id=whose)
        for state in DeliveryState
        for reason in ("", "place_gone", "pace")
        for act in (Act.POST, Act.UPDATE)
        for priority in (Priority.ANSWER, Priority.RHYTHM)
        for whose in (None, FATIMA)
    ]
    await seeded.add(*everything)
    async with seeded.begin() as work:
        rows = await work.deliveries.of_movement(OURS, NOW - DAY, 999)
        found = await work.deliveries.of_movement(OURS, NOW - DAY, 999, not_posted=True)
        assert len(rows) == len(everything)
        assert ids(found) == ids(one for one in rows if one.was_not_posted) != []
        assert ids(await work.deliveries.of_movement(OURS, NOW - DAY, 2, not_posted=True)) == ids(found)[:2]
