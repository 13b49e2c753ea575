"""The attention budget holds over any seven days, and what goes first goes first."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.attention import PERSONAL_A_WEEK, POSTS_A_WEEK, WEEK, Attention, drawn_on, free_at
from bot.domain.delivery import Act, Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.movement import PlaceId
from bot.domain.person import PersonId, WorkspaceId

START = datetime(2027, 1, 1, tzinfo=UTC)
moments = st.lists(st.integers(0, 366 * 24 * 60), max_size=120).map(
    lambda minutes: sorted(START + timedelta(minutes=minute) for minute in minutes)
)


def sent_over_a_year(wanted: list[datetime], most: int) -> list[datetime]:
    """Everything wanted is sent when there is room."""
    sent: list[datetime] = []
    waiting = list(wanted)
    while waiting:
        now = waiting.pop(0)
        free = free_at(sent, most, now)
        if free <= now:
            sent.append(now)
        else:
            waiting = sorted([*waiting, free])
    return sent


@given(moments, st.integers(1, 4))
@settings(deadline=None)
def test_no_seven_days_hold_more_than_the_budget(wanted: list[datetime], most: int) -> None:
    sent = sent_over_a_year(wanted, most)
    assert len(sent) == len(wanted)
    for first in sent:
        assert sum(first <= moment < first + WEEK for moment in sent) <= most


@given(moments, st.lists(st.integers(1, 6 * 24 * 60), max_size=3).map(sorted))
def test_what_is_sent_now_leaves_the_room_of_what_goes_first(sent: list[datetime], ahead: list[int]) -> None:
    now = sent[-1] + timedelta(minutes=1) if sent else START
    sent = sent_over_a_year(sent, PERSONAL_A_WEEK)
    sent = [moment for moment in sent if moment <= now]
    reserved = [now + timedelta(minutes=minutes) for minutes in ahead]
    if free_at(sent, PERSONAL_A_WEEK, now, reserved) <= now:
        for number, due in enumerate(reserved[:PERSONAL_A_WEEK], 1):
            counted = sum(moment > due - WEEK for moment in [*sent, now])
            assert counted + number <= PERSONAL_A_WEEK


def test_a_follow_up_tomorrow_goes_before_the_second_news_of_today() -> None:
    now = START
    assert free_at([now - timedelta(days=1)], 2, now, [now + timedelta(days=1)]) > now
    assert free_at([], 2, now, [now + timedelta(days=1)]) == now


def asking(who: str, due: datetime, priority: Priority = Priority.NEWS, **more: object) -> Delivery:
    """Something for a person, or with a `#` for a place."""
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
def test_one_reading_for_many_decides_as_a_reading_for_each_would(asked: list[tuple[str, int]]) -> None:
    """A batch is looked at once: what went out earlier in it counts for what comes later."""
    ago = [("fatima", START - timedelta(days=2)), ("#general", START - timedelta(days=6))]
    together, history = Attention(sent=ago), list(ago)
    for minute, (who, kind) in enumerate(asked):
        now = START + timedelta(minutes=minute)
        delivery = asking(who, now, kind=f"kind {kind}")
        alone = Attention(sent=history)
        assert together.free_at(delivery, now) == alone.free_at(delivery, now)
        if alone.free_at(delivery, now) <= now:
            together.draw(delivery, now)
            history.append((who, now))
    for who, most in (("fatima", PERSONAL_A_WEEK), ("jan", PERSONAL_A_WEEK), ("#general", POSTS_A_WEEK)):
        assert sum(whose == who for whose, _ in history) <= most


def test_what_went_first_meanwhile_reserves_no_room_twice() -> None:
    """A follow-up of the same batch reserves room until it is sent; then it counts as sent."""
    first, news = asking("jan", START, Priority.ASKED_FOR), asking("jan", START)
    attention = Attention(sent=[("jan", START - timedelta(days=1))], waiting=[first, news])
    assert attention.free_at(first, START) == START
    assert attention.free_at(news, START) > START
    first.state = DeliveryState.SENDING
    attention.draw(first, START)
    assert attention.free_at(news, START) == START - timedelta(days=1) + WEEK


def test_an_answer_or_a_sign_draws_on_nobody() -> None:
    attention = Attention()
    for delivery in (asking("jan", START, Priority.ANSWER), asking("jan", START, act=Act.REACT)):
        attention.draw(delivery, START)
    assert attention.free_at(asking("jan", START), START) == START
    assert drawn_on(asking("#general", START)) == "#general"
