"""Keep what people tell in the thread of a reminder as stories, as they choose; follow edits and deletions of it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.conversation import MeaningAsked
from bot.catalogue.help import Help
from bot.catalogue.stories import StoryChosen, StoryKept, StoryWithdrawn
from bot.chat import Intent
from bot.domain.delivery import Delivery, DeliveryState, Priority, to_person
from bot.domain.ids import new_id
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import Person, PersonId, StoryChoice, WorkspaceId
from bot.domain.retelling import MARK_KIND, POSTED, SINGLE_STORY_KINDS, find_out_of_reach, plan_changes, plan_mark
from bot.domain.rhythm import RhythmId
from bot.domain.story import (
    READERS_BY_CHOICE,
    Readers,
    Story,
    StoryId,
    StoryRequest,
    deletion_mark,
    has_words,
    truncate,
    with_file_names,
)
from bot.domain.story_answer import (
    ANSWERED_KIND,
    LED_ON_PAUSE,
    UNANSWERED_KIND,
    answer_mark,
    asker_mark,
    drop_questions,
    has_question,
    is_aside,
    plan_answer_news,
    plan_question_news,
    take_answer_back,
)
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.tying import note_tie
from bot.understanding import CRISIS, understand_sentence

GATHERING_KINDS = ("rhythm_purpose", "rhythm_stories", "rhythm_check_in")
"""Deliveries in whose threads a reply is kept as a story."""
CHECK_IN_KIND, LED_ON_KIND = "rhythm_check_in", "check_in_answered"
NOT_LEADING = frozenset({CRISIS, "thanks", "smalltalk"})
"""Meanings of an answer to a check-in that leads nowhere."""
LEAD_ON_AFTER, LED_ON_TTL = timedelta(minutes=5), timedelta(days=2)
"""When the word about where an answer may lead comes, and until when it makes sense."""
MAX_UNDECIDED = 200
"""Earlier stories that a first choice is applied to at most, the newest first."""


async def handle_reply(work: UnitOfWork, turn: Turn) -> None:
    """Handle a reply in a thread: keep it as a story where stories are gathered; under a story, note a tie with its
    teller, who hears of it."""
    place, thread = turn.place, turn.intent.thread
    # A post that has replies is, on some platforms, in a thread of its own: an edit of ours is no reply.
    if place is None or place.movement_id is None or not thread or thread == turn.intent.message:
        return
    root, discussed = await _load_thread(work, place, place.movement_id, thread)
    gathers = root is not None and root.kind in GATHERING_KINDS
    tellers = await work.people.among({one.teller_id for one in discussed}, place.movement_id) if discussed else ()
    by_id = {one.id: one for one in tellers}
    answered = _find_answered_story(turn, discussed, by_id, gathers=gathers)
    teller = by_id.get(answered.teller_id) if answered is not None else None
    heard = _hear_answer(work, turn, place, answered, teller, discussed)
    if root is not None and gathers:
        await work.together(heard, _keep_reply(work, turn, place, place.movement_id, root))
        return
    await heard
    post = root if root is not None and root.kind in SINGLE_STORY_KINDS else None
    if post is None and answered is not None:
        post = await work.deliveries.by_key(f"{POSTED}:{answered.id}")
    if post is not None:
        await _tie_to_teller(work, turn, post, place.movement_id)


async def handle_mention(work: UnitOfWork, turn: Turn) -> Entry | None:
    """Handle a reply that mentions Ritme and is no command: a story where stories are gathered; elsewhere, ask what a
    sentence means, and show help for a word."""
    place, thread = turn.place, turn.intent.thread
    root = await work.deliveries.by_receipt(place.id, thread) if place is not None and thread else None
    if root is not None and root.kind in GATHERING_KINDS:
        await handle_reply(work, turn)
        return None
    text, guesses = turn.text("text"), tuple(turn.text("guesses").split())
    if len(text.split()) <= 1 or not guesses:
        return Help.about(text, turn.text("meant"), turn.text(f"meant_{turn.language.value}"))
    return Help() if guesses == ("help",) else MeaningAsked(text=text, guesses=guesses)


async def handle_edit(work: UnitOfWork, turn: Turn) -> None:
    """Change the story in an edited message, everywhere it went; withdraw it when no word is left.

    An open request to keep the message takes over its new words, or ends when none is left.
    """
    story, place, text = await _story_in_message(work, turn), turn.place, _words(turn)
    request = await _open_request(work, turn)
    if request is not None and has_words(text):
        request.text = text
    elif request is not None:
        await _close_request(work, request, turn.now)
    elif story is None:
        # Events can arrive out of order: an edit that comes before its message is taken for the message.
        await handle_reply(work, turn)
    elif place is not None and story.is_told and story.teller_id == turn.person.id:
        if not has_words(text):
            await _withdraw(work, [story], turn.now, occasion=turn.intent.key)
        elif text != story.text:
            story.text = text
            await _update_retellings(work, turn, story)


async def handle_deletion(work: UnitOfWork, turn: Turn) -> None:
    """Withdraw the story in a deleted message everywhere, whether its writer or a moderator deleted it."""
    place, message, thread = turn.place, turn.intent.message, turn.intent.thread
    if place is None or place.movement_id is None or not message:
        return
    _, was_told = await work.together(
        _forget_answer(work, place, place.movement_id, thread, message),
        _take_message_away(work, place, message, turn.now, occasion=turn.intent.key),
    )
    if was_told or message == thread:
        return
    root = await work.deliveries.by_receipt(place.id, thread) if thread else None
    if root is not None and root.kind in GATHERING_KINDS:
        # The deletion came before its message: a withdrawn story without words keeps the message from being kept later.
        tombstone = _new_story(turn, place.id, place.movement_id, text="")
        tombstone.withdraw(turn.now)
        tombstone.deleted = True
        work.stories.add(tombstone)


async def _load_thread(
    work: UnitOfWork, place: Place, movement: MovementId, thread: str
) -> tuple[Delivery | None, list[Story]]:
    """Return the message of ours that begins a thread, and the stories that it is about and that were not taken back:
    the one its first message holds, then those told in it, oldest first."""
    root, first, told = await work.together(
        work.deliveries.by_receipt(place.id, thread),
        work.stories.by_message(place.id, thread),
        work.stories.in_thread(place.id, thread),
    )
    if root is not None:
        first = await work.stories.get(StoryId(root.subject), movement) if root.kind in SINGLE_STORY_KINDS else None
    found = (first, *(story for story in told if story is not first))
    return root, [story for story in found if story is not None and story.is_told]


def _find_answered_story(
    turn: Turn, discussed: Sequence[Story], tellers: Mapping[PersonId, Person], *, gathers: bool
) -> Story | None:
    """Return which of the stories of a thread a reply is about: the last one of the teller it names; else, where none
    are gathered (`gathers`), the last one that stands there by itself; else, for a question, the last one. None for a
    reply that tells something of its own."""
    text, message = _words(turn), turn.intent.message
    if not message or not has_words(text):
        return None
    others = [story for story in discussed if story.teller_id != turn.person.id and story.message != message]
    standing = [] if gathers else [story for story in others if not story.is_reply]
    likely = standing or (others if has_question(text) else [])
    return _find_named_story(others, tellers, text) or next(reversed(likely), None)


def _find_named_story(others: Sequence[Story], tellers: Mapping[PersonId, Person], text: str) -> Story | None:
    """Return the last story of a teller whose first name is in a text."""
    words = {word.casefold() for word in re.findall(r"\w+", text)}
    for story in reversed(others):
        teller = tellers.get(story.teller_id)
        if teller is not None and teller.name and teller.name.split()[0].casefold() in words:
            return story
    return None


async def _hear_answer(
    work: UnitOfWork,
    turn: Turn,
    place: Place,
    story: Story | None,
    teller: Person | None,
    discussed: Sequence[Story],
) -> None:
    """Plan the news for the `teller` whose `story` a reply answers. Who replies under their own story has read the
    rest."""
    text, message, person = _words(turn), turn.intent.message, turn.person
    if not message or not has_words(text):
        return
    own = [one.id for one in discussed if one.teller_id == person.id]
    kinds = (UNANSWERED_KIND, ANSWERED_KIND)
    about = [work.deliveries.about(kind, story.id, story.movement_id) for kind in kinds] if story and teller else []
    cancelling = [work.deliveries.cancel_each(kind, own, "answered") for kind in kinds]
    planned = (await work.together(*cancelling, *about))[len(cancelling) :]
    if story is None or teller is None:
        return
    questions, told = planned
    mark, asker = answer_mark(place.id, message), asker_mark(story.id, person.id)
    where: dict[str, object] = {"place": place.id, "root": turn.intent.thread}
    drop_questions(questions, asker)
    news = [plan_answer_news(story, teller, told, mark, where, turn.now)]
    if has_question(text):
        news.append(plan_question_news(story, teller, questions, (mark, asker), where, turn.now))
    for one in news:
        if one is not None:
            await work.deliveries.add(one)


async def _forget_answer(
    work: UnitOfWork, place: Place, movement: MovementId, thread: str | None, message: str
) -> None:
    """Take a message that is gone out of the news for tellers of the stories it answered."""
    if not thread or thread == message:
        return
    _, discussed = await _load_thread(work, place, movement, thread)
    news = await work.together(
        *(
            work.deliveries.about(kind, story.id, movement)
            for story in discussed
            for kind in (ANSWERED_KIND, UNANSWERED_KIND)
        )
    )
    for planned in news:
        take_answer_back(planned, answer_mark(place.id, message))


async def may_be_kept(work: UnitOfWork, intent: Intent) -> bool:
    """Return whether the message of an event stands where stories are gathered, so that it holds one or may become
    one."""
    place = await work.movements.place_in(WorkspaceId(intent.place.workspace), intent.place.channel)
    return place is not None and place.movement_id is not None and bool(intent.message)


async def handle_disappearance(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Withdraw the story in a message that is gone, of which the platform does not tell who wrote or deleted it.

    A message that Ritme does not know may still arrive: a mark keeps it from being kept then. The mark holds no word of
    it, and ends with the idempotency keys.
    """
    place = await work.movements.place_in(WorkspaceId(intent.place.workspace), intent.place.channel)
    if place is None or not intent.message:
        return
    if place.movement_id is not None:
        await _forget_answer(work, place, place.movement_id, intent.thread, intent.message)
    if await _take_message_away(work, place, intent.message, now, occasion=intent.key):
        return
    if await work.deliveries.by_receipt(place.id, intent.message) is None:
        await work.inbox.claim(place.workspace_id, deletion_mark(place.id, intent.message), now)


async def handle_restoration(work: UnitOfWork, turn: Turn) -> None:
    """Tell the story again whose message its writer restored, to those who read it before. One that its teller took
    back stays away, and so does one of a teller who has nothing kept by now."""
    story, place, text = await _story_in_message(work, turn), turn.place, _words(turn)
    if story is None:
        await handle_reply(work, turn)
    elif place is not None and story.deleted and story.teller_id == turn.person.id:
        if keeps_nothing_of(turn.person) or not has_words(text):
            return
        story.tell_again(text, story.readers, turn.now)
        await work.deliveries.add(plan_mark(story, place, turn.now))
        await _update_retellings(work, turn, story)


async def keep_for_movement(work: UnitOfWork, turn: Turn) -> InPlace:
    """Let the movement read what the actor replies in threads, from this story on."""
    return await _choose(work, turn, StoryChoice.MOVEMENT)


async def keep_here(work: UnitOfWork, turn: Turn) -> InPlace:
    """Keep what the actor replied in this thread for those who read it there, and what they reply in threads later."""
    return await _choose(work, turn, StoryChoice.HERE)


async def keep_nothing(work: UnitOfWork, turn: Turn) -> InPlace:
    """Withdraw all that the actor replied in this thread, and keep nothing of what they reply in threads from now
    on."""
    return await _choose(work, turn, StoryChoice.FORGET)


async def take_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """Withdraw one story. Its message stays, and the choice about later replies stays as it is."""
    story = await work.stories.own(StoryId(turn.text("story")), turn.person.id)
    if story is None or story.message is None:
        raise Refused("not_found")
    retold_in, places, labels = await work.together(
        work.stories.retold_in(story.id, story.movement_id),
        work.movements.places(story.movement_id),
        work.movements.labels(story.movement_id, turn.person.workspace_id),
    )
    await _withdraw(work, [story], turn.now, occasion=turn.intent.key)
    return InPlace(
        entry=StoryWithdrawn(message_stays=not story.deleted, out_of_reach=find_out_of_reach(retold_in, places, labels))
    )


async def compose_choice(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question, asked after a first reply, who may read it. Raises `Unwanted` when they chose meanwhile."""
    if outgoing.person is None or outgoing.person.story_choice is not None:
        raise Unwanted("already_chosen")
    return StoryKept(story=outgoing.delivery.subject)


async def _keep_reply(work: UnitOfWork, turn: Turn, place: Place, movement: MovementId, root: Delivery) -> None:
    """Keep a reply to a rhythm's post as a story, put a mark on it, and the first time ask who may read it.

    Any reply counts as an answer to the rhythm, also one that is not kept.
    """
    person, text, message = turn.person, _words(turn), turn.intent.message or ""
    rhythm, known, was_deleted, told = await work.together(
        work.rhythms.get(RhythmId(root.subject), movement),
        _story_in_message(work, turn),
        work.inbox.is_claimed(place.workspace_id, deletion_mark(place.id, message)),  # before it arrived
        work.stories.in_thread(place.id, turn.intent.thread or ""),
    )
    if rhythm is not None:
        rhythm.unanswered = 0
    if keeps_nothing_of(person) or not message or not has_words(text) or known is not None or was_deleted:
        return
    await _tie_to_each_other(work, turn, told)
    story = _new_story(turn, place.id, movement, text=text, part=str(root.args.get("part", "")))
    work.stories.add(story)
    await work.deliveries.add(plan_mark(story, place, turn.now))
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
    elif root.kind == CHECK_IN_KIND:
        await _lead_on(work, turn, story)


async def _lead_on(work: UnitOfWork, turn: Turn, story: Story) -> None:
    """Plan a word to who answered a check-in, about where that may lead: at most once a week, and never after an aside
    or words that may be despair."""
    if is_aside(story.text) or understand_sentence(story.text).meaning in NOT_LEADING:
        return
    since = turn.now - LED_ON_PAUSE
    if any(one.kind == LED_ON_KIND for one in await work.deliveries.of_person(turn.person.id, since)):
        return
    await work.deliveries.add(
        to_person(
            turn.person,
            LED_ON_KIND,
            key=f"{LED_ON_KIND}:{story.id}",
            now=turn.now,
            movement=story.movement_id,
            subject=story.id,
            priority=Priority.NEWS,
            due_at=turn.now + LEAD_ON_AFTER,
            expires_at=turn.now + LED_ON_TTL,
        )
    )


def _new_story(turn: Turn, place: PlaceId, movement: MovementId, text: str, part: str = "") -> Story:
    """Return the story this message tells, for those to read whom its teller chose."""
    return Story(
        id=StoryId(new_id()),
        movement_id=movement,
        place_id=place,
        thread=turn.intent.thread,
        message=turn.intent.message,
        teller_id=turn.person.id,
        text=text,
        named=turn.person.story_named,
        readers=READERS_BY_CHOICE.get(turn.person.story_choice, Readers.THREAD),
        part=part,
        told_at=turn.now,
    )


def _may_not_tie(turn: Turn) -> bool:
    """Return whether the works council has to agree first before it is kept who answers whom."""
    return turn.movement is None or not turn.movement.may_name_people(turn.works_council)


async def _tie_to_each_other(work: UnitOfWork, turn: Turn, told: Sequence[Story]) -> None:
    """Note ties between a new teller and the others who `told` in a thread; once a thread, whatever the number of
    replies."""
    if _may_not_tie(turn) or any(story.teller_id == turn.person.id for story in told):
        return
    await work.together(*(note_tie(work, turn, other) for other in {one.teller_id for one in told if one.is_told}))


async def _tie_to_teller(work: UnitOfWork, turn: Turn, root: Delivery, movement: MovementId) -> None:
    """Note a tie with the teller of the story replied to; once a thread, and never with one who is not named."""
    story = await work.stories.get(StoryId(root.subject), movement)
    answered = root.args.get("answered_by", [])
    if story is None or not story.is_told or not story.named or not isinstance(answered, list) or _may_not_tie(turn):
        return
    if turn.person.id not in answered:
        root.add_args(answered_by=[*answered, turn.person.id])
        await note_tie(work, turn, story.teller_id)


async def _choose(work: UnitOfWork, turn: Turn, choice: StoryChoice) -> InPlace:
    """Apply a choice, and keep it for later replies.

    The first one applies to all earlier replies. A later one that keeps more to oneself applies to all replies in the
    thread; one that lets more people read, to this story alone.
    """
    person = turn.person
    story = await work.stories.own(StoryId(turn.text("story")), person.id)
    if story is None or story.message is None:
        raise Refused("not_found")
    told = [one for one in await work.stories.of_teller(person.id, MAX_UNDECIDED) if one.is_reply or one is story]
    here = [one for one in told if (one.place_id, one.thread) == (story.place_id, story.thread)]
    if person.story_choice is None:
        chosen = told
    else:
        chosen = [one for one in here if one is story] if choice is StoryChoice.MOVEMENT else here
    was_gone, is_first = not story.is_told, person.story_choice is None
    person.story_choice = choice
    if choice is StoryChoice.FORGET:
        await _withdraw(work, chosen, turn.now, occasion=turn.intent.key)
    else:
        for one in chosen:
            one.readers = READERS_BY_CHOICE[choice]
        await _update_retellings(work, turn, *chosen)
    # After a first answer this question came first: only now is it known that it is kept.
    if is_first and story.is_told and await _answers_check_in(work, story):
        await _lead_on(work, turn, story)
    movement = await work.movements.get(story.movement_id) if len(chosen) == 1 else None
    return InPlace(
        entry=StoryChosen(
            story=story.id,
            choice=choice,
            gone=was_gone,
            several=len(chosen) > 1,
            left=choice is StoryChoice.FORGET and len(told) > len(chosen),
            asks=story.ask_meaning(movement.meaning) if movement is not None else "",
        )
    )


async def _answers_check_in(work: UnitOfWork, story: Story) -> bool:
    root = await work.deliveries.by_receipt(story.place_id, story.thread) if story.place_id and story.thread else None
    return root is not None and root.kind == CHECK_IN_KIND


def keeps_nothing_of(person: Person) -> bool:
    """Return whether nothing is kept of what this person writes in threads: they chose that, or stopped."""
    return person.story_choice is StoryChoice.FORGET or person.stopped_at is not None


async def _take_message_away(work: UnitOfWork, place: Place, message: str, now: datetime, *, occasion: str) -> bool:
    """Withdraw what was kept of a message that is gone, and end the question whether it may be. Of a post of ours, note
    that the story does not stand there any more. Returns whether a story was told in the message, then or before."""
    await work.stories.erase_words_about(place.workspace_id, message)
    post, request, story = await work.together(
        work.deliveries.by_receipt(place.id, message),
        work.stories.request_about(place.id, message),
        work.stories.by_message(place.id, message),
    )
    if post is not None and post.kind in SINGLE_STORY_KINDS and post.state is DeliveryState.SENT:
        post.drop("removed")
    if request is not None and request.is_open:
        await _close_request(work, request, now)
    if story is not None and story.is_told:
        await _withdraw(work, [story], now, occasion=occasion, message_is_gone=True)
        story.deleted = True
    return story is not None


async def _close_request(work: UnitOfWork, request: StoryRequest, now: datetime) -> None:
    """End the question to a message's author whether it may be kept: there is nothing to keep any more."""
    request.answer(now)
    await work.deliveries.cancel("story_asked", request.id, "withdrawn")


async def _withdraw(
    work: UnitOfWork, some: Sequence[Story], now: datetime, *, occasion: str, message_is_gone: bool = False
) -> None:
    """Withdraw stories everywhere, and take their marks off the messages, unless these are gone or were never marked.
    `occasion`: the idempotency key of what led to it."""
    told = [one for one in some if one.is_told]
    # All that is looked up first: changes that stand are written before each query.
    retold, unmarked, places, _ = await work.together(
        work.stories.retold_each(told),
        work.deliveries.cancel_each(MARK_KIND, [one.id for one in told], "withdrawn"),
        work.movements.places_among({one.place_id for one in told if one.place_id}),
        work.stories.remove_choices_of(*told),
    )
    planned = []
    for story in told:
        story.withdraw(now)
        planned += plan_changes(story, retold[story.id], occasion=occasion, now=now)
        place = places.get(story.place_id) if story.place_id else None
        if place is not None and not message_is_gone and story.id not in unmarked:
            planned.append(plan_mark(story, place, now, off=True))
    await work.deliveries.add_all(planned)


async def _update_retellings(work: UnitOfWork, turn: Turn, *some: Story) -> None:
    """Plan the changes to every message of ours that holds these stories."""
    retold = await work.stories.retold_each(some)
    await work.deliveries.add_all(
        [change for one in some for change in plan_changes(one, retold[one.id], occasion=turn.intent.key, now=turn.now)]
    )


def _words(turn: Turn) -> str:
    return truncate(with_file_names(turn.text("text"), turn.intent.texts("files")))


async def _open_request(work: UnitOfWork, turn: Turn) -> StoryRequest | None:
    """Return the open question to this message's author whether it may be kept."""
    if turn.place is None or not turn.intent.message:
        return None
    request = await work.stories.request_about(turn.place.id, turn.intent.message)
    return request if request is not None and request.is_open else None


async def _story_in_message(work: UnitOfWork, turn: Turn) -> Story | None:
    if turn.place is None or not turn.intent.message:
        return None
    return await work.stories.by_message(turn.place.id, turn.intent.message)
