"""A year of a rhythm: what came of its moments in the weeks behind, and what is planned in those ahead."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.calendar import Calendar
from bot.domain.delivery import DeliveryState
from bot.domain.quiet_hours import QuietHours
from bot.domain.rhythm import (
    MISFIRE_GRACE,
    Changes,
    Expected,
    Rhythm,
    WhyOtherwise,
    expect_until,
    explain_move,
    list_gaps,
)

QUARTER = 13
"""Weeks in a quarter of a year, a row of the picture."""
WEEKS_BEHIND = QUARTER
"""Weeks before this one: messages are kept about that long."""
WEEKS = 4 * QUARTER


class MomentState(StrEnum):
    """The outcome of a moment, or the one it will have."""

    SENT = "sent"
    UNSENT = "unsent"
    PLANNED = "planned"
    MOVED = "moved"
    SKIPPED = "skipped"
    PAUSED = "paused"


class GivenMoment(NamedTuple):
    """A message of a rhythm, sent or not; `on` is the day of its moment by the rule, where it was noted."""

    state: DeliveryState
    due_at: datetime
    sent_at: datetime | None
    expires_at: datetime | None
    on: str | None


@dataclass(frozen=True, kw_only=True)
class YearMoment:
    """A moment of a year: `on` is the local day on which it comes, or would have; `given` the one its rule gives, where
    that is another. `because` is the reason, as in `Expected`."""

    on: date
    state: MomentState
    because: WhyOtherwise = ""
    given: date | None = None


@dataclass(frozen=True, kw_only=True)
class WeekMark:
    """A week of a rhythm: what came of most of it, how many moments it has, and the day of the first. `also`: something
    else came of others."""

    state: MomentState
    count: int
    day: int
    also: bool = False
    moved: bool = False
    """True when the first came on another day than its rule gives."""


@dataclass(frozen=True, kw_only=True)
class Year:
    """The weeks of a picture: from a Monday, `since`, until another, `until`."""

    since: date
    until: date

    @classmethod
    def around(cls, today: date, first: date | None = None) -> "Year":
        """Return the year with this week at the beginning of its second quarter; sooner where nothing is before
        `first`, the day on which its first rhythm was made."""
        monday = today - timedelta(days=today.weekday())
        since = monday - timedelta(weeks=WEEKS_BEHIND)
        if first is not None:
            since = min(monday, max(since, first - timedelta(days=first.weekday())))
        return cls(since=since, until=since + timedelta(weeks=WEEKS))

    def list_mondays(self) -> list[date]:
        """Return the first day of each week."""
        return [self.since + timedelta(weeks=number) for number in range(WEEKS)]


def live_through(
    rhythm: Rhythm,
    year: Year,
    changes: Changes,
    calendar: Calendar,
    quiet: QuietHours,
    sent: Sequence[GivenMoment],
    now: datetime,
) -> tuple[YearMoment, ...]:
    """Return the moments of a rhythm in a year, in order. What came is taken from the messages, `sent` or not; what is
    to come follows from the rhythm. `changes` reach back as far as the year does."""
    zone = ZoneInfo(rhythm.timezone)
    end = datetime.combine(year.until, time(), zone).astimezone(UTC)
    expected = expect_until(rhythm.timing, changes, calendar, quiet, after=now, until=end)
    today = now.astimezone(zone).date()
    found = [
        *(_look_back(row, zone, changes, calendar) for row in sent),
        *(
            YearMoment(on=change.on, state=MomentState.SKIPPED, because="changed")
            for change in changes.values()
            if change.skipped and year.since <= change.on < today
        ),
        *_list_absent(rhythm, year, calendar, sent, now),
        *(_look_ahead(one, zone) for one in expected),
        *(
            YearMoment(on=day, state=MomentState.PAUSED)
            for day in _list_rests(rhythm, calendar, today + timedelta(days=1), year.until)
        ),
    ]
    within = (one for one in found if year.since <= one.on < year.until)
    return tuple(sorted(within, key=lambda one: (one.on, one.state)))


def mark_weeks(moments: Iterable[YearMoment], year: Year) -> list[WeekMark | None]:
    """Return what stands in the box of each week of a year; None where nothing comes."""

    def week_of(one: YearMoment) -> int:
        return (one.on - year.since).days // 7

    by_week = {week: list(ones) for week, ones in groupby(sorted(moments, key=week_of), key=week_of)}
    return [_mark(by_week[week]) if week in by_week else None for week in range(WEEKS)]


def _mark(moments: Sequence[YearMoment]) -> WeekMark:
    states = [one.state for one in moments]
    most = max(dict.fromkeys(states), key=states.count)
    first = next(one for one in moments if one.state is most)
    return WeekMark(
        state=most, count=states.count(most), day=first.on.day, also=len(set(states)) > 1, moved=first.given is not None
    )


def _list_absent(
    rhythm: Rhythm, year: Year, calendar: Calendar, sent: Sequence[GivenMoment], now: datetime
) -> Iterator[YearMoment]:
    """Yield what its rule gave before now and did not come, as far back as the rhythm was what it is: on days off, and
    in a pause."""
    today = now.astimezone(ZoneInfo(rhythm.timezone)).date()
    since = max(year.since, rhythm.starts_on, rhythm.find_begin(now))
    came = {row.on for row in sent}
    timing = rhythm.timing._replace(paused_until=None)  # that does not tell since when
    for gap in list_gaps(timing, {}, calendar, since, today + timedelta(days=1)):
        if gap.on.isoformat() not in came and gap.given <= now:
            yield YearMoment(on=gap.on, state=MomentState.SKIPPED, because=gap.because)
    for day in rhythm.pattern.list_days(rhythm.starts_on, since, calendar):
        if day >= today:
            return
        if timing.rests_on(day) and day.isoformat() not in came:
            yield YearMoment(on=day, state=MomentState.PAUSED)


def _look_back(row: GivenMoment, zone: ZoneInfo, changes: Changes, calendar: Calendar) -> YearMoment:
    on = (row.sent_at or row.due_at).astimezone(zone).date()
    match row.state:
        case DeliveryState.SENT:
            given = date.fromisoformat(row.on) if row.on else on
            # Held up, it came later than its moment.
            moment = row.expires_at - MISFIRE_GRACE if row.expires_at is not None else row.due_at
            if given in (on, moment.astimezone(zone).date()):
                return YearMoment(on=on, state=MomentState.SENT)
            slot = next((slot for day, slot in changes if day == given), 0)
            because = explain_move(given, slot, changes, calendar)
            return YearMoment(on=on, state=MomentState.SENT, because=because, given=given)
        case DeliveryState.FAILED | DeliveryState.DROPPED:
            return YearMoment(on=on, state=MomentState.UNSENT)
        case _:
            return YearMoment(on=on, state=MomentState.PLANNED)


def _look_ahead(one: Expected, zone: ZoneInfo) -> YearMoment:
    if one.at is None:
        return YearMoment(on=one.on, state=MomentState.SKIPPED, because=one.because)
    on = one.at.astimezone(zone).date()
    if on == one.on or one.because == "quiet":
        return YearMoment(on=on, state=MomentState.PLANNED)
    return YearMoment(on=on, state=MomentState.MOVED, because=one.because, given=one.on)


def _list_rests(rhythm: Rhythm, calendar: Calendar, since: date, until: date) -> Iterator[date]:
    """Yield the days that the rule gives while the rhythm is paused."""
    for day in rhythm.pattern.list_days(rhythm.starts_on, since, calendar):
        if day >= until:
            return
        if rhythm.timing.rests_on(day):
            yield day
