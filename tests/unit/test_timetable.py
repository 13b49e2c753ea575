"""Random rhythms, written as a calendar file and read back by a client that others wrote, give the same moments.

The ordinary suite takes `USUAL` of them, always the same, over two years; `RITME_RHYTHMS=1000` takes so many over ten:
`RITME_RHYTHMS=1000 python -m pytest tests/unit/test_timetable.py`.
"""

import os
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile

import icalendar
import pytest
import recurring_ical_events

from bot.domain.calendar import Calendar
from bot.domain.quiet_hours import QuietHours, to_utc
from bot.domain.recurrence import Freq, Pattern
from bot.domain.rhythm import OnHoliday, Timing, moments
from bot.domain.timetable import Single, Timetable, lay_out, window_of
from bot.ics import Agenda, Event, write_agenda
from tests.unit.test_rhythm_oracle import draw

USUAL = 40
NUMBER = int(os.environ.get("RITME_RHYTHMS", USUAL))
DAYS = timedelta(days=3653 if NUMBER > USUAL else 731)
CHUNKS = 4
SINCE = date(2027, 1, 1)
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def write(laid: Timetable, zone: str = "UTC") -> bytes:
    events = tuple(
        Event(uid=f"r-{one.name}@ritme", when=one, title="Verhaalronde", about="", lasts=timedelta(minutes=15))
        for one in (*laid.series, *laid.singles)
    )
    return write_agenda(Agenda(name="Samen", timezone=zone, events=events), revision=1, changed_at=NOW)


def read(written: bytes, since: date, until: date) -> list[datetime]:
    calendar = icalendar.Calendar.from_ical(written)
    found = recurring_ical_events.of(calendar).between(since - timedelta(days=2), until + timedelta(days=2))
    return sorted(one.start.astimezone(UTC) for one in found)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_calendar_reads_the_same_moments(chunk: int) -> None:
    for number in range(chunk, NUMBER, CHUNKS):
        case = draw(number)
        since = max(case.timing.starts_on, case.after.date())
        until = since + DAYS
        zone = case.timing.timezone
        begin, end = to_utc(since, time(0), zone), to_utc(until + timedelta(days=1), time(0), zone)
        coming = moments(case.timing, case.changes, case.calendar, after=begin - timedelta(microseconds=1))
        want = list(takewhile(end.__gt__, (one.at for one in coming)))
        written = write(lay_out(case.timing, case.changes, case.calendar, since, until), zone)
        assert read(written, since, until) == sorted(want), f"{number}: {case}"
        # A client that knows no zone of this name goes by what the file says of its clocks.
        unknown = written.decode()
        for mark in "=:":
            unknown = unknown.replace(f"TZID{mark}{zone}", f"TZID{mark}Here-{number}")  # it is kept by name
        if zone != "Etc/UTC":
            assert read(unknown.encode(), since, until) == sorted(want), f"{number}: {case}"


def timing(pattern: Pattern, **more: object) -> Timing:
    usual = {"starts_on": date(2027, 1, 4), "at": time(9), "timezone": "Europe/Amsterdam", **more}
    return Timing(rule=pattern.rule, **usual)  # type: ignore[arg-type]


def series_of(pattern: Pattern, **more: object) -> list[str]:
    laid = lay_out(timing(pattern, **more), {}, Calendar(country="NL"), SINCE, date(2027, 12, 31))
    return [one.name for one in laid.series]


def test_a_rule_is_written_where_every_calendar_knows_one() -> None:
    assert series_of(Pattern(days=(0, 3), every=2)) == ["0-weeks"]
    assert series_of(Pattern(freq=Freq.WORKDAYS)) == ["0-weeks"]
    assert series_of(Pattern(freq=Freq.NTH, days=(0,), nth=(1, 3))) == ["0-1MO", "0-3MO"]
    assert series_of(Pattern(freq=Freq.DATES, nth=(15, 31))) == ["0-15", "0-31"]
    assert series_of(Pattern(freq=Freq.DAYS, on=1, off=9)) == ["0-days"]
    assert series_of(Pattern(days=(0,), also_at=(time(15),))) == ["0-weeks", "1-weeks"]


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern(freq=Freq.WORKDAY, nth=(1,)),
        Pattern(freq=Freq.DATES, nth=(30,)),
        Pattern(freq=Freq.DAYS, on=4, off=3),
        Pattern(freq=Freq.BEFORE),
        Pattern(freq=Freq.ONCE),
    ],
)
def test_other_moments_stand_alone(pattern: Pattern) -> None:
    laid = lay_out(timing(pattern), {}, Calendar(country="NL"), SINCE, date(2027, 12, 31))
    assert not laid.series
    assert laid.singles


def test_a_fourth_monday_that_is_the_last_stands_once() -> None:
    pattern = Pattern(freq=Freq.NTH, days=(0,), nth=(4, -1))
    written = write(lay_out(timing(pattern), {}, Calendar(), SINCE, date(2027, 12, 31)))
    found = read(written, SINCE, date(2027, 12, 31))
    assert len(found) == len(set(found)) == 16


def test_a_moved_holiday_keeps_its_place_in_the_series() -> None:
    laid = lay_out(
        timing(Pattern(days=(0,)), on_holiday=OnHoliday.MOVE), {}, Calendar(country="NL"), SINCE, date(2027, 12, 31)
    )
    (series,) = laid.series
    easter = datetime.fromisoformat("2027-03-29 09:00")
    assert (easter, datetime(2027, 3, 30, 7, tzinfo=UTC)) in series.moved
    events = icalendar.Calendar.from_ical(write(laid)).walk("VEVENT")
    moved = [one for one in events if "RECURRENCE-ID" in one]
    assert {one["UID"] for one in events} == {"r-0-weeks@ritme"}
    assert len(moved) == len(series.moved)
    assert all("RRULE" not in one for one in moved)


def test_what_falls_in_quiet_hours_stands_when_it_is_posted() -> None:
    early, late = timing(Pattern(days=(0,)), at=time(7)), timing(Pattern(days=(0,)), at=time(19))
    quiet = QuietHours(start=time(18), end=time(8), weekends=True, timezone="Europe/Amsterdam")
    shifted = read(write(lay_out(early, {}, Calendar(), SINCE, date(2027, 1, 20), quiet)), SINCE, date(2027, 1, 20))
    assert [one.hour for one in shifted] == [7, 7, 7]  # 08:00 there
    assert lay_out(late, {}, Calendar(), SINCE, date(2027, 1, 20), quiet) == Timetable()


def test_an_ended_rhythm_has_nothing() -> None:
    ended = timing(Pattern(days=(0,)))._replace(ended_at=NOW)
    assert lay_out(ended, {}, Calendar(), SINCE, date(2027, 12, 31)) == Timetable()


@pytest.mark.parametrize(("hour", "minute"), [(0, 30), (0, 59), (1, 30), (1, 59)])
def test_the_second_of_two_equal_hours_is_told_apart(hour: int, minute: int) -> None:
    at = datetime(2027, 10, 31, hour, minute, tzinfo=UTC)  # 02:30 and 02:59 in Amsterdam, for the first and second time
    written = write(Timetable(singles=(Single(name="x", timezone="Europe/Amsterdam", at=at),)))
    assert read(written, date(2027, 10, 30), date(2027, 11, 1)) == [at]


def test_it_says_how_often_to_read_it_again_and_what_it_is() -> None:
    written = write(lay_out(timing(Pattern(days=(0,))), {}, Calendar(), SINCE, date(2027, 3, 1))).decode()
    for line in (
        "VERSION:2.0",
        "METHOD:PUBLISH",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "X-PUBLISHED-TTL:PT6H",
        "X-WR-CALNAME:Samen",
        "DTSTART;TZID=Europe/Amsterdam:20270104T090000",
        "DTSTAMP:20270101T000000Z",
        "LAST-MODIFIED:20270101T000000Z",
        "SEQUENCE:1",
        "TZOFFSETTO:+0200",
    ):
        assert f"{line}\r\n" in written
    assert max(len(line) for line in written.encode().decode().split("\r\n")) <= 75


def test_it_shows_this_month_and_a_year() -> None:
    assert window_of(datetime(2027, 3, 17, 12, tzinfo=UTC)) == (date(2027, 3, 1), date(2028, 3, 1))


def test_words_cannot_break_out_of_their_line() -> None:
    laid = lay_out(timing(Pattern(days=(0,))), {}, Calendar(), SINCE, date(2027, 1, 20))
    bad = Event(
        uid="x",
        when=laid.series[0],
        title="a\r\nATTENDEE:mailto:x",
        about="b\nBEGIN:VEVENT;,\\",
        where="c\rd",
        lasts=timedelta(minutes=15),
    )
    agenda = Agenda(name="n\r\nMETHOD:REQUEST", timezone="UTC", events=(bad, replace(bad, uid="y")))
    again = icalendar.Calendar.from_ical(write_agenda(agenda, revision=0, changed_at=NOW))
    assert len(again.walk("VEVENT")) == 2
    assert "ATTENDEE" not in again.walk("VEVENT")[0]
    assert again["METHOD"] == "PUBLISH"
