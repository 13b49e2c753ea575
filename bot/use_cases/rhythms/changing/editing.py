"""Edit a rhythm in place, after showing what that changes; make one like it; and take the last change back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.rhythms import RhythmChanged, RhythmForm
from bot.chat import Value
from bot.days_off import load_calendar
from bot.domain.change import CoordinatorAct
from bot.domain.rhythm import Changes, Rhythm, carry_changes, moments
from bot.errors import Invalid
from bot.ports import Turn, UnitOfWork
from bot.upkeep import find_repeats, plan_past, rewrite_changes
from bot.use_cases.rhythms.changing.form import explain_invalid, fill_form, find_showing, parse_rhythm
from bot.use_cases.rhythms.changing.pages import (
    find_near,
    find_obstacles,
    foresee,
    load_any,
    load_own,
    look_around,
    show_rhythm,
)
from bot.use_cases.rhythms.changing.patterns import list_values, pack, unpack
from bot.use_cases.rhythms.changing.single import find_next, log_rhythm, remember


@dataclass(frozen=True)
class _Edited:
    """A rhythm as it would become, not stored, and what remains of the changes to its moments; `gone` are the moments
    that were moved or skipped and are no more."""

    rhythm: Rhythm
    changes: Changes
    gone: Sequence[date]


async def open_editor(work: UnitOfWork, turn: Turn) -> RhythmForm:
    """Open the form of a rhythm, filled in with what it is, or with what a preview of a change showed."""
    rhythm = await load_own(work, turn)
    calendar = await load_calendar(work, turn.require_movement(), rhythm.place_id)
    values = unpack(turn.intent.args) or list_values(rhythm, turn.now, calendar)
    return await fill_form(work, turn, values, about=rhythm)


async def duplicate(work: UnitOfWork, turn: Turn) -> RhythmForm:
    """Open the form for a new rhythm, filled in with what another one is."""
    rhythm = await load_own(work, turn)
    calendar = await load_calendar(work, turn.require_movement(), rhythm.place_id)
    return await fill_form(work, turn, list_values(rhythm, turn.now, calendar))


async def preview_edit(work: UnitOfWork, turn: Turn, values: Mapping[str, Value]) -> Entry:
    """Show what an edit would change, before it is saved. Raises `Invalid` that names every wrong field."""
    rhythm = await load_own(work, turn)
    edited = await _edit(work, turn, rhythm, values)
    around = await look_around(work, turn.require_movement(), [rhythm, edited.rhythm], turn.now)
    before, _ = foresee(around, turn, rhythm)
    after, coming = foresee(around, turn, edited.rhythm, edited.changes)
    missing, lost = find_obstacles(around, edited.rhythm)
    today = turn.now.astimezone(ZoneInfo(edited.rhythm.timezone)).date()
    return RhythmChanged(
        before=before,
        rhythm=after,
        coming=coming,
        kept=sum(one.is_ahead(turn.now, today) for one in edited.changes.values()),
        gone=tuple(edited.gone),
        near=find_near(around, turn, edited.rhythm, edited.changes),
        purpose_missing=missing,
        lost=lost,
        args={**pack(values), "rhythm": rhythm.id, "seen": turn.now.isoformat()},
    )


async def apply_edit(work: UnitOfWork, turn: Turn) -> InPlace:
    """Save an edit as its preview showed it; say what is in the way, where that cannot be any more."""
    rhythm = await load_own(work, turn)
    values = unpack(turn.intent.args)
    try:
        edited = await _edit(work, turn, rhythm, values, since := find_showing(turn))
    except Invalid as invalid:
        return InPlace(entry=explain_invalid(turn, invalid, {**pack(values), "rhythm": rhythm.id}))
    came = await _list_dates(work, turn, rhythm, since)
    await remember(work, turn, rhythm, CoordinatorAct.RHYTHM_CHANGED)
    await rewrite_changes(work, rhythm, edited.changes, turn.now)
    wanted = edited.rhythm
    rhythm.kind, rhythm.place_id, rhythm.on_holiday = wanted.kind, wanted.place_id, wanted.on_holiday
    rhythm.rule, rhythm.starts_on, rhythm.at, rhythm.timezone = (
        wanted.rule,
        wanted.starts_on,
        wanted.at,
        wanted.timezone,
    )
    rhythm.unanswered, rhythm.pace_asked_at = 0, None
    due_by_now = await _list_dates(work, turn, rhythm, since)
    # A moment that the preview showed and that has passed meanwhile comes, unless that date had its moment.
    await find_next(work, turn.require_movement(), rhythm, turn.now if due_by_now <= came else since)
    return InPlace(entry=await show_rhythm(work, turn, rhythm, "changed"))


async def _list_dates(work: UnitOfWork, turn: Turn, rhythm: Rhythm, since: datetime) -> set[date]:
    """Return the dates of the moments of a rhythm from a moment until now."""
    changes = await work.rhythms.changes(rhythm, since)
    calendar = await load_calendar(work, turn.require_movement(), rhythm.place_id)
    coming = moments(rhythm.timing, changes, calendar, after=since)
    return {one.on for one in takewhile(lambda one: one.at <= turn.now, coming)}


async def _edit(
    work: UnitOfWork, turn: Turn, rhythm: Rhythm, values: Mapping[str, Value], since: datetime | None = None
) -> _Edited:
    wanted, changes = await work.together(
        parse_rhythm(work, turn, values, since), work.rhythms.changes(rhythm, turn.now)
    )
    wanted.id, wanted.paused_until, wanted.pauses = rhythm.id, rhythm.paused_until, rhythm.pauses
    calendar = await load_calendar(work, turn.require_movement(), wanted.place_id)
    left, gone = carry_changes(changes, rhythm.timing, wanted.timing, calendar, turn.now)
    posted = await find_repeats(work, wanted, left, calendar, turn.now)
    return _Edited(wanted, {**left, **posted}, gone)


async def undo(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take back the last change of a rhythm: it comes again as it did before. What was sent meanwhile stays. Pressed
    under an older change than the last, it only shows how things are."""
    movement = turn.require_coordinator()
    rhythm = await load_any(work, turn)
    await plan_past(work, movement, rhythm, turn.now)
    if not rhythm.previous or turn.text("change") != rhythm.changed_at:
        return InPlace(entry=await show_rhythm(work, turn, rhythm, "ended" if rhythm.ended_at else ""))
    changes, today = await work.rhythms.changes(rhythm, turn.now), turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    over = {name: one for name, one in changes.items() if not one.is_ahead(turn.now, today)}
    before = rhythm.take_back()
    await log_rhythm(work, turn, rhythm, CoordinatorAct.RHYTHM_TAKEN_BACK)
    await rewrite_changes(work, rhythm, {**over, **before}, turn.now)
    await find_next(work, turn.require_movement(), rhythm, turn.now)
    return InPlace(entry=await show_rhythm(work, turn, rhythm, "undone"))
