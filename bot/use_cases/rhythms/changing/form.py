"""Fill in and read the form of a rhythm; say everything that is wrong with it at once."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from bot.catalogue.base import Pick
from bot.catalogue.forms import Filled, read_form
from bot.catalogue.rhythms import RhythmForm
from bot.chat import Value
from bot.domain import quiet_hours
from bot.domain.ids import new_id
from bot.domain.movement import Movement, Place
from bot.domain.rhythm import WEEKDAYS, OnHoliday, Pattern, Rhythm, RhythmId, RhythmKind, local_moment
from bot.ports import Turn, UnitOfWork

NO_NTH = ("", "none")
"""Values of the field "which of the month" that name none."""


async def fill_form(work: UnitOfWork, turn: Turn, heard: Mapping[str, Value], missed: str) -> RhythmForm:
    """Return the form for a new rhythm, with what was `heard` in a sentence; `missed` are the words that were not
    understood."""
    movement = turn.require_coordinator()
    places = await work.movements.places(movement.id)
    labels = await work.movements.labels(movement.id, turn.person.workspace_id)
    here = turn.place.id if turn.place and turn.place.movement_id == movement.id else (places[0].id if places else "")
    usual: dict[str, Value] = {
        "kind": RhythmKind.PURPOSE.value,
        "place": here,
        "every": "1",
        "weekdays": ("MO",),
        "at": "09:00",
        "on_holiday": OnHoliday.SKIP.value,
    }
    return RhythmForm(
        options={"place": tuple(Pick(value=place.id, label=labels[place.id]) for place in places)},
        values={**usual, **heard},
        missed=missed,
    )


async def parse_rhythm(work: UnitOfWork, turn: Turn, args: Mapping[str, Value]) -> Rhythm:
    """Return the rhythm that a submitted form asks for, not stored yet. Raises `Invalid` that names every wrong
    field."""
    movement = turn.require_coordinator()
    filled = read_form(RhythmForm, args)
    place = await _find_place(work, movement, filled.text("place"))
    if place is None:
        filled.problems.add("place", "unknown_choice")
    timezone = filled.text("timezone") or (place.timezone if place is not None else movement.timezone)
    known = timezone in available_timezones()
    if not known:
        filled.problems.add("timezone", "unknown_zone")
    pattern = _parse_pattern(filled)
    at = filled.time("at")
    if place is not None and pattern is not None and at is not None and known:
        _check_quiet_moments(filled, place, pattern, at, timezone, turn.now)
    if place is None or pattern is None or at is None or filled.problems:
        raise filled.problems.to_invalid()
    return Rhythm(
        id=RhythmId(new_id()),
        movement_id=movement.id,
        place_id=place.id,
        kind=RhythmKind(filled.text("kind")),
        rule=pattern.rule,
        starts_on=pattern.first_day(at, timezone, turn.now),
        at=at,
        timezone=timezone,
        on_holiday=OnHoliday(filled.text("on_holiday")),
        created_by=turn.person.id,
        created_at=turn.now,
    )


async def _find_place(work: UnitOfWork, movement: Movement, named: str) -> Place | None:
    """Return a place of this movement by its id or its channel."""
    places = await work.movements.places(movement.id)
    return next((one for one in places if named in (one.id, one.channel)), None)


def _parse_pattern(filled: Filled) -> Pattern | None:
    """Return how often a rhythm comes; None, with the reasons added to its problems, when the choices do not go
    together."""
    days = tuple(sorted(WEEKDAYS.index(day) for day in set(filled.many("weekdays"))))
    every, nth = filled.text("every"), filled.text("nth")
    if every != "monthly":
        if every and nth not in NO_NTH:
            filled.problems.add("nth", "only_monthly")
        return Pattern(every=int(every), days=days) if every and days and nth in NO_NTH else None
    if len(days) > 1:
        filled.problems.add("weekdays", "one_day")
    if nth in NO_NTH:
        filled.problems.add("nth", "missing_choice")
    return Pattern(days=days, nth=-1 if nth == "last" else int(nth)) if len(days) == 1 and nth not in NO_NTH else None


def _check_quiet_moments(
    filled: Filled, place: Place, pattern: Pattern, at: time, timezone: str, now: datetime
) -> None:
    """Add a problem when a moment falls in the quiet hours of its place: it would never be sent."""
    quiet = quiet_hours.of_place(place)
    # Any week tells: the quiet hours of a place are those of every week.
    monday = now.astimezone(ZoneInfo(timezone)).date()
    monday -= timedelta(days=monday.weekday())
    for day in pattern.days:
        moment = local_moment(monday + timedelta(days=day), at, timezone)
        if quiet.weekends and moment.astimezone(ZoneInfo(quiet.timezone)).weekday() >= 5:
            filled.problems.add("weekdays", "quiet_weekend")
        else:
            check_quiet(filled, quiet, moment, "at")


def check_quiet(filled: Filled, quiet: quiet_hours.QuietHours, moment: datetime, field: str) -> None:
    """Add a problem beside `field` when a moment is quiet."""
    if quiet.covers(moment):
        start, end = quiet.start.isoformat("minutes"), quiet.end.isoformat("minutes")
        filled.problems.add(field, "quiet_then", start=start, end=end)
