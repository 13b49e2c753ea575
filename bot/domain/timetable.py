"""Lay out the moments of a rhythm as calendars take them: series by a rule with what differs, and single moments.

A rule is written only where every calendar understands it and it gives the same days as the pattern; all other moments
stand alone. Both come from `moments`, so a calendar never shows another day than the one on which Ritme posts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import product, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.calendar import Calendar
from bot.domain.movement import MovementId
from bot.domain.quiet_hours import QuietHours, to_utc
from bot.domain.recurrence import WEEKDAYS, Freq, Pattern
from bot.domain.rhythm import MISFIRE_GRACE, Changes, Moment, MomentChange, MomentName, RhythmId, Timing, moments

AHEAD = timedelta(days=366)
"""How far ahead of the first of its month a calendar shows moments."""
SURE_DATES = 28
"""The last day that every month has."""
LONGEST_MONTH = 31
_DAY = timedelta(days=1)
_ANY, _ANYWHERE = RhythmId(""), MovementId("")
_JUST_BEFORE = timedelta(microseconds=1)
Rule = Mapping[str, Sequence[str | int]]
"""The parts of an RFC 5545 recurrence rule, without its end."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Moments by a rule. `name` tells it from others of its rhythm and stays. `first`, and the moments that are
    `left_out`, are local times without a zone, as its `rule` gives them; so is what a moment was moved from in `moved`,
    while what it was moved to is UTC. `until` (UTC) is after its last moment and before the next."""

    name: str
    timezone: str
    rule: Rule
    first: datetime
    until: datetime
    left_out: tuple[datetime, ...] = ()
    moved: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Single:
    """A moment (UTC) that stands alone, to be shown in a time zone."""

    name: str
    timezone: str
    at: datetime


class Timetable(NamedTuple):
    """All moments of a rhythm in some days."""

    series: tuple[Series, ...] = ()
    singles: tuple[Single, ...] = ()


def window_of(now: datetime) -> tuple[date, date]:
    """Return the first and the last day that calendars show: from the first of this month on, so that what they hold
    changes once a month by itself."""
    since = now.date().replace(day=1)
    return since, since + AHEAD


def lay_out(
    timing: Timing, changes: Changes, calendar: Calendar, since: date, until: date, quiet: QuietHours | None = None
) -> Timetable:
    """Lay out the moments of a rhythm from one local day to another. With the `quiet` hours of its place a moment
    stands when it is posted: after them, or nowhere when that is too late."""
    kept = tuple((*name, one.skipped, one.moved_to) for name, one in sorted(changes.items()))
    return _lay_out(timing, kept, calendar, since, until, quiet)


_Kept = tuple[tuple[date, int, bool, datetime | None], ...]
"""Changes to moments as values, so that what follows from equal ones is computed once."""


def _as_changes(kept: _Kept) -> Changes:
    return {
        (on, slot): MomentChange(
            rhythm_id=_ANY, movement_id=_ANYWHERE, on=on, slot=slot, skipped=skipped, moved_to=moved_to
        )
        for on, slot, skipped, moved_to in kept
    }


@lru_cache(maxsize=2048)
def _lay_out(
    timing: Timing, kept: _Kept, calendar: Calendar, since: date, until: date, quiet: QuietHours | None
) -> Timetable:
    """Lay out the moments of a rhythm. Cached: calendars ask for the same several times a day."""
    changes = _as_changes(kept)
    begin, end = to_utc(since, time(0), timing.timezone), to_utc(until + _DAY, time(0), timing.timezone)
    left: dict[MomentName, datetime] = {}
    for moment in takewhile(lambda one: one.at < end, moments(timing, changes, calendar, after=begin - _JUST_BEFORE)):
        at = _posted_at(moment, quiet)
        if at is not None:
            left[moment.name] = at
    found = []
    for name, rule, pattern in _list_rules(timing.pattern, calendar) if len(left) > 1 else ():
        given = list(takewhile(lambda day: day <= until, pattern.list_days(timing.starts_on, since, calendar)))
        for slot, local in enumerate(timing.times):
            made = _make_series(f"{slot}-{name}", rule, timing.timezone, given, slot, local, left)
            found += [made] if made is not None else []
    singles = (
        Single(name=f"{on:%Y%m%d}-{slot}", timezone=timing.timezone, at=at) for (on, slot), at in sorted(left.items())
    )
    return Timetable(tuple(found), tuple(singles))


def _posted_at(moment: Moment, quiet: QuietHours | None) -> datetime | None:
    at = quiet.first_allowed_at(moment.at) if quiet is not None else moment.at
    return at if at - moment.at <= MISFIRE_GRACE else None


def _list_rules(pattern: Pattern, calendar: Calendar) -> Iterator[tuple[str, Rule, Pattern]]:
    """Yield the rules that together give days of a pattern, each with a name and a pattern of exactly its days. Several
    weekdays or dates of a month are a rule each: many calendars know no more of one."""
    match pattern.freq:
        case Freq.WEEKS:
            yield "weeks", _weekly(pattern.every, pattern.days), pattern
        case Freq.WORKDAYS:
            days = tuple(day for day in range(len(WEEKDAYS)) if day not in calendar.weekend)
            yield "weeks", _weekly(1, days), replace(pattern, freq=Freq.WEEKS, every=1, days=days)
        case Freq.NTH:
            for nth, day in product(pattern.nth, pattern.days):
                named = f"{nth}{WEEKDAYS[day]}"
                yield named, _monthly(pattern, "BYDAY", named), replace(pattern, nth=(nth,), days=(day,))
        case Freq.DATES:
            for nth in pattern.nth:
                if nth <= SURE_DATES or nth == LONGEST_MONTH:
                    number = nth if nth <= SURE_DATES else -1
                    yield str(nth), _monthly(pattern, "BYMONTHDAY", number), replace(pattern, nth=(nth,))
        case Freq.DAYS if pattern.on == 1 or pattern.off == 0:
            yield "days", {"FREQ": ["DAILY"], "INTERVAL": [pattern.on + pattern.off if pattern.off else 1]}, pattern
        case _:
            return


def _weekly(every: int, days: Sequence[int]) -> Rule:
    return {"FREQ": ["WEEKLY"], "INTERVAL": [every], "BYDAY": [WEEKDAYS[day] for day in days], "WKST": ["MO"]}


def _monthly(pattern: Pattern, part: str, value: str | int) -> Rule:
    return {"FREQ": ["MONTHLY"], "INTERVAL": [pattern.every], part: [value]}


def _make_series(
    name: str,
    rule: Rule,
    timezone: str,
    given: Sequence[date],
    slot: int,
    local: time,
    left: dict[MomentName, datetime],
) -> Series | None:
    """Make a series of the days that its rule has `given`, and take its moments out of those that are `left`; None when
    fewer than two are."""
    kept = [day for day in given if (day, slot) in left and _exists(day, local, timezone)]
    if len(kept) < 2:
        return None
    left_out, moved = [], []
    for day in (one for one in given if kept[0] <= one <= kept[-1]):
        # What falls into an hour that the clocks skip is understood differently by calendars: that stands alone.
        at = left.pop((day, slot), None) if _exists(day, local, timezone) else None
        if at is None:
            left_out.append(datetime.combine(day, local))
        elif at != to_utc(day, local, timezone):
            moved.append((datetime.combine(day, local), at))
    return Series(
        name=name,
        timezone=timezone,
        rule=rule,
        first=datetime.combine(kept[0], local),
        until=to_utc(kept[-1] + _DAY, time(0), timezone) - timedelta(seconds=1),
        left_out=tuple(left_out),
        moved=tuple(moved),
    )


def _exists(day: date, local: time, timezone: str) -> bool:
    """Return whether the clocks show a local time on a day."""
    at = to_utc(day, local, timezone).astimezone(ZoneInfo(timezone))
    return at.replace(tzinfo=None, fold=0) == datetime.combine(day, local)
