"""Notice the moments at which an initiative may want to choose its way, after a use case acted.

A story that suddenly ripples, a group that joins, several broadening moments in a row: one question to who carries it,
at most one a month (`bot.domain.steering`).
"""

from collections.abc import Sequence

from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId
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
        before = await _find_earlier(work, turn, joined, turn.movement.id)
        await _ask_newcomer(work, turn, joined, turn.movement.id, before)


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
    dimensions, before = await work.together(
        work.stories.dimensions_in(initiative, movement, IN_A_ROW), _find_earlier(work, turn, initiative, movement)
    )
    if story.dimension is not None and broadens_again(dimensions):
        await _ask(work, turn, await _load_steering(work, initiative, movement), Occasion.BROADENED)
    else:
        await _ask_newcomer(work, turn, initiative, movement, before)


async def _find_earlier(
    work: UnitOfWork, turn: Turn, initiative: InitiativeId, movement: MovementId
) -> set[PersonId] | None:
    """Return who told or joined before the actor; None when they did themselves, or are of no group."""
    if not turn.person.group:
        return None
    parts, tellers = await work.together(
        work.initiatives.participants(initiative, movement), work.stories.tellers_in(initiative, movement, turn.now)
    )
    before = {*tellers, *(person.id for person, part in parts if part.joined_at < turn.now)}
    return before if turn.person.id not in before else None


async def _ask_newcomer(
    work: UnitOfWork, turn: Turn, initiative: InitiativeId, movement: MovementId, before: set[PersonId] | None
) -> None:
    """Ask when the actor is the first of their group who tells or joins."""
    if before is None:
        return  # most stories: the group need not be read
    group, known = await work.together(
        work.people.in_group(movement, turn.person.group), _load_steering(work, initiative, movement)
    )
    if is_new_group(group, before):
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
