"""Show rhythms; and for coordinators: make, change, pause and end them, and change single moments."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.rhythms import (
    UNSENT_WINDOW,
    PaceKept,
    RhythmDoubled,
    RhythmPreviewed,
    RhythmShown,
    RhythmsLeft,
    RhythmsShown,
    RhythmUnclear,
    UnsentMessage,
)
from bot.chat import Value
from bot.days_off import load_calendar
from bot.domain.change import CoordinatorAct
from bot.domain.delivery import Delivery
from bot.domain.rhythm import Rhythm, moments
from bot.errors import Invalid, Refused
from bot.ports import Turn, UnitOfWork
from bot.understanding.rhythm import HeardRhythm, read_rhythm
from bot.upkeep import plan_past
from bot.use_cases.rhythms.changing.editing import apply_edit, duplicate, open_editor, preview_edit, undo
from bot.use_cases.rhythms.changing.form import complete, explain_invalid, fill_form, find_showing, parse_rhythm
from bot.use_cases.rhythms.changing.pages import (
    find_near,
    find_obstacles,
    foresee,
    load,
    load_any,
    load_own,
    look_around,
    next_moments,
    show_rhythm,
    show_within,
    summarize,
    summarize_within,
)
from bot.use_cases.rhythms.changing.patterns import list_values, pack, unpack
from bot.use_cases.rhythms.changing.single import (
    change_moment,
    find_next,
    log_rhythm,
    pause,
    remember,
    resume,
    save_moment,
    save_pause,
)

__all__ = [
    "apply_edit",
    "change_moment",
    "create",
    "create_whole",
    "duplicate",
    "end",
    "keep_pace",
    "open_editor",
    "pause",
    "resume",
    "save",
    "save_double",
    "save_moment",
    "save_pause",
    "save_preview",
    "show",
    "show_each",
    "show_one",
    "slow_down",
    "undo",
]
UNSENT_SHOWN = 5
RHYTHMS_LISTED = 20
"""Rhythms that are shown at a time, of however many a movement has."""
ALIKE_MOMENTS = 60
"""Coming moments that are compared to see whether two rhythms come together."""


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show every rhythm with its next moment; to coordinators also messages that were not sent lately, and why. When
    they typed what rhythm they want, show when it would come."""
    movement = turn.require_movement()
    may_change = turn.member is not None and turn.member.coordinates
    missed = ""
    if may_change and turn.text("text"):
        heard = await _read(work, turn)
        if heard.is_wanted:
            return await _preview(work, turn, heard)
        missed = turn.text("text") if not heard.values and not heard.asks else ""
    found, more = await _list_rhythms(work, turn)
    around = await look_around(work, movement, found, turn.now)
    unsent: list[UnsentMessage] = []
    if may_change:
        rows = await work.deliveries.of_movement(movement.id, turn.now - UNSENT_WINDOW, UNSENT_SHOWN, not_posted=True)
        unsent = [_to_unsent_message(one) for one in rows]
    return RhythmsShown(
        name=movement.name,
        rhythms=tuple(summarize_within(around, one, turn.now)[0] for one in found),
        more=more,
        held=tuple(unsent),
        may_change=may_change,
        missed=missed,
    )


def _to_unsent_message(delivery: Delivery) -> UnsentMessage:
    return UnsentMessage(kind=delivery.kind, at=delivery.due_at, reason=delivery.reason)


async def _read(work: UnitOfWork, turn: Turn) -> HeardRhythm:
    """Read what was typed after the command: the rhythm that is wanted."""
    movement = turn.require_movement()
    names = await work.movements.labels(movement.id, turn.person.workspace_id)
    places = await work.movements.places(movement.id)
    named = {name: place.id for place in places for name in (place.channel, place.name, names[place.id]) if name}
    return read_rhythm(turn.text("text"), turn.language, named, turn.now.astimezone(ZoneInfo(movement.timezone)).date())


async def _preview(work: UnitOfWork, turn: Turn, heard: HeardRhythm) -> Entry:
    """Return when the rhythm that somebody asked for would come; what is not clear about it, with a way to fill it in,
    when it is not understood as a whole."""
    places = await work.movements.places(turn.require_movement().id)
    here = turn.place if turn.place and turn.place in places else (places[0] if places else None)
    args = pack(complete(heard.values, here, turn.require_movement()))
    try:
        rhythm = await parse_rhythm(work, turn, unpack(args))
    except Invalid as invalid:
        return replace(explain_invalid(turn, invalid, args), text=turn.text("text"), missed=heard.missed)
    if heard.missed:
        return RhythmUnclear(text=turn.text("text"), missed=heard.missed, args=args)
    around = await look_around(work, turn.require_movement(), [rhythm], turn.now)
    summary, coming = foresee(around, turn, rhythm)
    missing, lost = find_obstacles(around, rhythm)
    return RhythmPreviewed(
        rhythm=summary,
        coming=coming,
        near=find_near(around, turn, rhythm),
        purpose_missing=missing,
        lost=lost,
        args={**args, "seen": turn.now.isoformat()},
    )


async def _list_rhythms(work: UnitOfWork, turn: Turn) -> tuple[Sequence[Rhythm], int]:
    """Return the rhythms to show, and how many there are besides. Of many, those of the place where it is asked, and
    then those that come soonest."""
    movement = turn.require_movement()
    found, count = await work.together(
        work.rhythms.of_movement(movement.id, RHYTHMS_LISTED), work.rhythms.count(movement.id)
    )
    more = count - len(found)
    if more and turn.place is not None:
        here = sorted(await work.rhythms.of_place(turn.place.id), key=lambda one: (one.created_at, one.id))
        found = [*here, *(one for one in found if one not in here)][:RHYTHMS_LISTED]
    return found, more


async def show_each(work: UnitOfWork, turn: Turn) -> Sequence[RhythmShown | RhythmsLeft]:
    """Show rhythms with their next moments and the reasons of those that are skipped, and how many there are
    besides."""
    found, more = await _list_rhythms(work, turn)
    around = await look_around(work, turn.require_movement(), found, turn.now)
    shown = [show_within(around, turn, one) for one in found]
    return [*shown, RhythmsLeft(more=more)] if more else shown


async def show_one(work: UnitOfWork, turn: Turn) -> Entry:
    """Show one rhythm with its next five moments."""
    return await show_rhythm(work, turn, await load(work, turn))


async def create(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form for a new rhythm, filled in with what was typed, or what a preview showed, if anything."""
    turn.require_coordinator()
    if turn.text("text"):
        heard = await _read(work, turn)
        return await fill_form(work, turn, heard.values, heard.missed)
    return await fill_form(work, turn, unpack(turn.intent.args), turn.text("missed"))


async def create_whole(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form for a new rhythm with all there is to choose."""
    return await fill_form(work, turn, {}, whole=True)


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save a new rhythm, and show it with its next five moments; of one that is edited, show what would change. Raises
    `Invalid` when it would fall in quiet hours. Where one of the same kind comes at the same moments already, ask
    first."""
    if turn.text("rhythm"):
        return await preview_edit(work, turn, turn.intent.args)
    return await _save(work, turn, turn.intent.args)


async def save_preview(work: UnitOfWork, turn: Turn) -> InPlace:
    """Save the rhythm that a preview showed; say what is in the way, where that cannot be any more."""
    values = unpack(turn.intent.args)
    try:
        return InPlace(entry=await _save(work, turn, values, find_showing(turn)))
    except Invalid as invalid:
        return InPlace(entry=explain_invalid(turn, invalid, pack(values)))


async def _save(work: UnitOfWork, turn: Turn, values: Mapping[str, Value], since: datetime | None = None) -> Entry:
    rhythm, others = await _parse_beside(work, turn, values, since)
    alike = await _find_alike(work, turn, rhythm, others)
    if not alike:
        return await _add(work, turn, rhythm, since)
    summary, _ = await summarize(work, turn.require_movement(), alike[-1], turn.now)
    return RhythmDoubled(
        rhythm=summary,
        same=any(one.rule == rhythm.rule for one in alike),
        args={**pack(values), "alike": str(len(alike))},
    )


async def save_double(work: UnitOfWork, turn: Turn) -> InPlace:
    """Save a rhythm although there is one alike. Pressed twice, it is saved once: `alike` counts those there were."""
    rhythm, others = await _parse_beside(work, turn, unpack(turn.intent.args))
    alike = await _find_alike(work, turn, rhythm, others)
    if len(alike) > int(turn.text("alike") or 0):
        return InPlace(entry=await show_rhythm(work, turn, alike[-1], "saved"))
    return InPlace(entry=await _add(work, turn, rhythm))


async def _parse_beside(
    work: UnitOfWork, turn: Turn, values: Mapping[str, Value], since: datetime | None = None
) -> tuple[Rhythm, Sequence[Rhythm]]:
    """Return the rhythm that was filled in, and those that there are."""
    rhythm, others = await work.together(
        parse_rhythm(work, turn, values, since), work.rhythms.of_movement(turn.require_movement().id)
    )
    return rhythm, others


async def _find_alike(work: UnitOfWork, turn: Turn, rhythm: Rhythm, others: Sequence[Rhythm]) -> list[Rhythm]:
    """Return those of the `others` of this kind in the same place that share a coming moment with it, oldest first."""
    calendar = await load_calendar(work, turn.require_movement(), rhythm.place_id)

    def list_moments(one: Rhythm) -> set[datetime]:
        coming = moments(one.timing, {}, calendar, after=turn.now)
        return {moment.at for moment in islice(coming, ALIKE_MOMENTS)}

    return [
        one
        for one in others
        if (one.kind, one.place_id) == (rhythm.kind, rhythm.place_id) and list_moments(one) & list_moments(rhythm)
    ]


async def _add(work: UnitOfWork, turn: Turn, rhythm: Rhythm, since: datetime | None = None) -> Entry:
    work.rhythms.add(rhythm)
    await log_rhythm(work, turn, rhythm, CoordinatorAct.RHYTHM_MADE)
    await find_next(work, turn.require_movement(), rhythm, since or turn.now)
    await work.flush()  # the page counts all rhythms of the place, by a query that has to see this one
    return await show_rhythm(work, turn, rhythm, "saved")


async def end(work: UnitOfWork, turn: Turn) -> InPlace:
    """End a rhythm for good; planned deliveries of it are cancelled."""
    movement = turn.require_coordinator()
    rhythm = await load_any(work, turn)
    if rhythm.ended_at is None:
        await plan_past(work, movement, rhythm, turn.now)
        await remember(work, turn, rhythm, CoordinatorAct.RHYTHM_ENDED)
        rhythm.ended_at, rhythm.next_at = turn.now, None
        await work.deliveries.cancel(f"rhythm_{rhythm.kind.value}", rhythm.id, "rhythm_ended")
    return InPlace(entry=await show_rhythm(work, turn, rhythm, "ended"))


async def slow_down(work: UnitOfWork, turn: Turn) -> InPlace:
    """Show what would change when a rhythm came about half as often, before it is saved. Raises `Refused` when it is as
    slow as it can be.

    `rule` (in older buttons `every`) is how often it came when that was asked: where that is not so any more, it is
    shown as it is.
    """
    rhythm = await load_own(work, turn)
    movement, pattern = turn.require_movement(), rhythm.pattern
    if turn.text("rule") not in ("", rhythm.rule) or turn.text("every") not in ("", str(pattern.every)):
        return InPlace(entry=await show_rhythm(work, turn, rhythm))
    coming = await next_moments(work, movement, rhythm, turn.now, 1)
    slower = pattern.slower(coming[0].on) if coming else None
    if slower is None:
        raise Refused("slowest")
    calendar = await load_calendar(work, movement, rhythm.place_id)
    starts = slower.first_day(rhythm.at, rhythm.timezone, turn.now + slower.rest, calendar) or rhythm.starts_on
    values = list_values(replace(rhythm, rule=slower.rule, starts_on=starts), turn.now, calendar)
    try:
        return InPlace(entry=await preview_edit(work, turn, values))
    except Invalid as invalid:
        return InPlace(entry=explain_invalid(turn, invalid, {**pack(values), "rhythm": rhythm.id}))


async def keep_pace(work: UnitOfWork, turn: Turn) -> InPlace:
    """Confirm that a rhythm keeps its pace; nothing changes."""
    await load_own(work, turn)
    return InPlace(entry=PaceKept())
