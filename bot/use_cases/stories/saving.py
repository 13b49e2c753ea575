"""Save a message as a story: one's own at once, another's when its author agrees.

Nobody but the author learns of a no, or of no answer; the actor hears of a yes alone.
"""

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
from bot.domain.retelling import plan_changes, plan_mark
from bot.domain.story import (
    READERS_BY_CHOICE,
    REQUEST_TTL,
    Readers,
    Story,
    StoryId,
    StoryRequest,
    StoryRequestId,
    has_words,
    truncate,
    with_file_names,
)
from bot.domain.welcome import plan_welcome
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.shifts import join_group

REQUEST_KIND = "story_asked"
CONSENT_KIND = "story_saved"


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save the message pointed at: one's own at once; for another's, return the form that asks its author.

    `text` was written by `author`, an account; empty when no person wrote it. Raises `Refused` where it cannot be kept.
    """
    movement, author = turn.require_movement(), turn.text("author")
    text = with_file_names(turn.text("text"), turn.intent.texts("files"))
    if not author:
        raise Refused("not_a_person")
    if not has_words(text):
        raise Refused("no_words_in_it")
    place, message = turn.place, turn.intent.message
    own = author == turn.intent.actor.id
    if place is None or place.movement_id != movement.id or not message:
        if own:
            return SaveElsewhere(text=text)
        raise Refused("outside_movement")
    if own:
        readers = READERS_BY_CHOICE.get(turn.person.story_choice, Readers.THREAD)
        return await _keep(work, turn, place, message=message, thread=turn.intent.thread, text=text, readers=readers)
    kept = await work.stories.by_message(place.id, message)
    if kept is not None and kept.is_told:
        raise Refused("kept_already")
    return AskAuthorForm(hidden={"author": author, "text": text})


async def ask(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask the author, in the actor's name. The answer is the same whether or not the author can be asked."""
    movement, place, message = turn.require_movement(), turn.place, turn.intent.message
    text, account = truncate(turn.text("text")), turn.text("author")
    if place is None or place.movement_id != movement.id or not message or not account or not has_words(text):
        raise Refused("not_found")
    before = await work.stories.request_about(place.id, message) or await work.stories.by_message(place.id, message)
    author = await work.people.get_or_create(turn.person.workspace_id, account, turn.now)
    may_be_asked = not author.guest and author.suppression_reason(turn.now) not in ("stopped", "deactivated")
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
                REQUEST_KIND,
                key=f"{REQUEST_KIND}:{request.id}",
                now=turn.now,
                movement=movement.id,
                subject=request.id,
                priority=Priority.FROM_A_PERSON,
                expires_at=turn.now + REQUEST_TTL,
            )
        )
    return AuthorAsked(told=turn.person.will_read(turn.now))


async def compose_request(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question to the author: who would like it kept, and where it would be read.

    Raises `Unwanted` when it was answered, or who asked is gone.
    """
    movement, author = outgoing.require_movement(), outgoing.person
    request = await work.stories.request_to(StoryRequestId(outgoing.delivery.subject), author.id) if author else None
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


async def agree_for_movement(work: UnitOfWork, turn: Turn) -> InPlace:
    """Keep the author's message as a story for everyone in the movement."""
    return await _agree(work, turn, Readers.MOVEMENT)


async def agree_for_thread(work: UnitOfWork, turn: Turn) -> InPlace:
    """Keep the author's message as a story for those who can read it there already."""
    return await _agree(work, turn, Readers.THREAD)


async def refuse(work: UnitOfWork, turn: Turn) -> InPlace:
    """Erase the words the author does not want kept; nobody is told."""
    (await _load_open_request(work, turn)).answer(turn.now)
    return InPlace(entry=NotKept())


async def change_readers(work: UnitOfWork, turn: Turn) -> InPlace:
    """Change who may read a message that was kept: `readers` is `thread` or `movement`."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    readers = {one.value: one for one in (Readers.THREAD, Readers.MOVEMENT)}.get(turn.text("readers"))
    if story is None or not story.is_told or story.message is None or readers is None:
        raise Refused("not_found")
    story.readers = readers
    for one in plan_changes(
        story, await work.stories.retold_in(story.id, story.movement_id), occasion=turn.intent.key, now=turn.now
    ):
        await work.deliveries.add(one)
    place = await work.movements.place(story.place_id) if story.place_id else None
    return InPlace(entry=await _confirm(work, story, place))


async def compose_consent(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news that the author agreed. Raises `Unwanted` when the story was withdrawn since."""
    story = await work.stories.get(StoryId(outgoing.delivery.subject), outgoing.require_movement().id)
    if story is None or not story.is_told:
        raise Unwanted("withdrawn")
    return AskedStoryKept(story=story.id, text=story.text, travels=story.may_travel)


async def expire_requests(work: UnitOfWork, now: datetime) -> None:
    """Erase the words of requests that were not answered within `REQUEST_TTL`; at most two hundred at a time."""
    for request in await work.stories.requests_before(now - REQUEST_TTL):
        request.answer(now)


async def _agree(work: UnitOfWork, turn: Turn, readers: Readers) -> InPlace:
    """Keep the message for `readers`, make its author a member of the movement, and tell the one who asked."""
    request, person = await _load_open_request(work, turn), turn.person
    place = await work.movements.place(request.place_id)
    if place is None or place.movement_id != request.movement_id:
        raise Refused("not_found")
    if await work.movements.membership(request.movement_id, person.id) is None:
        work.movements.add(Member(movement_id=request.movement_id, person_id=person.id, joined_at=turn.now))
        await join_group(work, person, turn.now)
        await work.deliveries.add(plan_welcome(person, request.movement_id, turn.now))
    answer = await _keep(
        work, turn, place, message=request.message, thread=request.thread, text=request.text, readers=readers
    )
    request.answer(turn.now)
    asker = await work.people.get(request.asked_by_id, request.movement_id)
    if asker is not None:
        await work.deliveries.add(
            to_person(
                asker,
                CONSENT_KIND,
                key=f"{CONSENT_KIND}:{request.id}",
                now=turn.now,
                movement=request.movement_id,
                subject=answer.story,
                priority=Priority.NEWS,
                expires_at=turn.now + REQUEST_TTL,
            )
        )
    return InPlace(entry=answer)


async def _load_open_request(work: UnitOfWork, turn: Turn) -> StoryRequest:
    request = await work.stories.request_to(StoryRequestId(turn.text("request")), turn.person.id)
    if request is None:
        raise Refused("not_found")
    if not request.is_open:
        raise Refused("already_answered")
    return request


async def _keep(
    work: UnitOfWork, turn: Turn, place: Place, *, message: str, thread: str | None, text: str, readers: Readers
) -> MessageKept:
    """Keep the actor's message as a story; one that was withdrawn is told again, one kept before stays as it is."""
    story = await work.stories.by_message(place.id, message)
    if story is None:
        story = Story(
            id=StoryId(new_id()),
            movement_id=_require_movement_id(place),
            place_id=place.id,
            thread=thread,
            message=message,
            teller_id=turn.person.id,
            text=truncate(text),
            named=turn.person.story_named,
            readers=readers,
            told_at=turn.now,
        )
        work.stories.add(story)
        await work.deliveries.add(plan_mark(story, place, turn.now))
    elif story.teller_id != turn.person.id:
        raise Refused("not_found")
    elif not story.is_told:
        story.tell_again(truncate(text), readers, turn.now)
        await work.deliveries.add(plan_mark(story, place, turn.now))
    return await _confirm(work, story, place)


async def _confirm(work: UnitOfWork, story: Story, place: Place | None) -> MessageKept:
    movement = await work.movements.get(story.movement_id)
    return MessageKept(
        story=story.id,
        place=_name(place),
        readers=story.readers,
        named=story.named,
        asks=story.ask_meaning(movement.meaning) if movement is not None else "",
    )


def _require_movement_id(place: Place) -> MovementId:
    if place.movement_id is None:
        raise Refused("no_movement")
    return place.movement_id


def _name(place: Place | None) -> str:
    return "" if place is None else place.name or place.channel
