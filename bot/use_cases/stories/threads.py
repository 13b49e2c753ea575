"""What people tell in the thread of a reminder: kept as stories, as they choose, and changed with their messages."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.help import Help
from bot.catalogue.stories import StoryChosen, StoryKept, StoryWithdrawn
from bot.domain.delivery import Delivery, to_person
from bot.domain.ids import new_id
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import StoryChoice
from bot.domain.retelling import ALONE, MARKED, follow, mark
from bot.domain.rhythm import RhythmId
from bot.domain.story import READ_BY, Readers, Story, StoryId, StoryRequest, beginning, tells_something, told
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

GATHERING = ("rhythm_purpose", "rhythm_stories", "rhythm_check_in")
"""In the threads of these, what people reply is kept as a story."""
MOST_UNDECIDED = 200


async def replied(work: UnitOfWork, turn: Turn) -> None:
    """Someone replied in a thread: a story where stories are gathered; under a story, a line between two people."""
    place, thread = turn.place, turn.intent.thread
    # A post that has replies is, on some platforms, in a thread of its own: an edit of ours is no reply.
    if place is None or place.movement_id is None or not thread or thread == turn.intent.message:
        return
    root = await work.deliveries.by_receipt(place.id, thread)
    if root is None:
        return
    if root.kind in ALONE:
        await _tie_to_teller(work, turn, root, place.movement_id)
    elif root.kind in GATHERING:
        await _gather(work, turn, place, place.movement_id, root)


async def mentioned(work: UnitOfWork, turn: Turn) -> Entry | None:
    """Someone replied to us by name, with nothing that we can do: where stories are gathered, that is one."""
    place, thread = turn.place, turn.intent.thread
    root = await work.deliveries.by_receipt(place.id, thread) if place is not None and thread else None
    if root is not None and root.kind in GATHERING:
        await replied(work, turn)
        return None
    return Help.about(turn.text("text"), turn.text("meant"), turn.text(f"meant_{turn.language.value}"))


async def edited(work: UnitOfWork, turn: Turn) -> None:
    """A message changed, and the story in it everywhere it went. An edit that comes before its message is the message;
    one that leaves no word withdraws."""
    story, place = await _in_message(work, turn), turn.place
    request = await _asked_about(work, turn)
    if request is not None:
        request.text = _words(turn)
    elif story is None:
        await replied(work, turn)
    elif place is not None and story.is_told and story.teller_id == turn.person.id:
        text = _words(turn)
        if not tells_something(text):
            await _withdraw(work, turn, story, place)
        elif text != story.text:
            story.text = text
            await _follow(work, turn, story)


async def deleted(work: UnitOfWork, turn: Turn) -> None:
    """A message was deleted, by its writer or whoever keeps order there: its story is withdrawn everywhere. One deleted
    before we heard of it leaves a mark without words, so that hearing of it late keeps nothing."""
    place, message, thread = turn.place, turn.intent.message, turn.intent.thread
    if place is None or place.movement_id is None or not message:
        return
    request = await _asked_about(work, turn)
    if request is not None:
        request.answer(turn.now)
        await work.deliveries.cancel("story_asked", request.id, "withdrawn")
    story = await _in_message(work, turn)
    if story is not None:
        await _withdraw(work, turn, story, place, message_is_gone=True)
        return
    if message == thread:
        return
    root = await work.deliveries.by_receipt(place.id, thread) if thread else None
    if root is not None and root.kind in GATHERING:
        unheard = _story(turn, place.id, place.movement_id, text="")
        unheard.withdraw(turn.now)
        work.stories.add(unheard)


async def keep(work: UnitOfWork, turn: Turn) -> InPlace:
    return await _choose(work, turn, StoryChoice.MOVEMENT)


async def here(work: UnitOfWork, turn: Turn) -> InPlace:
    return await _choose(work, turn, StoryChoice.HERE)


async def forget(work: UnitOfWork, turn: Turn) -> InPlace:
    return await _choose(work, turn, StoryChoice.FORGET)


async def take_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """This one alone. The message stays its writer's, and what becomes of later replies stays as they chose."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    if story is None or story.message is None:
        raise Refused("not_found")
    place = await work.movements.place(story.place_id) if story.place_id else None
    await _withdraw(work, turn, story, place)
    return InPlace(entry=StoryWithdrawn())


async def compose_kept(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """The first time; unless they chose in the meantime."""
    if outgoing.person is None or outgoing.person.story_choice is not None:
        raise Unwanted("already_chosen")
    return StoryKept(story=outgoing.delivery.subject)


async def _gather(work: UnitOfWork, turn: Turn, place: Place, movement: MovementId, root: Delivery) -> None:
    rhythm = await work.rhythms.get(RhythmId(root.subject), movement)
    if rhythm is not None:
        rhythm.unanswered = 0
    person, text = turn.person, _words(turn)
    unkept = person.story_choice is StoryChoice.FORGET or person.stopped_at is not None
    if unkept or not turn.intent.message or not tells_something(text):
        return
    if await _in_message(work, turn) is not None:
        return
    await _tie_to_each_other(work, turn, place, movement)
    story = _story(turn, place.id, movement, text=text, part=str(root.args.get("part", "")))
    work.stories.add(story)
    await work.deliveries.add(mark(story, place, turn.now))
    if person.story_choice is None:
        await work.deliveries.add(
            to_person(
                person,
                "story_kept",
                key=f"story_kept:{person.id}",
                now=turn.now,
                movement=movement,
                subject=story.id,
                place=place.id,
                thread=story.thread,
            )
        )


def _story(turn: Turn, place: PlaceId, movement: MovementId, text: str, part: str = "") -> Story:
    """The story this message tells, for those to read whom its teller chose."""
    return Story(
        id=StoryId(new_id()),
        movement_id=movement,
        place_id=place,
        thread=turn.intent.thread,
        message=turn.intent.message,
        teller_id=turn.person.id,
        text=text,
        named=turn.person.story_named,
        readers=READ_BY.get(turn.person.story_choice, Readers.THREAD),
        part=part,
        told_at=turn.now,
    )


async def _tie_to_each_other(work: UnitOfWork, turn: Turn, place: Place, movement: MovementId) -> None:
    """Those who tell in one thread know of each other; once a thread, whatever the number of replies."""
    told = await work.stories.in_thread(place.id, turn.intent.thread or "")
    if any(story.teller_id == turn.person.id for story in told):
        return
    for other in {story.teller_id for story in told if story.is_told}:
        await work.connecting.strengthen(movement, turn.person.id, other, turn.now)


async def _tie_to_teller(work: UnitOfWork, turn: Turn, root: Delivery, movement: MovementId) -> None:
    """Answering under a story ties to its teller, once a thread; never to the teller of a nameless one."""
    story = await work.stories.get(StoryId(root.subject), movement)
    answered = root.args.get("answered_by", [])
    if story is None or not story.is_told or not story.named or not isinstance(answered, list):
        return
    if turn.person.id not in answered:
        root.note(answered_by=[*answered, turn.person.id])
        await work.connecting.strengthen(movement, turn.person.id, story.teller_id, turn.now)


async def _choose(work: UnitOfWork, turn: Turn, choice: StoryChoice) -> InPlace:
    """What becomes of this story and of later replies. The first choice is for every reply that waited for it."""
    person = turn.person
    story = await work.stories.own(StoryId(turn.text("story")), person.id)
    if story is None or story.message is None:
        raise Refused("not_found")
    waiting = [story]
    if person.story_choice is None:
        told = await work.stories.of_teller(person.id, MOST_UNDECIDED)
        waiting = [one for one in told if one.message is not None]
    person.story_choice = choice
    for one in waiting:
        place = await work.movements.place(one.place_id) if one.place_id else None
        if choice is StoryChoice.FORGET:
            await _withdraw(work, turn, one, place)
        elif one.is_told:
            one.readers = READ_BY[choice]
            await _follow(work, turn, one)
    return InPlace(entry=StoryChosen(story=story.id, choice=choice))


async def _withdraw(
    work: UnitOfWork, turn: Turn, story: Story, place: Place | None, *, message_is_gone: bool = False
) -> None:
    if not story.is_told:
        return
    story.withdraw(turn.now)
    await _follow(work, turn, story)
    if await work.deliveries.cancel(MARKED, story.id, "withdrawn") or message_is_gone or place is None:
        return
    await work.deliveries.add(mark(story, place, turn.now, off=True))


async def _follow(work: UnitOfWork, turn: Turn, story: Story) -> None:
    retold_in = await work.stories.retold_in(story.id, story.movement_id)
    for one in follow(story, retold_in, occasion=turn.intent.key, now=turn.now):
        await work.deliveries.add(one)


def _words(turn: Turn) -> str:
    return beginning(told(turn.text("text"), turn.intent.texts("files")))


async def _asked_about(work: UnitOfWork, turn: Turn) -> StoryRequest | None:
    """That its author is being asked whether this message may be kept."""
    if turn.place is None or not turn.intent.message:
        return None
    request = await work.stories.request_about(turn.place.id, turn.intent.message)
    return request if request is not None and request.is_open else None


async def _in_message(work: UnitOfWork, turn: Turn) -> Story | None:
    if turn.place is None or not turn.intent.message:
        return None
    return await work.stories.by_message(turn.place.id, turn.intent.message)
