"""Show coordinators how far the movement reaches, and start rounds where it does not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from secrets import randbelow

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, InPlace, Pick
from bot.catalogue.coverage import (
    MAX_ROUND_BUTTONS,
    NamesRound,
    NamesRoundForm,
    ReachShown,
    RoundPlanned,
    RoundWithdrawn,
    TiesRound,
    TiesRoundForm,
)
from bot.catalogue.forms import Filled, read_form
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.coverage import (
    NAMES_ROUND,
    RECOUNTED_AFTER,
    ROUND_RESTS,
    TIES_ROUND,
    ReachPicture,
    draw_picture,
    load_picture,
)
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority, to_place
from bot.domain.movement import Movement, Place, PlaceState
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

GROUPS_SHOWN = 12
ROUND_WAITS = RECOUNTED_AFTER
"""How long a round waits for room in its place before it is not sent at all."""
_OVER = (DeliveryState.DROPPED, DeliveryState.FAILED)


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show a coordinator how far the movement reaches, as it was counted at most a week ago."""
    movement = turn.require_coordinator()
    picture = await _load_picture(work, movement, turn.now)
    return ReachShown(
        groups=picture.groups[:GROUPS_SHOWN],
        at=picture.at,
        again=picture.at + RECOUNTED_AFTER,
        out=tuple(one.group for one in picture.groups if one.out_since is not None)[:MAX_ROUND_BUTTONS],
        more=max(0, len(picture.groups) - GROUPS_SHOWN),
    )


async def _load_picture(work: UnitOfWork, movement: Movement, now: datetime) -> ReachPicture:
    """Return the picture that stands, or count again and keep that. Of one that stands, no group is shown that has too
    few people by now."""
    kept = load_picture(movement.reach)
    if kept is not None and kept.is_fresh(now):
        large = [one for one in kept.groups if await _is_large(work, movement, one.group)]
        return replace(kept, groups=tuple(large))
    picture = draw_picture(await work.connecting.count_reach(movement.id), now, kept, randbelow)
    movement.reach = picture.dump()
    return picture


async def _is_large(work: UnitOfWork, movement: Movement, group: str) -> bool:
    """Return whether a group has enough people to be shown as a group."""
    return bool(group) and len(await work.people.in_group(movement.id, group)) >= MIN_GROUP_SIZE


async def ask_names(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form that starts a round of names for a group: in which place, and what happens then."""
    movement = turn.require_coordinator()
    group = await _require_group(work, turn, movement)
    return NamesRoundForm(group=group, hidden={"group": group}, **await _offer_places(work, turn, movement))  # type: ignore[arg-type]


async def save_names_round(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask people in the place chosen, once in `ROUND_RESTS`, who in a group passes things on well."""
    movement = turn.require_coordinator()
    group = await _require_group(work, turn, movement)
    return await _plan_round(work, turn, read_form(NamesRoundForm, turn.intent.args), NAMES_ROUND, {"group": group})


async def ask_ties(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form that starts a round of ties: in which place, and what happens then."""
    return TiesRoundForm(**await _offer_places(work, turn, turn.require_coordinator()))  # type: ignore[arg-type]


async def save_ties_round(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask people in the place chosen, once in `ROUND_RESTS`, whom they last asked something outside their team."""
    turn.require_coordinator()
    return await _plan_round(work, turn, read_form(TiesRoundForm, turn.intent.args), TIES_ROUND, {})


async def compose_ties_round(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question for everyone in a place whom they last asked something. Raises `Unwanted` when the place
    belongs to no or another movement."""
    if outgoing.place is None or outgoing.place.movement_id != outgoing.require_movement().id:
        raise Unwanted("no_movement")
    return TiesRound()


async def _require_group(work: UnitOfWork, turn: Turn, movement: Movement) -> str:
    """Return the group that an intent names. Raises `Refused` for one with too few people to be shown."""
    group = turn.text("group")
    if not await _is_large(work, movement, group):
        raise Refused("not_found")
    return group


async def _list_places(work: UnitOfWork, turn: Turn, movement: Movement) -> list[Place]:
    """Return the places of the coordinator's own workspace where Ritme can post; the one they are in first."""
    found = await work.movements.places(movement.id)
    here = turn.place.id if turn.place is not None else None
    return sorted(
        (one for one in found if one.workspace_id == turn.person.workspace_id and one.state is PlaceState.ALIVE),
        key=lambda one: one.id != here,
    )


async def _offer_places(work: UnitOfWork, turn: Turn, movement: Movement) -> dict[str, object]:
    """Return the choice of a place for a form. Raises `Refused` when there is none."""
    places = await _list_places(work, turn, movement)
    if not places:
        raise Refused("no_place_reached")
    picks = tuple(Pick(value=one.id, label=one.name or one.channel) for one in places[:MAX_FORM_OPTIONS])
    return {"options": {"place": picks}, "values": {"place": picks[0].value}}


async def _plan_round(work: UnitOfWork, turn: Turn, filled: Filled, kind: str, args: dict[str, object]) -> RoundPlanned:
    """Plan a post in the place that was filled in. Raises `Invalid` where it was asked within `ROUND_RESTS`."""
    movement = turn.require_coordinator()
    places = await _list_places(work, turn, movement)
    place = next((one for one in places if one.id == filled.text("place")), None)
    earlier: Sequence[Delivery] = []
    if place is None:
        filled.problems.add("place", "unknown_choice")
    else:
        earlier = await work.deliveries.about(kind, place.id, movement.id)
        if any(one.created_at > turn.now - ROUND_RESTS and one.state not in _OVER for one in earlier):
            filled.problems.add("place", "asked_lately")
    if place is None or filled.problems:
        raise filled.problems.to_invalid()
    post = to_place(
        place,
        kind,
        key=f"{kind}:{place.id}:{len(earlier)}",
        now=turn.now,
        subject=place.id,
        priority=Priority.RHYTHM,
        expires_at=turn.now + ROUND_WAITS,
        args=args,
    )
    await work.deliveries.add(post)
    return RoundPlanned(kind=kind, place=place.name or place.channel, delivery=post.id)


async def take_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take back a round that still waits; what stands in its place already, stays."""
    movement = turn.require_coordinator()
    post = await work.deliveries.get(DeliveryId(turn.text("delivery")), turn.person.workspace_id)
    if post is None or post.movement_id != movement.id or post.kind not in (NAMES_ROUND, TIES_ROUND):
        raise Refused("not_found")
    place = await work.movements.place(post.place_id) if post.place_id else None
    name = (place.name or place.channel) if place is not None else ""
    if post.state is DeliveryState.WAITING:
        post.drop("taken_back")
    return InPlace(entry=RoundWithdrawn(place=name, stands=post.state is not DeliveryState.DROPPED))


async def compose_names_round(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question for everyone in a place who in a group passes things on well. Raises `Unwanted` when the
    place belongs to no or another movement, or the group has too few people by now."""
    movement, place, group = outgoing.require_movement(), outgoing.place, str(outgoing.delivery.args.get("group", ""))
    if place is None or place.movement_id != movement.id:
        raise Unwanted("no_movement")
    if not await _is_large(work, movement, group):
        raise Unwanted("gone")
    return NamesRound(group=group)
