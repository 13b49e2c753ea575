"""Show rhythms; and for coordinators: make, change, pause and end them, and change single moments."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from bot import wording
from bot.catalogue.base import Entry, InPlace, Pick
from bot.catalogue.forms import Filled, parse_form, read_form
from bot.catalogue.rhythms import (
    UNSENT_WINDOW,
    MomentForm,
    MomentLabel,
    PaceKept,
    PauseForm,
    RhythmForm,
    RhythmShown,
    RhythmsShown,
    RhythmSummary,
    UnsentMessage,
)
from bot.domain import quiet_hours
from bot.domain.delivery import Delivery, Priority
from bot.domain.ids import new_id
from bot.domain.movement import Movement, Place
from bot.domain.rhythm import (
    MAX_MOVE,
    MOMENTS_SHOWN,
    WEEKDAYS,
    Moment,
    MomentChange,
    OnHoliday,
    Pattern,
    Rhythm,
    RhythmId,
    RhythmKind,
    holidays_of,
    local_moment,
    moments,
    plan_moment,
    update_next_at,
)
from bot.errors import Invalid, Refused
from bot.ports import Turn, UnitOfWork
from bot.wording import Reader

MAX_PAUSE = timedelta(days=366)
UNSENT_SHOWN = 5


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show every rhythm with its next moment; to coordinators also messages that were not sent lately, and why."""
    movement = turn.require_movement()
    may_change = turn.member is not None and turn.member.coordinates
    found = await work.rhythms.of_movement(movement.id)
    unsent: list[UnsentMessage] = []
    if may_change:
        rows = await work.deliveries.of_movement(movement.id, turn.now - UNSENT_WINDOW, UNSENT_SHOWN, not_posted=True)
        unsent = [_to_unsent_message(one) for one in rows]
    return RhythmsShown(
        name=movement.name,
        rhythms=tuple([await _summarize(work, movement, one, turn.now, 1) for one in found]),
        held=tuple(unsent),
        may_change=may_change,
    )


def _to_unsent_message(delivery: Delivery) -> UnsentMessage:
    return UnsentMessage(kind=delivery.kind, at=delivery.due_at, reason=delivery.reason)


async def show_one(work: UnitOfWork, turn: Turn) -> Entry:
    """Show one rhythm with its next five moments."""
    return await _show(work, turn, await _load(work, turn))


async def create(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form for a new rhythm."""
    movement = turn.require_coordinator()
    places = await work.movements.places(movement.id)
    labels = await work.movements.labels(movement.id, turn.person.workspace_id)
    here = turn.place.id if turn.place and turn.place.movement_id == movement.id else (places[0].id if places else "")
    return RhythmForm(
        options={"place": tuple(Pick(value=place.id, label=labels[place.id]) for place in places)},
        values={
            "kind": RhythmKind.PURPOSE.value,
            "place": here,
            "every": "1",
            "weekdays": ("MO",),
            "at": "09:00",
            "on_holiday": OnHoliday.SKIP.value,
        },
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save a new rhythm, and show it with its next five moments. Raises `Invalid` when it would fall in quiet hours."""
    movement = turn.require_coordinator()
    filled = read_form(RhythmForm, turn.intent.args)
    place = await _find_place(work, movement, filled)
    timezone = filled.text("timezone") or (place.timezone if place is not None else movement.timezone)
    at = filled.time("at")
    is_zone = timezone in available_timezones()
    if not is_zone:
        filled.problems.add("timezone", "unknown_zone")
    pattern = _parse_pattern(filled)
    if place is not None and pattern is not None and at is not None and is_zone:
        _check_quiet_moments(filled, place, pattern, at, timezone, turn.now)
    if place is None or pattern is None or at is None or filled.problems:
        raise filled.problems.to_invalid()
    rhythm = Rhythm(
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
    work.rhythms.add(rhythm)
    update_next_at(rhythm, {}, holidays_of(movement), after=turn.now)
    return replace(await _show(work, turn, rhythm), news="saved")


def _parse_pattern(filled: Filled) -> Pattern | None:
    """Return the pattern that was filled in; None when it has problems, which are added."""
    days = tuple(sorted(WEEKDAYS.index(day) for day in set(filled.many("weekdays"))))
    if filled.text("every") != "monthly":
        return Pattern(every=int(filled.text("every")), days=days) if days and filled.text("every") else None
    if len(days) != 1:
        filled.problems.add("weekdays", "one_day")
    if not filled.text("nth"):
        filled.problems.add("nth", "missing_choice")
    if len(days) != 1 or not filled.text("nth"):
        return None
    return Pattern(days=days, nth=-1 if filled.text("nth") == "last" else int(filled.text("nth")))


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
            _check_quiet(filled, quiet, moment, "at")


def _check_quiet(filled: Filled, quiet: quiet_hours.QuietHours, moment: datetime, field: str) -> None:
    if quiet.covers(moment):
        start, end = quiet.start.isoformat("minutes"), quiet.end.isoformat("minutes")
        filled.problems.add(field, "quiet_then", start=start, end=end)


async def change_moment(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to skip, move or send now one of the next moments."""
    rhythm = await _load_own(work, turn)
    movement = turn.require_movement()
    reader = Reader(language=turn.language, timezone=rhythm.timezone, now=turn.now)
    coming = await _next_moments(work, movement, rhythm, turn.now, MOMENTS_SHOWN)
    picks = tuple(
        Pick(value=one.on.isoformat(), label=wording.render_entry(MomentLabel(at=one.at), reader).text)
        for one in coming
    )
    if not picks:
        raise Refused("no_moments")
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    return MomentForm(
        options={"on": picks},
        values={"on": picks[0].value, "what": "skip", "at": rhythm.at.isoformat("minutes")},
        hidden={"rhythm": rhythm.id},
        earliest=today,
        latest=today + MAX_MOVE,
    )


async def save_moment(work: UnitOfWork, turn: Turn) -> Entry:
    """Skip one moment, move it, or send it now. Raises `Invalid` when it would fall in quiet hours."""
    rhythm = await _load_own(work, turn)
    movement = turn.require_movement()
    filled = read_form(MomentForm, turn.intent.args)
    coming = await _next_moments(work, movement, rhythm, turn.now, MOMENTS_SHOWN * 2)
    on = next((one.on for one in coming if one.on.isoformat() == filled.text("on")), None)
    if on is None:
        filled.problems.add("on", "unknown_choice")
    place = await work.movements.place(rhythm.place_id)
    if place is None or place.movement_id != movement.id:
        raise Refused("not_found")
    moved_to = turn.now if filled.text("what") == "now" else _parse_move(filled, rhythm, turn.now)
    if moved_to is not None:
        _check_quiet(filled, quiet_hours.of_place(place), moved_to, "what" if filled.text("what") == "now" else "at")
    if on is None or filled.problems:
        raise filled.problems.to_invalid()
    change = await work.rhythms.change(rhythm.id, on)
    if change is None:
        change = MomentChange(rhythm_id=rhythm.id, movement_id=movement.id, on=on)
        work.rhythms.add(change)
    if filled.text("what") == "skip":
        change.skipped, change.moved_to = True, None
    else:
        change.moved_to = moved_to
    await work.flush()  # the next moment is found by a query that has to see this change
    await _update_next_at(work, movement, rhythm, turn.now)
    if filled.text("what") == "now":
        # A person asks for it, so it is an answer: no budget holds it up, and it does not expire.
        asked = plan_moment(rhythm.due_in(place), Moment(on=on, at=turn.now), turn.now)
        asked.priority, asked.expires_at = Priority.ANSWER, None
        await work.deliveries.add(asked)
    return replace(await _show(work, turn, rhythm), news="changed")


def _parse_move(filled: Filled, rhythm: Rhythm, now: datetime) -> datetime | None:
    """Return the UTC moment to move to; None when it is not to be moved, or has problems, which are added."""
    if filled.text("what") != "move":
        return None
    day, at = filled.day("day"), filled.time("at")
    if day is None:
        filled.problems.add("day", "missing_day")
        return None
    moment = local_moment(day, at or rhythm.at, rhythm.timezone)
    today = now.astimezone(ZoneInfo(rhythm.timezone)).date()
    if day < today:
        filled.problems.add("day", "too_early", earliest=today)
    elif day > today + MAX_MOVE:
        filled.problems.add("day", "too_late", latest=today + MAX_MOVE)
    elif moment <= now:
        filled.problems.add("at", "moment_passed")
    else:
        return moment
    return None


async def pause(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to pause a rhythm, prefilled with two weeks."""
    rhythm = await _load_own(work, turn)
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    return PauseForm(
        values={"until": (today + timedelta(days=14)).isoformat()},
        hidden={"rhythm": rhythm.id},
        earliest=today + timedelta(days=1),
        latest=today + MAX_PAUSE,
    )


async def save_pause(work: UnitOfWork, turn: Turn) -> Entry:
    """Pause a rhythm until a day, when it resumes by itself; planned deliveries of it are cancelled."""
    rhythm = await _load_own(work, turn)
    until = parse_form(PauseForm, turn.intent.args).day("until") or date.max
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    if until <= today:
        raise Invalid({"until": "too_early"}, {"until": {"earliest": today + timedelta(days=1)}})
    if until > today + MAX_PAUSE:
        raise Invalid({"until": "too_late"}, {"until": {"latest": today + MAX_PAUSE}})
    rhythm.paused_until = until
    await work.deliveries.cancel(f"rhythm_{rhythm.kind.value}", rhythm.id, "rhythm_rests")
    await _update_next_at(work, turn.require_movement(), rhythm, turn.now)
    return replace(await _show(work, turn, rhythm), news="paused")


async def resume(work: UnitOfWork, turn: Turn) -> InPlace:
    """End the pause of a rhythm."""
    rhythm = await _load_own(work, turn)
    rhythm.paused_until = None
    await _update_next_at(work, turn.require_movement(), rhythm, turn.now)
    return InPlace(entry=replace(await _show(work, turn, rhythm), news="resumed"))


async def end(work: UnitOfWork, turn: Turn) -> InPlace:
    """End a rhythm for good; planned deliveries of it are cancelled."""
    rhythm = await _load_own(work, turn)
    rhythm.ended_at, rhythm.next_at = turn.now, None
    await work.deliveries.cancel(f"rhythm_{rhythm.kind.value}", rhythm.id, "rhythm_ended")
    return InPlace(entry=replace(await _show(work, turn, rhythm), news="ended"))


async def slow_down(work: UnitOfWork, turn: Turn) -> InPlace:
    """Halve the frequency of a rhythm from its next moment on. Raises `Refused` when it is as slow as it can be."""
    rhythm = await _load_own(work, turn)
    pattern = Pattern.of(rhythm.rule).slower()
    if pattern is None:
        raise Refused("slowest")
    rhythm.rule, rhythm.unanswered = pattern.rule, 0
    # Counted anew, from so far ahead that the next moment is about one new interval away.
    rhythm.starts_on = pattern.first_day(rhythm.at, rhythm.timezone, turn.now + timedelta(weeks=pattern.every - 1))
    await _update_next_at(work, turn.require_movement(), rhythm, turn.now)
    return InPlace(entry=replace(await _show(work, turn, rhythm), news="slower"))


async def keep_pace(work: UnitOfWork, turn: Turn) -> InPlace:
    """Confirm that a rhythm keeps its pace; nothing changes."""
    await _load_own(work, turn)
    return InPlace(entry=PaceKept())


async def _load(work: UnitOfWork, turn: Turn) -> Rhythm:
    rhythm = await work.rhythms.get(RhythmId(turn.text("rhythm")), turn.require_movement().id)
    if rhythm is None or rhythm.ended_at is not None:
        raise Refused("not_found")
    return rhythm


async def _load_own(work: UnitOfWork, turn: Turn) -> Rhythm:
    """Load a rhythm of the movement that the actor coordinates. Raises `Refused` otherwise."""
    turn.require_coordinator()
    return await _load(work, turn)


async def _find_place(work: UnitOfWork, movement: Movement, filled: Filled) -> Place | None:
    """Return the place of this movement that was chosen, by its id or its channel; any other is a problem."""
    named = filled.text("place")
    for one in await work.movements.places(movement.id):
        if named in (one.id, one.channel):
            return one
    filled.problems.add("place", "unknown_choice")
    return None


async def _next_moments(
    work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime, count: int
) -> Sequence[Moment]:
    changes = await work.rhythms.changes(rhythm, now)
    return list(islice(moments(rhythm.timing, changes, holidays_of(movement), after=now), count))


async def _summarize(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime, count: int) -> RhythmSummary:
    place = await work.movements.place(rhythm.place_id)
    coming = await _next_moments(work, movement, rhythm, now, count)
    name = (place.name or place.channel) if place is not None else ""
    return RhythmSummary.of(rhythm, name, [one.at for one in coming], now)


async def _show(work: UnitOfWork, turn: Turn, rhythm: Rhythm) -> RhythmShown:
    return RhythmShown(
        rhythm=await _summarize(work, turn.require_movement(), rhythm, turn.now, MOMENTS_SHOWN),
        may_change=turn.member is not None and turn.member.coordinates,
    )


async def _update_next_at(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime) -> None:
    update_next_at(rhythm, await work.rhythms.changes(rhythm, now), holidays_of(movement), after=now)
