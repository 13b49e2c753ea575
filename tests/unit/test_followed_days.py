"""People who work abroad keep the days off there: a search step by step, with the library of holidays, agrees."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.followed_days import days_off_of, follow_days, works_in
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from bot.domain.quiet_hours import free_moments_of, of_person

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
LANE = WorkspaceId("test:W1")
ABROAD = {
    "BE": ("Europe/Brussels", "", (5, 6)),
    "IL": ("Asia/Jerusalem", "", (4, 5)),
    "GB": ("Europe/London", "SCT", (5, 6)),
    "DE": ("Europe/Berlin", "BY", (5, 6)),
}
STEP = timedelta(minutes=30)


def movement(country: str = "NL", closed: str = "") -> Movement:
    return Movement(
        id=MovementId("m"), name="M", language=Language.NL, country=country, closed=closed,
        timezone="Europe/Amsterdam", started_at=NOW,
    )  # fmt: skip


def place(country: str, timezone: str = "Europe/Amsterdam", region: str = "") -> Place:
    return Place(
        id=PlaceId(f"in-{country}"), workspace_id=LANE, channel="c", movement_id=MovementId("m"),
        country=country, region=region, timezone=timezone, created_at=NOW,
    )  # fmt: skip


def person(timezone: str | None = None) -> Person:
    return Person(id=PersonId("p"), workspace_id=LANE, account="p", timezone=timezone, created_at=NOW)


@cache
def year_of(country: str, region: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))


def off(country: str, region: str, day: date) -> bool:
    return day in year_of(country, region, day.year)


changing = st.sampled_from(
    # Around the days on which clocks change in Europe and Israel, Easter, the national days, and the turn of the year.
    [date(2027, 3, 24), date(2027, 3, 26), date(2027, 10, 28), date(2027, 7, 19), date(2027, 12, 23), date(2028, 4, 12)]
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(ABROAD)), changing, st.integers(0, 6 * 48), st.integers(0, 47))
@example("BE", date(2027, 3, 24), 0, 36)
def test_the_nearest_free_moment_is_that_of_an_oracle(country: str, first: date, number: int, slot: int) -> None:
    zone, region, weekend = ABROAD[country]
    somebody = person(zone)
    follow_days(somebody, place(country, zone, region))
    free = free_moments_of(somebody, zone, movement())

    def is_free(moment: datetime) -> bool:
        local = moment.astimezone(ZoneInfo(zone))
        awake = time(8) <= local.time() < time(18)
        return awake and local.weekday() not in weekend and not off(country, region, local.date())

    moment = datetime.combine(first, time(0), UTC) + number * STEP
    assert free.are_free(moment) is is_free(moment)
    day, at = first + timedelta(days=2), time(slot // 2, slot % 2 * 30)
    found = free.nearest_to(day, at, now=moment - timedelta(days=30), earliest=first, latest=day + timedelta(days=10))
    assert found is not None
    assert is_free(found)
    begin = datetime.combine(day, time(0), ZoneInfo(zone)).astimezone(UTC)
    days = [begin + one * STEP for one in range(12 * 48) if is_free(begin + one * STEP)]
    # It is on the first day from the wanted one on that has a free moment at all, or later that day.
    wanted = datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
    possible = {one.astimezone(ZoneInfo(zone)).date() for one in days if one >= wanted - STEP}
    assert found.astimezone(ZoneInfo(zone)).date() in possible
    # Not later than the day of the first free moment from the wanted one on: a weekend and Easter may lie between.
    assert (
        found.astimezone(ZoneInfo(zone)).date()
        <= min(one for one in days if one >= wanted).astimezone(ZoneInfo(zone)).date()
    )


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(ABROAD)), st.integers(0, 2 * 365 * 24))
def test_quiet_ends_when_an_oracle_says(country: str, hours: int) -> None:
    zone, region, weekend = ABROAD[country]
    somebody = person(zone)
    follow_days(somebody, place(country, zone, region))
    moment = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    over = of_person(somebody, zone, movement()).first_allowed_at(moment)
    step = moment
    while True:  # a person with the usual hours, looked at every quarter of an hour
        local = step.astimezone(ZoneInfo(zone))
        if time(8) <= local.time() < time(18) and local.weekday() not in weekend:
            break
        step += timedelta(minutes=15)
    assert over == step


def test_without_a_place_of_their_own_the_movement_says_it() -> None:
    somebody, ours = person("Europe/Brussels"), movement(closed="2027-05-07/2027-05-08")
    national, king = date(2027, 7, 21), date(2027, 4, 27)
    assert not days_off_of(somebody, ours)(national)
    assert days_off_of(somebody, ours)(king)
    follow_days(somebody, place("BE"))
    assert days_off_of(somebody, ours)(national)
    assert not days_off_of(somebody, ours)(king)
    assert days_off_of(somebody, ours).is_closed(date(2027, 5, 7))  # nothing comes from it then
    follow_days(somebody, place(""))  # it keeps those of the movement
    assert (somebody.days_place, somebody.days_off) == ("", {})
    follow_days(somebody, place("BE"))
    follow_days(somebody, None)
    assert (somebody.days_place, somebody.days_off) == ("", {})


def test_days_chosen_for_a_place_go_along() -> None:
    there = place("NL")
    there.country, there.weekend, there.holidays = "BE", "34", ["-Nationale feestdag", "+Goede Vrijdag"]
    somebody = person()
    follow_days(somebody, there)
    kept = days_off_of(somebody, movement())
    assert kept.weekend == (3, 4)
    assert kept.changed == ("-Nationale feestdag", "+Goede Vrijdag")
    assert not kept(date(2027, 7, 21))
    there.holidays.append("-Allerheiligen")
    assert len(days_off_of(somebody, movement()).changed) == 2  # a copy: it follows when that is said


@pytest.mark.parametrize(
    ("own", "there", "chose", "works"),
    [
        (None, "Europe/Brussels", [], True),
        ("Europe/Amsterdam", "Europe/Brussels", [], True),  # what Slack calls most of Europe
        ("Europe/Amsterdam", "Europe/London", [], False),
        ("America/Paramaribo", "America/Paramaribo", ["timezone"], True),
        ("Europe/Brussels", "Europe/Brussels", ["days"], False),
    ],
)
def test_who_acts_where_clocks_differ_from_theirs_works_elsewhere(
    own: str | None, there: str, chose: list[str], works: bool
) -> None:
    somebody = person(own)
    somebody.chose = chose
    assert works_in(somebody, place("BE", there), NOW) is works


def test_the_same_days_are_no_change() -> None:
    somebody = person()
    follow_days(somebody, place("BE"))
    kept = somebody.days_off
    follow_days(somebody, place("BE"))
    assert somebody.days_off is kept
    follow_days(somebody, replace(place("BE"), region="BRU"))
    assert somebody.days_off is not kept
