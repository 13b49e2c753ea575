"""How often one person may be asked something: never more than twice in any thirty days."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.asks import MAX_ASKS_PER_MONTH, MONTH, next_ask_at

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def day(number: int) -> datetime:
    return NOW + timedelta(days=number)


def test_the_third_waits_until_the_first_is_a_month_ago() -> None:
    assert next_ask_at([], NOW) == NOW
    assert next_ask_at([day(-3)], NOW) == NOW
    assert next_ask_at([day(-10), day(-3)], NOW) == day(20)
    assert next_ask_at([day(-31), day(-3)], NOW) == NOW


def test_what_is_still_to_come_counts() -> None:
    assert next_ask_at([day(-3), day(11)], NOW) == day(27)


@given(st.lists(st.integers(0, 200), max_size=30))
def test_in_no_month_more_than_the_most(days: list[int]) -> None:
    asked: list[datetime] = []
    for one in sorted(days):
        asked.append(next_ask_at(asked, day(one)))
    for moment in asked:
        assert sum(moment - MONTH < other <= moment for other in asked) <= MAX_ASKS_PER_MONTH
