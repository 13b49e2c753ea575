"""Quiet hours end at the first moment that is not quiet."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.quiet_hours import QuietHours

ZONES = ["Europe/Amsterdam", "America/Sao_Paulo", "Asia/Kolkata", "Europe/London"]
whole_hours = st.integers(0, 23).map(time)
quiet = st.builds(
    QuietHours, start=whole_hours, end=whole_hours, weekends=st.booleans(), timezone=st.sampled_from(ZONES)
)
some_moment = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(quiet, some_moment)
def test_the_quiet_is_over_at_the_first_moment_that_is_not_quiet(hours: QuietHours, moment: datetime) -> None:
    over = hours.first_allowed_at(moment)
    assert over >= moment
    assert not hours.covers(over)
    step = moment
    while step < over - timedelta(minutes=15):
        assert hours.covers(step)
        step += timedelta(minutes=15)


@given(quiet, st.integers(0, 103), st.integers(0, 2 * 24 * 60 - 1))
def test_weekends_are_quiet_only_where_they_are_meant_to_be(hours: QuietHours, week: int, minute: int) -> None:
    saturday = datetime(2026, 1, 3, tzinfo=ZoneInfo(hours.timezone)) + timedelta(weeks=week, minutes=minute)
    assert saturday.weekday() >= 5
    assert not hours.weekends or hours.covers(saturday.astimezone(UTC))


def test_over_the_night_and_the_weekend() -> None:
    hours = QuietHours(start=time(18), end=time(8), weekends=True, timezone="Europe/Amsterdam")
    friday_evening = datetime(2027, 3, 26, 18, 30, tzinfo=UTC)
    assert hours.first_allowed_at(friday_evening) == datetime(
        2027, 3, 29, 6, tzinfo=UTC
    )  # the clocks went forward in between
