"""Fill in and read the form of a rhythm; say everything that is wrong with it at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from bot import wording
from bot.catalogue.base import Pick
from bot.catalogue.forms import Filled, read_form
from bot.catalogue.rhythms import EVERY, RhythmForm, RhythmUnclear
from bot.chat import Value
from bot.domain import quiet_hours
from bot.domain.calendar import holidays_of
from bot.domain.ids import new_id
from bot.domain.movement import Movement, Place
from bot.domain.recurrence import WORKING_DAY
from bot.domain.rhythm import OnHoliday, Rhythm, RhythmId, RhythmKind, count_down, moments
from bot.errors import Invalid
from bot.ports import Turn, UnitOfWork
from bot.use_cases.rhythms.changing.patterns import MAX_TIMES, parse_more_times, parse_number, parse_pattern
from bot.wording import Reader

PAST_START = timedelta(days=366)
"""How long ago the day may be from which weeks or days are counted."""
SAVED_LATE = timedelta(minutes=15)
"""How long after a moment that a preview showed, saving it still lets that moment come."""
CHECKED_MOMENTS = 12
"""Coming moments that are compared with the quiet hours of the place."""


async def fill_form(
    work: UnitOfWork,
    turn: Turn,
    heard: Mapping[str, Value],
    missed: str = "",
    *,
    whole: bool = False,
    about: Rhythm | None = None,
) -> RhythmForm:
    """Return the form for a new rhythm, or to edit the one it is `about`, with what was `heard` in a sentence; `missed`
    are the words that were not understood. It is the `whole` form also where the short one cannot hold what was
    heard."""
    movement = turn.require_coordinator()
    places = await work.movements.places(movement.id)
    labels = await work.movements.labels(movement.id, turn.person.workspace_id)
    here = turn.place if turn.place and turn.place.movement_id == movement.id else (places[0] if places else None)
    completed = complete(heard, here, movement)
    return RhythmForm(
        options={"place": tuple(Pick(value=place.id, label=labels[place.id]) for place in places)},
        values=completed if not whole else {**completed, "weekdays": heard.get("weekdays", ())},
        hidden={"rhythm": about.id} if about is not None else {},
        missed=missed,
        whole=whole or needs_whole_form(heard),
    )


def complete(heard: Mapping[str, Value], here: Place | None, movement: Movement) -> dict[str, Value]:
    """Return the values of a form in which only some were given, with the usual ones of a place for the others."""
    usual_time = quiet_hours.of_place(here, movement).usual_time if here is not None else quiet_hours.USUAL_TIME
    usual: dict[str, Value] = {
        "kind": RhythmKind.PURPOSE.value,
        "place": here.id if here is not None else "",
        "every": "1",
        "at": usual_time.isoformat("minutes"),
        "on_holiday": OnHoliday.SKIP.value,
    }
    given = {name: value for name, value in heard.items() if value}
    if not given:
        usual["weekdays"] = ("MO",)
    return {**usual, **given}


def needs_whole_form(values: Mapping[str, Value]) -> bool:
    """Return whether only the whole form can hold these values."""
    shown = {ask.name for ask in RhythmForm().visible_asks()}
    nth, weekdays = values.get("nth", ()), values.get("weekdays", ())
    return (
        bool({name for name, value in values.items() if value} - shown)
        or values.get("every", "1") not in EVERY
        or (isinstance(nth, tuple) and len(nth) > 1)
        or WORKING_DAY in weekdays
    )


def find_showing(turn: Turn) -> datetime:
    """Return since when moments count of what a preview showed: while it was read, one of them may have come."""
    shown = turn.text("seen")
    return max(datetime.fromisoformat(shown), turn.now - SAVED_LATE) if shown else turn.now


async def parse_rhythm(
    work: UnitOfWork, turn: Turn, args: Mapping[str, Value], since: datetime | None = None
) -> Rhythm:
    """Return the rhythm that a submitted form asks for, not stored yet, with its moments `since` then, or from now on.
    Raises `Invalid` that names every wrong field."""
    movement = turn.require_coordinator()
    since = since or turn.now
    filled = read_form(RhythmForm, args)
    place = await _find_place(work, movement, filled.text("place"))
    if place is None:
        filled.problems.add("place", "unknown_choice")
    timezone = filled.text("timezone") or (place.timezone if place is not None else movement.timezone)
    if timezone not in available_timezones():
        filled.problems.add("timezone", "unknown_zone")
        timezone = movement.timezone
    pattern = parse_pattern(filled)
    at, also_at = filled.time("at"), parse_more_times(filled)
    starts = _parse_start(filled, turn.now.astimezone(ZoneInfo(timezone)).date())
    count = parse_number(filled, "times", MAX_TIMES)
    if filled.day("until") is not None and count:
        filled.problems.add("times", "until_or_times")
    if pattern is None or at is None or place is None:
        raise filled.problems.to_invalid()
    first, *others = sorted({at, *also_at})
    pattern = replace(pattern, also_at=tuple(others), until=filled.day("until"))
    rhythm = Rhythm(
        id=RhythmId(new_id()),
        movement_id=movement.id,
        place_id=place.id,
        kind=RhythmKind(filled.text("kind") or RhythmKind.PURPOSE),
        rule=pattern.rule,
        starts_on=pattern.first_day(first, timezone, since, holidays_of(movement, place), starts) or date.max,
        at=first,
        timezone=timezone,
        on_holiday=OnHoliday(filled.text("on_holiday") or OnHoliday.SKIP),
        created_by=turn.person.id,
        created_at=turn.now,
    )
    if count and not filled.problems:
        until = count_down(rhythm.timing, holidays_of(movement, place), after=since, days=count)
        rhythm.rule = replace(rhythm.pattern, until=until).rule
    _check_moments(filled, movement, rhythm, place, turn.now)
    filled.problems.raise_if_any()
    return rhythm


def explain_invalid(turn: Turn, invalid: Invalid, args: Mapping[str, str]) -> RhythmUnclear:
    """Say what is wrong with the values of a rhythm, where no form is open to say it in: `args` fill one in."""
    reader = Reader(language=turn.language, timezone=turn.timezone, now=turn.now)
    words = [
        wording.render_sentence("errors/fields.md.j2", reason, reader, invalid.values.get(name))
        for name, reason in invalid.fields.items()
    ]
    return RhythmUnclear(problems=tuple(dict.fromkeys(words)), args=args)


async def _find_place(work: UnitOfWork, movement: Movement, named: str) -> Place | None:
    """Return a place of this movement by its id or its channel."""
    places = await work.movements.places(movement.id)
    return next((one for one in places if named in (one.id, one.channel)), None)


def _parse_start(filled: Filled, today: date) -> date | None:
    """Return the day from which a rhythm comes, if one was chosen."""
    starts = filled.day("starts")
    if starts is not None and starts < today - PAST_START:
        filled.problems.add("starts", "long_ago", earliest=today - PAST_START)
        return None
    return starts


def _check_moments(filled: Filled, movement: Movement, rhythm: Rhythm, place: Place, now: datetime) -> None:
    """Add a problem when no moment would ever come, or one that falls in the quiet hours of its place: it would never
    be sent. Days that people did not name may fall in a quiet weekend, unless all of them do."""
    if filled.problems:
        return
    coming = moments(rhythm.timing, {}, holidays_of(movement, place), after=now.astimezone(UTC))
    found = [one.at for one in islice(coming, CHECKED_MOMENTS)]
    if not found:
        filled.problems.add("until" if filled.day("until") is not None else "every", "never")
    quiet = quiet_hours.of_place(place, movement)
    free = [one for one in found if not quiet.covers_day(one.astimezone(ZoneInfo(quiet.timezone)).date())]
    named = rhythm.pattern.names_weekdays
    if found and (not free or (named and len(free) < len(found))):
        filled.problems.add("weekdays" if named else "every", "quiet_weekend")
    for number, at in enumerate(rhythm.timing.times):
        on_a_free_day = [one for one in free if one.astimezone(ZoneInfo(rhythm.timezone)).time() == at]
        if on_a_free_day:
            check_quiet(filled, quiet, on_a_free_day[0], "also_at" if number else "at")


def check_quiet(filled: Filled, quiet: quiet_hours.QuietHours, moment: datetime, field: str) -> None:
    """Add a problem beside `field` when a moment is quiet."""
    if quiet.covers(moment):
        start, end = quiet.start.isoformat("minutes"), quiet.end.isoformat("minutes")
        filled.problems.add(field, "quiet_then", start=start, end=end)
