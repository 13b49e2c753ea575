"""Random rhythms over ten years, compared with an oracle of its own: python-dateutil, and looking at each day.

The ordinary suite takes `USUAL` of them, always the same; for all of them:
`RITME_RHYTHMS=10000 python -m pytest tests/unit/test_rhythm_oracle.py`.
"""

import os
import random
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import groupby, islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import holidays
import pytest
from dateutil.easter import easter
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule, weekday

from bot.domain.calendar import Calendar
from bot.domain.movement import MovementId
from bot.domain.recurrence import LAST, MONTHS_BETWEEN, Freq, Pattern
from bot.domain.rhythm import MAX_MOVE, Moment, MomentChange, MomentName, OnHoliday, RhythmId, Timing, moments
from bot.domain.stretches import Stretch, format_stretches

USUAL = 100
NUMBER = int(os.environ.get("RITME_RHYTHMS", USUAL))
CHUNKS = 8
SEED = 2027
DAY = timedelta(days=1)
YEARS = timedelta(days=3653)
ZONES = [
    f"{area}/{city}"
    for area, cities in {
        "Europe": ("Amsterdam", "London", "Lisbon", "Istanbul", "Kyiv"),
        "Africa": ("Casablanca", "Cairo"),
        "America": ("New_York", "Sao_Paulo", "St_Johns", "Los_Angeles", "Santiago"),
        "Asia": ("Kolkata", "Kathmandu", "Tokyo", "Jerusalem"),
        "Australia": ("Lord_Howe", "Sydney"),
        "Pacific": ("Chatham",),
        "Etc": ("UTC",),
    }.items()
    for city in cities
]
GOOD_FRIDAY = "+Goede vrijdag"
COUNTRIES = {
    "NL": (5, 6),
    "BE": (5, 6),
    "DE": (5, 6),
    "GB": (5, 6),
    "US": (5, 6),
    "IL": (4, 5),
    "EG": (4, 5),
    "NP": (5,),
    "JP": (5, 6),
    "BR": (5, 6),
}
REGIONS = {"DE": ("", "BY", "BE"), "GB": ("ENG", "SCT", "NIR"), "BR": ("", "SP")}
"""Regions to draw, of countries where some have days of their own."""
TIMES = [time(hour, minute) for hour in (0, 1, 2, 3, 8, 9, 12, 15, 23) for minute in (0, 15, 30, 59)]


@dataclass(frozen=True)
class Case:
    """A random rhythm: what a coordinator chose, where, and what they changed."""

    timing: Timing
    pattern: Pattern
    calendar: Calendar
    pauses: tuple[Stretch, ...]
    changes: dict[MomentName, MomentChange]
    after: datetime


def draw(number: int) -> Case:
    """Draw the case of a number."""
    dice = random.Random(f"{SEED}/{number}")
    country = dice.choice(list(COUNTRIES))
    starts_on = date(2026, 1, 1) + timedelta(days=dice.randrange(800))
    at, *also_at = sorted(dice.sample(TIMES, dice.choice((1, 1, 1, 2, 3, 4))))
    until = starts_on + timedelta(days=dice.randrange(3000)) if dice.random() < 0.2 else None
    pattern = Pattern(**_draw_days(dice), until=until, also_at=tuple(also_at))
    pauses = _draw_stretches(dice, starts_on, 120)
    timing = Timing(
        pattern.rule,
        starts_on,
        at,
        dice.choice(ZONES),
        dice.choice(list(OnHoliday)),
        starts_on + timedelta(days=dice.randrange(2000)) if dice.random() < 0.2 else None,
        pauses=format_stretches(pauses, starts_on - YEARS),
    )
    weekend = dice.choice((COUNTRIES[country], COUNTRIES[country], (6,), (4,), (0, 3), ()))
    changed = (GOOD_FRIDAY,) if country == "NL" and dice.random() < 0.5 else ()
    region = dice.choice(REGIONS.get(country, ("",)))
    closed = _draw_stretches(dice, starts_on, 30)
    calendar = Calendar(country=country, weekend=weekend, closed=closed, region=region, changed=changed)
    after = datetime.combine(starts_on, time(0), UTC) + timedelta(minutes=dice.randrange(3000 * 24 * 60))
    return Case(timing, pattern, calendar, pauses, dict(_draw_changes(dice, timing, pattern, calendar)), after)


def _draw_stretches(dice: random.Random, since: date, longest: int) -> tuple[Stretch, ...]:
    """Draw stretches of days in ten years, of most cases none."""
    begins = [since + timedelta(days=dice.randrange(YEARS.days)) for _ in range(dice.choice((0, 0, 1, 3, 12)))]
    return tuple(Stretch(one, one + timedelta(days=dice.randrange(1, longest))) for one in begins)


def _draw_days(dice: random.Random) -> dict[str, object]:
    weekdays = tuple(sorted(dice.sample(range(7), dice.randrange(1, 5))))
    every = dice.choice(MONTHS_BETWEEN)
    on = dice.randrange(1, 8)
    return dice.choice(
        [
            {"every": dice.randrange(1, 5), "days": weekdays},
            {
                "freq": Freq.NTH,
                "every": every,
                "days": weekdays[:1],
                "nth": tuple(dice.sample([1, 2, 3, 4, LAST], dice.randrange(1, 3))),
            },
            {"freq": Freq.DATES, "every": every, "nth": tuple(dice.sample(range(1, 32), dice.randrange(1, 3)))},
            {"freq": Freq.WORKDAY, "every": every, "nth": tuple(dice.sample([1, 2, 5, LAST], dice.randrange(1, 3)))},
            {"freq": Freq.WORKDAYS},
            {"freq": Freq.DAYS, "on": 1, "off": dice.randrange(1, 40)},
            {"freq": Freq.DAYS, "on": on, "off": dice.randrange(1, 8)},
            {"freq": dice.choice((Freq.BEFORE, Freq.AFTER))},
            {"freq": Freq.ONCE},
        ]
    )


def _draw_changes(
    dice: random.Random, timing: Timing, pattern: Pattern, calendar: Calendar
) -> Iterator[tuple[MomentName, MomentChange]]:
    days = list(islice(_rule_days(pattern, timing.starts_on, calendar, timing.starts_on + YEARS), 300))
    for on in dice.sample(days, min(len(days), dice.randrange(8))):
        slot = dice.randrange(len(pattern.also_at) + 1)
        moved = datetime.combine(on, time(0), UTC) + timedelta(
            minutes=dice.randrange(1, MAX_MOVE.days * 24 * 60 - 2000)
        )
        skipped = dice.random() < 0.5
        yield (
            (on, slot),
            MomentChange(
                rhythm_id=RhythmId("r"),
                movement_id=MovementId("m"),
                on=on,
                slot=slot,
                skipped=skipped,
                moved_to=None if skipped else moved,
            ),
        )


@cache
def _public(country: str, region: str) -> set[date]:
    return set(holidays.country_holidays(country, subdiv=region or None, years=range(2025, 2041)))


def is_holiday(calendar: Calendar, day: date) -> bool:
    """Return whether a day is kept, asked of the library itself, or one on which the movement is closed."""
    if any(one.begin <= day < one.end for one in calendar.closed):
        return True
    if calendar.country == "NL" and GOOD_FRIDAY not in calendar.changed and day == easter(day.year) - 2 * DAY:
        return False
    return day in _public(calendar.country, calendar.region)


def is_working(calendar: Calendar, day: date) -> bool:
    return day.weekday() not in calendar.weekend and not is_holiday(calendar, day)


def _every_day(begin: date, until: date) -> list[date]:
    return [begin + timedelta(days=number) for number in range((until - begin).days)]


def _rule_days(pattern: Pattern, starts_on: date, calendar: Calendar, until: date) -> Iterator[date]:
    """Yield the days that a pattern gives, from the day it starts on."""
    last = min(until, pattern.until or until)
    return (day for day in sorted(_list_days(pattern, starts_on, calendar, until)) if starts_on <= day <= last)


def _list_days(pattern: Pattern, starts_on: date, calendar: Calendar, until: date) -> set[date]:
    start, end = datetime.combine(starts_on, time(0)), datetime.combine(until, time(0))

    def ruled(freq: int, **more: object) -> set[date]:
        return {one.date() for one in rrule(freq, dtstart=start, until=end, **more)}  # type: ignore[arg-type]

    match pattern.freq:
        case Freq.WEEKS:
            return ruled(WEEKLY, interval=pattern.every, byweekday=pattern.days, wkst=0)
        case Freq.NTH:
            named = [weekday(day, nth) for day in pattern.days for nth in pattern.nth]
            return ruled(MONTHLY, interval=pattern.every, byweekday=named)
        case Freq.DATES:
            # In a shorter month its last: of the days from the 28th on that there are, the last.
            each = (
                ruled(MONTHLY, interval=pattern.every, bymonthday=tuple(range(28, nth + 1)) or nth, bysetpos=-1)
                for nth in pattern.nth
            )
            return set().union(*each)
        case Freq.WORKDAY:
            return _nth_working_days(pattern, starts_on, calendar, until)
        case Freq.WORKDAYS:
            return ruled(DAILY, byweekday=[day for day in range(7) if day not in calendar.weekend])
        case Freq.DAYS:
            firsts = ruled(DAILY, interval=pattern.on + pattern.off)
            return {first + timedelta(days=number) for first in firsts for number in range(pattern.on)}
        case Freq.ONCE:
            return {starts_on}
        case _:
            return _beside_holidays(pattern.freq, starts_on, calendar, until)


def _nth_working_days(pattern: Pattern, starts_on: date, calendar: Calendar, until: date) -> set[date]:
    found = set()
    whole = _every_day(starts_on.replace(day=1), until.replace(day=monthrange(until.year, until.month)[1]) + DAY)
    for number, (_, days) in enumerate(groupby(whole, lambda day: (day.year, day.month))):
        working = [day for day in days if is_working(calendar, day)]
        if number % pattern.every == 0:
            for nth in pattern.nth:
                found |= set(working[-1:] if nth == LAST else working[nth - 1 : nth])
    return found


def _beside_holidays(freq: Freq, starts_on: date, calendar: Calendar, until: date) -> set[date]:
    found, step = set(), -DAY if freq is Freq.BEFORE else DAY
    for day in _every_day(starts_on - 60 * DAY, until + 60 * DAY):
        if is_holiday(calendar, day) and day.weekday() not in calendar.weekend:
            while not is_working(calendar, day):
                day += step
            found.add(day)
    return found


@lru_cache(maxsize=8192)
def _offsets(day: date, zone: ZoneInfo) -> set[timedelta | None]:
    noon = datetime.combine(day, time(12), UTC)
    return {(noon + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in range(-48, 49, 16)}


def _to_utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Convert by trying the offsets that there are around that day."""
    offsets, wanted = _offsets(day, zone), datetime.combine(day, at)
    while True:
        candidates = [(wanted - offset).replace(tzinfo=UTC) for offset in offsets if offset is not None]
        real = [one for one in candidates if one.astimezone(zone).replace(tzinfo=None) == wanted]
        if real:
            return min(real)
        wanted += timedelta(minutes=1)


def expected(case: Case, until: date) -> list[tuple[datetime, date, int]]:
    """List the moments of ten years, each with the date and the slot it has its name from."""
    timing, calendar, zone = case.timing, case.calendar, ZoneInfo(case.timing.timezone)
    days = list(_rule_days(case.pattern, timing.starts_on, calendar, until + 150 * DAY))
    given, taken, found = set(days), set[date](), list[tuple[datetime, date, int]]()
    for on in days:
        weekend = case.pattern.freq is Freq.DATES and on.weekday() in calendar.weekend
        moves, day = timing.on_holiday is OnHoliday.MOVE, on
        if case.pattern.freq is not Freq.ONCE and (is_holiday(calendar, on) or (moves and weekend)):
            while not is_working(calendar, day):
                day += DAY
            if not moves or day in taken or day in given:
                continue
        taken.add(day)
        instants = [_to_utc(day, at, zone) for at in (timing.at, *case.pattern.also_at)]
        found += [
            (at, on, slot)
            for slot, at in enumerate(instants)
            if at not in instants[:slot] and (on, slot) not in case.changes
        ]
    found += [(one.moved_to, *name) for name, one in case.changes.items() if one.moved_to is not None]
    rest = timing.paused_until or date.min
    return sorted(
        one
        for one in found
        if (day := one[0].astimezone(zone).date()) >= rest
        and not any(pause.begin <= day < pause.end for pause in case.pauses)
    )


def list_until(end: datetime, coming: Iterator[Moment]) -> list[tuple[datetime, date, int]]:
    return [(one.at, one.on, one.slot) for one in takewhile(lambda one: one.at < end, coming)]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_moment_of_ten_years(chunk: int) -> None:
    for number in range(chunk, NUMBER, CHUNKS):
        case = draw(number)
        until = case.timing.starts_on + YEARS
        end = datetime.combine(until, time(0), UTC)
        told = [one for one in expected(case, until) if one[0] < end]
        before = datetime.combine(case.timing.starts_on, time(0), UTC) - 2 * DAY
        coming = moments(case.timing, case.changes, case.calendar, after=before)
        found = list_until(end, coming)
        assert found == told, (number, case)
        later = moments(case.timing, case.changes, case.calendar, after=case.after)
        assert list_until(end, islice(later, 5)) == [one for one in told if one[0] > case.after][:5], (number, case)


@pytest.mark.parametrize("number", range(60))
def test_a_rule_is_read_back_as_it_was(number: int) -> None:
    case = draw(number)
    read = Pattern.of(case.timing.rule, case.timing.starts_on)
    assert (read, len(case.timing.rule) <= 300) == (case.pattern, True)


@pytest.mark.parametrize("number", range(60))
def test_slower_is_slower_and_ends(number: int) -> None:
    """Of every form of pattern, what is offered as slower comes less often; in the end nothing is."""
    case = draw(number)
    pattern: Pattern | None = replace(case.pattern, until=None)
    counts, until = [], case.timing.starts_on + 4 * 366 * DAY
    while pattern is not None:
        assert Pattern.of(pattern.rule, case.timing.starts_on) == pattern
        days = replace(pattern, until=until).list_days(case.timing.starts_on, case.timing.starts_on, case.calendar)
        coming = list(days)
        counts.append(len(coming) * (len(pattern.also_at) + 1))
        pattern = pattern.slower(coming[len(coming) // 2])
    assert all(after < before for before, after in pairwise(counts))
    assert len(counts) < 16


class Counting(Calendar):
    """Counts how often it is asked for a day."""

    asked = 0

    def __call__(self, day: date) -> bool:
        Counting.asked += 1
        return super().__call__(day)

    def is_weekend(self, day: date) -> bool:
        Counting.asked += 1
        return super().is_weekend(day)


@pytest.mark.parametrize("number", range(40))
def test_the_next_moment_costs_the_same_for_a_rhythm_of_ten_years_old(number: int) -> None:
    case = draw(number)
    timing = case.timing._replace(rule=Pattern(**{**vars(case.pattern), "until": None}).rule, paused_until=None)
    if case.pattern.freq is Freq.ONCE:
        return
    calendar = Counting(country=case.calendar.country, weekend=case.calendar.weekend)
    old = timing._replace(starts_on=timing.starts_on - timedelta(days=7 * 12 * 48))
    asked = []
    for one in (timing, old):
        Counting.asked = 0
        next(moments(one, {}, calendar, after=datetime.combine(timing.starts_on + 90 * DAY, time(12), UTC)))
        asked.append(Counting.asked)
    assert asked[1] <= asked[0] * 1.5 + 60
