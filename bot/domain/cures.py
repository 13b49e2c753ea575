"""Cures for a rhythm of which moments fall in the quiet hours of its place: the nearest time and days that do not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from bot.domain.calendar import Calendar
from bot.domain.quiet_hours import QuietHours, to_utc
from bot.domain.recurrence import Freq, Pattern
from bot.domain.rhythm import Changes, Expected, MomentName, OnHoliday, Timing, expect_moments, moments

LOOKED_AT = 12
"""Coming moments that are compared with quiet hours."""
BEFORE_QUIET = timedelta(minutes=15)
"""How long before quiet hours a moment may be: sent a little late, it is not to fall in them."""
_NEAREST_DAYS = (-1, 1, -2, 2, -3, 3)


@dataclass(frozen=True, kw_only=True)
class Cure:
    """A timing of which fewer moments are quiet, and where to the moments go that were moved into the quiet hours."""

    timing: Timing
    moved: dict[MomentName, datetime]


def list_quiet(
    timing: Timing, changes: Changes, calendar: Calendar, quiet: QuietHours, now: datetime
) -> Sequence[Expected]:
    """Return those of the next moments of a rhythm that are quiet: they come later, or not at all."""
    coming = expect_moments(timing, changes, calendar, quiet, after=now, count=LOOKED_AT)
    return [one for one in coming if one.because == "quiet"]


def find_cure(timing: Timing, changes: Changes, calendar: Calendar, quiet: QuietHours, now: datetime) -> Cure | None:
    """Return the nearest timing with fewer quiet moments; None when there is none."""
    moved = {
        name: nearest
        for name, one in changes.items()
        if one.moved_to is not None and one.moved_to > now and quiet.covers(one.moved_to)
        for nearest in [_nearest_moment(one.moved_to, quiet, now) or quiet.first_allowed_at(one.moved_to)]
    }
    fitted = _fit_times(_fit_days(timing, calendar, quiet, now), calendar, quiet, now)
    others = {name: one for name, one in changes.items() if name not in moved}
    left = len(list_quiet(fitted, others, calendar, quiet, now))
    if left == 0 or left < len(list_quiet(timing, others, calendar, quiet, now)):
        return Cure(timing=fitted, moved=moved)
    return None


def _fit_days(timing: Timing, calendar: Calendar, quiet: QuietHours, now: datetime) -> Timing:
    """Return a timing without the days that are quiet as a whole, as far as people chose those."""
    pattern = timing.pattern
    found = list(islice(moments(timing, {}, calendar, after=now), LOOKED_AT))
    silent = [one.at for one in found if quiet.covers_day(one.at.astimezone(ZoneInfo(quiet.timezone)).date())]
    if not silent:
        return timing
    if pattern.freq is Freq.DATES:
        return timing._replace(on_holiday=OnHoliday.MOVE)
    if pattern.freq is Freq.ONCE:
        nearest = quiet.first_allowed_at(silent[0]).astimezone(ZoneInfo(timing.timezone)).date()
        return timing._replace(starts_on=nearest)
    if not pattern.names_weekdays:
        return timing
    days = tuple(sorted({_nearest_weekday(day, found[0].on, quiet) for day in pattern.days}))
    moved = _nearest_weekday(found[0].on.weekday(), found[0].on, quiet) - found[0].on.weekday()
    starts = found[0].on + timedelta(days=(moved + 3) % 7 - 3)
    while to_utc(starts, timing.at, timing.timezone) <= now:
        starts += timedelta(weeks=pattern.every if pattern.freq is Freq.WEEKS else 1)
    return _with_pattern(timing, replace(pattern, days=days))._replace(
        starts_on=starts if pattern.freq is Freq.WEEKS else timing.starts_on
    )


def _nearest_weekday(weekday: int, near: date, quiet: QuietHours) -> int:
    """Return the weekday nearest to one that is not quiet as a whole."""
    day = near + timedelta(days=(weekday - near.weekday()) % 7)
    days = (day + timedelta(days=number) for number in (0, *_NEAREST_DAYS))
    return next((one for one in days if not quiet.covers_day(one)), day).weekday()


def _fit_times(timing: Timing, calendar: Calendar, quiet: QuietHours, now: datetime) -> Timing:
    """Return a timing of which the times are not quiet, each the nearest of its day."""
    zone = ZoneInfo(timing.timezone)
    times = list[time]()
    for slot, at in enumerate(timing.times):
        coming = (one.at for one in islice(moments(timing, {}, calendar, after=now), LOOKED_AT) if one.slot == slot)
        silent = next((one for one in coming if quiet.covers(one) and not _is_quiet_day(one, quiet)), None)
        nearest = _nearest_moment(silent, quiet, now) if silent is not None else None
        same_day = nearest is not None and silent is not None and _is_same_day(nearest, silent, zone)
        times.append(nearest.astimezone(zone).time() if nearest is not None and same_day else at)
    first, *others = sorted(set(times))
    return _with_pattern(timing, replace(timing.pattern, also_at=tuple(others)))._replace(at=first)


def _nearest_moment(moment: datetime, quiet: QuietHours, now: datetime) -> datetime | None:
    """Return the nearest moment of the same local day that is not quiet; None when there is none to come."""
    zone = ZoneInfo(quiet.timezone)
    candidates = [one for one in _around(moment, quiet) if one > now and _is_same_day(one, moment, zone)]
    return min((one for one in candidates if not quiet.covers(one)), key=lambda one: abs(one - moment), default=None)


def _around(moment: datetime, quiet: QuietHours) -> Iterator[datetime]:
    day = moment.astimezone(ZoneInfo(quiet.timezone)).date()
    yield to_utc(day, quiet.start, quiet.timezone) - BEFORE_QUIET
    yield quiet.first_allowed_at(moment)


def _is_quiet_day(moment: datetime, quiet: QuietHours) -> bool:
    return quiet.covers_day(moment.astimezone(ZoneInfo(quiet.timezone)).date())


def _is_same_day(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    return one.astimezone(zone).date() == other.astimezone(zone).date()


def _with_pattern(timing: Timing, pattern: Pattern) -> Timing:
    return timing._replace(rule=pattern.rule)
