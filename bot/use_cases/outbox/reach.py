"""Keep track of places that become unreachable, come back or are renamed; notify coordinators."""

from datetime import datetime

from bot.catalogue.base import Entry
from bot.catalogue.reach import PlaceLost
from bot.chat import Intent
from bot.domain.delivery import Priority, reopen_place, to_person
from bot.domain.movement import Place, PlaceId, PlaceState
from bot.domain.person import WorkspaceId, platform_of
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork


async def is_known(work: UnitOfWork, intent: Intent) -> bool:
    """Return whether Ritme knows the place of an event."""
    return await _find_place(work, intent) is not None


async def handle_removal(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Apply the event that Ritme is out of a place; `reason` is a block of `errors/reasons.md.j2`."""
    place = await _find_place(work, intent)
    if place is not None:
        await mark_unreachable(work, place, intent.text("reason") or "place_gone", now, since=intent.at)


async def handle_return(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Apply the event that Ritme is in a place again: deliveries that waited for it go out, if still on time."""
    place = await _find_place(work, intent)
    if place is not None and place.state is PlaceState.UNREACHABLE and not place.was_lost_by(intent.at):
        await reopen(work, place, now)


async def reopen(work: UnitOfWork, place: Place, now: datetime) -> None:
    """Mark a place reachable again, and send what waited for it."""
    reopen_place(place, await work.deliveries.held_for(place), now)
    work.woken.add(place.workspace_id)


async def handle_rename(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Apply the event that a place was renamed."""
    place = await _find_place(work, intent)
    if place is not None and intent.place.name:
        place.name = intent.place.name


async def handle_move(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Apply the event that a place has another id on its platform: rhythms, threads and deliveries follow, since they
    know it by our own. What failed meanwhile, because the old id was refused, goes out."""
    place, channel = await _find_place(work, intent), intent.text("channel")
    if place is None or not channel or channel == place.channel:
        return
    there = await work.movements.place_in(place.workspace_id, channel)
    if there is not None and there.movement_id is not None and place.movement_id != there.movement_id:
        return  # a movement was brought in under the new id meanwhile: what people did goes before the event
    await work.movements.move_place(place, channel)
    if place.state is PlaceState.UNREACHABLE and place.revives_when_heard:
        await reopen(work, place, now)


async def mark_unreachable(
    work: UnitOfWork, place: Place, reason: str, now: datetime, *, since: datetime | None = None
) -> None:
    """Mark a place as unreachable `since` a moment, else now, and notify the coordinators privately: once an hour at
    most, however often it seems to be back."""
    if not place.mark_unreachable(reason, since or now) or place.movement_id is None:
        return  # it was unreachable already, or nobody coordinates it
    for coordinator in await work.people.coordinators(place.movement_id):
        await work.deliveries.add(
            to_person(
                coordinator,
                "place_lost",
                key=f"place_lost:{place.id}:{now:%Y-%m-%dT%H}:{coordinator.id}",
                now=now,
                movement=place.movement_id,
                subject=place.id,
                priority=Priority.NEWS,
            )
        )


async def compose_place_loss(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news that a place is unreachable. Raises `Unwanted` when it is back already."""
    place = await work.movements.place(PlaceId(outgoing.delivery.subject))
    if place is None or place.movement_id is None:
        raise Unwanted("gone")
    if place.state is PlaceState.ALIVE:
        raise Unwanted("place_back")
    return PlaceLost(
        place=place.name or place.channel, reason=place.state_reason, platform=platform_of(place.workspace_id)
    )


async def _find_place(work: UnitOfWork, intent: Intent) -> Place | None:
    return await work.movements.place_in(WorkspaceId(intent.place.workspace), intent.place.channel)
