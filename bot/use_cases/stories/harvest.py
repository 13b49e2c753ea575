"""Give recent stories back where they were told, with what they set in motion: the harvest."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from bot.catalogue.base import Entry
from bot.catalogue.stories import Harvest, HarvestedStory
from bot.domain.delivery import Act, Delivery, DeliveryState, Priority, to_place
from bot.domain.harvest import MAX_CANDIDATES, HarvestCandidate, choose_stories
from bot.domain.movement import Movement, PlaceId, PlaceState
from bot.domain.person import WorkspaceId
from bot.domain.retelling import SHARED
from bot.domain.story import Retelling, Story, StoryId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

COPY_TTL = timedelta(days=3)
"""How long a copy of a harvest may wait for room in the other places where its stories were told."""


async def preview(work: UnitOfWork, turn: Turn) -> Entry:
    """Handle `/ritme harvest`: show the actor alone what there is to give back now. Marks no story as harvested."""
    movement = turn.require_movement()
    chosen = await _choose(work, movement)
    if not chosen:
        raise Refused("nothing_to_give")
    return Harvest(stories=await _describe_stories(work, movement, chosen, turn.person.workspace_id), preview=True)


async def compose_harvest(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose a harvest. The first time it chooses the stories; later ones show the same, as they stand then.

    Raises `Unwanted` when there are too few, or all of them were withdrawn before it was posted.
    """
    movement, delivery = outgoing.require_movement(), outgoing.delivery
    ids = delivery.args.get("stories")
    if not isinstance(ids, list):
        chosen = await _choose(work, movement)
        if not chosen:
            raise Unwanted("nothing_to_give")
        await _record_harvest(work, outgoing, chosen)
    else:
        found = [await work.stories.get(StoryId(str(one)), movement.id) for one in ids]
        chosen = [story for story in found if story is not None and story.may_travel]
        if not chosen and delivery.act is Act.POST:
            raise Unwanted("withdrawn")
    return Harvest(stories=await _describe_stories(work, movement, chosen, delivery.workspace_id))


async def _choose(work: UnitOfWork, movement: Movement) -> list[Story]:
    candidates = {
        story.id: (story, teller) for story, teller in await work.stories.to_harvest(movement.id, MAX_CANDIDATES)
    }
    chosen = choose_stories(
        [
            HarvestCandidate(
                story=story.id, teller=teller.id, group=teller.group, place=story.place_id, told_at=story.told_at
            )
            for story, teller in candidates.values()
        ]
    )
    return [candidates[one.story][0] for one in chosen]


async def _record_harvest(work: UnitOfWork, outgoing: Outgoing, chosen: list[Story]) -> None:
    """Mark stories as given back, and plan a copy for every other reachable place where one of them was told."""
    delivery, ids = outgoing.delivery, [story.id for story in chosen]
    delivery.add_args(stories=ids)
    for story in chosen:
        story.harvested_at = outgoing.now
    _add_retellings(work, delivery, chosen)
    told_in = {story.place_id for story in chosen} - {delivery.place_id, None}
    for place in await work.movements.places(outgoing.require_movement().id):
        if place.id not in told_in or place.state is not PlaceState.ALIVE:
            continue
        copy = to_place(
            place,
            delivery.kind,
            key=f"{delivery.key}:{place.id}",
            now=outgoing.now,
            subject=delivery.subject,
            priority=Priority.RHYTHM,
            expires_at=outgoing.now + COPY_TTL,
            args={**delivery.args},
        )
        if await work.deliveries.add(copy):
            _add_retellings(work, copy, chosen)


def _add_retellings(work: UnitOfWork, delivery: Delivery, chosen: Iterable[Story]) -> None:
    for story in chosen:
        work.stories.add(Retelling(story_id=story.id, delivery_id=delivery.id, movement_id=story.movement_id))


async def _describe_stories(
    work: UnitOfWork, movement: Movement, chosen: Iterable[Story], seen_from: WorkspaceId
) -> tuple[HarvestedStory, ...]:
    places = await work.movements.labels(movement.id, seen_from)
    return tuple([await _describe_story(work, movement, story, places, seen_from) for story in chosen])


async def _describe_story(
    work: UnitOfWork, movement: Movement, story: Story, places: Mapping[PlaceId, str], seen_from: WorkspaceId
) -> HarvestedStory:
    retellings = await work.stories.retold_in(story.id, movement.id)
    return HarvestedStory(
        story=story.id,
        text=story.text,
        teller=story.credit(await work.people.get(story.teller_id, movement.id), seen_from),
        place=places.get(story.place_id, "") if story.place_id else "",
        ripples=await work.stories.ripples(story.id, movement.id),
        steps=await work.stories.steps_from(story.id, movement.id),
        retold=sum(one.kind == SHARED and one.state is DeliveryState.SENT for one in retellings),
    )
