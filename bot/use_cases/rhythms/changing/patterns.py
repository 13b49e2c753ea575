"""Read how often a rhythm comes from the fields of its form, and fill these in from a rhythm."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.catalogue.forms import Filled
from bot.catalogue.rhythms import PERIODS, RhythmForm
from bot.chat import Value
from bot.domain.calendar import Calendar
from bot.domain.recurrence import (
    LAST,
    MAX_DAYS_BETWEEN,
    MAX_TIMES_A_DAY,
    WEEKDAYS,
    WORKING_DAY,
    Freq,
    Pattern,
)
from bot.domain.rhythm import Rhythm

NO_NTH = "none"
"""The value of the field "which of the month" that names none."""
MAX_TIMES = 500
_DAYS_IN_MONTH = 31
_TIME = re.compile(r"([01]?\d|2[0-3])(?:[:.]([0-5]\d))?")
_BESIDES: Mapping[str, tuple[str, ...]] = {
    "days": ("weekdays", "nth", "dates"),
    "before": ("weekdays", "nth", "dates", "cycle"),
    "after": ("weekdays", "nth", "dates", "cycle"),
    "once": ("weekdays", "nth", "dates", "cycle", "until", "times"),
}
"""Fields that say nothing about a choice for how often, and so have to be empty."""
_REASONS = {"weekdays": "only_weeks", "nth": "only_months", "dates": "only_months", "cycle": "only_days"}


def parse_pattern(filled: Filled) -> Pattern | None:
    """Return how often a rhythm comes; None, with the reasons added to its problems, when the choices do not go
    together."""
    every = filled.text("every")
    if not every:
        return None
    if every in _BESIDES:
        return _parse_other(filled, every)
    return _parse_months(filled, PERIODS[every]) if every in PERIODS else _parse_weeks(filled, int(every))


def _has(filled: Filled, field: str) -> bool:
    return bool([one for one in filled.many(field) if one != NO_NTH])


def _weekdays(filled: Filled) -> tuple[tuple[int, ...], bool]:
    """Return the weekdays that were chosen, and whether working days were."""
    named = set(filled.many("weekdays"))
    if WORKING_DAY in named and len(named) > 1:
        filled.problems.add("weekdays", "work_or_days")
    return tuple(sorted(WEEKDAYS.index(day) for day in named - {WORKING_DAY})), WORKING_DAY in named


def _parse_weeks(filled: Filled, every: int) -> Pattern | None:
    days, working = _weekdays(filled)
    if _has(filled, "nth"):
        filled.problems.add("nth", "only_monthly")
    _want_empty(filled, ("dates", "cycle"))
    if not days and not working:
        filled.problems.add("weekdays", "missing_choice")
    if working and every > 1:
        filled.problems.add("weekdays", "work_weekly")
    if filled.problems:
        return None
    return Pattern(freq=Freq.WORKDAYS) if working else Pattern(every=every, days=days)


def _parse_months(filled: Filled, every: int) -> Pattern | None:
    days, working = _weekdays(filled)
    nth = tuple(LAST if one == "last" else int(one) for one in filled.many("nth") if one != NO_NTH)
    _want_empty(filled, ("cycle",))
    if filled.text("dates"):
        dates = _parse_dates(filled)
        if days or working or nth:
            filled.problems.add("dates", "date_or_nth")
        return Pattern(freq=Freq.DATES, every=every, nth=dates) if not filled.problems else None
    if not days and not working:
        filled.problems.add("weekdays", "missing_choice")
    if len(days) > 1:
        filled.problems.add("weekdays", "one_day")
    if not nth:
        filled.problems.add("nth", "missing_choice")
    if filled.problems:
        return None
    return Pattern(freq=Freq.WORKDAY if working else Freq.NTH, every=every, days=days, nth=nth)


def _parse_other(filled: Filled, every: str) -> Pattern | None:
    _want_empty(filled, _BESIDES[every])
    if every == "days":
        return _parse_cycle(filled)
    if every == "once" and filled.day("starts") is None:
        filled.problems.add("starts", "missing_day")
    return Pattern(freq=Freq(every)) if not filled.problems else None


def _want_empty(filled: Filled, fields: tuple[str, ...]) -> None:
    for field in fields:
        if _has(filled, field):
            filled.problems.add(field, _REASONS.get(field, "once_only"))


def _parse_cycle(filled: Filled) -> Pattern | None:
    """Return the pattern of "10" (every ten days) or "4-2" (four days on, two off)."""
    numbers = [int(one) for one in re.findall(r"\d{1,3}", filled.text("cycle"))]
    if not filled.text("cycle"):
        filled.problems.add("cycle", "missing")
    elif len(numbers) not in (1, 2) or not all(0 < one <= MAX_DAYS_BETWEEN for one in numbers):
        filled.problems.add("cycle", "not_a_cycle")
    if filled.problems:
        return None
    on, off = numbers if len(numbers) > 1 else (1, numbers[0] - 1)
    return Pattern(freq=Freq.DAYS, on=on, off=off)


def _parse_dates(filled: Filled) -> tuple[int, ...]:
    numbers = sorted({int(one) for one in re.findall(r"\d{1,3}", filled.text("dates"))})
    if not numbers or not all(0 < one <= _DAYS_IN_MONTH for one in numbers):
        filled.problems.add("dates", "not_dates")
        return ()
    return tuple(numbers)


def parse_more_times(filled: Filled) -> tuple[time, ...]:
    """Return the other times of a day that were written down, such as "12:00, 15.30"."""
    parts = [one for one in re.split(r"[,;\s]+", filled.text("also_at")) if any(sign.isdigit() for sign in one)]
    found = [_TIME.fullmatch(one.strip("hu")) for one in parts]
    if (filled.text("also_at") and not parts) or None in found or len(parts) >= MAX_TIMES_A_DAY:
        filled.problems.add("also_at", "not_times", most=str(MAX_TIMES_A_DAY - 1))
        return ()
    return tuple(time(int(one[1]), int(one[2] or 0)) for one in found if one is not None)


def parse_number(filled: Filled, field: str, most: int) -> int | None:
    """Return the number in a field; None when there is none, with a problem when it is no number up to `most`."""
    text = filled.text(field)
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) <= most:
        filled.problems.add(field, "not_a_number", most=str(most))
        return None
    return int(text)


def list_values(rhythm: Rhythm, now: datetime, calendar: Calendar) -> dict[str, Value]:
    """Return the values of the form that make this rhythm. Of one that began long ago, weeks or days are counted from a
    later day, which gives the same moments."""
    pattern = rhythm.pattern
    values: dict[str, Value] = {
        "kind": rhythm.kind.value,
        "place": rhythm.place_id,
        "at": rhythm.at.isoformat("minutes"),
        "also_at": ", ".join(at.isoformat("minutes") for at in pattern.also_at),
        "until": pattern.until.isoformat() if pattern.until else "",
        "timezone": rhythm.timezone,
        "on_holiday": rhythm.on_holiday.value,
        **_VALUES.get(pattern.freq, _other_values)(pattern),
    }
    counted = pattern.freq in (Freq.DAYS, Freq.ONCE) or pattern.every > 1
    today = now.astimezone(ZoneInfo(rhythm.timezone)).date()
    # Where the first day is just the first there was, another timing has a first day of its own.
    usual = pattern.first_day(rhythm.at, rhythm.timezone, now, calendar)
    chosen = counted or (usual is not None and rhythm.starts_on > usual)
    return {**values, "starts": _find_start(rhythm, today, calendar).isoformat() if chosen else ""}


def _find_start(rhythm: Rhythm, today: date, calendar: Calendar) -> date:
    pattern, first = rhythm.pattern, rhythm.starts_on
    if first >= today or pattern.freq is Freq.ONCE:
        return first
    if pattern.freq is Freq.DAYS:
        cycle = pattern.on + pattern.off
        return first + timedelta(days=(today - first).days // cycle * cycle)
    return next(pattern.list_days(first, today, calendar), first)


def _month_values(pattern: Pattern) -> dict[str, Value]:
    period = next(name for name, months in PERIODS.items() if months == pattern.every)
    if pattern.freq is Freq.DATES:
        return {"every": period, "dates": ", ".join(map(str, pattern.nth))}
    named = tuple(WEEKDAYS[day] for day in pattern.days) if pattern.freq is Freq.NTH else (WORKING_DAY,)
    return {
        "every": period,
        "weekdays": named,
        "nth": tuple("last" if one == LAST else str(one) for one in pattern.nth),
    }


def _other_values(pattern: Pattern) -> dict[str, Value]:
    return {"every": pattern.freq.value}


_VALUES: Mapping[Freq, Callable[[Pattern], dict[str, Value]]] = {
    Freq.WEEKS: lambda pattern: {
        "every": str(pattern.every),
        "weekdays": tuple(WEEKDAYS[day] for day in pattern.days),
    },
    Freq.WORKDAYS: lambda _: {"every": "1", "weekdays": (WORKING_DAY,)},
    Freq.NTH: _month_values,
    Freq.DATES: _month_values,
    Freq.WORKDAY: _month_values,
    Freq.DAYS: lambda pattern: {
        "every": "days",
        "cycle": f"{pattern.on}-{pattern.off}" if pattern.on > 1 else str(pattern.off + 1),
    },
}


def pack(values: Mapping[str, Value]) -> dict[str, str]:
    """Return the values of a form as those of a button, which has only single ones; without what is empty."""
    kept = {ask.name: values[ask.name] for ask in RhythmForm.asks if values.get(ask.name)}
    return {name: value if isinstance(value, str) else " ".join(value) for name, value in kept.items()}


def unpack(args: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values of a form that `pack` made those of a button."""
    several = {ask.name for ask in RhythmForm.asks if ask.kind == "choices"}
    kept = {ask.name: args[ask.name] for ask in RhythmForm.asks if args.get(ask.name)}
    return {
        name: tuple(value.split()) if name in several and isinstance(value, str) else value
        for name, value in kept.items()
    }
