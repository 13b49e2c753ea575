"""Show and change the days on which a movement is closed, besides public holidays."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.catalogue.base import InPlace
from bot.catalogue.forms import read_form
from bot.catalogue.rhythms import ClosedForm, ClosedShown, DaysOff
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.movement import Movement
from bot.domain.stretches import MAX_STRETCHES, Stretch, end_stretch, format_stretches, list_to_come, parse_stretches
from bot.ports import Turn, UnitOfWork
from bot.upkeep import find_next_moments, list_moved_days

MAX_CLOSED = timedelta(days=366)
"""How far ahead days off may be, and how many in a row."""


async def show_days_off(work: UnitOfWork, turn: Turn) -> ClosedShown:
    """Show the days on which the movement is closed."""
    return _show(turn, turn.require_coordinator())


async def open_days_off(work: UnitOfWork, turn: Turn) -> ClosedForm:
    """Open the form to add days on which the movement is closed."""
    today = turn.now.astimezone(ZoneInfo(turn.require_coordinator().timezone)).date()
    return ClosedForm(earliest=today, latest=today + MAX_CLOSED)


async def add_days_off(work: UnitOfWork, turn: Turn) -> ClosedShown:
    """Add days on which the movement is closed: moments on them are skipped or moved, as on a holiday."""
    movement = turn.require_coordinator()
    filled = read_form(ClosedForm, turn.intent.args)
    today = turn.now.astimezone(ZoneInfo(movement.timezone)).date()
    starts = filled.day("starts")
    last = filled.day("until") or starts
    if starts is not None and starts < today:
        filled.problems.add("starts", "too_early", earliest=today)
    if starts is not None and last is not None and last < starts:
        filled.problems.add("until", "too_early", earliest=starts)
    for field, day in (("starts", starts), ("until", last)):
        if day is not None and day > today + MAX_CLOSED:
            filled.problems.add(field, "too_late", latest=today + MAX_CLOSED)
    if len(list_to_come(parse_stretches(movement.closed), today)) >= MAX_STRETCHES:
        filled.problems.add("starts", "too_many", most=str(MAX_STRETCHES))
    if starts is None or last is None or filled.problems:
        raise filled.problems.to_invalid()
    days = Stretch(starts, last + timedelta(days=1))
    promised = await list_moved_days(work, movement, turn.now)
    movement.closed = format_stretches((*parse_stretches(movement.closed), days), today)
    await find_next_moments(work, movement, turn.now, promised)
    record_change(work, turn, CoordinatorAct.DAYS_OFF_CHANGED)
    return _show(turn, movement)


async def drop_days_off(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take days on which the movement was to be closed back."""
    movement = turn.require_coordinator()
    today = turn.now.astimezone(ZoneInfo(movement.timezone)).date()
    planned = parse_stretches(movement.closed)
    kept = [left for one in planned for left in (end_stretch(one, today) if one.text == turn.text("days") else [one])]
    promised = await list_moved_days(work, movement, turn.now)
    movement.closed = format_stretches(kept, today)
    await find_next_moments(work, movement, turn.now, promised)
    record_change(work, turn, CoordinatorAct.DAYS_OFF_CHANGED)
    return InPlace(entry=_show(turn, movement))


def _show(turn: Turn, movement: Movement) -> ClosedShown:
    today = turn.now.astimezone(ZoneInfo(movement.timezone)).date()
    coming = list_to_come(parse_stretches(movement.closed), today)
    return ClosedShown(
        name=movement.name, days=tuple(DaysOff(begin=one.begin, end=one.end, value=one.text) for one in coming)
    )
