"""Look through what somebody writes for others, after a use case accepted it and before anything of it is kept.

Where it may give a client away, `GivesAway` rolls the transaction back; in another one the words are held, and their
writer is asked, once (`bot.use_cases.stories.held_words`). What they choose does what they meant: without the words,
with others, or with the words as they were. The texts come from the fields of every form, from typed stories and
replies, and from stories made of what was kept for oneself until then.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.catalogue.base import Entry, FormEntry, InPlace
from bot.catalogue.company import CompanyOnItsWay
from bot.catalogue.experiments import ExperimentAnswered, ExperimentShown
from bot.catalogue.forms import parse_form
from bot.catalogue.guard import HELD, WordsForm, WordsSettled
from bot.catalogue.saving import MessageKept
from bot.catalogue.steps import ChanceNoted, StepPlanned, StepStands
from bot.catalogue.stories import StoryTold
from bot.catalogue.stuck import StuckStands, StuckWelcomed
from bot.chat import ChatPlace, Intent, Value
from bot.despair import THREAD_WORDS, free_texts
from bot.domain.door import DoorStoryId
from bot.domain.held_words import HeldWords, HeldWordsId
from bot.domain.ids import new_id
from bot.domain.initiative import Audience, StuckEpisode
from bot.domain.person import WorkspaceId
from bot.domain.story import Readers, Story, StoryId
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.use_cases.stories.held_words import LET_IN, find_giveaways, load_words, propose_texts

WITHOUT, FINE, CHANGE, TELL = "guard.without", "guard.fine", "guard.change", "guard.tell"
CHOICES_ABOUT_WORDS = frozenset({WITHOUT, FINE, CHANGE, TELL})
"""Intents of the question about held words, and of its form."""
REPLIES = frozenset({*THREAD_WORDS, "thread.mentioned"})
"""Intents of messages that others read already where they were written: what counts is whether Ritme keeps them."""
FOR_ONESELF = frozenset(
    {
        "me.save",  # one's time zone and group
        "rhythm.save",
        "rhythm.place.save",
        "country.look",
        "country.propose",
        "start.join.save",
        "step.tell",  # only oneself reads it, until it is a story
        "saving.ask",  # only its author reads it, and is asked about it
        "webhook.save",  # an address may itself be a secret, which is not to lie among held words
    }
)
"""Forms whose texts nobody else reads, or that hold no words for others."""
TYPED = {"story": ("text",), "stuck": ("text",), "initiative.make": ("text",)}
"""Commands that do at once what their words say → the arguments that hold these."""
_NOT_AGAIN = ("card", "text", "prefill", "reopens")
"""Arguments that do not go along: words stand in the form, and each press has a card, or a late form, of its own."""
OPENED = "opened"
"""The hidden value of a form that says which intent opened it, to open it again."""
_LONGEST_ARGUMENT = 64
"""Characters of an argument that goes along in `OPENED`: the ids are shorter, the words do not belong there."""


class GivesAway(Exception):
    """Raised to keep nothing of an `intent` yet: its `texts` for others may give a client away."""

    def __init__(self, intent: Intent, texts: Mapping[str, str]) -> None:
        super().__init__("words")
        self.intent = intent
        self.texts = texts


@dataclass(frozen=True)
class Resumed:
    """An act that was held because of its words, and now is done: the `intent`, with the words as chosen. `instead`
    maps texts as they were to those that take their place."""

    held: HeldWords
    intent: Intent
    instead: Mapping[str, str] = field(default_factory=dict)
    is_settled: bool = False
    """True when they chose about the words: these are not asked about again."""


async def resume(work: UnitOfWork, turn: Turn) -> Resumed | None:
    """Return what a choice about held words does; None for any other intent. Raises `Refused` when they are gone,
    and `Invalid` for a form with other words that cannot be used."""
    intent = turn.intent
    if intent.name not in CHOICES_ABOUT_WORDS:
        return None
    held = await load_words(work, turn)
    if held.intent == LET_IN and intent.name != FINE:
        raise Refused("words_of_others")
    opened = _load_opener(held)
    if intent.name == CHANGE:
        return Resumed(held, replace(intent, name=opened[0], args=opened[1])) if opened[0] else None
    values: dict[str, Value] = dict(held.values)
    if intent.name == FINE:
        return Resumed(held, _mean(held, intent, values), is_settled=True)
    if intent.name == TELL:
        instead = dict.fromkeys(held.texts.values(), parse_form(WordsForm, intent.args).text("text"))
    else:
        found = await find_giveaways(work, held.movement_id, held.texts, turn.language)
        proposals = propose_texts(held.texts, found, turn.language)
        instead = {held.texts[name]: proposals[name] for name in held.texts}
    values |= {name: instead[text] for name, text in held.texts.items() if name in values}
    return Resumed(held, _mean(held, intent, values), instead, is_settled=intent.name == WITHOUT)


def _mean(held: HeldWords, chosen: Intent, values: Mapping[str, Value]) -> Intent:
    """Return the intent that was meant, in its place, as an act of now."""
    place = ChatPlace(workspace=held.workspace_id, channel=held.channel, name=held.channel_name, personal=held.personal)
    return replace(
        chosen, name=held.intent, args=values, place=place, thread=held.thread, message=held.message, at=None
    )


def _load_opener(held: HeldWords) -> tuple[str, Mapping[str, Value]]:
    """Return the intent that opened the form of held words, with its arguments; ("", {}) for words without a form."""
    opened = json.loads(str(held.args.get(OPENED) or "{}"))
    return str(opened.get("name", "")), {str(name): str(value) for name, value in opened.get("args", {}).items()}


def note_opener(intent: Intent) -> dict[str, str]:
    """Return the hidden value of a form that says which intent opens it again."""
    args = {
        name: value
        for name, value in intent.args.items()
        if isinstance(value, str) and len(value) <= _LONGEST_ARGUMENT and name not in _NOT_AGAIN
    }
    return {OPENED: json.dumps({"name": intent.name, "args": args}, ensure_ascii=False, sort_keys=True)}


def fill_again(resumed: Resumed, outcome: Entry | InPlace | None) -> Entry | InPlace | None:
    """Return the form that was opened again, with what they had typed; any other outcome as it is."""
    held = resumed.held
    if not isinstance(outcome, FormEntry) or outcome.intent != held.intent:
        return outcome
    typed = {ask.name: held.values[ask.name] for ask in outcome.asks if ask.name in held.values}
    hidden = {**outcome.hidden, HELD: held.id, OPENED: str(held.args.get(OPENED, ""))}
    return replace(outcome, values={**outcome.values, **typed}, hidden=hidden)


def confirm_reply(resumed: Resumed) -> Entry:
    """Return what is said of a reply in a thread, which is kept without an answer: the question has had its time."""
    return WordsSettled(text=resumed.intent.text("text"), other=bool(resumed.instead))


async def prepare(work: UnitOfWork, resumed: Resumed, turn: Turn) -> None:
    """Put what was chosen in the place of words that are kept already, for oneself: others are about to read them."""
    episode = await _load_shown_episode(work, turn)
    if episode is not None:
        episode.text = resumed.instead.get(episode.text, episode.text)


def replace_kept_words(work: UnitOfWork, resumed: Resumed) -> None:
    """Put what was chosen in the place of words that a use case took from what was kept."""
    for story in work.stories.added:
        story.text = resumed.instead.get(story.text, story.text)


async def recall_words(work: UnitOfWork, turn: Turn) -> str:
    """Return the words of a story that an intent may change: those were asked about, or need not be."""
    story = await _load_touched_story(work, turn)
    return story.text if story is not None and story.is_told else ""


async def stop_giveaways(work: UnitOfWork, turn: Turn, outcome: Entry | InPlace | None, before: str) -> None:
    """Raise `GivesAway` where what is about to be kept for others may give a client away. `before`: words that were
    kept of it already."""
    texts = await _collect_texts(work, turn, outcome)
    if not texts:
        return
    found = await find_giveaways(work, turn.movement.id if turn.movement else None, texts, turn.language)
    if any(one.text not in before for name in found for one in found[name]):
        raise GivesAway(turn.intent, texts)


async def _collect_texts(work: UnitOfWork, turn: Turn, outcome: Entry | InPlace | None) -> dict[str, str]:
    """Return the texts that others will read now that a use case accepted them, by the names of their arguments."""
    entry = outcome.entry if isinstance(outcome, InPlace) else outcome
    if turn.intent.name == LET_IN:
        return await _collect_let_in(work, turn)
    if turn.intent.name in REPLIES:
        return await _collect_reply(work, turn)
    names = (
        ()
        if turn.intent.name in FOR_ONESELF
        else (*free_texts().get(turn.intent.name, ()), *TYPED.get(turn.intent.name, ()))
    )
    texts = {name: turn.text(name) for name in names if turn.text(name)} if _is_for_others(entry) else {}
    stories = [story for story in work.stories.added if story.place_id or story.readers is not Readers.THREAD]
    if isinstance(entry, MessageKept) and (kept := await _load_touched_story(work, turn, entry.story)) is not None:
        stories.append(kept)
    texts |= {f"story_{number}": one.text for number, one in enumerate(stories) if one.text not in texts.values()}
    episode = await _load_shown_episode(work, turn) if isinstance(entry, CompanyOnItsWay) else None
    return texts | ({"episode_text": episode.text} if episode is not None else {})


async def _collect_let_in(work: UnitOfWork, turn: Turn) -> dict[str, str]:
    """Return the text that somebody told at a door, of which the actor makes a story now."""
    movement = turn.require_movement().id
    told = await work.doors.get_story(DoorStoryId(turn.text("told")), movement)
    story = await work.stories.get(told.story_id, movement) if told is not None and told.story_id else None
    return {"text": story.text} if story is not None else {}


async def _collect_reply(work: UnitOfWork, turn: Turn) -> dict[str, str]:
    """Return the text of a reply that is kept: as a story, or in a request to keep it as one."""
    story = await _load_touched_story(work, turn)
    if story is not None and story.is_told and story.teller_id == turn.person.id and story.text:
        return {"text": story.text}
    return {}


async def _load_touched_story(work: UnitOfWork, turn: Turn, id: str = "") -> Story | None:
    if id or turn.text("story"):
        return await work.stories.own(StoryId(id or turn.text("story")), turn.person.id)
    if turn.place is None or not turn.intent.message or turn.intent.name not in REPLIES:
        return None
    return await work.stories.by_message(turn.place.id, turn.intent.message)


async def _load_shown_episode(work: UnitOfWork, turn: Turn) -> StuckEpisode | None:
    """Return the stuck episode, told to oneself alone until now, that colleagues are asked to think along about."""
    if turn.intent.name != "company.ask" or turn.movement is None:
        return None
    episode = await work.stuck.own(turn.text("episode"), turn.person.id, turn.movement.id)
    return episode if episode is not None and episode.audience is Audience.ME else None


def _is_for_others(entry: Entry | None) -> bool:
    """Return whether others read what was accepted, as its answer says."""
    if entry is None or isinstance(entry, FormEntry | StepStands | StuckStands):
        return False
    if isinstance(entry, StuckWelcomed):
        return entry.audience is not Audience.ME or entry.read_by_others
    if isinstance(entry, StepPlanned):
        return entry.posted
    if isinstance(entry, ChanceNoted):
        return entry.shared
    if isinstance(entry, ExperimentShown | ExperimentAnswered):
        return bool(entry.initiative_id)
    if isinstance(entry, StoryTold):
        return entry.readers is not Readers.THREAD or bool(entry.place)
    return True


async def hold(work: UnitOfWork, turn: Turn, given: GivesAway) -> HeldWords:
    """Hold the words of an intent until its writer chose; those they were asked about before are let go."""
    await let_go(work, turn)
    intent = given.intent
    held = HeldWords(
        id=HeldWordsId(new_id()),
        workspace_id=WorkspaceId(intent.actor.workspace),
        person_id=turn.person.id,
        movement_id=turn.movement.id if turn.movement else None,
        intent=intent.name,
        args={name: list(value) if isinstance(value, tuple) else value for name, value in intent.args.items()},
        texts=dict(given.texts) if intent.name != LET_IN else {},  # theirs: taken back, they are nowhere
        channel=intent.place.channel,
        channel_name=intent.place.name,
        personal=intent.place.personal,
        thread=intent.thread,
        message=intent.message,
        asked_at=turn.now,
    )
    work.stories.add(held)
    await work.flush()
    return held


async def let_go(work: UnitOfWork, turn: Turn) -> None:
    """Erase held words that are settled: by a choice, a changed form, or another message in the place of theirs."""
    intent = turn.intent
    if intent.text(HELD) and intent.name != CHANGE:
        await work.stories.erase_words(HeldWordsId(intent.text(HELD)), turn.person.id)
    if intent.message and intent.name in (*REPLIES, "message.deleted"):
        await work.stories.erase_words_about(WorkspaceId(intent.place.workspace), intent.message)
