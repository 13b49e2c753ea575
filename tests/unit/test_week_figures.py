"""Figures of weeks tell of no one person: nothing under five, rounded by a chance that stands, whole weeks only."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.week_figures import CountedWeeks, WeekCount, tell_about, tell_weeks

NOW = datetime(2027, 3, 31, 10, tzinfo=UTC)
"""A Wednesday, in the week after the clocks in Amsterdam went forward."""


def test_weeks_are_whole_and_begin_on_local_mondays() -> None:
    weeks = CountedWeeks.before(NOW, "Europe/Amsterdam")
    assert len(weeks.mondays) == 12
    assert (weeks.mondays[0], weeks.mondays[-1]) == (date(2027, 1, 4), date(2027, 3, 22))
    assert weeks.begins[-2:] == (datetime(2027, 3, 21, 23, tzinfo=UTC), datetime(2027, 3, 28, 22, tzinfo=UTC))
    assert CountedWeeks.before(weeks.begins[-1], "Europe/Amsterdam") == weeks
    earlier = CountedWeeks.before(weeks.begins[-1] - timedelta(seconds=1), "Europe/Amsterdam")
    assert earlier.mondays[-1] == date(2027, 3, 15)


@given(many=st.integers(0, 10_000), people=st.integers(0, 10_000), seed=st.text())
def test_a_figure_is_a_five_that_is_near_or_nothing(many: int, people: int, seed: str) -> None:
    many = max(many, people)
    told = tell_about(many, people, seed)
    assert (told is None) == (people < 5)
    if told is not None:
        assert told % 5 == 0
        assert abs(told - many) < 5
        assert told >= 5
        assert told == tell_about(many, people, seed), "looked at again, it is the same"


def test_on_average_it_is_right_and_hangs_on_what_nobody_sees() -> None:
    for many in (5, 6, 7, 8, 9, 23):
        told = [tell_about(many, 5, f"seed{number}") or 0 for number in range(4000)]
        assert abs(sum(told) / len(told) - many) < 0.2, many
        assert len(set(told)) == (1 if many % 5 == 0 else 2)


def test_what_is_about_few_people_is_told_as_what_is_not_there() -> None:
    weeks = CountedWeeks.before(NOW, "Europe/Amsterdam")
    some = [
        WeekCount(9, False, True, 1, 0, "p"),
        WeekCount(10, True, True, 40, 4, "a"),  # many messages, but to four people
        WeekCount(11, True, True, 10, 5, "b"),
        WeekCount(11, True, False, 3, 3, "c"),
        WeekCount(11, False, False, 2, 0, "d"),
    ]
    last, before, first = tell_weeks(some, weeks)
    assert (last.monday, last.posted, last.missed, last.sent, last.unsent) == (date(2027, 3, 22), 0, 2, 10, None)
    assert (before.monday, before.sent, before.unsent) == (date(2027, 3, 15), None, None)
    assert (first.monday, first.posted) == (date(2027, 3, 8), 1)
    assert tell_weeks([], weeks) == ()
