"""Show coordinators how far the movement reaches, tell them where it stays out of reach, and start rounds there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, InPlace, Pick
from bot.catalogue.coverage import (
    MAX_ROUND_BUTTONS,
    ONCE,
    QUARTERLY,
    GroupOutOfReach,
    GroupRests,
    NamesRound,
    NamesRoundForm,
    ReachShown,
    RoundEnded,
    RoundPlanned,
    RoundRepeated,
    RoundWithdrawn,
    TiesRound,
    TiesRoundForm,
)
from bot.catalogue.forms import Filled, read_form
from bot.changes import record_change
from bot.counting import STANDING_REACH, load_standing
from bot.domain.change import CoordinatorAct
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.coverage import (
    GROUP_OUT,
    LOOKS_AFTER,
    NAMES_ROUND,
    RECOUNTED_AFTER,
    ROUND_RESTS,
    TIES_ROUND,
    TOLD_WAITS,
    ReachPicture,
    RoundRepeat,
    is_named_after,
    load_picture,
)
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState, Priority, to_person, to_place
from bot.domain.movement import Movement, MovementId, Place, PlaceId, PlaceState
from bot.domain.person import WorkspaceId
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

GROUPS_SHOWN = 12
ROUND_WAITS = RECOUNTED_AFTER
"""How long a round waits for room in its place before it is not sent at all."""
PLACES_COMPARED = 50
"""Places of which is looked whether a round for names fits there."""
_OVER = (DeliveryState.DROPPED, DeliveryState.FAILED)


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show a coordinator how far the movement reaches, as it was counted at most a week ago."""
    movement = turn.require_coordinator()
    picture = await load_current_picture(work, movement, turn.now)
    return ReachShown(
        groups=picture.groups[:GROUPS_SHOWN],
        at=picture.at,
        again=picture.at + RECOUNTED_AFTER,
        out=tuple(one.group for one in picture.groups if one.out_since is not None)[:MAX_ROUND_BUTTONS],
        more=max(0, len(picture.groups) - GROUPS_SHOWN),
        repeats=await _list_repeats(work, turn, movement),
    )


async def _list_repeats(work: UnitOfWork, turn: Turn, movement: Movement) -> tuple[RoundRepeated, ...]:
    """Return the rounds that come again in places of the coordinator's own workspace."""
    picture, places = load_picture(movement.reach), await _list_places(work, turn.person.workspace_id, movement)
    names = {one.id: one.name or one.channel for one in places}
    repeats = [one for one in (picture.repeats if picture is not None else ()) if one.place in names]
    large = set(await work.people.large_groups(movement.id, MIN_GROUP_SIZE)) if repeats else set()
    return tuple(
        RoundRepeated(kind=one.kind, place_id=one.place, place=names[PlaceId(one.place)], group=one.group)
        for one in repeats
        if not one.group or one.group in large
    )[:MAX_ROUND_BUTTONS]


async def load_current_picture(work: UnitOfWork, movement: Movement, now: datetime) -> ReachPicture:
    """Return the picture that stands. No group is shown that has too few people by now."""
    kept = await load_standing(work, movement, now, STANDING_REACH)
    large = await work.people.large_groups(movement.id, MIN_GROUP_SIZE)
    return replace(kept, groups=tuple(one for one in kept.groups if one.group in large))


async def _is_large(work: UnitOfWork, movement: Movement, group: str) -> bool:
    """Return whether a group has enough people to be shown as a group."""
    return bool(await work.people.large_groups(movement.id, MIN_GROUP_SIZE, among=[group]))


async def look(work: UnitOfWork, id: MovementId, now: datetime, works_council: bool = False) -> None:
    """Look by ourselves how far a movement reaches, once in `LOOKS_AFTER`: plan the rounds that come again, and tell a
    coordinator where it stays out of reach."""
    await work.people.lock_movement(WorkspaceId(""), "", None, id)
    movement = await work.movements.get(id)
    if movement is None or (movement.looked_at is not None and now - movement.looked_at < LOOKS_AFTER):
        return  # another process looked meanwhile
    movement.looked_at = now
    if not movement.may_name_people(works_council):
        return  # no round is asked for, so nobody is told where one would help
    await _repeat_rounds(work, movement, now)
    if await work.initiatives.of_movement(id):
        await _tell_of_group(work, movement, await load_current_picture(work, movement, now), now)


async def _repeat_rounds(work: UnitOfWork, movement: Movement, now: datetime) -> None:
    """Plan the rounds that come again, where that was not asked in `ROUND_RESTS`. One in a place that left the
    movement, or in a group that became too small, ends."""
    picture = load_picture(movement.reach)
    for again in picture.repeats if picture is not None else ():
        place = await work.movements.place(PlaceId(again.place))
        fits = again.kind == TIES_ROUND or await _is_large(work, movement, again.group)
        if place is None or place.movement_id != movement.id or not fits:
            _change_picture(movement, now, lambda kept, again=again: kept.end(again.kind, again.place))  # type: ignore[misc]
            continue
        earlier = await work.deliveries.about(again.kind, place.id, movement.id)
        if place.state is PlaceState.ALIVE and not _was_asked_lately(earlier, now):
            await work.deliveries.add(_make_round(again.kind, place, again.group, earlier, now))


async def _tell_of_group(work: UnitOfWork, movement: Movement, shown: ReachPicture, now: datetime) -> None:
    """Plan a message to a coordinator when a group stays out of reach: at most once in `ROUND_RESTS`, and once a group,
    as long as it does."""
    earlier = await work.deliveries.about(GROUP_OUT, movement.id, movement.id)
    heard = [one for one in earlier if one.state not in _OVER]
    # Whoever it was meant for never read it: nothing was told yet.
    lost = {str(one.args["group"]) for one in earlier} - {str(one.args["group"]) for one in heard}
    group = shown.wake(lost).find_news(now)
    reader = next((one for one in await work.people.coordinators(movement.id) if one.will_read(now)), None)
    if not group or reader is None or any(now - one.created_at < ROUND_RESTS for one in heard):
        return
    _change_picture(movement, now, lambda kept: kept.wake(lost).rest(group, None))
    await work.deliveries.add(
        to_person(
            reader,
            GROUP_OUT,
            key=f"{GROUP_OUT}:{movement.id}:{now.date().isoformat()}",
            now=now,
            movement=movement.id,
            subject=movement.id,
            priority=Priority.NEWS,
            expires_at=now + TOLD_WAITS,
            args={"group": group},
        )
    )


def _change_picture(movement: Movement, now: datetime, change: Callable[[ReachPicture], ReachPicture]) -> None:
    """Change what is kept with a picture; where there is none, one is kept that is counted when it is next needed."""
    kept = load_picture(movement.reach)
    movement.reach = change(kept if kept is not None else ReachPicture(at=now - RECOUNTED_AFTER)).dump()


async def compose_group_out(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose for a coordinator that a group stays out of reach, and where to ask for names. Raises `Unwanted` when it
    does no more, became too small, or is no business of the reader any more."""
    movement, reader = outgoing.require_council(), outgoing.person
    group, picture = str(outgoing.delivery.args.get("group", "")), load_picture(movement.reach)
    member = await work.movements.membership(movement.id, reader.id) if reader is not None else None
    if reader is None or member is None or not member.coordinates:
        raise Unwanted("gone")
    if picture is None or not picture.is_out(group) or not await _is_large(work, movement, group):
        raise Unwanted("answered")
    place = await _propose_place(work, movement, reader.workspace_id, group, outgoing.now)
    return GroupOutOfReach(
        group=group, place_id=place.id if place else "", place=(place.name or place.channel) if place else ""
    )


async def _propose_place(
    work: UnitOfWork, movement: Movement, workspace: WorkspaceId, group: str, now: datetime
) -> Place | None:
    """Return where to ask for names: a place named after the group, else the oldest; where that was not asked
    lately."""
    found = await _list_places(work, workspace, movement)
    found.sort(key=lambda one: not is_named_after(one.name, group))
    for place in found[:PLACES_COMPARED]:
        if not _was_asked_lately(await work.deliveries.about(NAMES_ROUND, place.id, movement.id), now):
            return place
    return None


async def let_rest(work: UnitOfWork, turn: Turn) -> InPlace:
    """Say nothing about a group for `ROUND_RESTS`."""
    movement = turn.require_coordinator()
    group, picture = turn.text("group"), load_picture(movement.reach)
    until = turn.now + ROUND_RESTS
    if picture is not None and picture.is_out(group):
        movement.reach = picture.rest(group, until).dump()
        record_change(work, turn, CoordinatorAct.REACH_RESTS, group)
    return InPlace(entry=GroupRests(group=group, until=until))


async def ask_names_here(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask in the place that was proposed, at once. Raises `Refused` where that cannot be (any more)."""
    turn.require_council()
    movement = turn.require_coordinator()
    group = await _require_group(work, turn, movement)
    try:
        return await _plan_round(work, turn, read_form(NamesRoundForm, turn.intent.args), NAMES_ROUND, {"group": group})
    except Invalid as invalid:
        raise Refused("round_elsewhere") from invalid


async def ask_names(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form that starts a round of names for a group: in which place, and what happens then."""
    turn.require_council()
    movement = turn.require_coordinator()
    group = await _require_group(work, turn, movement)
    return NamesRoundForm(group=group, hidden={"group": group}, **await _offer_places(work, turn, movement))  # type: ignore[arg-type]


async def save_names_round(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask people in the place chosen, once in `ROUND_RESTS`, who in a group passes things on well."""
    turn.require_council()
    movement = turn.require_coordinator()
    group = await _require_group(work, turn, movement)
    return await _plan_round(work, turn, read_form(NamesRoundForm, turn.intent.args), NAMES_ROUND, {"group": group})


async def ask_ties(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form that starts a round of ties: in which place, and what happens then."""
    turn.require_council()
    return TiesRoundForm(**await _offer_places(work, turn, turn.require_coordinator()))  # type: ignore[arg-type]


async def save_ties_round(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask people in the place chosen, once in `ROUND_RESTS`, whom they last asked something outside their team."""
    turn.require_council()
    turn.require_coordinator()
    return await _plan_round(work, turn, read_form(TiesRoundForm, turn.intent.args), TIES_ROUND, {})


async def compose_ties_round(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question for everyone in a place whom they last asked something. Raises `Unwanted` when the place
    belongs to no or another movement."""
    if outgoing.place is None or outgoing.place.movement_id != outgoing.require_council().id:
        raise Unwanted("no_movement")
    return TiesRound()


async def _require_group(work: UnitOfWork, turn: Turn, movement: Movement) -> str:
    """Return the group that an intent names. Raises `Refused` for one with too few people to be shown."""
    group = turn.text("group")
    if not await _is_large(work, movement, group):
        raise Refused("not_found")
    return group


async def _list_places(work: UnitOfWork, workspace: WorkspaceId, movement: Movement) -> list[Place]:
    """Return the places of a workspace where Ritme can post, the oldest first."""
    found = await work.movements.places(movement.id)
    return [one for one in found if one.workspace_id == workspace and one.state is PlaceState.ALIVE]


async def _offer_places(work: UnitOfWork, turn: Turn, movement: Movement) -> dict[str, object]:
    """Return the choice of a place for a form. Raises `Refused` when there is none."""
    places = await _list_places(work, turn.person.workspace_id, movement)
    if not places:
        raise Refused("no_place_reached")
    # The one they are in first.
    places.sort(key=lambda one: turn.place is None or one.id != turn.place.id)
    picks = tuple(Pick(value=one.id, label=one.name or one.channel) for one in places[:MAX_FORM_OPTIONS])
    return {"options": {"place": picks}, "values": {"place": picks[0].value, "again": ONCE}}


async def _plan_round(work: UnitOfWork, turn: Turn, filled: Filled, kind: str, args: dict[str, object]) -> RoundPlanned:
    """Plan a post in the place that was filled in. Raises `Invalid` where it was asked within `ROUND_RESTS`."""
    movement = turn.require_coordinator()
    places = await _list_places(work, turn.person.workspace_id, movement)
    place = next((one for one in places if one.id == filled.text("place")), None)
    earlier: Sequence[Delivery] = []
    if place is None:
        filled.problems.add("place", "unknown_choice")
    else:
        earlier = await work.deliveries.about(kind, place.id, movement.id)
        if _was_asked_lately(earlier, turn.now):
            filled.problems.add("place", "asked_lately")
    if place is None or filled.problems:
        raise filled.problems.to_invalid()
    group, again = str(args.get("group", "")), filled.text("again") == QUARTERLY
    post = _make_round(kind, place, group, earlier, turn.now)
    await work.deliveries.add(post)
    if group:
        # Who asks there already needs not be told.
        _change_picture(movement, turn.now, lambda kept: kept.rest(group, None))
    record_change(work, turn, CoordinatorAct.ROUND_PLANNED, place.name or place.channel)
    repeat = RoundRepeat(kind, place.id, group)
    _change_picture(movement, turn.now, lambda kept: kept.repeat(repeat) if again else kept.end(kind, place.id))
    return RoundPlanned(kind=kind, place=place.name or place.channel, delivery=post.id, again=again)


def _make_round(kind: str, place: Place, group: str, earlier: Sequence[Delivery], now: datetime) -> Delivery:
    return to_place(
        place,
        kind,
        key=f"{kind}:{place.id}:{now.date().isoformat()}:{len(earlier)}",
        now=now,
        subject=place.id,
        priority=Priority.RHYTHM,
        expires_at=now + ROUND_WAITS,
        args={"group": group} if group else {},
    )


def _was_asked_lately(earlier: Sequence[Delivery], now: datetime) -> bool:
    return any(one.created_at > now - ROUND_RESTS and one.state not in _OVER for one in earlier)


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
        record_change(work, turn, CoordinatorAct.ROUND_ENDED, name)
        if post.place_id is not None:
            _end_repeat(movement, turn.now, post.kind, post.place_id)
    return InPlace(entry=RoundWithdrawn(place=name, stands=post.state is not DeliveryState.DROPPED))


async def end_round(work: UnitOfWork, turn: Turn) -> InPlace:
    """Let a round come no more by itself; one that waits does not come either."""
    movement, kind = turn.require_coordinator(), turn.text("kind")
    place = await work.movements.place(PlaceId(turn.text("place")))
    if place is None or place.movement_id != movement.id or kind not in (NAMES_ROUND, TIES_ROUND):
        raise Refused("not_found")
    _end_repeat(movement, turn.now, kind, place.id)
    await work.deliveries.cancel(kind, place.id, "taken_back")
    record_change(work, turn, CoordinatorAct.ROUND_ENDED, place.name or place.channel)
    return InPlace(entry=RoundEnded(kind=kind, place=place.name or place.channel))


def _end_repeat(movement: Movement, now: datetime, kind: str, place: PlaceId) -> None:
    _change_picture(movement, now, lambda kept: kept.end(kind, place))


async def compose_names_round(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question for everyone in a place who in a group passes things on well. Raises `Unwanted` when the
    place belongs to no or another movement, or the group has too few people by now."""
    movement, place, group = outgoing.require_council(), outgoing.place, str(outgoing.delivery.args.get("group", ""))
    if place is None or place.movement_id != movement.id:
        raise Unwanted("no_movement")
    if not await _is_large(work, movement, group):
        raise Unwanted("gone")
    return NamesRound(group=group)
