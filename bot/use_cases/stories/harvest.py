"""Give recent stories back in the place of a rhythm, with what they set in motion: the harvest."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.catalogue.base import Entry
from bot.catalogue.stories import ComingHarvest, Harvest, HarvestedStory, StoryHarvested
from bot.domain import quiet_hours
from bot.domain.calendar import holidays_of
from bot.domain.delivery import Act, Delivery, DeliveryState, Priority, to_person
from bot.domain.harvest import (
    MAX_CANDIDATES,
    HarvestCandidate,
    choose_stories,
    count_empty_rounds,
    least_stories,
)
from bot.domain.movement import Movement, PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.retelling import HARVEST, RECHECK_COMING, RECHECK_HELD, SHARED, StoryStanding, standing_of
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind, expect_moments
from bot.domain.story import STORY_NEWS_TTL, Retelling, Story, StoryId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, RetryAfter, Turn, UnitOfWork

NEW_ELSEWHERE = timedelta(days=28)
"""How long what was given back in one place is still new in another, at its first harvest."""


async def preview(work: UnitOfWork, turn: Turn) -> Entry:
    """Handle `/ritme harvest`: show the actor alone what there is to give back now, and where and when that will be
    posted. Marks no story as harvested."""
    movement = turn.require_movement()
    coming = await _load_coming(work, movement, turn.now, turn.person.workspace_id)
    first = coming[0][0] if coming else None
    chosen, places = await work.together(
        _choose(work, movement, first.place_id if first else None, turn.now, least=1),
        work.movements.labels(movement.id, turn.person.workspace_id),
    )
    if not chosen:
        raise Refused("nothing_to_give")
    return Harvest(
        stories=await _describe_stories(work, movement, chosen, places, turn.person.workspace_id),
        preview=True,
        coming=tuple(one for _, one in coming),
        waits=first is not None and len(chosen) < await _find_least(work, movement, first.id),
    )


async def _load_coming(
    work: UnitOfWork, movement: Movement, now: datetime, seen_from: WorkspaceId
) -> list[tuple[Rhythm, ComingHarvest]]:
    """Return the next harvest of every rhythm, the first one first: nothing is posted anywhere else."""
    there, labels, rhythms = await work.together(
        work.movements.places(movement.id),
        work.movements.labels(movement.id, seen_from),
        work.rhythms.of_movement(movement.id),
    )
    places = {place.id: place for place in there}
    harvests = [one for one in rhythms if one.kind is RhythmKind.HARVEST and one.place_id in places]
    changed = await work.rhythms.changes_of([one.id for one in harvests], now)
    found = []
    for rhythm in harvests:
        place, changes = places[rhythm.place_id], changed.get(rhythm.id, {})
        quiet, calendar = quiet_hours.of_place(place, movement), holidays_of(movement, place)
        expected = expect_moments(rhythm.timing, changes, calendar, quiet, after=now, count=1)
        at = next((one.at for one in expected if one.at is not None), None)
        if at is not None:
            found.append((rhythm, ComingHarvest(place=labels[place.id], at=at, timezone=rhythm.timezone)))
    return sorted(found, key=lambda one: one[1].at)


async def compose_harvest(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose a harvest. The first time it chooses the stories; later ones show the same, as they stand then.

    Raises `Unwanted` when there are too few, or all of them were withdrawn before it was posted.
    """
    movement, delivery = outgoing.require_movement(), outgoing.delivery
    rhythm = await work.rhythms.get(RhythmId(delivery.subject), movement.id)
    if delivery.act is Act.POST and rhythm is not None and rhythm.place_id != delivery.place_id:
        raise Unwanted("not_planned_here")  # a copy for another place, planned by an earlier version
    ids = delivery.args.get("stories")
    if not isinstance(ids, list):
        least = await _find_least(work, movement, delivery.subject, before=delivery)
        chosen = await _choose(work, movement, delivery.place_id, outgoing.now, least=least)
        if not chosen:
            raise Unwanted("nothing_to_give")
        await _tell_tellers(work, outgoing, chosen)
        _record_harvest(work, outgoing, chosen)
    else:
        found = [await work.stories.get(StoryId(str(one)), movement.id) for one in ids]
        chosen = [story for story in found if story is not None and story.may_travel]
        if not chosen and delivery.act is Act.POST:
            raise Unwanted("withdrawn")
    places = await work.movements.labels(movement.id, delivery.workspace_id)
    return Harvest(stories=await _describe_stories(work, movement, chosen, places, delivery.workspace_id))


async def compose_harvest_news(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news for a teller that stories of theirs were given back in another place, once the harvest stands
    there.

    Raises `Unwanted` when all were taken back, or it never arrived; `RetryAfter` while it is on its way.
    """
    movement, delivery = outgoing.require_movement(), outgoing.delivery
    place = await work.movements.place(PlaceId(str(delivery.args["place"])))
    rounds = await work.deliveries.about(HARVEST, delivery.subject, movement.id)
    given = next((one for one in rounds if one.id == delivery.args["harvest"]), None)
    if place is None or given is None:
        raise Unwanted("never_sent")
    standing = standing_of(given, place)
    if standing is StoryStanding.LOST:
        raise Unwanted("never_sent")
    if standing is not StoryStanding.STANDS:
        wait = RECHECK_COMING if standing is StoryStanding.COMING else RECHECK_HELD
        raise RetryAfter(outgoing.now + wait, reason="under_way")
    ids = delivery.args["stories"]
    told = [StoryId(str(one)) for one in ids] if isinstance(ids, list) else []
    found = [await work.stories.get(one, movement.id) for one in told]
    texts = tuple(story.text for story in found if story is not None and story.may_travel)
    if not texts:
        raise Unwanted("withdrawn")
    labels = await work.movements.labels(movement.id, delivery.workspace_id)
    return StoryHarvested(texts=texts, place=labels.get(place.id, place.name))


async def _tell_tellers(work: UnitOfWork, outgoing: Outgoing, chosen: Sequence[Story]) -> None:
    """Plan one message to each teller who told elsewhere what is given back here for the first time."""
    delivery, by_teller = outgoing.delivery, defaultdict[PersonId, list[Story]](list)
    for story in chosen:
        retold_in = await work.stories.retold_in(story.id, story.movement_id)
        was_given = any(one.kind == HARVEST and one.receipt is not None for one in retold_in)
        if story.place_id != delivery.place_id and not was_given:
            by_teller[story.teller_id].append(story)
    for teller_id, stories in by_teller.items():
        teller = await work.people.get(teller_id, outgoing.require_movement().id)
        if teller is None or teller.account is None:
            continue
        await work.deliveries.add(
            to_person(
                teller,
                "story_harvested",
                key=f"story_harvested:{delivery.id}:{teller.id}",
                now=outgoing.now,
                movement=delivery.movement_id,
                subject=delivery.subject,
                priority=Priority.NEWS,
                due_at=outgoing.now + RECHECK_COMING,
                expires_at=outgoing.now + STORY_NEWS_TTL,
                args={
                    "harvest": delivery.id,
                    "place": str(delivery.place_id),
                    "stories": [story.id for story in stories],
                },
            )
        )


async def _find_least(work: UnitOfWork, movement: Movement, rhythm: str, before: Delivery | None = None) -> int:
    """Return how many stories the next harvest of a rhythm needs, or the one that is due."""
    rounds = await work.deliveries.about(HARVEST, rhythm, movement.id)
    past = sorted((one for one in rounds if before is None or one.due_at < before.due_at), key=lambda one: one.due_at)
    return least_stories(count_empty_rounds(past))


async def _choose(
    work: UnitOfWork, movement: Movement, place: PlaceId | None, now: datetime, *, least: int
) -> list[Story]:
    """Choose the stories to give back in a place; None: of those that were not given back anywhere."""
    given_before = now - NEW_ELSEWHERE if place is not None else now
    found = await work.stories.to_harvest(movement.id, place, given_before, MAX_CANDIDATES)
    candidates = {story.id: (story, teller) for story, teller in found}
    chosen = choose_stories(
        [
            HarvestCandidate(
                story=story.id, teller=teller.id, group=teller.group, place=story.place_id, told_at=story.told_at
            )
            for story, teller in candidates.values()
        ],
        least,
    )
    return [candidates[one.story][0] for one in chosen]


def _record_harvest(work: UnitOfWork, outgoing: Outgoing, chosen: list[Story]) -> None:
    """Mark stories as given back in this place."""
    outgoing.delivery.add_args(stories=[story.id for story in chosen])
    for story in chosen:
        story.harvested_at = outgoing.now
    _add_retellings(work, outgoing.delivery, chosen)


def _add_retellings(work: UnitOfWork, delivery: Delivery, chosen: Iterable[Story]) -> None:
    for story in chosen:
        work.stories.add(Retelling(story_id=story.id, delivery_id=delivery.id, movement_id=story.movement_id))


async def _describe_stories(
    work: UnitOfWork,
    movement: Movement,
    chosen: Iterable[Story],
    places: Mapping[PlaceId, str],
    seen_from: WorkspaceId,
) -> tuple[HarvestedStory, ...]:
    described = (_describe_story(work, movement, story, places, seen_from) for story in chosen)
    return tuple(await work.together(*described))


async def _describe_story(
    work: UnitOfWork, movement: Movement, story: Story, places: Mapping[PlaceId, str], seen_from: WorkspaceId
) -> HarvestedStory:
    retellings, teller, ripples, steps = await work.together(
        work.stories.retold_in(story.id, movement.id),
        work.people.get(story.teller_id, movement.id),
        work.stories.ripples(story.id, movement.id),
        work.stories.steps_from(story.id, movement.id),
    )
    return HarvestedStory(
        story=story.id,
        text=story.text,
        teller=story.credit(teller, seen_from),
        place=places.get(story.place_id, "") if story.place_id else "",
        ripples=ripples,
        steps=steps,
        retold=sum(one.kind == SHARED and one.state is DeliveryState.SENT for one in retellings),
    )
