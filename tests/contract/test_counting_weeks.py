"""Counting what was sent in weeks, on both databases: which messages count, in which week, and how many people."""

from datetime import timedelta

from bot.domain.delivery import Act, DeliveryId, DeliveryState, Priority
from bot.domain.story import Readers
from bot.domain.week_figures import AnswerCount, ReasonCount, WeekCount
from tests.contract.seed import FATIMA, HERE, JAN, NIGHT, NOOR, NOW, OURS, THEIRS, Seeded, delivery, story

WEEK, DAY = timedelta(weeks=1), timedelta(days=1)
BEGINS = (NOW - 2 * WEEK, NOW - WEEK, NOW)
SENT, DROPPED, FAILED = DeliveryState.SENT, DeliveryState.DROPPED, DeliveryState.FAILED
EARLIER, LATER = NOW - 10 * DAY, NOW - 3 * DAY
"""Moments in the first week, and in the second."""


def post(key: str, **more: object) -> object:
    """Make a post of a rhythm that went out in the second week."""
    usual = {"kind": "rhythm_stories", "priority": Priority.RHYTHM, "state": SENT, "sent_at": LATER}
    return delivery(key, **{**usual, "created_at": LATER, "due_at": LATER, "receipt": f"at-{key}", **more})


def personal(key: str, **more: object) -> object:
    """Make a message to Fatima that went out in the second week."""
    usual = {"kind": "story_ripple", "priority": Priority.NEWS, "state": SENT, "sent_at": LATER, "person_id": FATIMA}
    return delivery(key, **{**usual, "created_at": LATER, "due_at": LATER, "place_id": None, **more})


async def add_messages(seeded: Seeded) -> None:
    dropped = {"state": DROPPED, "sent_at": None}
    await seeded.add(
        post("p1"),
        post("p2", kind="rhythm_purpose", place_id=NIGHT),
        post("p3", sent_at=EARLIER),
        post("p4", **dropped, reason="quiet_hours"),
        post("early", sent_at=BEGINS[0] - DAY),
        post("this week", sent_at=NOW),
        post("told by somebody", kind="story_shared", priority=Priority.FROM_A_PERSON),
        post("edit", act=Act.UPDATE),
        post("waits", state=DeliveryState.WAITING, sent_at=None),
        post("of others", movement_id=THEIRS, place_id=None),
        personal("m1"),
        personal("m2"),
        personal("m3", person_id=JAN),
        personal("m4", person_id=JAN, **dropped, reason="budget", due_at=EARLIER),
        personal("m5", person_id=NOOR, **dropped, reason="budget"),
        personal("m6", state=FAILED, sent_at=None, reason="person_gone"),
        personal("answer", priority=Priority.ANSWER),
        personal("planned long before", created_at=BEGINS[0] - 5 * WEEK),
    )


async def test_weeks_and_reasons_count_what_we_began_ourselves(seeded: Seeded) -> None:
    await add_messages(seeded)
    async with seeded.begin() as work:
        weeks = await work.deliveries.count_weeks(OURS, BEGINS)
        reasons = await work.deliveries.count_reasons(OURS, BEGINS[0], BEGINS[-1])
    assert list(weeks) == [
        WeekCount(0, False, True, 1, 0, "p3"),
        WeekCount(0, True, False, 1, 1, "m4"),
        WeekCount(1, False, False, 1, 0, "p4"),
        WeekCount(1, False, True, 2, 0, "p1"),
        WeekCount(1, True, False, 2, 2, "m5"),
        WeekCount(1, True, True, 3, 2, "m1"),
    ]
    assert list(reasons) == [
        ReasonCount("budget", True, 2, 2, "m4"),
        ReasonCount("person_gone", True, 1, 1, "m6"),
        ReasonCount("quiet_hours", False, 1, 0, "p4"),
    ]


async def test_answers_are_counted_under_the_posts_of_rhythms(seeded: Seeded) -> None:
    await add_messages(seeded)
    await seeded.add(
        story(thread="at-p1", message="a1"),
        story(thread="at-p1", message="a2", teller_id=JAN, readers=Readers.THREAD),
        story(thread="at-p3", message="a3"),
        story(thread="at-p1", message="a4", withdrawn_at=NOW),
        story(thread="at-told by somebody", message="a5"),
        story(thread="at-p1", message="a6", place_id=NIGHT),
        story(message="a7"),
    )
    async with seeded.begin() as work:
        found = await work.deliveries.count_answers(OURS, BEGINS[0], BEGINS[-1])
    assert HERE != NIGHT
    assert list(found) == [
        AnswerCount("rhythm_purpose", 1, 0, 0, DeliveryId("p2")),
        AnswerCount("rhythm_stories", 2, 3, 2, DeliveryId("p1")),
    ]
