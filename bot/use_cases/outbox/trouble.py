"""Trouble in sending, for coordinators: what is out of reach, waits, failed or was missed, and the way out of it."""

from collections.abc import Sequence
from datetime import datetime

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.trouble import Refusal, Snag, TroubleShown
from bot.domain import trouble
from bot.domain.delivery import Delivery, resume
from bot.domain.movement import Movement, Place, PlaceState
from bot.domain.person import Workspace
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork

SHOWN = 6


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    return await _shown(work, turn)


async def again(work: UnitOfWork, turn: Turn) -> InPlace:
    """Once more, and once only: what was not sent is to go out now."""
    delivery = await _one(work, turn)
    if trouble.may_try_again(delivery):
        delivery.try_again(turn.now)
        work.woken.add(delivery.workspace_id)
        await work.flush()
    return InPlace(entry=await _shown(work, turn, "again"))


async def leave(work: UnitOfWork, turn: Turn) -> InPlace:
    """It need not be sent any more, and need not be seen here."""
    (await _one(work, turn)).drop("let_go")
    await work.flush()
    return InPlace(entry=await _shown(work, turn, "left"))


async def try_place(work: UnitOfWork, turn: Turn) -> InPlace:
    """The cure was applied, they say: what waits for this place goes out, which shows whether it helped."""
    movement = turn.as_coordinator()
    place = next((one for one in await work.movements.places(movement.id) if one.id == turn.text("place")), None)
    if place is None:
        raise Refused("not_found")
    if place.state is PlaceState.UNREACHABLE:
        resume(place, await work.deliveries.held_for(place), turn.now)
        work.woken.add(place.workspace_id)
        await work.flush()
    return InPlace(entry=await _shown(work, turn, "again"))


async def knock(work: UnitOfWork, turn: Turn) -> InPlace:
    """Whether a workspace lets us in again: one message tries."""
    for workspace in await _gone(work, turn.as_coordinator()):
        work.woken.add(workspace.id)
    return InPlace(entry=await _shown(work, turn, "again"))


async def _shown(work: UnitOfWork, turn: Turn, news: str = "") -> TroubleShown:
    movement = turn.as_coordinator()
    places = await work.movements.places(movement.id)
    rows = await _rows(work, movement, turn.now)
    posts = [(delivery, place) for delivery, place in rows if delivery.person_id is None]
    snags = [_out_of_reach(one) for one in places if one.state is PlaceState.UNREACHABLE]
    snags += [_snag(delivery, place) for delivery, place in posts]
    return TroubleShown(
        name=movement.name,
        refusals=tuple(
            Refusal(workspace=one.name, since=one.gone_at or turn.now, reason=one.gone_reason)
            for one in await _gone(work, movement)
        ),
        snags=tuple(snags[:SHOWN]),
        more=max(0, len(snags) - SHOWN),
        personal=len(rows) - len(posts),
        news=news,
    )


async def _rows(work: UnitOfWork, movement: Movement, now: datetime) -> Sequence[tuple[Delivery, Place | None]]:
    found = await work.deliveries.trouble(movement.id, now - trouble.SINCE)
    return [(delivery, place) for delivery, place in found if trouble.is_trouble(delivery)]


async def _one(work: UnitOfWork, turn: Turn) -> Delivery:
    for delivery, _ in await _rows(work, turn.as_coordinator(), turn.now):
        if delivery.id == turn.text("delivery") and delivery.person_id is None:
            return delivery
    raise Refused("not_found")


async def _gone(work: UnitOfWork, movement: Movement) -> list[Workspace]:
    lanes = dict.fromkeys(place.workspace_id for place in await work.movements.places(movement.id))
    found = [await work.people.workspace(lane) for lane in lanes]
    return [one for one in found if one is not None and one.gone_at is not None]


def _out_of_reach(place: Place) -> Snag:
    return Snag(what="place", id=place.id, place=place.name or place.channel, reason=place.state_reason)


def _snag(delivery: Delivery, place: Place | None) -> Snag:
    return Snag(
        what="held" if trouble.is_held(delivery) else "ended",
        id=delivery.id,
        place=(place.name or place.channel) if place is not None else "",
        reason=delivery.reason,
        kind=delivery.kind,
        at=delivery.due_at,
        may_try=trouble.may_try_again(delivery),
    )
