"""The year of a rhythm: what came, and what is to come, and in which week."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from bot.domain.calendar import Calendar
from bot.domain.delivery import DeliveryState
from bot.domain.movement import MovementId, PlaceId
from bot.domain.quiet_hours import QuietHours
from bot.domain.recurrence import Pattern
from bot.domain.rhythm import MomentChange, OnHoliday, Rhythm, RhythmId, RhythmKind
from bot.domain.stretches import Stretch
from bot.domain.year import WEEKS, GivenMoment, MomentState, Year, YearMoment, live_through, mark_weeks

NOW = datetime(2027, 3, 3, 12, tzinfo=UTC)
YEAR = Year.around(date(2027, 3, 3))
OPEN = QuietHours(start=time(0), end=time(0), weekends=False, timezone="Europe/Amsterdam")
DUTCH = Calendar(country="NL")
S = MomentState


def weekly(day: int = 0, **changes: object) -> Rhythm:
    values = {
        "id": RhythmId("r"),
        "movement_id": MovementId("m"),
        "place_id": PlaceId("p"),
        "kind": RhythmKind.STORIES,
        "rule": Pattern(days=(day,)).rule,
        "starts_on": date(2027, 1, 4),
        "at": time(9),
        "timezone": "Europe/Amsterdam",
        "created_by": None,
        "created_at": NOW,
        **changes,
    }
    return Rhythm(**values)  # type: ignore[arg-type]


def sent(at: datetime, state: DeliveryState = DeliveryState.SENT, on: str | None = None) -> GivenMoment:
    return GivenMoment(state, at, at if state is DeliveryState.SENT else None, None, on)


def find(moments: tuple[YearMoment, ...], day: date) -> YearMoment:
    (found,) = [one for one in moments if one.on == day]
    return found


def test_a_year_has_a_quarter_behind_and_begins_on_a_monday() -> None:
    assert YEAR.since.weekday() == 0
    assert len(YEAR.list_mondays()) == WEEKS
    assert YEAR.list_mondays()[13] == date(2027, 3, 1)


def test_what_came_is_taken_from_the_messages_and_what_comes_from_the_rhythm() -> None:
    rows = [
        sent(datetime(2027, 2, 22, 8, tzinfo=UTC)),
        sent(datetime(2027, 3, 1, 8, tzinfo=UTC), DeliveryState.DROPPED),
    ]
    moments = live_through(weekly(), YEAR, {}, DUTCH, OPEN, rows, NOW)
    assert find(moments, date(2027, 2, 22)).state is S.SENT
    assert find(moments, date(2027, 3, 1)).state is S.UNSENT
    assert find(moments, date(2027, 3, 8)).state is S.PLANNED
    assert find(moments, date(2027, 3, 29)) == YearMoment(on=date(2027, 3, 29), state=S.SKIPPED, because="holiday")
    assert not [one for one in moments if one.on >= YEAR.until]


def test_what_moves_tells_from_which_day_and_what_rests_is_paused() -> None:
    moments = live_through(
        weekly(on_holiday=OnHoliday.MOVE, pauses="2027-07-10/2027-08-23"), YEAR, {}, DUTCH, OPEN, [], NOW
    )
    moved = find(moments, date(2027, 3, 30))
    assert (moved.state, moved.because, moved.given) == (S.MOVED, "holiday", date(2027, 3, 29))
    paused = [one.on for one in moments if one.state is S.PAUSED]
    assert paused == [date(2027, 7, 12) + timedelta(weeks=number) for number in range(6)]


def test_what_a_coordinator_skipped_is_told_before_and_after_now() -> None:
    rhythm = weekly()
    changes = {
        (day, 0): MomentChange(rhythm_id=rhythm.id, movement_id=rhythm.movement_id, on=day, skipped=True)
        for day in (date(2027, 2, 8), date(2027, 4, 5))
    }
    moments = live_through(rhythm, YEAR, changes, DUTCH, OPEN, [], NOW)
    assert [one.on for one in moments if one.because == "changed"] == [date(2027, 2, 8), date(2027, 4, 5)]


def test_what_has_been_is_drawn_with_what_was_skipped_moved_and_paused() -> None:
    today = datetime(2027, 6, 2, 12, tzinfo=UTC)
    rhythm = weekly(
        on_holiday=OnHoliday.MOVE, pauses="2027-04-10/2027-04-24", created_at=datetime(2027, 1, 4, tzinfo=UTC)
    )
    closed = Calendar(country="NL", closed=(Stretch(date(2027, 5, 3), date(2027, 5, 4)),))
    rows = [
        sent(datetime(2027, 3, 30, 7, tzinfo=UTC), on="2027-03-29"),  # after Easter Monday
        sent(datetime(2027, 4, 8, 7, tzinfo=UTC), on="2027-04-05"),  # moved by a coordinator
    ]
    name = date(2027, 4, 5), 0
    moved = MomentChange(rhythm_id=rhythm.id, movement_id=rhythm.movement_id, on=name[0], moved_to=rows[1].due_at)
    year = Year.around(today.date())
    moments = live_through(rhythm, year, {name: moved}, closed, OPEN, rows, today)
    assert find(moments, date(2027, 3, 30)) == YearMoment(
        on=date(2027, 3, 30), state=S.SENT, because="holiday", given=date(2027, 3, 29)
    )
    assert find(moments, date(2027, 4, 8)).because == "changed"
    assert [one.on for one in moments if one.state is S.PAUSED] == [date(2027, 4, 12), date(2027, 4, 19)]
    skipping = live_through(replace(rhythm, on_holiday=OnHoliday.SKIP), year, {}, closed, OPEN, [], today)
    assert [(one.on, one.because) for one in skipping if one.state is S.SKIPPED and one.on < today.date()] == [
        (date(2027, 3, 29), "holiday"),
        (date(2027, 5, 3), "closed"),
        (date(2027, 5, 17), "holiday"),
    ]


def test_a_year_begins_no_sooner_than_its_first_rhythm() -> None:
    today = date(2027, 6, 2)
    usual = Year.around(today)
    assert Year.around(today, date(2026, 1, 5)) == usual
    for first in (date(2027, 5, 13), today, date(2027, 9, 1)):
        year = Year.around(today, first)
        assert year.since == min(date(2027, 5, 31), first - timedelta(days=first.weekday()))
        assert year.until - year.since == usual.until - usual.since


def test_of_before_a_change_only_what_came_is_known() -> None:
    today = datetime(2027, 6, 2, 12, tzinfo=UTC)
    rhythm = weekly(created_at=datetime(2027, 1, 4, tzinfo=UTC))
    rhythm.remember({}, datetime(2027, 5, 1, tzinfo=UTC))
    year = Year.around(today.date())
    holidays = [date(2027, 3, 29), date(2027, 5, 17)]
    for changed, known in (("pauses", holidays), ("rule", holidays[1:])):
        other = replace(rhythm, **{changed: {"pauses": "", "rule": Pattern(days=(0, 1)).rule}[changed]})
        found = live_through(other, year, {}, DUTCH, OPEN, [], today)
        assert [one.on for one in found if one.because == "holiday" and one.on < today.date()] == known


def test_a_week_shows_most_of_what_comes_and_that_something_else_does() -> None:
    monday = date(2027, 3, 8)
    week = [YearMoment(on=monday + timedelta(days=number), state=S.PLANNED) for number in range(4)]
    marks = mark_weeks([*week, YearMoment(on=monday + timedelta(days=4), state=S.SKIPPED)], YEAR)
    (mark,) = [one for one in marks if one is not None]
    assert (mark.state, mark.count, mark.day, mark.also) == (S.PLANNED, 4, 8, True)
    assert marks.index(mark) == 14
