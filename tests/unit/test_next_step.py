"""The moment of a step: local time, within two weeks, across both changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.next_step import next_working_day, parse_moment, propose_moment, strip_lead_in, to_utc
from bot.errors import Problems

AMSTERDAM = "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("day", "at", "moment"),
    [
        # Spring: 02:00 becomes 03:00, so 02:30 is not there and the next moment is 03:00.
        (date(2027, 3, 28), time(2, 30), datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        (date(2027, 3, 28), time(9), datetime(2027, 3, 28, 7, 0, tzinfo=UTC)),
        (date(2027, 3, 27), time(9), datetime(2027, 3, 27, 8, 0, tzinfo=UTC)),
        # Autumn: 02:30 is there twice; the first of the two.
        (date(2027, 10, 31), time(2, 30), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
        (date(2027, 10, 31), time(9), datetime(2027, 10, 31, 8, 0, tzinfo=UTC)),
    ],
)
def test_the_clock_changes(day: date, at: time, moment: datetime) -> None:
    assert to_utc(day, at, AMSTERDAM) == moment


@given(
    st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from([AMSTERDAM, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_a_moment_is_the_local_time_or_the_first_after_it(day: date, at: time, timezone: str) -> None:
    moment = to_utc(day, at, timezone)
    wanted, local = datetime.combine(day, at), moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    assert timedelta(0) <= local - wanted <= timedelta(hours=1)
    if local != wanted:
        before = (moment - timedelta(minutes=1)).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
        assert before < wanted, "only a gap moves a moment, and to its end"


def test_what_is_proposed_lies_ahead_and_on_a_working_day() -> None:
    friday = datetime(2027, 3, 5, 10, tzinfo=UTC)
    assert propose_moment(friday, AMSTERDAM) == (date(2027, 3, 8), time(9))
    assert propose_moment(friday, AMSTERDAM, today=True) == (date(2027, 3, 5), time(13))
    assert propose_moment(friday.replace(hour=19), AMSTERDAM, today=True) == (date(2027, 3, 8), time(9))
    assert next_working_day(date(2027, 3, 5), frozenset({date(2027, 3, 8)})) == date(2027, 3, 9)


@pytest.mark.parametrize(
    ("day", "at", "field", "reason"),
    [
        (date(2027, 2, 28), time(9), "day", "too_early"),
        (date(2027, 3, 16), time(9), "day", "too_late"),
        (date(2027, 3, 1), time(8), "at", "moment_passed"),
    ],
)
def test_a_moment_past_or_too_far_is_said_beside_its_field(day: date, at: time, field: str, reason: str) -> None:
    problems = Problems()
    assert parse_moment(day, at, datetime(2027, 3, 1, 8, tzinfo=UTC), AMSTERDAM, problems) is None
    assert problems.to_invalid().fields == {field: reason}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("als de overdracht klaar is", "de overdracht klaar is"),
        ("… dan: vraag ik Jan", "vraag ik Jan"),
        ("When I get coffee", "I get coffee"),
        ("Alsof het niets is", "Alsof het niets is"),
        ("dan", "dan"),
    ],
)
def test_when_and_then_are_not_said_twice(typed: str, kept: str) -> None:
    assert strip_lead_in(typed) == kept
