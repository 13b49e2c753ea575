"""What the tests around stories share: a reminder to answer to, and looking up what was kept."""

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


async def reminder(here: World, kind: str = "rhythm_purpose", *, thread: str = ROOT, channel: str = "general") -> None:
    """A post in whose thread people answer, sent just now."""
    now = here.clock.now()
    async with here.begin() as work:
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
        sent.arrived(now, channel, thread)
        sent.state = DeliveryState.SENT
        await work.deliveries.add(sent)


async def reply(here: World, who: str, text: str, message: str, **more: object) -> None:
    where = {"thread": ROOT, "message": message, "text": text, **more}
    assert await here.do(who, "thread.replied", **where) is None  # type: ignore[arg-type]


async def story_of(here: World, message: str, channel: str = "general") -> Story | None:
    async with here.begin() as work:
        return await work.stories.by_message(PlaceId(channel), message)


async def told(here: World, message: str, channel: str = "general") -> Story:
    story = await story_of(here, message, channel)
    assert story is not None
    return story


async def latest(here: World, who: str) -> Story:
    async with here.begin() as work:
        return (await work.stories.of_teller(PersonId(who), 1))[0]


async def ripples(here: World, story: Story) -> int:
    async with here.begin() as work:
        return await work.stories.ripples(story.id, story.movement_id)


async def person(here: World, who: str) -> Person:
    async with here.begin() as work:
        found = await work.people.by_account(WorkspaceId(LANE), who)
    assert found is not None
    return found


async def speaks(here: World, who: str, language: str) -> None:
    """From now on this person reads in this language."""
    async with here.begin() as work:
        found = await work.people.by_account(WorkspaceId(LANE), who)
        assert found is not None
        found.language = Language(language)


def declined(reply: object, reason: str, language: str = "nl") -> bool:
    """Whether this answer is that refusal, in that language."""
    assert isinstance(reply, Answer), reply
    reader = Reader(language=Language(language), timezone="UTC", now=MONDAY)
    return reply.message == wording.message(Declined(reason=reason), reader)


async def another_movement(here: World) -> Story:
    """A story, an initiative and a place of a movement nobody here belongs to."""
    now = here.clock.now()
    other = Movement(id=MovementId("other"), name="Elders", language=Language.EN, started_at=now)
    async with here.begin() as work:
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
