"""Say of what is about to be written or decided that programs outside read it, or hear of it. Below what answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.catalogue.base import Entry, OutsideEntry
from bot.domain.api_token import Scope
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.movement import MovementId
from bot.domain.webhook import MovementEvent
from bot.ports import Turn, UnitOfWork


async def say_readers_outside(work: UnitOfWork, turn: Turn, entry: Entry) -> Entry:
    """Return an entry that says which programs outside read what is decided by it: by the keys that work, and the
    addresses that are called, now."""
    if not isinstance(entry, OutsideEntry) or not entry.can_decide:
        return entry
    movements = [turn.movement.id] if turn.movement is not None else []
    if entry.of_every_movement:
        movements = [movement.id for movement, _ in await work.movements.of_person(turn.person.id)]
    return replace(entry, outside=await _find_reading(work, movements, entry.read_by, turn.now))


async def _find_reading(
    work: UnitOfWork, movements: Sequence[MovementId], wanted: Sequence[Scope | MovementEvent], now: datetime
) -> str:
    """Return the first of what is wanted that a program of these movements reads or hears of; empty for none."""
    asked = [(one, movement) for one in wanted for movement in movements]
    read = await work.together(*(_is_read(work, movement, one, now) for one, movement in asked))
    return next((one.value for (one, _), is_read in zip(asked, read, strict=True) if is_read), "")


async def _is_read(work: UnitOfWork, movement: MovementId, what: Scope | MovementEvent, now: datetime) -> bool:
    if isinstance(what, Scope):
        return any(one.lasts(now) and one.opens(what) for one in await work.outside.tokens(movement))
    if not any(one.hears(what) for one in await work.outside.webhooks(movement)):
        return False
    # In a smaller movement nobody hears of steps: see `bot.webhooks.announce_step`.
    return (
        what is not MovementEvent.STEPS_DONE or await work.people.count_in(movement, MIN_GROUP_SIZE) >= MIN_GROUP_SIZE
    )
