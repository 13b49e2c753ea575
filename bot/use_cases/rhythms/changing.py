"""Rhythms: made, seen, changed, paused and ended by coordinators; and planned when their moments come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from bot import wording
from bot.catalogue.base import Entry, InPlace, Pick
from bot.catalogue.forms import Filled, read
from bot.catalogue.rhythms import (
    DAYS,
    Described,
    HeldBack,
    MomentForm,
    MomentLabel,
    PaceKept,
    PauseForm,
    RhythmForm,
    RhythmShown,
    RhythmsShown,
)
from bot.domain import quiet_hours
from bot.domain.delivery import Delivery, Priority
from bot.domain.ids import new_id
from bot.domain.movement import Movement, Place
from bot.domain.rhythm import (
    FURTHEST_MOVE,
    MOMENTS_SHOWN,
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
    planned,
    reckon,
)
from bot.errors import Invalid, Refused
from bot.ports import Turn, UnitOfWork
from bot.wording import Reader

MAX_PAUSE = timedelta(days=366)
HELD_SHOWN = 5
HELD_SINCE = timedelta(days=14)


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Every rhythm with its next moment; for coordinators also what was held back lately, and why."""
    movement = turn.the_movement()
    may_change = turn.member is not None and turn.member.coordinates
    found = await work.rhythms.of_movement(movement.id)
    held: list[HeldBack] = []
    if may_change:
        late = await work.deliveries.of_movement(movement.id, turn.now - HELD_SINCE, HELD_SHOWN, not_posted=True)
        held = [_held(one) for one in late]
    return RhythmsShown(
        name=movement.name,
        rhythms=tuple([await _described(work, movement, one, turn.now, 1) for one in found]),
        held=tuple(held),
        may_change=may_change,
    )


def _held(delivery: Delivery) -> HeldBack:
    return HeldBack(kind=delivery.kind, at=delivery.due_at, reason=delivery.reason)


async def look(work: UnitOfWork, turn: Turn) -> Entry:
    return await _shown(work, turn, await _one(work, turn))


async def new(work: UnitOfWork, turn: Turn) -> Entry:
    movement = turn.as_coordinator()
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
    """A rhythm from the form, with its next five moments."""
    movement = turn.as_coordinator()
    filled = read(RhythmForm, turn.intent.args)
    place = await _place(work, movement, filled.text("place"))
    timezone = filled.text("timezone") or place.timezone
    at = filled.time("at")
    if timezone not in available_timezones():
        raise Invalid({"timezone": "unknown_zone"})
    pattern = _pattern(filled)
    if at is None:
        raise Invalid({"at": "missing"})
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
    _loud_enough(place, pattern, rhythm, turn.now)
    work.rhythms.add(rhythm)
    reckon(rhythm, {}, holidays_of(movement), after=turn.now)
    return replace(await _shown(work, turn, rhythm), news="saved")


def _pattern(filled: Filled) -> Pattern:
    days = tuple(sorted(DAYS.index(day) for day in set(filled.many("weekdays"))))
    if filled.text("every") != "monthly":
        return Pattern(every=int(filled.text("every")), days=days)
    if len(days) != 1:
        raise Invalid({"weekdays": "one_day"})
    if not filled.text("nth"):
        raise Invalid({"nth": "missing"})
    return Pattern(days=days, nth=-1 if filled.text("nth") == "last" else int(filled.text("nth")))


def _loud_enough(place: Place, pattern: Pattern, rhythm: Rhythm, now: datetime) -> None:
    """A moment in the quiet hours of its place would never be heard: say so before it is made."""
    quiet = quiet_hours.of_place(place)
    monday = now.astimezone(ZoneInfo(rhythm.timezone)).date()
    monday -= timedelta(days=monday.weekday())
    for day in pattern.days:
        moment = local_moment(monday + timedelta(days=day), rhythm.at, rhythm.timezone)
        if quiet.weekends and moment.astimezone(ZoneInfo(quiet.timezone)).weekday() >= 5:
            raise Invalid({"weekdays": "quiet_weekend"})
        if quiet.covers(moment):
            hours = {"start": quiet.start.isoformat("minutes"), "end": quiet.end.isoformat("minutes")}
            raise Invalid({"at": "quiet_then"}, {"at": hours})


async def change_moment(work: UnitOfWork, turn: Turn) -> Entry:
    rhythm = await _own(work, turn)
    movement = turn.the_movement()
    reader = Reader(language=turn.language, timezone=rhythm.timezone, now=turn.now)
    coming = await _next(work, movement, rhythm, turn.now, MOMENTS_SHOWN)
    picks = tuple(
        Pick(value=one.on.isoformat(), label=wording.message(MomentLabel(at=one.at), reader).text) for one in coming
    )
    if not picks:
        raise Refused("no_moments")
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    return MomentForm(
        options={"on": picks},
        values={"on": picks[0].value, "what": "skip", "at": rhythm.at.isoformat("minutes")},
        hidden={"rhythm": rhythm.id},
        earliest=today,
        latest=today + FURTHEST_MOVE,
    )


async def save_moment(work: UnitOfWork, turn: Turn) -> Entry:
    """Skips one moment, moves it, or sends it now."""
    rhythm = await _own(work, turn)
    movement = turn.the_movement()
    filled = read(MomentForm, turn.intent.args)
    coming = await _next(work, movement, rhythm, turn.now, MOMENTS_SHOWN * 2)
    on = next((one.on for one in coming if one.on.isoformat() == filled.text("on")), None)
    if on is None:
        raise Invalid({"on": "unknown_choice"})
    place = await _place(work, movement, rhythm.place_id)
    change = await work.rhythms.change(rhythm.id, on)
    if change is None:
        change = MomentChange(rhythm_id=rhythm.id, movement_id=movement.id, on=on)
        work.rhythms.add(change)
    if filled.text("what") == "skip":
        change.skipped, change.moved_to = True, None
    else:
        change.moved_to = turn.now if filled.text("what") == "now" else _moved_to(filled, rhythm, turn.now)
        quiet = quiet_hours.of_place(place)
        if quiet.covers(change.moved_to):
            field = "what" if filled.text("what") == "now" else "at"
            hours = {"start": quiet.start.isoformat("minutes"), "end": quiet.end.isoformat("minutes")}
            raise Invalid({field: "quiet_then"}, {field: hours})
    await work.flush()
    await _reckon(work, movement, rhythm, turn.now)
    if filled.text("what") == "now":
        # A person asks for it: it goes before any budget.
        asked = planned(rhythm.due_in(place), Moment(on=on, at=turn.now), turn.now)
        asked.priority, asked.expires_at = Priority.ANSWER, None
        await work.deliveries.add(asked)
    return replace(await _shown(work, turn, rhythm), news="changed")


def _moved_to(filled: Filled, rhythm: Rhythm, now: datetime) -> datetime:
    day, at = filled.day("day"), filled.time("at")
    if day is None:
        raise Invalid({"day": "missing"})
    moment = local_moment(day, at or rhythm.at, rhythm.timezone)
    today = now.astimezone(ZoneInfo(rhythm.timezone)).date()
    if day < today:
        raise Invalid({"day": "too_early"}, {"day": {"earliest": today}})
    if day > today + FURTHEST_MOVE:
        raise Invalid({"day": "too_late"}, {"day": {"latest": today + FURTHEST_MOVE}})
    if moment <= now:
        raise Invalid({"at": "time_passed"})
    return moment


async def pause(work: UnitOfWork, turn: Turn) -> Entry:
    rhythm = await _own(work, turn)
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    return PauseForm(
        values={"until": (today + timedelta(days=14)).isoformat()},
        hidden={"rhythm": rhythm.id},
        earliest=today + timedelta(days=1),
        latest=today + MAX_PAUSE,
    )


async def save_pause(work: UnitOfWork, turn: Turn) -> Entry:
    """Nothing until a day; from then on by itself again."""
    rhythm = await _own(work, turn)
    until = read(PauseForm, turn.intent.args).day("until") or date.max
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    if until <= today:
        raise Invalid({"until": "too_early"}, {"until": {"earliest": today + timedelta(days=1)}})
    if until > today + MAX_PAUSE:
        raise Invalid({"until": "too_late"}, {"until": {"latest": today + MAX_PAUSE}})
    rhythm.paused_until = until
    await work.deliveries.cancel(f"rhythm_{rhythm.kind.value}", rhythm.id, "rhythm_rests")
    await _reckon(work, turn.the_movement(), rhythm, turn.now)
    return replace(await _shown(work, turn, rhythm), news="paused")


async def resume(work: UnitOfWork, turn: Turn) -> InPlace:
    rhythm = await _own(work, turn)
    rhythm.paused_until = None
    await _reckon(work, turn.the_movement(), rhythm, turn.now)
    return InPlace(entry=replace(await _shown(work, turn, rhythm), news="resumed"))


async def end(work: UnitOfWork, turn: Turn) -> InPlace:
    rhythm = await _own(work, turn)
    rhythm.ended_at, rhythm.next_at = turn.now, None
    await work.deliveries.cancel(f"rhythm_{rhythm.kind.value}", rhythm.id, "rhythm_ended")
    return InPlace(entry=replace(await _shown(work, turn, rhythm), news="ended"))


async def slower(work: UnitOfWork, turn: Turn) -> InPlace:
    """Half as often from the next moment on."""
    rhythm = await _own(work, turn)
    pattern = Pattern.of(rhythm.rule).slower()
    if pattern is None:
        raise Refused("slowest")
    rhythm.rule, rhythm.unanswered = pattern.rule, 0
    rhythm.starts_on = pattern.first_day(rhythm.at, rhythm.timezone, turn.now + timedelta(weeks=pattern.every - 1))
    await _reckon(work, turn.the_movement(), rhythm, turn.now)
    return InPlace(entry=replace(await _shown(work, turn, rhythm), news="slower"))


async def keep(work: UnitOfWork, turn: Turn) -> InPlace:
    await _own(work, turn)
    return InPlace(entry=PaceKept())


async def _one(work: UnitOfWork, turn: Turn) -> Rhythm:
    rhythm = await work.rhythms.get(RhythmId(turn.text("rhythm")), turn.the_movement().id)
    if rhythm is None or rhythm.ended_at is not None:
        raise Refused("not_found")
    return rhythm


async def _own(work: UnitOfWork, turn: Turn) -> Rhythm:
    """A rhythm of a movement the actor coordinates."""
    turn.as_coordinator()
    return await _one(work, turn)


async def _place(work: UnitOfWork, movement: Movement, named: str) -> Place:
    """A place of this movement, by its id or its channel."""
    for one in await work.movements.places(movement.id):
        if named in (one.id, one.channel):
            return one
    raise Invalid({"place": "unknown_choice"})


async def _next(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime, count: int) -> Sequence[Moment]:
    changes = await work.rhythms.changes(rhythm, now)
    return list(islice(moments(rhythm.timing, changes, holidays_of(movement), after=now), count))


async def _described(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime, count: int) -> Described:
    there = await work.movements.place(rhythm.place_id)
    coming = await _next(work, movement, rhythm, now, count)
    name = (there.name or there.channel) if there is not None else ""
    return Described.of(rhythm, name, [one.at for one in coming], now)


async def _shown(work: UnitOfWork, turn: Turn, rhythm: Rhythm) -> RhythmShown:
    return RhythmShown(
        rhythm=await _described(work, turn.the_movement(), rhythm, turn.now, MOMENTS_SHOWN),
        may_change=turn.member is not None and turn.member.coordinates,
    )


async def _reckon(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime) -> None:
    reckon(rhythm, await work.rhythms.changes(rhythm, now), holidays_of(movement), after=now)
