"""Compose for a teller what others answered under their story; for who answered a check-in, where that may lead."""

from bot.catalogue.base import Entry
from bot.catalogue.stories import CheckInAnswered, StoryAnswered, StoryQuestioned
from bot.domain.movement import Place, PlaceId
from bot.domain.story import Readers, Story, StoryId
from bot.domain.story_answer import list_answers
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork


async def compose_answers(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news how many answers stand under a story, never whose. Raises `Unwanted` when it was taken back."""
    story = await _load_story(work, outgoing)
    place = await _load_place(work, outgoing)
    channel, thread = _address(outgoing, place)
    labels = await work.movements.labels(story.movement_id, outgoing.delivery.workspace_id)
    return StoryAnswered(
        text=story.text,
        count=len(list_answers(outgoing.delivery)),
        place=labels.get(place.id, place.name),
        channel=channel,
        thread=thread,
    )


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news that a question waits under a story. Raises `Unwanted` when the story was taken back."""
    story = await _load_story(work, outgoing)
    place = await _load_place(work, outgoing)
    channel, thread = _address(outgoing, place)
    labels = await work.movements.labels(story.movement_id, outgoing.delivery.workspace_id)
    return StoryQuestioned(text=story.text, place=labels.get(place.id, place.name), channel=channel, thread=thread)


async def compose_leading_on(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose where an answer to a check-in may lead. Raises `Unwanted` when it was taken back."""
    story = await _load_story(work, outgoing)
    return CheckInAnswered(story=story.id, text=story.text, told=story.readers is not Readers.THREAD)


async def _load_story(work: UnitOfWork, outgoing: Outgoing) -> Story:
    story = await work.stories.get(StoryId(outgoing.delivery.subject), outgoing.require_movement().id)
    if story is None or not story.is_told or story.teller_id != outgoing.delivery.person_id:
        raise Unwanted("withdrawn")
    return story


async def _load_place(work: UnitOfWork, outgoing: Outgoing) -> Place:
    place = await work.movements.place(PlaceId(str(outgoing.delivery.args.get("place", ""))))
    if place is None or place.movement_id != outgoing.require_movement().id:
        raise Unwanted("place_gone")
    return place


def _address(outgoing: Outgoing, place: Place) -> tuple[str, str]:
    """Return the channel and message that a link leads to; ("", "") for one in another workspace than the reader's."""
    if place.workspace_id != outgoing.delivery.workspace_id:
        return "", ""
    return place.channel, str(outgoing.delivery.args.get("root", ""))
