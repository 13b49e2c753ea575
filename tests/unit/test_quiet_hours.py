"""Quiet hours end at the first moment that is not quiet."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import find_country
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from bot.domain.quiet_hours import QuietHours, of_person, of_place

ZONES = ["Europe/Amsterdam", "America/Sao_Paulo", "Asia/Kolkata", "Europe/London"]
whole_hours = st.integers(0, 23).map(time)
quiet = st.builds(
    QuietHours,
    start=whole_hours,
    end=whole_hours,
    weekends=st.booleans(),
    timezone=st.sampled_from(ZONES),
    weekend=st.sets(st.integers(0, 6), max_size=6).map(tuple),
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
    moment = datetime(2026, 1, 3, tzinfo=ZoneInfo(hours.timezone)) + timedelta(weeks=week, minutes=minute)
    if hours.weekends and moment.weekday() in hours.weekend:
        assert hours.covers(moment.astimezone(UTC))


def test_over_the_night_and_the_weekend() -> None:
    hours = QuietHours(start=time(18), end=time(8), weekends=True, timezone="Europe/Amsterdam")
    friday_evening = datetime(2027, 3, 26, 18, 30, tzinfo=UTC)
    assert hours.first_allowed_at(friday_evening) == datetime(
        2027, 3, 29, 6, tzinfo=UTC
    )  # the clocks went forward in between


CHANGES = {
    "Europe/Amsterdam": ("2027-03-28T01:00Z", "2027-10-31T01:00Z"),
    "Australia/Lord_Howe": ("2027-04-03T15:00Z", "2027-10-02T15:30Z"),  # by half an hour
    "Antarctica/Troll": ("2027-03-28T01:00Z", "2027-10-31T01:00Z"),  # by two hours
    "Africa/Cairo": ("2027-04-29T22:00Z", "2027-10-28T21:00Z"),  # at midnight
    "America/St_Johns": ("2027-03-14T05:30Z", "2027-11-07T04:30Z"),
    "Pacific/Chatham": ("2027-04-03T14:00Z", "2027-09-25T14:00Z"),
}
"""Zones, and when (UTC) their clocks change in a year: forward and back, in whichever order."""
AROUND = timedelta(days=2)


@cache
def clock_around(zone: str, number: int) -> list[tuple[datetime, datetime]]:
    """List the minutes around a change of the clocks, with the local time that they show."""
    first = datetime.fromisoformat(CHANGES[zone][number]) - AROUND
    minutes = (first + timedelta(minutes=one) for one in range(int(2 * AROUND.total_seconds()) // 60))
    return [(at, at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for at in minutes]


def reaches(zone: str, number: int, local: datetime) -> datetime | None:
    """Return when the local clock first shows a time, or is past it."""
    return next((at for at, shown in clock_around(zone, number) if shown >= local), None)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(CHANGES)), st.integers(0, 1), st.times(), st.times(), st.integers(-23 * 60, 23 * 60))
def test_the_quiet_ends_right_when_the_clocks_change(
    zone: str, number: int, start: time, end: time, minutes: int
) -> None:
    start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    hours = QuietHours(start=start, end=end, weekends=False, timezone=zone)
    moment = datetime.fromisoformat(CHANGES[zone][number]) + timedelta(minutes=minutes)
    today = moment.astimezone(ZoneInfo(zone)).date()
    stretches = []
    for day in (today - timedelta(days=1), today):
        begins = reaches(zone, number, datetime.combine(day, start))
        ends = reaches(zone, number, datetime.combine(day + timedelta(days=1) if end < start else day, end))
        stretches.append((begins, ends))
    within = [ends for begins, ends in stretches if begins and ends and begins <= moment < ends]
    assert hours.covers(moment) == bool(within)
    if within:
        assert hours.first_allowed_at(moment) == max(within)


def test_an_end_that_the_clocks_skip_is_the_next_time_there_is() -> None:
    hours = QuietHours(start=time(22), end=time(2, 30), weekends=False, timezone="Europe/Amsterdam")
    assert hours.first_allowed_at(datetime(2027, 3, 27, 23, tzinfo=UTC)) == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_an_end_that_comes_twice_is_the_first_and_the_quiet_does_not_come_back() -> None:
    hours = QuietHours(start=time(22), end=time(2, 30), weekends=False, timezone="Europe/Amsterdam")
    first = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert hours.first_allowed_at(datetime(2027, 10, 30, 23, tzinfo=UTC)) == first
    assert not hours.covers(first + timedelta(minutes=45))


def test_a_weekend_is_that_of_the_country_of_the_movement() -> None:
    now, lane = datetime(2027, 3, 5, 10, tzinfo=UTC), WorkspaceId("w")
    place = Place(id=PlaceId("p"), workspace_id=lane, channel="c", timezone="Africa/Cairo", created_at=now)
    person = Person(id=PersonId("fatima"), workspace_id=lane, account="U1", created_at=now)
    egyptian = Movement(id=MovementId("m"), name="", language=Language.EN, country="EG", started_at=now)
    dutch = Movement(id=MovementId("m"), name="", language=Language.EN, country="NL", started_at=now)
    # Friday 5 March 2027 at noon in Cairo; without a movement it is the country of the time zone.
    for movement, is_quiet in ((egyptian, True), (dutch, False), (None, True)):
        assert of_place(place, movement).covers(now) is is_quiet
        assert of_person(person, "Africa/Cairo", movement).covers(now) is is_quiet


def test_a_time_zone_tells_its_country() -> None:
    zones = {"Europe/Amsterdam": "NL", "Europe/Brussels": "BE", "Asia/Calcutta": "IN", "US/Eastern": "US", "UTC": ""}
    assert {zone: find_country(zone) for zone in zones} == zones
    assert find_country("Nowhere/City") == find_country("localtime") == ""


@pytest.mark.parametrize(
    ("start", "end", "usual"),
    [
        (time(18), time(8), time(9)),  # an office
        (time(8), time(16), time(16)),  # a night shift
        (time(23), time(10, 30), time(10, 30)),
        (time(0), time(0), time(9)),  # never quiet
        (time(8, 30), time(8), time(8)),  # awake for half an hour
    ],
)
def test_the_usual_time_is_nine_or_when_the_quiet_ends(start: time, end: time, usual: time) -> None:
    hours = QuietHours(start=start, end=end, weekends=True, timezone="Europe/Amsterdam")
    assert hours.usual_time == usual
    assert not hours.covers_time(usual)


@given(st.times(), st.times())
def test_the_usual_time_is_never_quiet(start: time, end: time) -> None:
    hours = QuietHours(start=start, end=end, weekends=False, timezone="Europe/Amsterdam")
    assert not hours.covers_time(hours.usual_time)
