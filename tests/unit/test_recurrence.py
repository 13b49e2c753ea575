"""Moments of rhythms, compared with counting the days one by one."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import Calendar, holidays_of
from bot.domain.movement import Movement, MovementId, PlaceId
from bot.domain.person import Language
from bot.domain.quiet_hours import QuietHours, to_utc
from bot.domain.recurrence import LAST, Freq, Pattern
from bot.domain.rhythm import (
    MomentChange,
    MomentName,
    OnHoliday,
    Rhythm,
    RhythmId,
    RhythmKind,
    Timing,
    carry_changes,
    expect_moments,
    forecast,
    moments,
    update_next_at,
)

ZONES = ["Europe/Amsterdam", "Europe/London", "America/Sao_Paulo", "Asia/Kolkata", "America/New_York", "UTC"]
DUTCH = Calendar(country="NL")
never = Calendar()


def rhythm(
    pattern: Pattern, *, at: time = time(9), zone: str = "Europe/Amsterdam", on: date = date(2027, 1, 4)
) -> Rhythm:
    return Rhythm(
        id=RhythmId("r"),
        movement_id=MovementId("m"),
        place_id=PlaceId("p"),
        kind=RhythmKind.PURPOSE,
        rule=pattern.rule,
        starts_on=on,
        at=at,
        timezone=zone,
        created_by=None,
        created_at=datetime(2027, 1, 1, tzinfo=UTC),
    )


def local(moment: datetime, zone: str = "Europe/Amsterdam") -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def falls(one: Rhythm, after: datetime, count: int, changes: dict[MomentName, MomentChange] | None = None) -> list[str]:
    found = moments(one.timing, changes or {}, DUTCH, after=after)
    return [local(moment.at, one.timezone) for moment in islice(found, count)]


patterns = st.one_of(
    st.builds(
        Pattern,
        every=st.integers(1, 4),
        days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    ),
    st.builds(
        Pattern,
        freq=st.just(Freq.NTH),
        days=st.integers(0, 6).map(lambda day: (day,)),
        nth=st.sampled_from([1, 2, 3, 4, LAST]).map(lambda nth: (nth,)),
    ),
)


def list_days(pattern: Pattern, start: date, until: date) -> list[date]:
    """List the days of a pattern between two dates by looking at each day."""
    found = []
    monday = start - timedelta(days=start.weekday())
    day = start
    while day < until:
        if pattern.monthly:
            same = [date(day.year, day.month, n) for n in range(1, 32) if _is_day(day.year, day.month, n)]
            same = [one for one in same if one.weekday() == pattern.days[0]]
            (nth,) = pattern.nth
            wanted = same[-1] if nth == LAST else same[nth - 1]
            hit = day == wanted
        else:
            hit = day.weekday() in pattern.days and ((day - monday).days // 7) % pattern.every == 0
        if hit:
            found.append(day)
        day += timedelta(days=1)
    return found


def _is_day(year: int, month: int, day: int) -> bool:
    return (date(year, month, 28) + timedelta(days=day - 28)).month == month


@given(patterns, st.dates(date(2026, 6, 1), date(2027, 12, 31)), st.times(), st.sampled_from(ZONES))
def test_every_moment_is_found_and_no_other(pattern: Pattern, start: date, at: time, zone: str) -> None:
    one = rhythm(pattern, at=at, zone=zone, on=start)
    expected = list_days(pattern, start, start + timedelta(days=200))
    found = [
        moment.on
        for moment in islice(
            moments(one.timing, {}, never, after=datetime.combine(start, time(0), UTC) - timedelta(days=2)),
            len(expected),
        )
    ]
    assert found == expected


@given(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.times(), st.sampled_from(ZONES))
def test_a_local_time_is_itself_or_the_next_that_exists(day: date, at: time, zone: str) -> None:
    moment = to_utc(day, at, zone)
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    wanted = datetime.combine(day, at)
    assert shown >= wanted
    before = (moment - timedelta(minutes=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown == wanted or before < wanted


def test_a_moment_the_clocks_skip_moves_to_the_next_that_exists() -> None:
    assert local(to_utc(date(2027, 3, 28), time(2, 30), "Europe/Amsterdam")) == "2027-03-28 03:00"


def test_a_moment_keeps_its_seconds() -> None:
    # A rhythm whose `next_at` is a part of a minute later than its moment would pass over it.
    assert to_utc(date(2027, 3, 1), time(9, 0, 30, 5), "UTC") == datetime(2027, 3, 1, 9, 0, 30, 5, UTC)


def test_a_moment_that_comes_twice_fires_once() -> None:
    one = rhythm(Pattern(days=(6,)), at=time(2, 30))
    found = list(islice(moments(one.timing, {}, never, after=datetime(2027, 10, 30, tzinfo=UTC)), 2))
    assert [moment.on for moment in found] == [date(2027, 10, 31), date(2027, 11, 7)]
    assert found[0].at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_nine_o_clock_stays_nine_o_clock_over_both_clock_changes() -> None:
    one = rhythm(Pattern(days=(0,)))
    assert falls(one, datetime(2027, 3, 20, tzinfo=UTC), 2) == ["2027-03-22 09:00", "2027-04-05 09:00"]
    assert falls(one, datetime(2027, 10, 24, tzinfo=UTC), 2) == ["2027-10-25 09:00", "2027-11-01 09:00"]


@pytest.mark.parametrize(
    ("on_holiday", "expected"),
    [(OnHoliday.SKIP, "2027-05-04 09:00"), (OnHoliday.MOVE, "2027-04-28 09:00")],
)
def test_kings_day_is_skipped_or_moved(on_holiday: OnHoliday, expected: str) -> None:
    one = rhythm(Pattern(days=(1,)))
    one.on_holiday = on_holiday
    assert falls(one, datetime(2027, 4, 21, tzinfo=UTC), 1) == [expected]


def test_easter_moves_past_every_holiday_and_weekend() -> None:
    one = rhythm(Pattern(days=(4,)))
    one.on_holiday = OnHoliday.MOVE
    keeps = Calendar(country="NL", changed=("+Goede vrijdag",))
    [moment] = islice(moments(one.timing, {}, keeps, after=datetime(2027, 3, 25, tzinfo=UTC)), 1)
    assert local(moment.at) == "2027-03-30 09:00"


def test_a_moved_holiday_gives_way_to_what_the_rule_says_that_day() -> None:
    one = rhythm(Pattern(days=(0, 1)))
    one.on_holiday = OnHoliday.MOVE
    assert falls(one, datetime(2027, 3, 24, tzinfo=UTC), 2) == ["2027-03-30 09:00", "2027-04-05 09:00"]


def test_moments_stay_in_order_when_a_holiday_moves_one_past_another() -> None:
    one = rhythm(Pattern(days=(4, 5)))
    one.on_holiday = OnHoliday.MOVE
    keeps = Calendar(country="NL", changed=("+Goede vrijdag",))
    found = [
        local(moment.at)
        for moment in islice(moments(one.timing, {}, keeps, after=datetime(2027, 3, 24, tzinfo=UTC)), 3)
    ]
    assert found == ["2027-03-27 09:00", "2027-03-30 09:00", "2027-04-02 09:00"]


def test_a_pause_holds_moved_moments_too() -> None:
    one = rhythm(Pattern(days=(0,)))
    one.paused_until = date(2027, 4, 12)
    moved = MomentChange(
        rhythm_id=one.id,
        movement_id=one.movement_id,
        on=date(2027, 3, 8),
        moved_to=datetime(2027, 3, 10, 8, tzinfo=UTC),
    )
    assert falls(one, datetime(2027, 3, 1, tzinfo=UTC), 1, {moved.moment: moved}) == ["2027-04-12 09:00"]


def test_every_other_week_counts_from_the_first_moment_ahead() -> None:
    tuesday = datetime(2027, 3, 2, 9, tzinfo=UTC)
    assert Pattern(every=2, days=(0,)).first_day(time(9), "Europe/Amsterdam", tuesday) == date(2027, 3, 8)


def test_good_friday_is_a_working_day_unless_it_is_kept() -> None:
    assert not DUTCH(date(2027, 3, 26))
    assert Calendar(country="NL", changed=("+Goede vrijdag",))(date(2027, 3, 26))


def test_a_skipped_moment_is_left_out_and_a_moved_one_comes_when_it_was_moved_to() -> None:
    one = rhythm(Pattern(days=(0,)))
    changes = {
        change.moment: change
        for change in (
            MomentChange(rhythm_id=one.id, movement_id=one.movement_id, on=date(2027, 2, 8), skipped=True),
            MomentChange(
                rhythm_id=one.id,
                movement_id=one.movement_id,
                on=date(2027, 2, 1),
                moved_to=datetime(2027, 2, 17, 10, tzinfo=UTC),
            ),
        )
    }
    assert falls(one, datetime(2027, 1, 30, tzinfo=UTC), 3, changes) == [
        "2027-02-15 09:00",
        "2027-02-17 11:00",
        "2027-02-22 09:00",
    ]


def test_paused_until_a_day_it_goes_on_by_itself() -> None:
    one = rhythm(Pattern(days=(0,)))
    one.paused_until = date(2027, 3, 1)
    assert falls(one, datetime(2027, 2, 1, tzinfo=UTC), 1) == ["2027-03-01 09:00"]


def test_an_ended_rhythm_has_no_next_moment() -> None:
    one = rhythm(Pattern(days=(0,)))
    one.ended_at = datetime(2027, 2, 1, tzinfo=UTC)
    update_next_at(one, {}, never, after=datetime(2027, 2, 1, tzinfo=UTC))
    assert one.next_at is None


@given(patterns)
def test_a_rule_tells_its_pattern_back(pattern: Pattern) -> None:
    assert Pattern.of(pattern.rule, date(2027, 3, 2)) == pattern


def test_a_rule_without_days_comes_on_the_day_it_starts() -> None:
    assert Pattern.of("FREQ=WEEKLY;INTERVAL=2", date(2027, 3, 2)) == Pattern(every=2, days=(1,))


NEVER_QUIET = QuietHours(start=time(0), end=time(0), weekends=False, timezone="Europe/Amsterdam")


@given(pattern=patterns, day=st.dates(date(2027, 1, 1), date(2028, 12, 31)), rule=st.sampled_from(OnHoliday))
def test_a_forecast_tells_of_every_date_of_the_rule_what_becomes_of_it(
    pattern: Pattern, day: date, rule: OnHoliday
) -> None:
    one = rhythm(pattern)
    timing = one.timing._replace(on_holiday=rule)
    after = datetime.combine(day, time(12), UTC)
    told = forecast(timing, {}, DUTCH, NEVER_QUIET, after=after, count=5)
    coming = [moment.at for moment in islice(moments(timing, {}, DUTCH, after=after), 5)]
    assert [expected.at for expected in told if expected.at] == coming
    skipped = [expected.on for expected in told if expected.at is None]
    free = moments(timing, {}, never, after=after)
    ruled = {moment.on for moment in islice(free, 70)}
    assert set(skipped) <= ruled
    assert all(DUTCH(on) for on in skipped)
    until = max(expected.on for expected in told if expected.at)
    assert {on for on in ruled if on <= until} <= {expected.on for expected in told}


def test_what_is_quiet_comes_when_that_ends_or_not_at_all() -> None:
    one = rhythm(Pattern(days=(0, 5)))
    quiet = QuietHours(start=time(18), end=time(10), weekends=True, timezone="Europe/Amsterdam")
    after = datetime(2027, 3, 1, 12, tzinfo=UTC)
    saturday, monday = expect_moments(one.timing, {}, DUTCH, quiet, after=after, count=2)
    assert (saturday.on, saturday.at, saturday.because) == (date(2027, 3, 6), None, "quiet")
    assert (monday.at, monday.because) == (datetime(2027, 3, 8, 9, tzinfo=UTC), "quiet")


def test_holidays_have_names_in_the_language_of_the_reader_or_none() -> None:
    easter_monday = date(2027, 3, 29)
    assert DUTCH.name_day(easter_monday, Language.NL) == "Tweede paasdag"
    assert DUTCH.name_day(easter_monday, Language.EN) == "Easter Monday"
    assert Calendar(country="DE").name_day(easter_monday, Language.NL) == ""
    assert Calendar(country="XX").name_day(easter_monday, Language.NL) == ""


def test_working_days_are_those_of_the_week_of_the_country() -> None:
    thursday = date(2027, 3, 4)
    for country, free in (("NL", [5, 6]), ("IL", [4, 5]), ("XX", [5, 6])):
        calendar = holidays_of(
            Movement(id=MovementId("m"), name="", language=Language.NL, country=country, started_at=datetime.now(UTC))
        )
        days = Pattern(freq=Freq.WORKDAYS).list_days(thursday, thursday, calendar)
        assert [day.weekday() for day in islice(days, 5)] == [day % 7 for day in range(3, 10) if day % 7 not in free]


def test_changes_to_single_moments_go_with_the_times_that_stay() -> None:
    def timing(*times: int) -> Timing:
        pattern = Pattern(days=(0,), also_at=tuple(time(one) for one in times[1:]))
        return Timing(pattern.rule, date(2027, 3, 1), time(times[0]), "Europe/Amsterdam")

    def skip(on: int, slot: int) -> MomentChange:
        return MomentChange(
            rhythm_id=RhythmId("r"), movement_id=MovementId("m"), on=date(2027, 3, on), slot=slot, skipped=True
        )

    changes = {one.moment: one for one in (skip(1, 0), skip(15, 0), skip(22, 1), skip(23, 0))}
    now = datetime(2027, 3, 9, tzinfo=UTC)
    # Noon stays noon, and 15:00 takes the place of nine; the 23rd is no Monday, and was to come.
    left, gone = carry_changes(changes, timing(9, 12), timing(12, 15), Calendar(), now)
    assert set(left) == {(date(2027, 3, 1), 1), (date(2027, 3, 15), 1), (date(2027, 3, 22), 0)}
    assert gone == [date(2027, 3, 23)]
    # What is over stays as it was told, also where the rhythm has no such day any more.
    tuesdays = timing(9)._replace(rule=Pattern(days=(1,)).rule)
    assert set(carry_changes(changes, timing(9, 12), tuesdays, Calendar(), now).left) == {
        (date(2027, 3, 1), 0),
        (date(2027, 3, 23), 0),
    }
