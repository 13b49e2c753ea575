"""Keep rhythms whole while things change: a moment that is due by now is planned or recorded as missed, and those
that fall in new quiet hours, or are in another time zone than their place, are found, with a cure."""

from asyncio import sleep
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2s
from zoneinfo import ZoneInfo

from bot.catalogue.rhythms import PlaceSaved, QuietRhythm, RhythmSummary, ZonedRhythm
from bot.days_off import load_calendar
from bot.domain.calendar import Calendar, holidays_of
from bot.domain.cures import find_cure, list_quiet
from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.quiet_hours import QuietHours, of_place
from bot.domain.recurrence import MAX_TIMES_A_DAY
from bot.domain.rhythm import (
    MISFIRE_GRACE,
    MOMENTS_SHOWN,
    Changes,
    Due,
    Expected,
    Moment,
    MomentChange,
    MomentName,
    Rhythm,
    RhythmId,
    Timing,
    carry_changes,
    due_moments,
    list_moments,
    moment_key,
    moments,
    plan_moment,
    update_next_at,
)
from bot.domain.trouble import UNPLANNABLE
from bot.ports import UnitOfWork

FARTHEST_DATES = timedelta(days=2)
"""How much later the date may be in one time zone than in another: what came on it there may be to come here."""
REPEATS_LOOKED_AT = 3 * MAX_TIMES_A_DAY
"""Coming moments that may have come already: those of today, and as many days after it."""


async def plan_past(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime) -> None:
    """Plan the moments of a rhythm that are due by now, before it is changed: as it was, since they were to come before
    the change. Of those that are too late the last is recorded."""
    place = await work.movements.place(rhythm.place_id)
    if place is None or rhythm.next_at is None or rhythm.next_at > now:
        return
    due, changes = rhythm.due_in(place), await work.rhythms.changes(rhythm, rhythm.next_at)
    past, rhythm.next_at = due_moments(due, changes, holidays_of(movement, place), now)
    missed = [plan_moment(due, moment, now) for moment in past if now - moment.at > MISFIRE_GRACE]
    for moment in past[len(missed) :]:
        await work.deliveries.add(plan_moment(due, moment, now))
    if missed:
        await record_missed_moment(work, missed[-1], len(missed) - 1)


async def find_repeats(
    work: UnitOfWork, rhythm: Rhythm, changes: Changes, calendar: Calendar, now: datetime
) -> dict[MomentName, MomentChange]:
    """Return the moments of a rhythm that came already and would be told again, since the days off or the time zone
    changed on the day itself. Each as a change, moved to when it came: so it is told and planned no more."""
    nearby = _list_nearby(rhythm, changes, calendar, now)
    posted = await work.deliveries.by_keys([moment_key(rhythm.id, one) for one in nearby])
    return _hold_back(rhythm, nearby, posted, now)


def _list_nearby(rhythm: Rhythm, changes: Changes, calendar: Calendar, now: datetime) -> list[Moment]:
    """List the coming moments of a rhythm that may have come already."""
    latest = now.astimezone(ZoneInfo(rhythm.timezone)).date() + FARTHEST_DATES
    coming = list_moments(rhythm.timing, changes, calendar, after=now, count=REPEATS_LOOKED_AT)
    return [one for one in coming if one.on <= latest and one.name not in changes]


def _hold_back(
    rhythm: Rhythm, nearby: Sequence[Moment], posted: Mapping[str, Delivery], now: datetime
) -> dict[MomentName, MomentChange]:
    """Return the moments that came already, each as a change, moved to when it came."""
    return {
        one.name: _move_moment(rhythm, one, min(came.due_at, now))
        for one in nearby
        if (came := posted.get(moment_key(rhythm.id, one))) is not None
    }


def _move_moment(rhythm: Rhythm, moment: Moment, to: datetime) -> MomentChange:
    """Return a change by which a moment is moved."""
    return MomentChange(
        rhythm_id=rhythm.id, movement_id=rhythm.movement_id, on=moment.on, slot=moment.slot, moved_to=to
    )


async def find_next_moment(work: UnitOfWork, rhythm: Rhythm, calendar: Calendar, now: datetime) -> None:
    """Find the next moment of a rhythm again, after a change to it or to the days off. What came already does not come
    again."""
    changes = await work.rhythms.changes(rhythm, now)
    posted = await find_repeats(work, rhythm, changes, calendar, now)
    await _store_changes(work, rhythm, posted)
    update_next_at(rhythm, {**changes, **posted}, calendar, after=now)


async def _store_changes(work: UnitOfWork, rhythm: Rhythm, wanted: Changes) -> None:
    for name, one in wanted.items():
        row = await work.rhythms.change(rhythm.id, name) or _add_change(work, rhythm, name)
        row.skipped, row.moved_to = one.skipped, one.moved_to


@dataclass(frozen=True, kw_only=True)
class MovedDays:
    """Holds the rhythms of a movement, their places, and the moments that days off moved to later than now, from today
    or before."""

    rhythms: Sequence[Rhythm]
    places: Mapping[PlaceId, Place]
    moments: Mapping[RhythmId, Sequence[Moment]]


async def list_moved_days(work: UnitOfWork, movement: Movement, now: datetime) -> MovedDays:
    """Return what the rhythms of a movement promise; and plan what is due. To do before the days off change.

    It gives way to others now and then, as `find_next_moments` does: hundreds of rhythms take tens of milliseconds.
    """
    promised = {}
    rhythms = await work.rhythms.of_movement(movement.id)
    await sleep(0)
    # Held until the end: each rhythm finds its place there, without asking.
    places = await work.movements.places_among({one.place_id for one in rhythms})
    await sleep(0)
    for rhythm in rhythms:
        await plan_past(work, movement, rhythm, now)
    changed = await work.rhythms.changes_of([one.id for one in rhythms], now)
    await sleep(0)
    for rhythm in rhythms:
        today = now.astimezone(ZoneInfo(rhythm.timezone)).date()
        changes = changed.get(rhythm.id, {})
        calendar = holidays_of(movement, places.get(rhythm.place_id))
        coming = list_moments(rhythm.timing, changes, calendar, after=now, count=MOMENTS_SHOWN)
        promised[rhythm.id] = [one for one in coming if one.on <= today and one.name not in changes]
    await sleep(0)
    return MovedDays(rhythms=rhythms, places=places, moments=promised)


async def find_next_moments(work: UnitOfWork, movement: Movement, now: datetime, promised: MovedDays) -> None:
    """Find the next moments of all rhythms of a movement again, after its days off changed. What was promised before
    that (see `list_moved_days`), and would be past now, comes as it was promised, unless that day is off now. In as
    many statements however many rhythms there are."""
    rhythms = promised.rhythms
    calendars = {one.id: holidays_of(movement, promised.places.get(one.place_id)) for one in rhythms}
    ids = [one.id for one in rhythms]
    changed = await work.rhythms.changes_of(ids, now)
    for rhythm in rhythms:
        moments_then = promised.moments[rhythm.id]
        gone = _list_broken(rhythm, changed.get(rhythm.id, {}), calendars[rhythm.id], moments_then, now)
        await _store_changes(work, rhythm, {one.name: _move_moment(rhythm, one, one.at) for one in gone})
    await sleep(0)
    changed = await work.rhythms.changes_of(ids, now)
    nearby = {one.id: _list_nearby(one, changed.get(one.id, {}), calendars[one.id], now) for one in rhythms}
    keys = [moment_key(rhythm, one) for rhythm, coming in nearby.items() for one in coming]
    came = await work.deliveries.by_keys(keys)
    await sleep(0)
    for rhythm in rhythms:
        posted = _hold_back(rhythm, nearby[rhythm.id], came, now)
        await _store_changes(work, rhythm, posted)
        update_next_at(rhythm, {**changed.get(rhythm.id, {}), **posted}, calendars[rhythm.id], after=now)
    await sleep(0)


def _list_broken(
    rhythm: Rhythm, changes: Changes, calendar: Calendar, promised: Sequence[Moment], now: datetime
) -> list[Moment]:
    """List the promised moments of a rhythm that come no more, on days that are not off."""
    if not promised:
        return []
    coming = list_moments(rhythm.timing, changes, calendar, after=now, count=MOMENTS_SHOWN)
    told, zone = {one.name for one in coming} | {one.at for one in coming}, ZoneInfo(rhythm.timezone)
    return [one for one in promised if not told & {one.name, one.at} and not calendar(one.at.astimezone(zone).date())]


async def record_missed_moment(work: UnitOfWork, missed: Delivery, more: int) -> None:
    """Store a moment as dropped: too late. Notify the coordinators. `more` counts those missed before it."""
    missed.drop("too_late")
    if missed.movement_id is None or not await work.deliveries.add_new(missed):
        return  # its key was there: another run recorded it
    await _tell_coordinators_of(work, missed, missed.movement_id, {"more": more})


async def record_unplannable(work: UnitOfWork, due: Due, now: datetime) -> None:
    """Store the moment of a rhythm whose moments cannot be computed as dropped, and notify the coordinators; once, as
    long as its timing stays what it is."""
    at = due.next_at or now
    moment = Moment(on=at.date(), at=at, given=at.time())
    missed = plan_moment(due, moment, now)
    timing = blake2s(repr(due.timing).encode(), digest_size=8).hexdigest()
    missed.key = f"rhythm:{due.id}:unplannable:{timing}"
    missed.drop(UNPLANNABLE)
    if await work.deliveries.add_new(missed):
        await _tell_coordinators_of(work, missed, due.movement_id, {"unplannable": True})


async def _tell_coordinators_of(
    work: UnitOfWork, missed: Delivery, movement: MovementId, more: Mapping[str, object]
) -> None:
    for coordinator in await work.people.coordinators(movement):
        await work.deliveries.add(
            to_person(
                coordinator,
                "moment_dropped",
                key=f"moment_dropped:{missed.key}:{coordinator.id}",
                now=missed.created_at,
                movement=movement,
                subject=missed.subject,
                priority=Priority.NEWS,
                args={"at": missed.due_at.isoformat(), **more},
            )
        )


async def rewrite_changes(work: UnitOfWork, rhythm: Rhythm, wanted: Changes, now: datetime) -> None:
    """Let these be all the changes to moments that still matter. One that is no more stays as a row that changes
    nothing."""
    for name, change in (await work.rhythms.changes(rhythm, now)).items():
        if name not in wanted:
            change.skipped, change.moved_to = False, None
    await _store_changes(work, rhythm, wanted)


def _add_change(work: UnitOfWork, rhythm: Rhythm, name: MomentName) -> MomentChange:
    added = MomentChange(rhythm_id=rhythm.id, movement_id=rhythm.movement_id, on=name[0], slot=name[1])
    work.rhythms.add(added)
    return added


async def retime(
    work: UnitOfWork,
    movement: Movement,
    rhythm: Rhythm,
    timing: Timing,
    now: datetime,
    moved: dict[MomentName, datetime] | None = None,
) -> None:
    """Give a rhythm another timing, in a way that can be taken back; `moved` says where to single moments go."""
    await plan_past(work, movement, rhythm, now)
    changes = await work.rhythms.changes(rhythm, now)
    rhythm.remember(changes, now)
    wanted = {name: _move(one, moved or {}) for name, one in changes.items()}
    calendar = await load_calendar(work, movement, rhythm.place_id)
    await rewrite_changes(work, rhythm, carry_changes(wanted, rhythm.timing, timing, calendar, now).left, now)
    rhythm.rule, rhythm.starts_on, rhythm.at = timing.rule, timing.starts_on, timing.at
    rhythm.timezone, rhythm.on_holiday = timing.timezone, timing.on_holiday
    await find_next_moment(work, rhythm, calendar, now)


def _move(change: MomentChange, moved: dict[MomentName, datetime]) -> MomentChange:
    """Return a change to a moment, as it becomes when it is moved elsewhere."""
    return replace(change, moved_to=moved.get(change.moment, change.moved_to))


async def check_place(
    work: UnitOfWork,
    movement: Movement,
    place: Place,
    now: datetime,
    *,
    among: Collection[str] = (),
    before: QuietHours | None = None,
    was: str = "",
) -> PlaceSaved:
    """Return the settings of a place with the rhythms to choose about: those that fall in its quiet hours, `among`
    these or since they were as `before`; and those in the time zone that it `was` in."""
    there = [one for one in await work.rhythms.of_place(place.id) if one.movement_id == movement.id]
    found = [
        await _find_quiet(work, movement, place, one, now, None if one.id in among else before)
        for one in there
        if one.id in among or before is not None
    ]
    zoned = [await _compare_zones(work, movement, place, one, now) for one in there if was and one.timezone == was]
    return PlaceSaved(
        place=place.name or place.channel,
        place_id=place.id,
        start=place.quiet_from,
        end=place.quiet_until,
        weekends=place.quiet_weekends,
        timezone=place.timezone,
        quiet=tuple(sorted((one for one in found if one is not None), key=lambda one: one.given)),
        zoned=tuple(one for one in zoned if one is not None),
        was=was,
    )


async def _find_quiet(
    work: UnitOfWork, movement: Movement, place: Place, rhythm: Rhythm, now: datetime, before: QuietHours | None
) -> QuietRhythm | None:
    """Return what becomes of a rhythm in the quiet hours of its place; None when none of its moments is quiet that was
    not quiet before."""
    changes = await work.rhythms.changes(rhythm, now)
    calendar, quiet = holidays_of(movement, place), of_place(place, movement)
    silent = _list_quiet_since(rhythm, changes, calendar, quiet, now, before)
    if not silent:
        return None
    cure = find_cure(rhythm.timing, changes, calendar, quiet, now)
    name = place.name or place.channel
    return QuietRhythm(
        rhythm=RhythmSummary.of(rhythm, name, (), now),
        given=next((one.moved_to for one in changes.values() if _is_moment(one, silent[0])), None) or silent[0].given,
        comes=silent[0].at,
        better=RhythmSummary.of(_become(rhythm, cure.timing), name, (), now)
        if cure is not None and cure.timing != rhythm.timing
        else None,
        moved=min(cure.moved.values(), default=None) if cure is not None else None,
    )


def _list_quiet_since(
    rhythm: Rhythm, changes: Changes, calendar: Calendar, quiet: QuietHours, now: datetime, before: QuietHours | None
) -> Sequence[Expected]:
    """Return the next moments of a rhythm that are in quiet hours, and were not in those of `before`."""
    silent: Sequence[Expected] = list_quiet(rhythm.timing, changes, calendar, quiet, now)
    if before is None:
        return silent
    known = {one.given for one in list_quiet(rhythm.timing, changes, calendar, before, now)}
    return [one for one in silent if one.given not in known]


async def find_silent_rhythms(
    work: UnitOfWork, movement: Movement, rhythms: Sequence[Rhythm], before: Mapping[PlaceId, QuietHours], now: datetime
) -> list[Rhythm]:
    """Return those of a movement's rhythms with a moment, of the next few, in the quiet hours of their place, that was
    not quiet by the hours of `before`."""
    silent = []
    places = await work.movements.places_among({one.place_id for one in rhythms} & set(before))
    changed = await work.rhythms.changes_of([one.id for one in rhythms if one.place_id in places], now)
    for rhythm in rhythms:
        place, changes = places.get(rhythm.place_id), changed.get(rhythm.id, {})
        if place is None or of_place(place, movement) == before[place.id]:
            continue
        quiet, calendar = of_place(place, movement), holidays_of(movement, place)
        if _list_quiet_since(rhythm, changes, calendar, quiet, now, before[place.id]):
            silent.append(rhythm)
    return silent


def _is_moment(change: MomentChange, expected: Expected) -> bool:
    return change.on == expected.on and change.moved_to is not None


def _become(rhythm: Rhythm, timing: Timing) -> Rhythm:
    return replace(
        rhythm,
        rule=timing.rule,
        starts_on=timing.starts_on,
        at=timing.at,
        timezone=timing.timezone,
        on_holiday=timing.on_holiday,
    )


async def _compare_zones(
    work: UnitOfWork, movement: Movement, place: Place, rhythm: Rhythm, now: datetime
) -> ZonedRhythm | None:
    """Return when a rhythm comes next, at the moment as it was and at that clock time where its place is now."""
    changes, calendar = await work.rhythms.changes(rhythm, now), holidays_of(movement, place)
    there = rhythm.timing._replace(timezone=place.timezone)
    kept = next(moments(rhythm.timing, changes, calendar, after=now), None)
    posted = await find_repeats(work, _become(rhythm, there), changes, calendar, now)
    by_clock = next(moments(there, {**changes, **posted}, calendar, after=now), None)
    if kept is None or by_clock is None:
        return None
    name = place.name or place.channel
    return ZonedRhythm(rhythm=RhythmSummary.of(rhythm, name, (), now), kept=kept.at, by_clock=by_clock.at)
