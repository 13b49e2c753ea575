"""Notice the moments at which an initiative may want to choose its way, after a use case acted.

A story that suddenly ripples, a group that joins, several broadening moments in a row: one question to who carries it,
at most one a month (`bot.domain.steering`).
"""

from collections.abc import Sequence

from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId
from bot.domain.person import Person
from bot.domain.steering import (
    IN_A_ROW,
    MIN_GROUP,
    STEERING,
    Occasion,
    broadens_again,
    may_steer,
    plan_steering,
    ripples_suddenly,
)
from bot.domain.story import Ripple, Story
from bot.ports import Turn, UnitOfWork

_Known = tuple[Sequence[Delivery], Initiative | None, Sequence[tuple[Person, Participant]]]
"""The questions about direction that were asked of an initiative, the initiative, and who takes part in it."""
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
        joined = InitiativeId(turn.text("initiative"))
        may_be_first = await _may_be_first(work, turn, joined, turn.movement.id)
        await _ask_newcomer(work, turn, joined, turn.movement.id, may_be_first=may_be_first)


async def _notice_ripple(work: UnitOfWork, turn: Turn, ripple: Ripple) -> None:
    story = await work.stories.get(ripple.story_id, ripple.movement_id)
    if story is None or story.initiative_id is None:
        return
    if ripples_suddenly(await work.stories.ripple_moments(story.id, story.movement_id)):
        known = await _load_steering(work, story.initiative_id, story.movement_id)
        await _ask(work, turn, known, Occasion.RIPPLED)


async def _notice_story(work: UnitOfWork, turn: Turn, story: Story) -> None:
    if story.initiative_id is None:
        return
    initiative, movement = story.initiative_id, story.movement_id
    dimensions, may_be_first = await work.together(
        work.stories.dimensions_in(initiative, movement, IN_A_ROW), _may_be_first(work, turn, initiative, movement)
    )
    if story.dimension is not None and broadens_again(dimensions):
        await _ask(work, turn, await _load_steering(work, initiative, movement), Occasion.BROADENED)
    else:
        await _ask_newcomer(work, turn, initiative, movement, may_be_first=may_be_first)


async def _may_be_first(work: UnitOfWork, turn: Turn, initiative: InitiativeId, movement: MovementId) -> bool:
    """Return whether nobody of the actor's group told or joined before; False when they are of none."""
    group = turn.person.group
    if not group:
        return False
    parts, was_told = await work.together(
        work.initiatives.participants(initiative, movement),
        work.stories.was_told_from(group, initiative, movement, turn.now),
    )
    return not was_told and all(person.group != group for person, part in parts if part.joined_at < turn.now)


async def _ask_newcomer(
    work: UnitOfWork, turn: Turn, initiative: InitiativeId, movement: MovementId, *, may_be_first: bool
) -> None:
    """Ask when the actor is the first of their group, five people or more, who tells or joins."""
    if not may_be_first:
        return  # most stories: the group need not be read
    group, known = await work.together(
        work.people.in_group(movement, turn.person.group), _load_steering(work, initiative, movement)
    )
    if len(group) >= MIN_GROUP:
        await _ask(work, turn, known, Occasion.GROUP_JOINED)


async def _load_steering(work: UnitOfWork, id: InitiativeId, movement: MovementId) -> _Known:
    earlier, initiative, parts = await work.together(
        work.deliveries.about(STEERING, id, movement),
        work.initiatives.get(id, movement),
        work.initiatives.participants(id, movement),
    )
    return earlier, initiative, parts


async def _ask(work: UnitOfWork, turn: Turn, known: _Known, occasion: Occasion) -> None:
    earlier, initiative, parts = known
    asked = [one.created_at for one in earlier if one.may_have_arrived or one.state is DeliveryState.WAITING]
    if initiative is None or initiative.closed_at is not None or not may_steer(asked, turn.now):
        return
    # The first of who carry it whom a message of Ritme reaches.
    carrier = next((person for person, part in parts if part.initiator and person.will_read(turn.now)), None)
    if carrier is not None:
        await work.deliveries.add(plan_steering(initiative, carrier, occasion, turn.now))
