"""Show coordinators the problems in sending (unreachable places, messages that wait, failed or were missed) and solve
them."""

from collections.abc import Sequence
from datetime import datetime

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.trouble import Snag, TroubleShown, UninstalledWorkspace
from bot.changes import record_change
from bot.domain import trouble
from bot.domain.change import CoordinatorAct
from bot.domain.delivery import Delivery, reopen_place
from bot.domain.movement import Movement, Place, PlaceState
from bot.domain.person import Workspace, platform_of
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork

SNAGS_SHOWN = 6


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the problems in sending."""
    return await _show(work, turn)


async def try_again(work: UnitOfWork, turn: Turn) -> InPlace:
    """Send a message that ended unsent now, once more and once only."""
    delivery, news = await _find_delivery(work, turn), ""
    if delivery is not None and trouble.may_try_again(delivery):
        news = "again"
        delivery.try_again(turn.now)
        work.woken.add(delivery.workspace_id)
        await work.flush()  # the query for the overview has to see it
    return InPlace(entry=await _show(work, turn, news))


async def dismiss(work: UnitOfWork, turn: Turn) -> InPlace:
    """Drop a message for good; it is not shown here any more."""
    delivery = await _find_delivery(work, turn)
    if delivery is not None:
        delivery.drop("let_go")
        record_change(work, turn, CoordinatorAct.MESSAGE_DROPPED)
        await work.flush()
    return InPlace(entry=await _show(work, turn, "left" if delivery is not None else ""))


async def try_place(work: UnitOfWork, turn: Turn) -> InPlace:
    """Send what waits for an unreachable place: whether it arrives shows whether the coordinator's cure helped."""
    movement = turn.require_coordinator()
    place = next((one for one in await work.movements.places(movement.id) if one.id == turn.text("place")), None)
    if place is None:
        raise Refused("not_found")
    if place.state is PlaceState.UNREACHABLE:
        reopen_place(place, await work.deliveries.held_for(place), turn.now)
        work.woken.add(place.workspace_id)
        await work.flush()
    return InPlace(entry=await _show(work, turn, "again"))


async def retry_workspaces(work: UnitOfWork, turn: Turn) -> InPlace:
    """Wake the lanes of workspaces that removed Ritme: one message of each tests whether it is let in again."""
    places = await work.movements.places(turn.require_coordinator().id)
    for workspace in await _load_uninstalled_workspaces(work, places):
        work.woken.add(workspace.id)
    return InPlace(entry=await _show(work, turn, "again"))


async def _show(work: UnitOfWork, turn: Turn, news: str = "") -> TroubleShown:
    movement = turn.require_coordinator()
    places, rows = await work.together(work.movements.places(movement.id), _load_trouble(work, movement, turn.now))
    posts = [(delivery, place) for delivery, place in rows if delivery.person_id is None]
    snags = [_place_snag(one) for one in places if one.state is PlaceState.UNREACHABLE]
    snags += [_delivery_snag(delivery, place) for delivery, place in posts]
    return TroubleShown(
        name=movement.name,
        refusals=tuple(
            UninstalledWorkspace(
                workspace=one.name, since=one.gone_at or turn.now, reason=one.gone_reason, platform=platform_of(one.id)
            )
            for one in await _load_uninstalled_workspaces(work, places)
        ),
        snags=tuple(snags[:SNAGS_SHOWN]),
        more=max(0, len(snags) - SNAGS_SHOWN),
        personal=len(rows) - len(posts),
        news=news,
    )


async def _load_trouble(work: UnitOfWork, movement: Movement, now: datetime) -> Sequence[tuple[Delivery, Place | None]]:
    found = await work.deliveries.trouble(movement.id, now - trouble.TROUBLE_WINDOW)
    return [(delivery, place) for delivery, place in found if trouble.is_trouble(delivery)]


async def _find_delivery(work: UnitOfWork, turn: Turn) -> Delivery | None:
    """Return the message that a button is about; None when it is no trouble any more, such as after pressing twice."""
    for delivery, _ in await _load_trouble(work, turn.require_coordinator(), turn.now):
        if delivery.id == turn.text("delivery") and delivery.person_id is None:
            return delivery
    return None


async def _load_uninstalled_workspaces(work: UnitOfWork, places: Sequence[Place]) -> list[Workspace]:
    lanes = dict.fromkeys(place.workspace_id for place in places)
    found = await work.together(*(work.people.workspace(lane) for lane in lanes))
    return [one for one in found if one is not None and one.gone_at is not None]


def _place_snag(place: Place) -> Snag:
    return Snag(
        what="place",
        id=place.id,
        place=place.name or place.channel,
        reason=place.state_reason,
        platform=platform_of(place.workspace_id),
    )


def _delivery_snag(delivery: Delivery, place: Place | None) -> Snag:
    return Snag(
        what="held" if trouble.is_held(delivery) else "ended",
        id=delivery.id,
        place=(place.name or place.channel) if place is not None else "",
        reason=delivery.reason,
        kind=delivery.kind,
        at=delivery.due_at,
        may_try=trouble.may_try_again(delivery),
        platform=platform_of(delivery.workspace_id),
    )
