"""The attention budget holds over any seven days, and reserves room for deliveries of higher priority."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.attention import MAX_NUDGES_PER_WEEK, MAX_POSTS_PER_WEEK, WEEK, Attention, budget_owner, next_allowed_at
from bot.domain.delivery import Act, Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.movement import PlaceId
from bot.domain.person import PersonId, WorkspaceId

START = datetime(2027, 1, 1, tzinfo=UTC)
moments = st.lists(st.integers(0, 366 * 24 * 60), max_size=120).map(
    lambda minutes: sorted(START + timedelta(minutes=minute) for minute in minutes)
)


def simulate_year(wanted: list[datetime], most: int) -> list[datetime]:
    """Send every wanted moment as soon as the budget has room; return when each was sent."""
    sent: list[datetime] = []
    waiting = list(wanted)
    while waiting:
        now = waiting.pop(0)
        free = next_allowed_at(sent, most, now)
        if free <= now:
            sent.append(now)
        else:
            waiting = sorted([*waiting, free])
    return sent


@given(moments, st.integers(1, 4))
@settings(deadline=None)
def test_no_seven_days_hold_more_than_the_budget(wanted: list[datetime], most: int) -> None:
    sent = simulate_year(wanted, most)
    assert len(sent) == len(wanted)
    for first in sent:
        assert sum(first <= moment < first + WEEK for moment in sent) <= most


@given(moments, st.lists(st.integers(1, 6 * 24 * 60), max_size=3).map(sorted))
def test_sending_now_leaves_room_for_deliveries_of_higher_priority(sent: list[datetime], ahead: list[int]) -> None:
    now = sent[-1] + timedelta(minutes=1) if sent else START
    sent = simulate_year(sent, MAX_NUDGES_PER_WEEK)
    sent = [moment for moment in sent if moment <= now]
    reserved = [now + timedelta(minutes=minutes) for minutes in ahead]
    if next_allowed_at(sent, MAX_NUDGES_PER_WEEK, now, reserved) <= now:
        for number, due in enumerate(reserved[:MAX_NUDGES_PER_WEEK], 1):
            counted = sum(moment > due - WEEK for moment in [*sent, now])
            assert counted + number <= MAX_NUDGES_PER_WEEK


def test_a_follow_up_tomorrow_goes_before_the_second_news_of_today() -> None:
    now = START
    assert next_allowed_at([now - timedelta(days=1)], 2, now, [now + timedelta(days=1)]) > now
    assert next_allowed_at([], 2, now, [now + timedelta(days=1)]) == now


def make_delivery(who: str, due: datetime, priority: Priority = Priority.NEWS, **more: object) -> Delivery:
    """Make a delivery for a person, or for a place when `who` begins with a `#`."""
    whose = {"place_id": PlaceId(who)} if who.startswith("#") else {"person_id": PersonId(who)}
    return Delivery(
        id=DeliveryId(f"{who} {due} {priority}"),
        workspace_id=WorkspaceId("w"),
        kind=str(more.pop("kind", "news")),
        priority=priority,
        key=f"{who} {due}",
        due_at=due,
        created_at=due,
        **whose,
        **more,  # type: ignore[arg-type]
    )


@given(st.lists(st.tuples(st.sampled_from(["fatima", "jan", "#general"]), st.integers(0, 4)), max_size=40))
def test_one_attention_for_a_batch_decides_as_one_for_each_delivery(asked: list[tuple[str, int]]) -> None:
    """A batch is looked at once: what went out earlier in it counts for what comes later."""
    ago = [("fatima", START - timedelta(days=2)), ("#general", START - timedelta(days=6))]
    together, history = Attention(sent=ago), list(ago)
    for minute, (who, kind) in enumerate(asked):
        now = START + timedelta(minutes=minute)
        delivery = make_delivery(who, now, kind=f"kind {kind}")
        alone = Attention(sent=history)
        assert together.next_allowed_at(delivery, now) == alone.next_allowed_at(delivery, now)
        if alone.next_allowed_at(delivery, now) <= now:
            together.draw(delivery, now)
            history.append((who, now))
    for who, most in (("fatima", MAX_NUDGES_PER_WEEK), ("jan", MAX_NUDGES_PER_WEEK), ("#general", MAX_POSTS_PER_WEEK)):
        assert sum(whose == who for whose, _ in history) <= most


def test_a_delivery_that_was_sent_meanwhile_reserves_no_room_twice() -> None:
    """A follow-up of the same batch reserves room until it is sent; then it counts as sent."""
    first, news = make_delivery("jan", START, Priority.ASKED_FOR), make_delivery("jan", START)
    attention = Attention(sent=[("jan", START - timedelta(days=1))], waiting=[first, news])
    assert attention.next_allowed_at(first, START) == START
    assert attention.next_allowed_at(news, START) > START
    first.state = DeliveryState.SENDING
    attention.draw(first, START)
    assert attention.next_allowed_at(news, START) == START - timedelta(days=1) + WEEK


def test_an_answer_or_a_sign_draws_on_nobody() -> None:
    attention = Attention()
    for delivery in (make_delivery("jan", START, Priority.ANSWER), make_delivery("jan", START, act=Act.REACT)):
        attention.draw(delivery, START)
    assert attention.next_allowed_at(make_delivery("jan", START), START) == START
    assert budget_owner(make_delivery("#general", START)) == "#general"
