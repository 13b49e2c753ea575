"""Add a reminder that people answer in its thread, and look up the stories that came of it."""

from datetime import date, time

from bot import wording
from bot.catalogue.errors import Declined
from bot.chat import Answer
from bot.domain.delivery import Delivery, DeliveryId, DeliveryState
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from bot.domain.story import Readers, Story, StoryId
from bot.wording import Reader
from tests.support.world import LANE, MONDAY, World

WALK = "Na de overdracht liepen we een rondje."
ROOT = "root"


async def add_reminder(
    world: World, kind: str = "rhythm_purpose", *, thread: str = ROOT, channel: str = "general"
) -> None:
    """Add a reminder of the purpose as if it was sent just now; `thread` is the id of its message."""
    now = world.clock.now()
    async with world.begin() as work:
        rhythm = Rhythm(
            id=RhythmId(f"rhythm-{thread}"),
            movement_id=MovementId("movement"),
            place_id=PlaceId(channel),
            kind=RhythmKind.PURPOSE,
            rule="FREQ=WEEKLY",
            starts_on=date(2027, 3, 1),
            at=time(9),
            timezone="Europe/Amsterdam",
            unanswered=2,
            created_by=None,
            created_at=now,
        )
        work.rhythms.add(rhythm)
        sent = Delivery(
            id=DeliveryId(f"d-{thread}"),
            workspace_id=WorkspaceId(LANE),
            movement_id=MovementId("movement"),
            place_id=PlaceId(channel),
            kind=kind,
            subject=rhythm.id,
            args={"part": "behaviour:0", "on": "2027-03-01"},
            key=f"rhythm:{thread}",
            due_at=now,
            created_at=now,
        )
        sent.record_receipt(now, channel, thread)
        sent.state = DeliveryState.SENT
        await work.deliveries.add(sent)


async def reply_in_thread(world: World, who: str, text: str, message: str, **more: object) -> None:
    where = {"thread": ROOT, "message": message, "text": text, **more}
    assert await world.do(who, "thread.replied", **where) is None  # type: ignore[arg-type]


async def find_story(world: World, message: str, channel: str = "general") -> Story | None:
    async with world.begin() as work:
        return await work.stories.by_message(PlaceId(channel), message)


async def get_story(world: World, message: str, channel: str = "general") -> Story:
    story = await find_story(world, message, channel)
    assert story is not None
    return story


async def latest_story(world: World, who: str) -> Story:
    async with world.begin() as work:
        return (await work.stories.of_teller(PersonId(who), 1))[0]


async def count_ripples(world: World, story: Story) -> int:
    async with world.begin() as work:
        return await work.stories.ripples(story.id, story.movement_id)


async def get_person(world: World, who: str) -> Person:
    async with world.begin() as work:
        found = await work.people.by_account(WorkspaceId(LANE), who)
    assert found is not None
    return found


async def set_language(world: World, who: str, language: str) -> None:
    """Set the language that this person reads."""
    async with world.begin() as work:
        found = await work.people.by_account(WorkspaceId(LANE), who)
        assert found is not None
        found.language = Language(language)
        found.chose = ["language"]


def is_declined(reply: object, reason: str, language: str = "nl") -> bool:
    """Return whether an answer is the refusal with this reason, in this language."""
    assert isinstance(reply, Answer), reply
    reader = Reader(language=Language(language), timezone="UTC", now=MONDAY)
    return reply.message == wording.render_entry(Declined(reason=reason), reader)


async def add_other_movement(world: World) -> Story:
    """Add a story, an initiative and a place of a movement nobody of this workspace belongs to; return the story."""
    now = world.clock.now()
    other = Movement(id=MovementId("other"), name="Elders", language=Language.EN, started_at=now)
    async with world.begin() as work:
        work.people.add(Workspace(id=WorkspaceId("test:W2")))
        work.movements.add(other)
        work.people.add(
            Person(id=PersonId("eve"), workspace_id=WorkspaceId("test:W2"), account="eve", name="eve", created_at=now)
        )
        place = Place(id=PlaceId("far"), workspace_id=WorkspaceId("test:W2"), channel="far", created_at=now)
        place.movement_id = other.id
        work.movements.add(place)
        work.initiatives.add(
            Initiative(id=InitiativeId("far-walks"), movement_id=other.id, name="x", started_by=None, started_at=now)
        )
        story = Story(
            id=StoryId("far-story"),
            movement_id=other.id,
            place_id=place.id,
            teller_id=PersonId("eve"),
            text="secret",
            readers=Readers.EVERYONE,
            told_at=now,
        )
        work.stories.add(story)
    return story
