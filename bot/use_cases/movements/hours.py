"""Show and set the quiet hours of groups, tell their people, and let each choose otherwise."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import time

from bot.catalogue.base import NO, YES, Entry, InPlace
from bot.catalogue.forms import read_form
from bot.catalogue.hours import GroupQuiet, HoursForm, HoursKept, HoursShown, HoursTold
from bot.catalogue.people import MovedPromise
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.group_hours import GroupHours, group_key
from bot.domain.movement import Movement
from bot.domain.person import Person
from bot.domain.quiet_hours import of_person
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.shifts import apply_group_hours, dump_hours, read_hours


async def show(work: UnitOfWork, turn: Turn) -> HoursShown:
    """Show the groups that have quiet hours of their own."""
    return await _show(work, turn.require_coordinator())


async def _show(work: UnitOfWork, movement: Movement) -> HoursShown:
    found = await work.movements.group_hours(movement.id)
    return HoursShown(
        name=movement.name,
        groups=tuple(
            GroupQuiet(name=one.name, start=one.quiet_from, end=one.quiet_until, weekends=one.quiet_weekends)
            for one in found
        ),
    )


async def open_hours(work: UnitOfWork, turn: Turn) -> HoursForm:
    """Open the form for the quiet hours of a group, filled in with those it has."""
    movement = turn.require_coordinator()
    kept = await work.movements.group_hours(movement.id)
    about = next((one for one in kept if one.key == group_key(turn.text("group"))), None)
    return HoursForm(
        values={
            "group": about.name if about is not None else turn.text("group"),
            "quiet_from": about.quiet_from.isoformat("minutes") if about is not None else "",
            "quiet_until": about.quiet_until.isoformat("minutes") if about is not None else "",
            "quiet_weekends": YES if about is not None and about.quiet_weekends else NO,
        },
        known=await _list_groups(work, turn, movement, kept),
    )


async def _list_groups(work: UnitOfWork, turn: Turn, movement: Movement, kept: Sequence[GroupHours]) -> tuple[str, ...]:
    """Return the names of groups that a coordinator may read: linked to a platform, with hours, or of five and more."""
    linked = await work.movements.segments_in(turn.person.workspace_id)
    by_key: dict[str, list[tuple[str, int]]] = {}
    for written, size in (await work.people.group_sizes(movement.id)).items():
        by_key.setdefault(group_key(written), []).append((written, size))
    names = [one.name for one in linked if one.movement_id == movement.id]
    names += [one.name for one in kept]
    names += [min(found)[0] for found in by_key.values() if sum(size for _, size in found) >= MIN_GROUP_SIZE]
    return tuple(sorted({group_key(name): name for name in names}.values(), key=str.casefold))


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Set the quiet hours of a group, or take them away. Its people follow them until they choose their own, and are
    told; the coordinator does not read who they are."""
    movement = turn.require_coordinator()
    filled = read_form(HoursForm, turn.intent.args)
    start, end = filled.time("quiet_from"), filled.time("quiet_until")
    name = " ".join(filled.text("group").split())
    for field, other, value in (("quiet_from", end, start), ("quiet_until", start, end)):
        if value is None and other is not None:
            filled.problems.add(field, "missing")
    filled.problems.raise_if_any()
    key = group_key(name)
    kept, sizes = await work.together(work.movements.group_hours(movement.id), work.people.group_sizes(movement.id))
    hours = next((one for one in kept if one.key == key), None)
    if start is None or end is None:
        if hours is not None:
            await work.delete(hours)
    elif hours is None:
        work.movements.add(
            GroupHours(
                movement_id=movement.id,
                key=key,
                name=name,
                quiet_from=start,
                quiet_until=end,
                quiet_weekends=filled.text("quiet_weekends") == YES,
                set_at=turn.now,
            )
        )
    else:
        hours.name, hours.quiet_from, hours.quiet_until = name, start, end
        hours.quiet_weekends, hours.set_at = filled.text("quiet_weekends") == YES, turn.now
    record_change(work, turn, CoordinatorAct.HOURS_CHANGED, name)
    people = await work.people.of_groups(movement.id, [one for one in sizes if group_key(one) == key])
    # By queries that see what was just set.
    found, shown = await work.together(
        work.movements.find_hours([one.id for one in people], name), _show(work, movement)
    )
    for person in people:
        tell = person.id != turn.person.id
        await apply_group_hours(work, person, found.get(person.id), turn.now, tell=tell, movement=movement.id)
    return HoursShown(
        name=shown.name, groups=shown.groups, news="saved" if start is not None else "cleared", group=name
    )


async def compose_hours(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news that the quiet hours of a group hold for somebody. Raises `Unwanted` when they do not any
    more."""
    movement, person, args = outgoing.require_movement(), outgoing.person, outgoing.delivery.args
    if person is None:
        raise Unwanted("gone")
    now_quiet = of_person(person, person.timezone or movement.timezone, movement)
    start, end, weekends = _parse(args["hours"])
    if (now_quiet.start, now_quiet.end, now_quiet.weekends) != (start, end, weekends):
        raise Unwanted("newer")
    if person.quiet_from is not None:
        raise Unwanted("already_chosen")
    were = _parse(args["were"])
    return HoursTold(
        group=str(args["group"]),
        start=start,
        end=end,
        weekends=weekends,
        movement=movement.name,
        moved=await _list_moved_follow_ups(work, outgoing, person, were),
        were=dump_hours(were[0], were[1], weekends=were[2]),
    )


async def _list_moved_follow_ups(
    work: UnitOfWork, outgoing: Outgoing, person: Person, were: tuple[time, time, bool]
) -> tuple[MovedPromise, ...]:
    """Return the follow-ups at moments that are quiet now and that come later than they did."""
    movement = outgoing.require_movement()
    quiet = of_person(person, person.timezone or movement.timezone, movement)
    before = replace(quiet, start=were[0], end=were[1], weekends=were[2])
    steps = await work.steps.planned_of(person.id, movement.id)
    moved = [
        MovedPromise(was=before.first_allowed_at(step.follow_up_at), comes=quiet.first_allowed_at(step.follow_up_at))
        for step in steps
        if step.follow_up_at > outgoing.now and quiet.covers(step.follow_up_at)
    ]
    moved = [one for one in moved if one.comes != one.was]
    return tuple(sorted(moved, key=lambda one: one.was))


def _parse(hours: object) -> tuple[time, time, bool]:
    start, end, weekends = hours if isinstance(hours, list) else ("18:00", "08:00", True)
    return time.fromisoformat(str(start)), time.fromisoformat(str(end)), bool(weekends)


async def keep(work: UnitOfWork, turn: Turn) -> InPlace:
    """Let the hours that the actor had before be their own choice: those of their group do not hold for them. Other
    hours that they chose since, stay."""
    person = turn.person
    kept = read_hours(turn.text("were"))
    if kept is None:
        raise Refused("not_found")
    if person.quiet_from is None or person.quiet_until is None:
        person.quiet_from, person.quiet_until, person.quiet_weekends = kept
    start, end, weekends = person.quiet_from, person.quiet_until, bool(person.quiet_weekends)
    return InPlace(
        entry=HoursKept(start=start, end=end, weekends=weekends, chosen_since=(start, end, weekends) != kept)
    )
