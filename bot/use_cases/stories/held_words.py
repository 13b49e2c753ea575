"""Ask the writer about words that may give a client away, while those are held; erase them when that took too long."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.catalogue.base import Entry
from bot.catalogue.doors import DoorWordsAsked
from bot.catalogue.guard import HELD, WordsAsked, WordsForm
from bot.catalogue.stuck import MAX_FIELD_CHARS
from bot.domain.door import DoorStory, DoorStoryId
from bot.domain.held_words import HELD_FOR, HeldWords, HeldWordsId
from bot.domain.movement import MovementId
from bot.domain.person import Language
from bot.errors import Refused, Unwanted
from bot.guard import Giveaway, distinctive_part, guess_language, look_through
from bot.guard.replacing import replace_giveaways
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.ports.turn import language_for

QUESTION_KIND = "words_asked"
LET_IN = "door.let_in"
"""The intent that shows others what somebody else told: who presses it may not change those words."""
MAX_NAMED = 12
"""Words that the question names; more would be no question any more."""


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question. Raises `Unwanted` when they chose, or the words are gone."""
    held = await work.stories.find_words(HeldWordsId(outgoing.delivery.subject))
    if held is None or outgoing.person is None or held.person_id != outgoing.person.id or held.until <= outgoing.now:
        raise Unwanted("answered")
    if held.intent == LET_IN and await _load_door_story(work, held) is None:
        raise Unwanted("answered")
    language = language_for(outgoing.person, outgoing.place, outgoing.movement)
    return await make_question(work, held, language)


async def make_question(work: UnitOfWork, held: HeldWords, language: Language) -> WordsAsked | DoorWordsAsked:
    """Make the question about held words: which they are, and what it would be without them."""
    if held.intent == LET_IN:
        return await _ask_about_door_story(work, held, language)
    found = await find_giveaways(work, held.movement_id, held.texts, language)
    words = dict.fromkeys(one.text for name in found for one in found[name])
    proposals = propose_texts(held.texts, found, language)
    return WordsAsked(
        held=held.id,
        words=tuple(words)[:MAX_NAMED],
        proposal="\n".join(proposals[name] for name in held.texts if found.get(name)),
        until=held.until,
        shown=held.thread is not None and held.message is not None,
    )


async def _ask_about_door_story(work: UnitOfWork, held: HeldWords, language: Language) -> DoorWordsAsked:
    """Ask about words that somebody else told at a door: these are let in as they are, or not."""
    told = await _load_door_story(work, held)
    texts = {"text": told.text if told is not None else ""}
    found = await find_giveaways(work, held.movement_id, texts, language)
    return DoorWordsAsked(
        held=held.id,
        door=str(held.args.get("door", "")),
        story=str(held.args.get("told", "")),
        seen=str(held.args.get("words", "")),
        words=tuple(dict.fromkeys(one.text for one in found["text"]))[:MAX_NAMED],
        text=texts["text"],
        until=held.until,
    )


async def _load_door_story(work: UnitOfWork, held: HeldWords) -> DoorStory | None:
    """Return what waits at a door, as an act that is held named it; None when it was decided about, or taken back."""
    if held.movement_id is None:
        return None
    told = await work.doors.get_story(DoorStoryId(str(held.args.get("told", ""))), held.movement_id)
    return told if told is not None and told.waits else None


async def find_giveaways(
    work: UnitOfWork, movement: MovementId | None, texts: Mapping[str, str], language: Language
) -> dict[str, tuple[Giveaway, ...]]:
    """Return what may give a client away in texts, by their names; members of the movement are no clients."""
    found = {name: look_through(text, guess_language(text, language)) for name, text in texts.items()}
    if movement is None or not any(found.values()):
        return found
    members: set[str] = set()
    asked: set[str] = set()
    # Until no other name is found: where one is a member's, another may begin among the same words.
    while words := {distinctive_part(one.name) for every in found.values() for one in every} - asked - {""}:
        asked |= words
        # Only those: nearly always nothing is found, and a movement may have many members.
        members.update(await work.people.names_like(movement, words))
        found = {name: look_through(text, guess_language(text, language), members) for name, text in texts.items()}
    return found


def propose_texts(
    texts: Mapping[str, str], found: Mapping[str, tuple[Giveaway, ...]], language: Language
) -> dict[str, str]:
    """Return the texts without what may give a client away."""
    return {name: _propose(text, guess_language(text, language), found.get(name, ())) for name, text in texts.items()}


def _propose(text: str, language: Language, found: Sequence[Giveaway]) -> str:
    """Return a text without what gives somebody away, looked through once more: words taken out bring others
    together."""
    if not found:
        return text
    spared = {one.text for one in look_through(text, language)} - {one.text for one in found}  # names of members
    proposal = replace_giveaways(text, language, found)
    left = [one for one in look_through(proposal, language) if one.text not in spared]
    return replace_giveaways(proposal, language, left)


async def load_words(work: UnitOfWork, turn: Turn) -> HeldWords:
    """Return the actor's held words that an intent names. Raises `Refused` when they chose, or the words are gone."""
    held = await work.stories.find_words(HeldWordsId(turn.text(HELD)))
    if held is None or held.person_id != turn.person.id or held.until <= turn.now:
        raise Refused("words_gone")
    return held


async def change(work: UnitOfWork, turn: Turn) -> Entry:
    """Return a form with the words as they were typed, for words that came without one."""
    held = await load_words(work, turn)
    text = "\n".join(held.texts.values())
    return WordsForm(values={"text": text[:MAX_FIELD_CHARS]}, hidden={HELD: held.id})


async def choose(work: UnitOfWork, turn: Turn) -> None:
    """Refuse a choice about words that are not there any more; any other becomes what was meant with the words."""
    raise Refused("words_gone")


async def expire_words(work: UnitOfWork, now: datetime) -> None:
    """Erase words whose writer did not choose within `HELD_FOR`; at most two hundred at a time."""
    for held in await work.stories.find_words_before(now - HELD_FOR):
        await work.delete(held)
