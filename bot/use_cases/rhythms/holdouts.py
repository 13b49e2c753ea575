"""Let the lot leave places out of reminders, say so in each of them, and show whether reminders helped. No persons."""

from asyncio import sleep
from datetime import datetime, timedelta
from secrets import token_hex

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.holdouts import EffectLine, EffectShown, HoldoutSaid
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.delivery import Delivery, Priority, to_place
from bot.domain.holdout import (
    FEWEST_PEOPLE,
    FEWEST_PLACES,
    HOLDOUT_BLOCK,
    HOLDOUT_SAID,
    Holdout,
    HoldoutId,
    HoldoutTurn,
    draw_lot,
)
from bot.domain.ids import new_id
from bot.domain.movement import Movement, MovementId, Place
from bot.domain.person import WorkspaceId
from bot.domain.rhythm import RhythmKind
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

SEED_BYTES = 16
DRAWN_AHEAD = timedelta(days=1)
"""How long before a block begins its lot is drawn: so nobody is reminded at its start who should not be."""


async def show_effect(work: UnitOfWork, turn: Turn) -> Entry:
    """Show whether reminders were followed by more stories and steps, as far as the lot can tell."""
    return await _show(work, turn, turn.require_movement())


async def begin_lot(work: UnitOfWork, turn: Turn) -> InPlace:
    """Let the lot leave places out of reminders from now on, and say so in each of them. Raises `Refused` with fewer
    than two places that are reminded."""
    movement = turn.require_coordinator()
    running, places = await work.together(
        work.holdouts.running_in(movement.id), work.holdouts.places_with(movement.id, RhythmKind.PURPOSE)
    )
    if running is None:
        if len(places) < FEWEST_PLACES:
            raise Refused("lot_too_few")
        lot = Holdout(id=HoldoutId(new_id()), movement_id=movement.id, seed=token_hex(SEED_BYTES), begun_at=turn.now)
        work.holdouts.add(lot)
        record_change(work, turn, CoordinatorAct.HOLDOUT_BEGUN)
        await _draw_block(work, lot, 0, turn.now)
        await work.flush()
    return InPlace(entry=await _show(work, turn, movement, "begun"))


async def end_lot(work: UnitOfWork, turn: Turn) -> InPlace:
    """End the lot: who was left out is reminded again, and reads that."""
    movement = turn.require_coordinator()
    lot = await work.holdouts.running_in(movement.id)
    if lot is not None:
        lot.ended_at = turn.now
        record_change(work, turn, CoordinatorAct.HOLDOUT_ENDED)
        turns = await work.holdouts.turns_of(lot.id, lot.period_at(turn.now))
        places = await work.movements.places_among({one.place_id for one in turns})
        said = []
        for one in turns:
            place = places.get(one.place_id)
            await work.deliveries.cancel(HOLDOUT_SAID, one.place_id, "lot_over")
            if one.left_out and place is not None and place.movement_id == movement.id:
                said.append(_plan_saying(place, f"over:{lot.id}", turn.now, None))
        await work.deliveries.add_all(said)
        await work.flush()
    return InPlace(entry=await _show(work, turn, movement, "ended"))


async def advance(work: UnitOfWork, movement: MovementId, now: datetime) -> None:
    """Count what followed in periods that ended, and draw the lot of a block shortly before it begins."""
    await work.people.lock_movement(WorkspaceId(""), "", None, movement)
    lot = await work.holdouts.running_in(movement)
    if lot is None:
        return
    current = lot.period_at(now)
    for period in range(max(0, current - 2 * HOLDOUT_BLOCK), current):
        for one in await work.holdouts.turns_of(lot.id, period):
            await _count(work, one)
    for block in sorted({current // HOLDOUT_BLOCK, lot.period_at(now + DRAWN_AHEAD) // HOLDOUT_BLOCK}):
        await _draw_block(work, lot, block, now)


async def _count(work: UnitOfWork, turn: HoldoutTurn) -> None:
    """Count once what followed in a place; of one that left the movement nothing is known."""
    place = await work.movements.place(turn.place_id)
    if turn.stories is not None or place is None or place.movement_id != turn.movement_id:
        return
    about = (turn.place_id, turn.movement_id, turn.starts_at, turn.ends_at)
    turn.stories, turn.steps = await work.holdouts.count_stories(*about), await work.holdouts.count_steps(*about)


async def _draw_block(work: UnitOfWork, lot: Holdout, block: int, now: datetime) -> None:
    """Record the turns of a block, once, and plan to say in each place when it is left out. One that joins later is
    reminded, and takes part from the next block."""
    first = block * HOLDOUT_BLOCK
    places, drawn_before = await work.together(
        work.holdouts.places_with(lot.movement_id, RhythmKind.PURPOSE), work.holdouts.turns_of(lot.id, first)
    )
    if len(places) < FEWEST_PLACES or drawn_before:
        return
    await sleep(0)  # to others: each of what follows takes milliseconds with hundreds of places
    drawn, said = draw_lot(lot.seed, block, [one.id for one in places]), []
    for place in places:
        for period in range(first, first + HOLDOUT_BLOCK):
            turn = HoldoutTurn(
                holdout_id=lot.id,
                movement_id=lot.movement_id,
                place_id=place.id,
                period=period,
                starts_at=lot.starts_at(period),
                ends_at=lot.starts_at(period + 1),
                left_out=period - first == drawn[place.id],
            )
            work.holdouts.add(turn)
            if turn.left_out or period == 0:
                said.append(_plan_saying(place, f"{lot.id}:{period}", max(now, turn.starts_at), turn.ends_at))
    await sleep(0)
    await work.deliveries.add_all(said)
    await sleep(0)


def _plan_saying(place: Place, key: str, at: datetime, until: datetime | None) -> Delivery:
    return to_place(
        place,
        HOLDOUT_SAID,
        key=f"{HOLDOUT_SAID}:{key}:{place.id}",
        now=at,
        subject=place.id,
        priority=Priority.RHYTHM,
        expires_at=until,
        args={"begun": key.endswith(":0"), "until": until.isoformat() if until is not None else ""},
    )


async def compose_lot(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose what a place reads about the lot. Raises `Unwanted` when it left, or the lot ended meanwhile."""
    movement, place, args = outgoing.require_movement(), outgoing.place, outgoing.delivery.args
    if place is None or place.movement_id != movement.id:
        raise Unwanted("no_movement")
    until = str(args.get("until", ""))
    running = await work.holdouts.running_in(movement.id)
    if bool(until) != (running is not None):
        raise Unwanted("lot_over")
    left_out = bool(until) and await work.holdouts.leaves_out(place.id, movement.id, outgoing.now)
    if until and not left_out and not args.get("begun"):
        raise Unwanted("lot_over")
    return HoldoutSaid(
        begun=bool(args.get("begun")), left_out=left_out, until=datetime.fromisoformat(until) if until else None
    )


async def _show(work: UnitOfWork, turn: Turn, movement: Movement, news: str = "") -> EffectShown:
    lot, turns = await work.together(work.holdouts.running_in(movement.id), work.holdouts.turns_in(movement.id))
    known = [one for one in turns if one.stories is not None]
    since = min((one.starts_at for one in turns), default=turn.now)
    people = await work.holdouts.count_people(movement.id, since) if known else 0
    from bot.domain.holdout_effect import measure_effect  # with numpy, which few need

    found = measure_effect(known, people)
    return EffectShown(
        name=movement.name,
        running=lot is not None,
        begun_at=lot.begun_at if lot is not None else None,
        next_at=lot.starts_at(lot.period_at(turn.now) + 1) if lot is not None else None,
        periods=len({(one.holdout_id, one.period) for one in known}),
        few_people=bool(known) and people < FEWEST_PEOPLE,
        lines=tuple(
            EffectLine(
                what=what,
                value=round(one.value, 1),
                low=round(one.low, 1),
                high=round(one.high, 1),
                tells=one.tells,
            )
            for what, one in found.items()
        ),
        may_change=turn.member is not None and turn.member.coordinates,
        news=news,
    )
