"""Notice the moments at which an initiative may want to choose its way, after a use case acted.

A story that suddenly ripples, a group that joins, several broadening moments in a row: one question to who carries it,
at most one a month (`bot.domain.steering`).
"""

from bot.domain.delivery import DeliveryState
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import Person
from bot.domain.steering import (
    IN_A_ROW,
    STEERING,
    Occasion,
    broadens_again,
    is_new_group,
    may_steer,
    plan_steering,
    ripples_suddenly,
)
from bot.domain.story import Ripple, Story
from bot.ports import Turn, UnitOfWork

JOINS = frozenset({"initiative.join"})
"""Intents by which somebody begins to take part in an initiative."""


async def notice(work: UnitOfWork, turn: Turn) -> None:
    """Plan the question about direction where what was just done opens a moment."""
    if turn.movement is None:
        return
    for ripple in work.stories.rippled:
        await _notice_ripple(work, turn, ripple)
    for story in (*work.stories.added, *work.stories.regrouped):
        await _notice_story(work, turn, story)
    if turn.intent.name in JOINS:
        await _notice_group(work, turn, InitiativeId(turn.text("initiative")), turn.movement.id)


async def _notice_ripple(work: UnitOfWork, turn: Turn, ripple: Ripple) -> None:
    await work.flush()
    story = await work.stories.get(ripple.story_id, ripple.movement_id)
    if story is None or story.initiative_id is None:
        return
    if ripples_suddenly(await work.stories.ripple_moments(story.id, story.movement_id)):
        await _ask(work, turn, story.initiative_id, story.movement_id, Occasion.RIPPLED)


async def _notice_story(work: UnitOfWork, turn: Turn, story: Story) -> None:
    if story.initiative_id is None:
        return
    await work.flush()
    dimensions = await work.stories.dimensions_in(story.initiative_id, story.movement_id, IN_A_ROW)
    if story.dimension is not None and broadens_again(dimensions):
        await _ask(work, turn, story.initiative_id, story.movement_id, Occasion.BROADENED)
    else:
        await _notice_group(work, turn, story.initiative_id, story.movement_id)


async def _notice_group(work: UnitOfWork, turn: Turn, initiative: InitiativeId, movement: MovementId) -> None:
    """Ask when the actor is the first of their group who tells or joins."""
    if not turn.person.group:
        return
    await work.flush()
    parts = await work.initiatives.participants(initiative, movement)
    before = {person.id for person, part in parts if part.joined_at < turn.now}
    before |= set(await work.stories.tellers_in(initiative, movement, turn.now))
    if turn.person.id in before:
        return  # most stories: the group need not be read
    if is_new_group(await work.people.in_group(movement, turn.person.group), before):
        await _ask(work, turn, initiative, movement, Occasion.GROUP_JOINED)


async def _ask(work: UnitOfWork, turn: Turn, id: InitiativeId, movement: MovementId, occasion: Occasion) -> None:
    earlier = await work.deliveries.about(STEERING, id, movement)
    asked = [one.created_at for one in earlier if one.may_have_arrived or one.state is DeliveryState.WAITING]
    initiative = await work.initiatives.get(id, movement)
    if initiative is None or initiative.closed_at is not None or not may_steer(asked, turn.now):
        return
    carrier = await _find_carrier(work, turn, initiative)
    if carrier is not None:
        await work.deliveries.add(plan_steering(initiative, carrier, occasion, turn.now))


async def _find_carrier(work: UnitOfWork, turn: Turn, initiative: Initiative) -> Person | None:
    """Return the first of who carry an initiative whom a message of Ritme reaches."""
    people = await work.initiatives.participants(initiative.id, initiative.movement_id)
    return next((person for person, part in people if part.initiator and person.will_read(turn.now)), None)
