"""Carrying a story to another place of the movement."""

from datetime import timedelta

from bot.catalogue.base import Entry, Pick
from bot.catalogue.forms import read
from bot.catalogue.stories import ShareForm, StoryCarried, StoryShared, StoryTravelled
from bot.domain.delivery import Priority, to_person, to_place
from bot.domain.movement import Place, PlaceId, PlaceState
from bot.domain.person import PersonId
from bot.domain.retelling import SHARED
from bot.domain.story import Retelling, Story, StoryId
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

MOST_OPTIONS = 100
"""No platform's list holds more choices."""
NEWS_KEEPS = timedelta(days=14)


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """Where to, and a line of one's own."""
    story = await _sharable(work, turn)
    places = await _places(work, story)
    if not places:
        raise Refused("no_other_place")
    labels = await work.movements.labels(story.movement_id, turn.person.workspace_id)
    picks = tuple(Pick(value=place.id, label=labels[place.id]) for place in places[:MOST_OPTIONS])
    return ShareForm(options={"place": picks}, hidden={"story": story.id})


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Posts it there; the first time it travels, its teller hears so."""
    story = await _sharable(work, turn)
    filled = read(ShareForm, turn.intent.args)
    free = {place.id: place for place in await _places(work, story)}
    place = free.get(PlaceId(filled.text("place")))
    if place is None:
        known = {one.id for one in await work.movements.places(story.movement_id)}
        raise Invalid({"place": "already_there" if filled.text("place") in known else "unknown_choice"})
    earlier = await work.deliveries.about(SHARED, story.id, story.movement_id)
    post = to_place(
        place,
        SHARED,
        key=f"{SHARED}:{story.id}:{place.id}:{len(earlier)}",
        now=turn.now,
        subject=story.id,
        args={"by": turn.person.id, "line": filled.text("line")},
    )
    await work.deliveries.add(post)
    work.stories.add(Retelling(story_id=story.id, delivery_id=post.id, movement_id=story.movement_id))
    await _tell(work, turn, story, place)
    labels = await work.movements.labels(story.movement_id, turn.person.workspace_id)
    return StoryCarried(place=labels[place.id])


async def compose_shared(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """The story in another place, with where it came from."""
    movement, args = outgoing.the_movement(), outgoing.delivery.args
    story = await work.stories.get(StoryId(outgoing.delivery.subject), movement.id)
    if story is None or not story.may_travel():
        raise Unwanted("withdrawn")
    lane = outgoing.delivery.workspace_id
    labels = await work.movements.labels(movement.id, lane)
    by = await work.people.get(PersonId(str(args["by"])), movement.id)
    return StoryShared(
        story=story.id,
        text=story.text,
        teller=story.credit(await work.people.get(story.teller_id, movement.id), lane),
        origin=labels.get(story.place_id, "") if story.place_id else "",
        by=_carrier(story, by.id, by.name) if by is not None and by.account is not None else "",
        line=str(args["line"]) if by is not None and by.account is not None else "",
    )


def _carrier(story: Story, by: PersonId, name: str) -> str:
    """Who carried it; not said when a nameless teller carried their own."""
    return "" if by == story.teller_id and not story.named else name


async def compose_travelled(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    movement = outgoing.the_movement()
    story = await work.stories.get(StoryId(outgoing.delivery.subject), movement.id)
    place = await work.movements.place(PlaceId(str(outgoing.delivery.args["place"])))
    if story is None or not story.may_travel() or place is None:
        raise Unwanted("withdrawn")
    labels = await work.movements.labels(story.movement_id, outgoing.delivery.workspace_id)
    return StoryTravelled(text=story.text, place=labels.get(place.id, place.name))


async def _tell(work: UnitOfWork, turn: Turn, story: Story, place: Place) -> None:
    teller = await work.people.get(story.teller_id, story.movement_id)
    if teller is None or teller.account is None or teller.id == turn.person.id:
        return
    await work.deliveries.add(
        to_person(
            teller,
            "story_travelled",
            key=f"story_travelled:{story.id}",
            now=turn.now,
            movement=story.movement_id,
            subject=story.id,
            priority=Priority.NEWS,
            expires_at=turn.now + NEWS_KEEPS,
            args={"place": place.id},
        )
    )


async def _sharable(work: UnitOfWork, turn: Turn) -> Story:
    story = await work.stories.get(StoryId(turn.text("story")), turn.the_movement().id)
    if story is None or not story.is_told:
        raise Refused("not_found")
    if not story.may_travel():
        raise Refused("story_stays")
    return story


async def _places(work: UnitOfWork, story: Story) -> list[Place]:
    """Where it is not yet: the living places of the movement, but for its own and those it was carried to."""
    there = {one.place_id for one in await work.stories.retold_in(story.id, story.movement_id) if one.kind == SHARED}
    return [
        place
        for place in await work.movements.places(story.movement_id)
        if place.state is PlaceState.ALIVE and place.id != story.place_id and place.id not in there
    ]
