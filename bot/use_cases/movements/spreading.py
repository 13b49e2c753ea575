"""Show how stories spread between the groups of a movement, in rounded figures."""

from bot.catalogue.base import Entry
from bot.catalogue.spreads import SpreadArrow, SpreadDrawn, SpreadEmpty, SpreadGroup
from bot.counting import STANDING_SPREAD, load_standing
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.coverage import RECOUNTED_AFTER
from bot.domain.movement import Movement
from bot.domain.spread import SpreadMap, load_spread, order_on_ring
from bot.errors import Unwanted
from bot.pictures import plan_picture
from bot.ports import Outgoing, Turn, UnitOfWork

GROUPS_DRAWN, ARROWS_DRAWN = 12, 18
"""Groups and arrows that have room in the picture; the others are counted."""


async def ask_map(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the picture of the map for the actor; without groups, return what it takes."""
    shown = await show_map(work, turn)
    return await plan_picture(work, turn, "spread_drawn") if isinstance(shown, SpreadDrawn) else shown


async def show_map(work: UnitOfWork, turn: Turn) -> SpreadDrawn | SpreadEmpty:
    """Return the map that stands, counted anew when that is due."""
    movement = turn.require_movement()
    kept = await load_standing(work, movement, turn.now, STANDING_SPREAD)
    return _lay_out(movement, await _leave_small_out(work, movement, kept))


async def compose_map(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the picture of the map for who asked: the one that stands. Raises `Unwanted` when there is none any more,
    or they do not belong to the movement."""
    movement, reader = outgoing.require_movement(), outgoing.person
    if reader is None or await work.movements.membership(movement.id, reader.id) is None:
        raise Unwanted("gone")
    kept = load_spread(movement.spread)
    shown = _lay_out(movement, await _leave_small_out(work, movement, kept)) if kept is not None else None
    if not isinstance(shown, SpreadDrawn):
        raise Unwanted("nothing_to_give")
    return shown


async def _leave_small_out(work: UnitOfWork, movement: Movement, kept: SpreadMap) -> SpreadMap:
    """Return a map without groups that have too few people by now."""
    large = await work.people.large_groups(movement.id, MIN_GROUP_SIZE)
    return kept.without({one.group for one in kept.groups} - set(large))


def _lay_out(movement: Movement, shown: SpreadMap) -> SpreadDrawn | SpreadEmpty:
    """Return what is shown of a map: the groups of which most was told and done, around a ring."""
    if not shown.groups:
        return SpreadEmpty()
    weight = {one.group: sum(one.stories) for one in shown.groups}
    for flow in shown.flows:
        weight[flow.source] += flow.times
        weight[flow.target] += flow.times
    groups = sorted(shown.groups, key=lambda one: (-weight[one.group], one.group))[:GROUPS_DRAWN]
    names = order_on_ring(sorted(one.group for one in groups), shown.flows)
    number = {group: place for place, group in enumerate(names, 1)}
    stories = {one.group: one.stories for one in groups}
    within = {one.source: one.times for one in shown.flows if one.source == one.target}
    between = [one for one in shown.flows if one.source != one.target]
    drawn = [one for one in between if {one.source, one.target} <= number.keys()][:ARROWS_DRAWN]
    return SpreadDrawn(
        name=movement.name,
        at=shown.at,
        again=shown.at + RECOUNTED_AFTER,
        groups=tuple(SpreadGroup(group=one, stories=stories[one], within=within.get(one, 0)) for one in names),
        arrows=tuple(
            SpreadArrow(source=number[one.source], target=number[one.target], times=one.times) for one in drawn
        ),
        more_groups=len(shown.groups) - len(names),
        more_arrows=len(between) - len(drawn),
    )
