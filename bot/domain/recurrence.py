"""Patterns of days that people choose for a rhythm, how they are stored, and the days they give.

The days are computed from the day asked for, not counted from the first: a rhythm of ten years old costs as much as a
new one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import chain, count
from zoneinfo import ZoneInfo

from bot.domain.calendar import Calendar
from bot.domain.quiet_hours import to_utc

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""Weekdays as RFC 5545 abbreviates them, from Monday."""
WORKING_DAY = "WORK"
"""A choice among weekdays, for every working day."""
MAX_WEEKS_BETWEEN = 4
MONTHS_BETWEEN = (1, 2, 3, 6, 12)
"""Months between the moments of a rhythm that people can choose: monthly to yearly."""
MAX_DAYS_BETWEEN = 60
"""Days of work, and days of rest, of a roster at most."""
MAX_TIMES_A_DAY = 4
SEARCHED_DAYS = 28 * 366
"""Days without any moment after which there will be none, such as before a holiday where there are none: in 28 years
every date has been on every weekday."""
LAST = -1


class Freq(StrEnum):
    """The kind of days that a pattern names."""

    WEEKS = "weeks"
    NTH = "nth"
    DATES = "dates"
    WORKDAY = "workday"
    WORKDAYS = "workdays"
    DAYS = "days"
    BEFORE = "before"
    AFTER = "after"
    ONCE = "once"


MONTHLY = (Freq.NTH, Freq.DATES, Freq.WORKDAY)
"""Kinds of days that are found in a month."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A recurrence that people can choose.

    - `WEEKS`: weekdays `days` (0 = Monday) of every so many weeks;
    - in every so many months (`every` of `MONTHS_BETWEEN`): `NTH`, the nth of the weekdays `days`; `DATES`, days of the
      month, in a shorter month its last; `WORKDAY`, the nth working days; `nth` says which, -1 is the last;
    - `WORKDAYS`: every day outside the weekend; `BEFORE` and `AFTER`: the working day before or after a holiday;
    - `DAYS`: `on` days in a row, then `off` days without; `ONCE`: the first day only.

    Weeks, months and days are counted from the day it starts on. `until` is its last day, `also_at` are later local
    times of the same days.
    """

    freq: Freq = Freq.WEEKS
    every: int = 1
    days: tuple[int, ...] = ()
    nth: tuple[int, ...] = ()
    on: int = 1
    off: int = 0
    until: date | None = None
    also_at: tuple[time, ...] = ()

    @property
    def monthly(self) -> bool:
        """True when its days are found in a month."""
        return self.freq in MONTHLY

    @property
    def names_weekdays(self) -> bool:
        """True when people chose the weekdays themselves."""
        return self.freq in (Freq.WEEKS, Freq.NTH)

    @property
    def rule(self) -> str:
        """The recurrence as an RFC 5545 RRULE; what that cannot say is in parts that begin with "X-"."""
        parts = [*self._rule_parts()]
        if self.until is not None:
            parts.append(f"UNTIL={self.until:%Y%m%d}")
        if self.also_at:
            parts.append(f"X-AT={','.join(f'{at:%H%M}' for at in self.also_at)}")
        return ";".join(parts)

    def _rule_parts(self) -> Iterator[str]:
        match self.freq:
            case Freq.WEEKS:
                yield f"FREQ=WEEKLY;INTERVAL={self.every};BYDAY={','.join(WEEKDAYS[day] for day in self.days)}"
            case Freq.NTH | Freq.DATES | Freq.WORKDAY:
                yield f"FREQ=MONTHLY;INTERVAL={self.every}" if self.every > 1 else "FREQ=MONTHLY"
                yield self._rule_of_month()
            case Freq.WORKDAYS:
                yield "FREQ=DAILY;X-WORKDAYS=ALL"
            case Freq.BEFORE | Freq.AFTER:
                yield f"FREQ=YEARLY;X-HOLIDAY={self.freq.upper()}"
            case Freq.ONCE:
                yield "FREQ=DAILY;COUNT=1"
            case Freq.DAYS:
                yield f"FREQ=DAILY;INTERVAL={self.on + self.off}"
                if self.on > 1:
                    yield f"X-ON={self.on}"

    def _rule_of_month(self) -> str:
        if self.freq is Freq.NTH:
            return f"BYDAY={','.join(f'{nth}{WEEKDAYS[day]}' for nth in self.nth for day in self.days)}"
        name = "X-DATE" if self.freq is Freq.DATES else "X-WORKDAY"
        return f"{name}={','.join(map(str, self.nth))}"

    @classmethod
    def of(cls, rule: str, starts_on: date) -> "Pattern":
        """Parse a rule made by `rule`, or one without days: those are that of `starts_on` (RFC 5545, 3.3.10). Raises
        `ValueError` or `KeyError` for any other."""
        return _parse_rule(rule, starts_on)

    def first_day(
        self, at: time, timezone: str, now: datetime, calendar: Calendar | None = None, since: date | None = None
    ) -> date | None:
        """Return the first day of the pattern: intervals are counted from it; None when there is none.

        It is the first local day on which a time is still to come, or the first from the day `since` on, whenever that
        was.
        """
        first = since or now.astimezone(ZoneInfo(timezone)).date()
        every_day = Freq.DAYS if self.freq is Freq.ONCE else self.freq
        uncounted = replace(self, freq=every_day, every=1, on=1, off=0, until=None)
        latest = max(at, *self.also_at) if self.also_at else at
        for day in uncounted.list_days(first, first, calendar or Calendar()):
            if since is not None or to_utc(day, latest, timezone) > now:
                return day
        return None

    def list_days(self, starts_on: date, since: date, calendar: Calendar) -> Iterator[date]:
        """Yield the days from `since` on, in order."""
        if self.freq is Freq.ONCE:
            yield from (starts_on,) if since <= starts_on else ()
            return
        first = max(starts_on, since)
        list_them = self._monthly_days if self.monthly else self._days
        for day in list_them(starts_on, first, calendar):
            if self.until is not None and day > self.until:
                return
            yield day

    def _days(self, starts_on: date, first: date, calendar: Calendar) -> Iterator[date]:
        if self.freq is Freq.WEEKS:
            yield from self._weekly_days(starts_on, first)
            return
        seen = first
        for day in (first + timedelta(days=number) for number in count()):
            if self._gives(day, starts_on, calendar):
                seen = day
                yield day
            elif (day - seen).days > SEARCHED_DAYS:
                return

    def _weekly_days(self, starts_on: date, first: date) -> Iterator[date]:
        began, monday = (one - timedelta(days=one.weekday()) for one in (starts_on, first))
        monday += timedelta(weeks=(began - monday).days // 7 % self.every)
        days = sorted(set(self.days))
        while days:
            for day in (monday + timedelta(days=one) for one in days):
                if day >= first:
                    yield day
            monday += timedelta(weeks=self.every)

    def _gives(self, day: date, starts_on: date, calendar: Calendar) -> bool:
        match self.freq:
            case Freq.WORKDAYS:
                return not calendar.is_weekend(day)
            case Freq.BEFORE | Freq.AFTER:
                return calendar.borders_holiday(day, 1 if self.freq is Freq.BEFORE else -1)
            case _:
                return (day - starts_on).days % (self.on + self.off) < self.on

    def _monthly_days(self, starts_on: date, first: date, calendar: Calendar) -> Iterator[date]:
        began, month = starts_on.year * 12 + starts_on.month - 1, first.year * 12 + first.month - 1
        month += (began - month) % self.every
        seen = month
        for number in count(month, self.every):
            if number - seen > SEARCHED_DAYS // 30:
                return
            for day in self._in_month(number // 12, number % 12 + 1, calendar):
                seen = number
                if day >= first:
                    yield day

    def _in_month(self, year: int, month: int, calendar: Calendar) -> list[date]:
        """Return the days that the pattern names in a month, in order."""
        begin = date(year, month, 1)
        after = date(year + month // 12, month % 12 + 1, 1)
        whole = [begin + timedelta(days=number) for number in range((after - begin).days)]
        if self.freq is Freq.DATES:
            return sorted({whole[min(nth, len(whole)) - 1] for nth in self.nth})
        if self.freq is Freq.WORKDAY:
            among = [[day for day in whole if calendar.is_working(day)]]
        else:
            among = [[day for day in whole if day.weekday() == weekday] for weekday in self.days]
        return sorted(set(chain.from_iterable(_choose(days, self.nth) for days in among)))

    def slower(self, day: date) -> "Pattern | None":
        """Return a pattern that comes about half as often, on days such as `day`, one of this one; None when there is
        none: it comes once a year or less, or as often as holidays do."""
        if self.also_at:
            return replace(self, also_at=self.also_at[: (len(self.also_at) + 1) // 2 - 1])
        if self.freq is Freq.WORKDAYS:
            return replace(self, freq=Freq.WEEKS, days=(day.weekday(),))
        if self.freq is Freq.WEEKS:
            return self._with_fewer_weeks(day)
        if self.freq is Freq.DAYS:
            return self._with_fewer_days(day)
        return self._with_fewer_months() if self.monthly else None

    def _with_fewer_weeks(self, day: date) -> "Pattern":
        if self.every < MAX_WEEKS_BETWEEN:
            return replace(self, every=min(MAX_WEEKS_BETWEEN, self.every * 2))
        if len(self.days) > 1:
            return replace(self, days=_halve(self.days))
        week = (day.day - 1) // 7 + 1
        return replace(self, freq=Freq.NTH, every=2, nth=(week if week <= 4 else LAST,))

    def _with_fewer_days(self, day: date) -> "Pattern":
        if self.on > 1:
            on, cycle = self.on // 2, self.on + self.off
            return replace(self, on=on, off=min(cycle - on, MAX_DAYS_BETWEEN - (on == 1)))
        days = self.off + 1
        if days >= MAX_DAYS_BETWEEN:
            return replace(self, freq=Freq.DATES, every=3, nth=(day.day,), off=0)
        return replace(self, off=min(MAX_DAYS_BETWEEN, days * 2) - 1)

    def _with_fewer_months(self) -> "Pattern | None":
        # The fourth and the last, or two days at the end of a month, may be one: leaving one out changes nothing.
        one = set(self.nth) == {4, LAST} or (self.freq is Freq.DATES and min(self.nth) >= 28)
        if (len(self.nth) > 1 and not one) or len(self.days) > 1:
            return replace(self, nth=_halve(self.nth), days=_halve(self.days))
        longer = next((months for months in MONTHS_BETWEEN if months > self.every), None)
        return replace(self, every=longer) if longer is not None else None

    @property
    def rest(self) -> timedelta:
        """How long nothing comes at first when it is counted anew: the next is then about one interval away."""
        if self.monthly:
            return timedelta(days=30 * (self.every - 1))
        return timedelta(days=self.off) if self.freq is Freq.DAYS else timedelta(weeks=self.every - 1)


def _halve(chosen: tuple[int, ...]) -> tuple[int, ...]:
    """Return half of what was chosen, spread, and at least one."""
    return chosen[::2][: max(1, len(chosen) // 2)]


def _choose(days: list[date], nth: tuple[int, ...]) -> Iterator[date]:
    for one in nth:
        if one == LAST and days:
            yield days[-1]
        elif 0 < one <= len(days):
            yield days[one - 1]


@lru_cache(maxsize=4096)
def _parse_rule(rule: str, starts_on: date) -> Pattern:
    parts = dict(part.split("=") for part in rule.split(";"))
    until, also_at = parts.get("UNTIL"), parts.get("X-AT")
    return replace(
        _parse_days(parts, starts_on),
        until=date.fromisoformat(until[:8]) if until else None,
        also_at=tuple(time(int(at[:2]), int(at[2:])) for at in also_at.split(",")) if also_at else (),
    )


def _parse_days(parts: Mapping[str, str], starts_on: date) -> Pattern:
    every = int(parts.get("INTERVAL", "1"))
    match parts["FREQ"]:
        case "MONTHLY":
            return replace(_parse_month(parts, starts_on), every=every)
        case "YEARLY":
            return Pattern(freq=Freq(parts["X-HOLIDAY"].lower()))
        case "DAILY" if parts.get("COUNT") == "1":
            return Pattern(freq=Freq.ONCE)
        case "DAILY" if "X-WORKDAYS" in parts:
            return Pattern(freq=Freq.WORKDAYS)
        case "DAILY":
            on = int(parts.get("X-ON", "1"))
            return Pattern(freq=Freq.DAYS, on=on, off=every - on)
        case "WEEKLY":
            named = parts["BYDAY"].split(",") if "BYDAY" in parts else [WEEKDAYS[starts_on.weekday()]]
            return Pattern(every=every, days=tuple(WEEKDAYS.index(day) for day in named))
        case unknown:
            raise ValueError(f"no rhythm comes {unknown}")


def _parse_month(parts: Mapping[str, str], starts_on: date) -> Pattern:
    if "BYDAY" in parts:
        named = parts["BYDAY"].split(",")
        days = tuple(dict.fromkeys(WEEKDAYS.index(one[-2:]) for one in named))
        return Pattern(freq=Freq.NTH, days=days, nth=tuple(dict.fromkeys(int(one[:-2]) for one in named)))
    freq = Freq.WORKDAY if "X-WORKDAY" in parts else Freq.DATES
    named = (parts.get("X-WORKDAY") or parts.get("X-DATE") or str(starts_on.day)).split(",")
    return Pattern(freq=freq, nth=tuple(map(int, named)))
