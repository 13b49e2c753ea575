"""Storage of rhythms on both databases: due moments, row locks, changed moments, unanswered reminders."""

import asyncio
from datetime import date, timedelta

from bot.domain.rhythm import RhythmId
from tests.contract.seed import (
    DAY,
    HERE,
    HOUR,
    NIGHT,
    NOW,
    OURS,
    THEIRS,
    THERE,
    W1,
    Seeded,
    change,
    ids,
    rhythm,
)


async def test_due_rhythms_are_read_by_movement_earliest_first_and_move_to_their_next_moment(seeded: Seeded) -> None:
    await seeded.add(
        rhythm("second", next_at=NOW),
        rhythm("first", next_at=NOW - HOUR),
        rhythm("later", next_at=NOW + HOUR),
        rhythm("never", next_at=None),
        rhythm("theirs", movement_id=THEIRS, place_id=THERE, next_at=NOW),
    )
    async with seeded.begin() as work:
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
    async with seeded.begin() as work:
        assert await work.rhythms.movements_due(NOW) == []
        assert ids(await work.rhythms.upcoming(NOW + DAY, 9)) == ["later", "first"]
        assert await work.rhythms.next_due() == NOW + HOUR


async def test_a_rhythm_locked_by_one_planner_is_skipped_by_another(seeded_postgresql: Seeded) -> None:
    await seeded_postgresql.add(*(rhythm(f"r{number}") for number in range(3)))
    async with asyncio.timeout(10), seeded_postgresql.begin() as work, seeded_postgresql.begin_other() as other:
        assert sorted(due.id for due in await work.rhythms.due(OURS, NOW, 2)) == ["r0", "r1"]
        assert [due.id for due in await other.rhythms.due(OURS, NOW, 2)] == ["r2"]


async def test_changed_moments_are_found_by_rhythm_while_they_matter(seeded: Seeded) -> None:
    monday = NOW.date()
    await seeded.add(
        rhythm("r1"),
        rhythm("r2"),
        rhythm("ended", ended_at=NOW, next_at=None),
        change("r1", monday, skipped=True),
        change("r1", monday, slot=1, skipped=True),
        change("r1", monday + timedelta(days=7), moved_to=NOW + DAY),
        change("r1", monday - timedelta(days=90), skipped=True),
        change("r2", monday, skipped=True),
    )
    async with seeded.begin() as work:
        r1, _ = await work.rhythms.of_place(HERE)
        assert set(await work.rhythms.changes(r1, NOW)) == {(monday, 0), (monday + timedelta(days=7), 0), (monday, 1)}
        due = await work.rhythms.due(OURS, NOW, 2)
        changes = await work.rhythms.changes_of([one.id for one in due], NOW)
        assert {its: set(of) for its, of in changes.items()} == {
            "r1": {(monday, 0), (monday + timedelta(days=7), 0), (monday, 1)},
            "r2": {(monday, 0)},
        }
        assert await work.rhythms.changes_of([], NOW) == {}
        assert (await work.rhythms.change(RhythmId("r2"), (monday, 0))) is changes[RhythmId("r2")][monday, 0]
        assert await work.rhythms.change(RhythmId("r2"), (date(2027, 1, 1), 0)) is None
        assert await work.rhythms.changes_in([HERE], NOW) == changes
        assert await work.rhythms.changes_in([NIGHT], NOW) == {}


async def test_changed_moments_that_were_asked_for_are_held_with_those_that_are_changed_meanwhile(
    seeded: Seeded,
) -> None:
    monday, long_ago = NOW.date(), NOW.date() - timedelta(days=90)
    await seeded.add(rhythm("r1"), change("r1", monday, skipped=True), change("r1", long_ago, skipped=True))
    async with seeded.begin() as work:
        (r1,) = await work.rhythms.of_place(HERE)
        skipped = (await work.rhythms.changes(r1, NOW))[monday, 0]
        work.rhythms.add(added := change("r1", monday, slot=1, skipped=True))
        work.rhythms.add(new := rhythm("new"))
        work.rhythms.add(of_new := change("new", monday, skipped=True))
        skipped.skipped = False  # it changes nothing any more
        assert await work.rhythms.changes(r1, NOW) == {(monday, 1): added}
        assert await work.rhythms.changes_of([r1.id, new.id], NOW) == {
            r1.id: {(monday, 1): added},
            new.id: {(monday, 0): of_new},
        }
        assert await work.rhythms.change(r1.id, (monday, 0)) is skipped
        assert await work.rhythms.change(r1.id, (monday, 1)) is added
        assert await work.rhythms.change(r1.id, (monday, 2)) is None
        # Of before what was asked for, nothing is held.
        assert await work.rhythms.change(r1.id, (long_ago, 0)) is not None
        assert (long_ago, 0) in await work.rhythms.changes(r1, NOW - timedelta(days=90))
        assert await work.rhythms.changes_in([HERE], NOW) == await work.rhythms.changes_of([r1.id, new.id], NOW)


async def test_increment_unanswered_adds_to_the_value_stored_at_commit(seeded_postgresql: Seeded) -> None:
    await seeded_postgresql.add(rhythm("r", unanswered=2))
    async with asyncio.timeout(10), seeded_postgresql.begin() as work:
        sent = await work.rhythms.get(RhythmId("r"), OURS)
        assert sent is not None
        work.rhythms.increment_unanswered(sent)
        async with seeded_postgresql.begin_other() as other:  # somebody answers the one before
            answered = await other.rhythms.get(RhythmId("r"), OURS)
            assert answered is not None
            answered.unanswered = 0
        assert sent.unanswered == 3
    async with seeded_postgresql.begin() as work:
        again = await work.rhythms.get(RhythmId("r"), OURS)
        assert again is not None
        assert again.unanswered == 1


async def test_increment_unanswered_counts_two_reminders_of_one_rhythm(seeded: Seeded) -> None:
    await seeded.add(rhythm("r"), rhythm("other", place_id=NIGHT), rhythm("silent"))
    async with seeded.begin() as work:
        found = [await work.rhythms.get(RhythmId(one), OURS) for one in ("r", "other", "r")]
        for one in found:
            assert one is not None
            work.rhythms.increment_unanswered(one)
    async with seeded.begin() as work:
        again = await work.rhythms.of_movement(OURS)
    assert {one.id: one.unanswered for one in again} == {"r": 2, "other": 1, "silent": 0}
