"""The attention budget holds over any seven days, and what goes first goes first."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.attention import PERSONAL_A_WEEK, WEEK, free_at

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
