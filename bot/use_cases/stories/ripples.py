""" "I do this too", by a button or a reaction, wherever a story is read. What it counts for is the story itself."""

from datetime import timedelta

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.stories import RippleNoted, RippleTaken, StoryRippled
from bot.domain.delivery import Priority, to_home, to_person
from bot.domain.retelling import ALONE
from bot.domain.story import Ripple, Story, StoryId, ripple_is_told
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

NEWS_KEEPS = timedelta(days=14)


async def press(work: UnitOfWork, turn: Turn) -> Entry:
    """The button. Pressing again changes nothing."""
    story = await _readable(work, turn)
    if story.teller_id == turn.person.id:
        raise Refused("own_story")
    ripple = await _ripple(work, turn, story)
    ripple.pressed = True
    return RippleNoted(story=story.id)


async def undo(work: UnitOfWork, turn: Turn) -> InPlace:
    """Takes it back, however it came."""
    movement = turn.the_movement()
    story = await work.stories.get(StoryId(turn.text("story")), movement.id)
    ripple = await work.stories.ripple(story.id, turn.person.id) if story else None
    if ripple is not None:
        await work.delete(ripple)
    return InPlace(entry=RippleTaken())


async def reacted(work: UnitOfWork, turn: Turn) -> None:
    """Any reaction of another person to a story, or to a message of ours that holds it."""
    story = await _in_message(work, turn)
    if story is None or not story.is_told or story.teller_id == turn.person.id:
        return
    ripple = await _ripple(work, turn, story)
    if _reaction(turn) not in ripple.reactions:
        ripple.reactions.append(_reaction(turn))


async def unreacted(work: UnitOfWork, turn: Turn) -> None:
    """A reaction was removed: the ripple goes when nothing else carries it."""
    story = await _in_message(work, turn)
    ripple = await work.stories.ripple(story.id, turn.person.id) if story else None
    if ripple is None or _reaction(turn) not in ripple.reactions:
        return
    ripple.reactions.remove(_reaction(turn))
    if not ripple.lasts:
        await work.delete(ripple)


async def compose_rippled(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """What the teller hears, as it is by the time it is said."""
    movement = outgoing.the_movement()
    story = await work.stories.get(StoryId(outgoing.delivery.subject), movement.id)
    if story is None or not story.is_told:
        raise Unwanted("withdrawn")
    count = await work.stories.ripples(story.id, movement.id)
    if not count:
        raise Unwanted("no_ripples")
    return StoryRippled(text=story.text, count=count)


async def _ripple(work: UnitOfWork, turn: Turn, story: Story) -> Ripple:
    """The one ripple of this person and story; a new one is counted, told and tied."""
    ripple = await work.stories.ripple(story.id, turn.person.id)
    if ripple is not None:
        return ripple
    place = turn.place.id if turn.place else None
    ripple = Ripple(
        story_id=story.id, movement_id=story.movement_id, person_id=turn.person.id, place_id=place, at=turn.now
    )
    work.stories.add(ripple)
    await work.flush()
    # A tie can be shown as "she knows him": between a nameless teller and whoever read them there is none.
    if story.named:
        await work.connecting.strengthen(story.movement_id, turn.person.id, story.teller_id, turn.now)
    await _tell(work, turn, story)
    return ripple


async def _tell(work: UnitOfWork, turn: Turn, story: Story) -> None:
    count = await work.stories.ripples(story.id, story.movement_id)
    teller = await work.people.get(story.teller_id, story.movement_id)
    if teller is None or teller.account is None:
        return
    if teller.home_mark is not None:
        key = f"ripple:{story.id}:{turn.person.id}:{turn.now.timestamp()}"
        await work.deliveries.add(to_home(teller, key=key, now=turn.now, movement=story.movement_id))
    if not ripple_is_told(count):
        return
    await work.deliveries.cancel("story_ripple", story.id, "newer")
    await work.deliveries.add(
        to_person(
            teller,
            "story_ripple",
            key=f"story_ripple:{story.id}:{count}",
            now=turn.now,
            movement=story.movement_id,
            subject=story.id,
            priority=Priority.NEWS,
            expires_at=turn.now + NEWS_KEEPS,
        )
    )


async def _readable(work: UnitOfWork, turn: Turn) -> Story:
    """The story asked for, when it may be read where the actor is."""
    story = await work.stories.get(StoryId(turn.text("story")), turn.the_movement().id)
    if story is None or not story.is_readable(turn.place.id if turn.place else None):
        raise Refused("not_found")
    return story


async def _in_message(work: UnitOfWork, turn: Turn) -> Story | None:
    place, message = turn.place, turn.intent.message
    if place is None or place.movement_id is None or not message:
        return None
    told = await work.stories.by_message(place.id, message)
    if told is not None:
        return told
    post = await work.deliveries.by_receipt(place.id, message)
    if post is None or post.kind not in ALONE:
        return None
    return await work.stories.get(StoryId(post.subject), place.movement_id)


def _reaction(turn: Turn) -> str:
    return f"{turn.place.id if turn.place else ''}:{turn.intent.message}:{turn.text('reaction')}"
