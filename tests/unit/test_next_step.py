"""The moment of a step: local time, within two weeks, across both changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import Calendar
from bot.domain.next_step import (
    MAX_DAYS_AHEAD,
    allowed_days,
    next_working_day,
    parse_moment,
    propose_moment,
    propose_return,
    strip_lead_in,
)
from bot.domain.quiet_hours import FreeMoments, QuietHours, to_utc
from bot.domain.stretches import Stretch
from bot.errors import Problems

AMSTERDAM = "Europe/Amsterdam"
ZONES = [AMSTERDAM, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "UTC"]
DUTCH_HOLIDAY = Calendar(country="NL")
some_time = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def free_moments(
    start: time = time(18),
    end: time = time(8),
    *,
    weekends: bool = True,
    timezone: str = AMSTERDAM,
    calendar: Calendar = DUTCH_HOLIDAY,
) -> FreeMoments:
    quiet = QuietHours(start=start, end=end, weekends=weekends, timezone=timezone, weekend=calendar.weekend)
    return FreeMoments(quiet=quiet, calendar=calendar)


free = st.builds(
    free_moments,
    st.integers(0, 23).map(time),
    st.integers(0, 23).map(time),
    weekends=st.booleans(),
    timezone=st.sampled_from(ZONES),
    calendar=st.sampled_from(
        [
            Calendar(country="NL", changed=("+Goede vrijdag",)),
            Calendar(country="BR"),
            Calendar(country="EG", weekend=(4, 5)),
            Calendar(closed=(Stretch(date(2027, 7, 1), date(2027, 7, 12)),), weekend=(0, 2, 4)),
        ]
    ),
)
some_moment = st.integers(0, 3 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


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
    some_time,
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
    assert propose_moment(friday, free_moments()) == (date(2027, 3, 8), time(9))
    assert propose_moment(friday, free_moments(), today=True) == (date(2027, 3, 5), time(13))
    assert propose_moment(friday.replace(hour=19), free_moments(), today=True) == (date(2027, 3, 8), time(9))
    closed = Calendar(closed=(Stretch(date(2027, 3, 8), date(2027, 3, 9)),))
    assert next_working_day(date(2027, 3, 5), closed) == date(2027, 3, 9)
    # Tuesday 27 April is King's Day; who is quiet until ten, is asked at ten.
    monday = datetime(2027, 4, 26, 8, tzinfo=UTC)
    assert propose_moment(monday, free_moments()) == (date(2027, 4, 28), time(9))
    assert propose_moment(monday, free_moments(end=time(10))) == (date(2027, 4, 28), time(10))
    assert propose_moment(monday + timedelta(days=1), free_moments(), today=True) == (date(2027, 4, 28), time(9))


@given(some_moment, free, st.booleans())
def test_what_is_proposed_is_always_free(now: datetime, free: FreeMoments, today: bool) -> None:
    day, at = propose_moment(now, free, today=today)
    moment = to_utc(day, at, free.quiet.timezone)
    assert free.are_free(moment)
    assert now < moment <= now + timedelta(days=MAX_DAYS_AHEAD + 1)


@given(some_moment, free, st.integers(-2, MAX_DAYS_AHEAD + 2), some_time)
def test_what_is_taken_is_free_and_what_is_not_names_a_moment_that_is_taken(
    now: datetime, free: FreeMoments, ahead: int, at: time
) -> None:
    zone = ZoneInfo(free.quiet.timezone)
    problems = Problems()
    moment = parse_moment(now.astimezone(zone).date() + timedelta(days=ahead), at, now, free, problems)
    if moment is not None:
        assert free.are_free(moment)
        assert moment > now
        assert moment == to_utc(now.astimezone(zone).date() + timedelta(days=ahead), at, free.quiet.timezone)
        return
    invalid = problems.to_invalid()
    assert invalid.fields
    for values in invalid.values.values():
        proposed = values.get("free")
        if isinstance(proposed, datetime):
            local, again = proposed.astimezone(zone), Problems()
            assert parse_moment(local.date(), local.time(), now, free, again) == proposed
            assert not again
            earliest, latest = allowed_days(now, free.quiet.timezone)
            assert earliest <= local.date() <= latest


@pytest.mark.parametrize(
    ("day", "at", "problems"),
    [
        # An evening, a weekend, King's Day; and two of them at once.
        (date(2027, 4, 23), time(20), {"at": ("quiet_moment", datetime(2027, 4, 26, 7, tzinfo=UTC))}),
        (date(2027, 4, 23), time(7), {"at": ("quiet_moment", datetime(2027, 4, 23, 7, tzinfo=UTC))}),
        (date(2027, 4, 24), time(14), {"day": ("quiet_day", datetime(2027, 4, 26, 12, tzinfo=UTC))}),
        (date(2027, 4, 27), time(14), {"day": ("holiday", datetime(2027, 4, 28, 12, tzinfo=UTC))}),
        (
            date(2027, 4, 27),
            time(20),
            {
                "day": ("holiday", datetime(2027, 4, 28, 7, tzinfo=UTC)),
                "at": ("quiet_moment", datetime(2027, 4, 28, 7, tzinfo=UTC)),
            },
        ),
        # Half of a form is told about already.
        (None, time(20), {"at": ("quiet_moment", datetime(2027, 4, 23, 7, tzinfo=UTC))}),
        (date(2027, 4, 27), None, {"day": ("holiday", datetime(2027, 4, 28, 7, tzinfo=UTC))}),
        # On the last day the next free one is too far ahead: the last before it is proposed.
        (date(2027, 5, 6), time(10), {"day": ("holiday", datetime(2027, 5, 5, 8, tzinfo=UTC))}),
    ],
)
def test_a_moment_that_is_not_free_is_refused_with_the_next_that_is(
    day: date | None, at: time | None, problems: dict[str, tuple[str, datetime]]
) -> None:
    found = Problems()
    assert parse_moment(day, at, datetime(2027, 4, 22, 8, tzinfo=UTC), free_moments(), found) is None
    invalid = found.to_invalid()
    assert {name: (reason, invalid.values[name]["free"]) for name, reason in invalid.fields.items()} == problems


@pytest.mark.parametrize(
    ("day", "at", "field", "reason"),
    [
        (date(2027, 2, 28), time(9), "day", "too_early"),
        (date(2027, 3, 16), time(9), "day", "too_late"),
        (date(2027, 3, 1), time(8, 59), "at", "moment_passed"),
    ],
)
def test_a_moment_past_or_too_far_is_said_beside_its_field(day: date, at: time, field: str, reason: str) -> None:
    problems = Problems()
    assert parse_moment(day, at, datetime(2027, 3, 1, 8, tzinfo=UTC), free_moments(), problems) is None
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


@pytest.mark.parametrize(
    ("asked", "comes"),
    [
        (datetime(2027, 3, 2, 8, tzinfo=UTC), datetime(2027, 3, 3, 14, tzinfo=UTC)),
        (datetime(2027, 3, 2, 13, tzinfo=UTC), datetime(2027, 3, 3, 9, tzinfo=UTC)),
        # Over a weekend, and over a public holiday.
        (datetime(2027, 3, 5, 8, tzinfo=UTC), datetime(2027, 3, 8, 14, tzinfo=UTC)),
        (datetime(2027, 4, 26, 8, tzinfo=UTC), datetime(2027, 4, 28, 13, tzinfo=UTC)),
    ],
)
def test_what_is_not_answered_comes_back_on_a_working_day_at_another_time(asked: datetime, comes: datetime) -> None:
    assert propose_return(asked, free_moments()) == comes


@given(some_moment, free)
def test_it_comes_back_later_and_where_there_is_a_free_moment_then(asked: datetime, moments: FreeMoments) -> None:
    assert propose_return(asked, moments) > asked
