"""A message kept as a story: one's own at once, another's when its author says that it may."""

from datetime import datetime

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.saving import (
    AskAuthorForm,
    AskedStoryKept,
    AuthorAsked,
    MessageKept,
    NotKept,
    SaveElsewhere,
    StoryAsked,
)
from bot.domain.delivery import Priority, to_person
from bot.domain.ids import new_id
from bot.domain.movement import Member, MovementId, Place
from bot.domain.retelling import follow, mark
from bot.domain.story import (
    LAPSES_AFTER,
    READ_BY,
    Readers,
    Story,
    StoryId,
    StoryRequest,
    StoryRequestId,
    beginning,
    tells_something,
    told,
)
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

ASKED = "story_asked"
SAVED = "story_saved"


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Someone points at a message (`text`, written by `author`; empty for what no person wrote)."""
    movement, author = turn.the_movement(), turn.text("author")
    text = told(turn.text("text"), turn.intent.texts("files"))
    if not author:
        raise Refused("not_a_person")
    if not tells_something(text):
        raise Refused("no_words_in_it")
    place, message = turn.place, turn.intent.message
    own = author == turn.intent.actor.id
    if place is None or place.movement_id != movement.id or not message:
        if own:
            return SaveElsewhere(text=text)
        raise Refused("outside_movement")
    if own:
        readers = READ_BY.get(turn.person.story_choice, Readers.THREAD)
        return await _keep(work, turn, place, message=message, thread=turn.intent.thread, text=text, readers=readers)
    kept = await work.stories.by_message(place.id, message)
    if kept is not None and kept.is_told:
        raise Refused("kept_already")
    return AskAuthorForm(hidden={"author": author, "text": text})


async def ask(work: UnitOfWork, turn: Turn) -> Entry:
    """Asks the author, in the actor's name. Whether they can be asked, and what they say, is theirs: the actor hears
    of a yes alone."""
    movement, place, message = turn.the_movement(), turn.place, turn.intent.message
    text, account = beginning(turn.text("text")), turn.text("author")
    if place is None or place.movement_id != movement.id or not message or not account or not tells_something(text):
        raise Refused("not_found")
    before = await work.stories.request_about(place.id, message) or await work.stories.by_message(place.id, message)
    author = await work.people.known(turn.person.workspace_id, account, turn.now)
    may_be_asked = not author.guest and author.wants_nothing(turn.now) not in ("stopped", "deactivated")
    if before is None and may_be_asked and author.id != turn.person.id:
        request = StoryRequest(
            id=StoryRequestId(new_id()),
            movement_id=movement.id,
            place_id=place.id,
            message=message,
            thread=turn.intent.thread,
            author_id=author.id,
            asked_by_id=turn.person.id,
            text=text,
            asked_at=turn.now,
        )
        work.stories.add(request)
        await work.deliveries.add(
            to_person(
                author,
                ASKED,
                key=f"{ASKED}:{request.id}",
                now=turn.now,
                movement=movement.id,
                subject=request.id,
                priority=Priority.FROM_A_PERSON,
                expires_at=turn.now + LAPSES_AFTER,
            )
        )
    return AuthorAsked()


async def compose_asked(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """To the author: who would like it kept, and where it would be read."""
    movement, author = outgoing.the_movement(), outgoing.person
    request = await work.stories.asked_of(StoryRequestId(outgoing.delivery.subject), author.id) if author else None
    if request is None or not request.is_open:
        raise Unwanted("answered")
    by = await work.people.get(request.asked_by_id, movement.id)
    if by is None or by.account is None:
        raise Unwanted("taken_back")
    place = await work.movements.place(request.place_id)
    return StoryAsked(
        request=request.id,
        text=request.text,
        by=by.name,
        movement=movement.name,
        place=_name(place),
    )


async def keep(work: UnitOfWork, turn: Turn) -> InPlace:
    """The author says yes: everyone in the movement may read it."""
    return await _agree(work, turn, Readers.MOVEMENT)


async def here(work: UnitOfWork, turn: Turn) -> InPlace:
    """The author says yes, for those who read it there already."""
    return await _agree(work, turn, Readers.THREAD)


async def no(work: UnitOfWork, turn: Turn) -> InPlace:
    """The author says no: nothing of their words stays, and nobody hears of it."""
    (await _asked(work, turn)).answer(turn.now)
    return InPlace(entry=NotKept())


async def change_readers(work: UnitOfWork, turn: Turn) -> InPlace:
    """Who may read a message that was kept."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    readers = {one.value: one for one in (Readers.THREAD, Readers.MOVEMENT)}.get(turn.text("readers"))
    if story is None or not story.is_told or story.message is None or readers is None:
        raise Refused("not_found")
    story.readers = readers
    for one in follow(
        story, await work.stories.retold_in(story.id, story.movement_id), occasion=turn.intent.key, now=turn.now
    ):
        await work.deliveries.add(one)
    place = await work.movements.place(story.place_id) if story.place_id else None
    return InPlace(entry=_kept(story, place))


async def compose_saved(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """To who asked: it is a story now."""
    story = await work.stories.get(StoryId(outgoing.delivery.subject), outgoing.the_movement().id)
    if story is None or not story.is_told:
        raise Unwanted("withdrawn")
    return AskedStoryKept(story=story.id, text=story.text, travels=story.may_travel())


async def let_lapse(work: UnitOfWork, now: datetime) -> None:
    """Of words whose author did not answer within a week, nothing stays."""
    for request in await work.stories.requests_before(now - LAPSES_AFTER):
        request.answer(now)


async def _agree(work: UnitOfWork, turn: Turn, readers: Readers) -> InPlace:
    request, person = await _asked(work, turn), turn.person
    place = await work.movements.place(request.place_id)
    if place is None or place.movement_id != request.movement_id:
        raise Refused("not_found")
    if await work.movements.membership(request.movement_id, person.id) is None:
        work.movements.add(Member(movement_id=request.movement_id, person_id=person.id, joined_at=turn.now))
    answer = await _keep(
        work, turn, place, message=request.message, thread=request.thread, text=request.text, readers=readers
    )
    request.answer(turn.now)
    asker = await work.people.get(request.asked_by_id, request.movement_id)
    if asker is not None:
        await work.deliveries.add(
            to_person(
                asker,
                SAVED,
                key=f"{SAVED}:{request.id}",
                now=turn.now,
                movement=request.movement_id,
                subject=answer.story,
                priority=Priority.NEWS,
                expires_at=turn.now + LAPSES_AFTER,
            )
        )
        await work.connecting.strengthen(request.movement_id, person.id, asker.id, turn.now)
    return InPlace(entry=answer)


async def _asked(work: UnitOfWork, turn: Turn) -> StoryRequest:
    request = await work.stories.asked_of(StoryRequestId(turn.text("request")), turn.person.id)
    if request is None:
        raise Refused("not_found")
    if not request.is_open:
        raise Refused("already_answered")
    return request


async def _keep(
    work: UnitOfWork, turn: Turn, place: Place, *, message: str, thread: str | None, text: str, readers: Readers
) -> MessageKept:
    """The actor's message as a story; as it stands, when it was kept before."""
    story = await work.stories.by_message(place.id, message)
    if story is None:
        story = Story(
            id=StoryId(new_id()),
            movement_id=_movement(place),
            place_id=place.id,
            thread=thread,
            message=message,
            teller_id=turn.person.id,
            text=beginning(text),
            named=turn.person.story_named,
            readers=readers,
            told_at=turn.now,
        )
        work.stories.add(story)
        await work.deliveries.add(mark(story, place, turn.now))
    elif story.teller_id != turn.person.id:
        raise Refused("not_found")
    elif not story.is_told:
        story.tell_again(beginning(text), readers, turn.now)
        await work.deliveries.add(mark(story, place, turn.now))
    return _kept(story, place)


def _kept(story: Story, place: Place | None) -> MessageKept:
    return MessageKept(story=story.id, place=_name(place), readers=story.readers, named=story.named)


def _movement(place: Place) -> MovementId:
    if place.movement_id is None:
        raise Refused("no_movement")
    return place.movement_id


def _name(place: Place | None) -> str:
    return "" if place is None else place.name or place.channel
