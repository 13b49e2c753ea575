"""Do what people without an account ask at a door: look whose it is, tell a story, and take it back or change it.

Nobody here is known, and nothing of who it is is kept. Words of despair are answered and kept nowhere; words that may
give a client away are asked about before anything of them is kept; and a page that is sent twice tells once.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from bot import wording
from bot.despair import is_about_others
from bot.domain.door import (
    ALL_PER_HOUR,
    CHANGES_PER_HOUR,
    HOUR,
    MAX_CALLED_CHARS,
    PER_HOUR,
    Called,
    DoorState,
    DoorStory,
    StoryDoor,
    StoryDoorId,
    hash_door_code,
    hash_press,
)
from bot.domain.movement import Movement
from bot.domain.person import Language
from bot.domain.plain_text import clean_name, clean_text
from bot.domain.story import MAX_STORY_CHARS, has_words
from bot.ports import Clock, UnitOfWork
from bot.transactions import TransactionRunner
from bot.understanding import CRISIS, understand_sentence
from bot.use_cases.people import personal_data
from bot.use_cases.stories import doors
from bot.use_cases.stories.held_words import MAX_NAMED, find_giveaways, propose_texts
from bot.wording import Reader

HEARD_CHARS = 2 * MAX_STORY_CHARS
"""Characters of a text in which despair is heard; a longer one is not taken anyway."""
DOOR_WORDS = "pages/door.md.j2"
"""The words of the pages of a door."""


@dataclass(frozen=True, kw_only=True)
class DoorFace:
    """Holds what is seen of a door by its address: of which movement and initiative, its question, until when, and the
    language, the time zone and the country of the movement."""

    movement: str
    initiative: str
    question: str
    until: datetime
    is_open: bool
    language: Language
    timezone: str
    country: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """Holds what was filled in at a door. `once` is the mark of the page, `code` what takes it back; `choice` is about
    words that may give a client away."""

    text: str
    called: str = Called.NOBODY
    name: str = ""
    once: str = ""
    code: str = ""
    choice: Literal["", "without", "fine"] = ""


@dataclass(frozen=True, kw_only=True)
class DoorAnswer:
    """Says what became of it: it was told, or changed; something has to be mended (`problems`: field → block of words);
    there are `words` that may give a client away, with what it would be without them; despair was answered; the door is
    full, or closed; or something else was told `before` by the same page. `beside`: what may have been meant as
    despair, but was passed on, is answered as well."""

    outcome: Literal["told", "mend", "words", "despair", "full", "before", "closed", "gone"]
    problems: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    proposal: str = ""
    beside: bool = False


@dataclass(frozen=True, kw_only=True)
class OwnStory:
    """Holds what somebody with the code of a story sees: its words, where it is, and how they are called."""

    text: str
    state: DoorState
    called: str


@dataclass(kw_only=True)
class StoryDoors:
    """Everything that happens at doors."""

    run: TransactionRunner
    clock: Clock

    async def look(self, id: str) -> DoorFace | None:
        """Return what is seen of a door; None when there is none (any more)."""

        async def act(work: UnitOfWork) -> DoorFace | None:
            found = await self._load(work, id)
            return await self._face(work, *found) if found is not None else None

        return await self.run(act)

    async def tell(self, id: str, told: Told, language: Language) -> DoorAnswer:
        """Take what was told at a door; sent again, it is taken once."""
        return await self.run(partial(self._tell, id=id, told=_clean(told), language=language))

    async def find(self, id: str, code: str) -> OwnStory | None:
        """Return the story that somebody has the code of; None when there is none."""

        async def act(work: UnitOfWork) -> OwnStory | None:
            told = await work.doors.by_code(StoryDoorId(id), hash_door_code(StoryDoorId(id), code))
            if told is None:
                return None
            story = await work.stories.get(told.story_id, told.movement_id) if told.story_id else None
            text = story.text if story is not None and told.state is DoorState.LET_IN else told.text
            return OwnStory(text=text, state=told.state, called=told.called)

        return await self.run(act)

    async def take_back(self, id: str, code: str) -> bool:
        """Take back the story that somebody has the code of, wherever it is; pressed again, it says the same. Returns
        False when there is none."""
        now = self.clock.now()

        async def act(work: UnitOfWork) -> bool:
            door, told = await self._lock_story(work, id, code)
            if door is None or told is None:
                return False
            if told.state in (DoorState.WAITING, DoorState.LET_IN):
                await _take_rest_back(work, await doors.take_back(work, door, told, now), now)
            return True

        return await self.run(act)

    async def change(self, id: str, code: str, told: Told, language: Language) -> DoorAnswer:
        """Replace the words of the story that somebody has the code of."""
        return await self.run(partial(self._change, id=id, code=code, told=_clean(told), language=language))

    async def _change(self, work: UnitOfWork, *, id: str, code: str, told: Told, language: Language) -> DoorAnswer:
        now = self.clock.now()
        door, found = await self._lock_story(work, id, code)
        if door is None or found is None or found.state not in (DoorState.WAITING, DoorState.LET_IN):
            return DoorAnswer(outcome="gone")
        stopped, text, beside = await _read(work, door, told, language)
        if stopped is not None:
            return stopped
        if found.waits and text == found.text:
            return DoorAnswer(outcome="told", beside=beside)  # sent twice
        if found.count_changes(now) >= CHANGES_PER_HOUR or await self._is_full(work, door, now):
            return DoorAnswer(outcome="full", problems={"page": "changed_often"})
        left = await doors.tell_otherwise(work, door, found, text, found.called, now)
        await _take_rest_back(work, left, now)
        return DoorAnswer(outcome="told", beside=beside)

    async def _lock_story(self, work: UnitOfWork, id: str, code: str) -> tuple[StoryDoor | None, DoorStory | None]:
        door = await self._lock(work, id)
        told = await work.doors.by_code(door.id, hash_door_code(door.id, code)) if door is not None else None
        return door, told

    async def _tell(self, work: UnitOfWork, *, id: str, told: Told, language: Language) -> DoorAnswer:
        now, door = self.clock.now(), await self._lock(work, id)
        if door is None:
            return DoorAnswer(outcome="gone")
        press = hash_press(door.id, told.once, told.text, told.called, told.name, told.choice)
        if await work.doors.by_press(press) is not None:
            return DoorAnswer(outcome="told")
        code = hash_door_code(door.id, told.code)
        stopped, text, beside = await _read(work, door, told, language)
        if stopped is not None and stopped.outcome == "despair":
            return stopped  # at a closed door, too
        if not await self._takes_stories(work, door):
            return DoorAnswer(outcome="closed")
        if await work.doors.by_code(door.id, code) is not None:
            return DoorAnswer(outcome="before", problems={"page": "told_before"})
        if stopped is not None:
            return stopped
        if await self._is_full(work, door, now):
            return DoorAnswer(outcome="full", problems={"page": "full"})
        new = DoorStory.tell(door, press, code, text, _call(told, language, now), now)
        work.doors.add(new)
        await work.flush()
        await doors.tell_readers(work, door, new, now)
        return DoorAnswer(outcome="told", beside=beside)

    async def _is_full(self, work: UnitOfWork, door: StoryDoor, now: datetime) -> bool:
        if await work.doors.count_since(now - HOUR, door.id) >= PER_HOUR:
            return True
        return await work.doors.count_since(now - HOUR) >= ALL_PER_HOUR

    async def _lock(self, work: UnitOfWork, id: str) -> StoryDoor | None:
        """Lock the movement of a door, as for a request in it, and return the door."""
        door = await work.doors.lock(StoryDoorId(id))
        if door is not None:
            await work.people.lock_movement(doors.NO_WORKSPACE, "", None, door.movement_id)
        return door

    async def _load(self, work: UnitOfWork, id: str) -> tuple[StoryDoor, Movement] | None:
        door = await work.doors.find(StoryDoorId(id))
        movement = await doors.is_reachable(work, door.movement_id) if door is not None else None
        return (door, movement) if door is not None and movement is not None else None

    async def _takes_stories(self, work: UnitOfWork, door: StoryDoor) -> bool:
        about = await work.initiatives.get(door.initiative_id, door.movement_id)
        carried_on = about is not None and about.closed_at is None
        is_open = door.is_open(self.clock.now()) and carried_on
        return is_open and await doors.is_reachable(work, door.movement_id) is not None

    async def _face(self, work: UnitOfWork, door: StoryDoor, movement: Movement) -> DoorFace:
        about = await work.initiatives.get(door.initiative_id, movement.id)
        place = await work.movements.place(about.place_id) if about is not None and about.place_id else None
        return DoorFace(
            movement=movement.name,
            initiative=about.name if about is not None else "",
            question=door.question,
            until=door.ends_at - timedelta(seconds=1),
            is_open=await self._takes_stories(work, door),
            language=movement.language,
            timezone=movement.timezone,
            country=(place.country if place is not None else "") or movement.country,
        )


async def _take_rest_back(work: UnitOfWork, left: doors.LeftBehind | None, now: datetime) -> None:
    """Take back what else was said of a story: in answers, and in other messages to somebody."""
    if left is not None:
        await work.flush()
        await personal_data.take_back_messages(work, left.teller, now, left.but)


def _clean(told: Told) -> Told:
    """Return what was filled in without what no person types."""
    text = clean_text(told.text).strip()
    return Told(
        text=text,
        called=told.called,
        name=clean_name(told.name).strip(),
        once=told.once,
        code=told.code,
        choice=told.choice,
    )


async def _read(
    work: UnitOfWork, door: StoryDoor, told: Told, language: Language
) -> tuple[DoorAnswer | None, str, bool]:
    """Return what has to be said before anything is kept, if anything; the words to keep; and whether despair is to be
    answered beside."""
    # Not all of what somebody may send: a book would keep others waiting.
    reading = understand_sentence(told.text[:HEARD_CHARS]) if told.text else None
    is_heard = reading is not None and reading.meaning == CRISIS
    if is_heard and reading is not None and reading.sure and not is_about_others(told.text):
        return DoorAnswer(outcome="despair"), "", False
    problems = _find_problems(told)
    if problems:
        return DoorAnswer(outcome="mend", problems=problems), "", False
    texts = {"text": told.text, **({"name": told.name} if told.called == Called.NAME else {})}
    found = await find_giveaways(work, door.movement_id, texts, language)
    if told.choice == "fine" or not any(found.values()):
        return None, told.text, is_heard
    proposal = propose_texts(texts, found, language)["text"]
    if told.choice == "without" and not found.get("name"):
        return None, proposal, is_heard
    words = dict.fromkeys(one.text for name in texts for one in found[name])
    return DoorAnswer(outcome="words", words=tuple(words)[:MAX_NAMED], proposal=proposal), "", False


def _find_problems(told: Told) -> dict[str, str]:
    problems = {}
    if not has_words(told.text):
        problems["story"] = "missing_story"
    elif len(told.text) > MAX_STORY_CHARS:
        problems["story"] = "long_story"
    if told.called not in tuple(Called):
        problems["called"] = "missing_called"
    elif told.called == Called.NAME and not told.name:
        problems["name"] = "missing_name"
    elif told.called == Called.NAME and len(told.name) > MAX_CALLED_CHARS:
        problems["name"] = "long_name"
    return problems


def _call(told: Told, language: Language, now: datetime) -> str:
    """Return how somebody is called, in the language they read: with their story it stays as it is, like its words."""
    reader = Reader(language=language, timezone="UTC", now=now)
    return wording.render_sentence(DOOR_WORDS, f"called_{told.called}", reader, {"name": told.name})
