"""Places that go out of reach and come back: what the platform tells of them, and who hears of it."""

from datetime import datetime

from bot.catalogue.base import Entry
from bot.catalogue.reach import PlaceLost
from bot.chat import Intent
from bot.domain.delivery import Priority, resume, to_person
from bot.domain.movement import Place, PlaceId, PlaceState
from bot.domain.person import WorkspaceId
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork


async def is_known(work: UnitOfWork, intent: Intent) -> bool:
    """Whether Ritme knows the place this is about."""
    return await _place(work, intent) is not None


async def gone(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """The platform told that Ritme is out of a place; `reason` says why."""
    place = await _place(work, intent)
    if place is not None:
        await lose(work, place, intent.text("reason") or "place_gone", now)


async def back(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Ritme is in a place again: what waited for it goes out, if it is still on time."""
    place = await _place(work, intent)
    if place is not None and place.state is PlaceState.UNREACHABLE:
        resume(place, await work.deliveries.held_for(place), now)
        work.woken.add(place.workspace_id)


async def renamed(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    place = await _place(work, intent)
    if place is not None and intent.place.name:
        place.name = intent.place.name


async def lose(work: UnitOfWork, place: Place, reason: str, now: datetime) -> None:
    """Nothing can be said there any more; the coordinators hear of it once, privately."""
    if not place.lose(reason) or place.movement_id is None:
        return
    for coordinator in await work.people.coordinators(place.movement_id):
        await work.deliveries.add(
            to_person(
                coordinator,
                "place_lost",
                key=f"place_lost:{place.id}:{now.isoformat()}:{coordinator.id}",
                now=now,
                movement=place.movement_id,
                subject=place.id,
                priority=Priority.NEWS,
            )
        )


async def compose_place_lost(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    place = await work.movements.place(PlaceId(outgoing.delivery.subject))
    if place is None or place.movement_id is None:
        raise Unwanted("gone")
    if place.state is PlaceState.ALIVE:
        raise Unwanted("place_back")
    return PlaceLost(place=place.name or place.channel, reason=place.state_reason)


async def _place(work: UnitOfWork, intent: Intent) -> Place | None:
    return await work.movements.place_in(WorkspaceId(intent.place.workspace), intent.place.channel)
