"""Stories, their ripples and retellings, the requests to keep one, and the rules of who may read them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NewType

from bot.domain.delivery import DeliveryId
from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import Person, PersonId, StoryChoice, WorkspaceId

StoryId = NewType("StoryId", str)
StoryRequestId = NewType("StoryRequestId", str)

MAX_STORY_CHARS = 1500
"""Characters of a story told in the form."""
MAX_FILES = 5
"""Names of attached files that are listed below a story."""
MAX_REPLY_CHARS = 4000
"""Characters of a reply in a thread that are kept; a longer one is truncated."""
EXCERPT_CHARS = 600
"""Characters of a story in a message of its own; a button shows the whole of it."""
SHORT_EXCERPT_CHARS = 280
"""Characters of a story in a message that holds more."""
TRIANGLE = "triangle"
"""The scale whose corners are the dimensions."""
MEANING_ASKED = "asked"
"""How a story was meant of which the teller was asked that, and did not say: they are not asked again."""
NO_PART = "none"
"""The part of the purpose that a story shows when its teller says that it shows none."""


def deletion_mark(place: PlaceId, message: str) -> str:
    """Return the key under which it is noted that a message was deleted before it arrived; it tells nothing of it."""
    return sha256(f"gone:{place}:{message}".encode()).hexdigest()


class Dimension(StrEnum):
    """A way in which a movement grows: more people, new knowledge and ways of doing, or choices that give direction."""

    BROADEN = "broaden"
    DEEPEN = "deepen"
    STEER = "steer"


class Readers(StrEnum):
    """The people who may read a story. THREAD: only those where it was told: a thread, a place, or (in a personal chat)
    the teller."""

    THREAD = "thread"
    MOVEMENT = "movement"
    EVERYONE = "everyone"


READERS_BY_CHOICE = {None: Readers.THREAD, StoryChoice.HERE: Readers.THREAD, StoryChoice.MOVEMENT: Readers.MOVEMENT}
"""The readers of a story told in a message, by its teller's standing choice."""
REQUEST_TTL = timedelta(days=7)
"""How long a request to keep a message as a story waits for its author's answer."""


STORY_NEWS_TTL = timedelta(days=14)
"""How long news for a teller may wait for room in their attention budget: a ripple, or a first share elsewhere."""


@dataclass(kw_only=True, eq=False)
class Story:
    """A few sentences about something that happened, in the teller's own words.

    `thread` and `message` say where it was told; `message` is None when it came through the form or a command, `thread`
    then the one that this was typed in or began. `deleted`: it was withdrawn because that message was deleted, and
    comes back when the message does. `part` is the key of the part of the purpose that it shows (see `Purpose.parts`),
    or `NO_PART`; empty when nobody said so: then its words tell. `called` is how its teller wants to be called, of a
    story told by somebody without an account (see `bot.domain.door`): then `teller_id` is a row of nobody.
    """

    id: StoryId
    movement_id: MovementId
    place_id: PlaceId | None
    thread: str | None = None
    message: str | None = None
    teller_id: PersonId
    text: str
    named: bool = True
    called: str = ""
    readers: Readers = Readers.THREAD
    initiative_id: InitiativeId | None = None
    dimension: Dimension | None = None
    part: str = ""
    told_at: datetime
    withdrawn_at: datetime | None = None
    harvested_at: datetime | None = None
    deleted: bool = False
    meant: str = ""
    """How its teller meant it (see `join_meaning`), or `MEANING_ASKED`; empty when they were not asked."""
    meant_at: datetime | None = None

    @property
    def is_told(self) -> bool:
        return self.withdrawn_at is None

    @property
    def may_travel(self) -> bool:
        """True when it may be shown beyond the thread it was told in."""
        return self.is_told and self.readers is not Readers.THREAD

    def is_readable(self, here: PlaceId | None) -> bool:
        """Return whether it may be read by someone in the place `here` (None: in their personal chat)."""
        return self.may_travel or (self.is_told and here is not None and self.place_id == here)

    @property
    def is_reply(self) -> bool:
        """True when it was told in a thread, under somebody else's message."""
        return self.message is not None and self.thread is not None and self.thread != self.message

    def credit(self, teller: Person | None, workspace: WorkspaceId) -> str:
        """Return the name to show with it in a workspace; empty when told without one, or the teller was forgotten."""
        if self.called:
            return self.called
        return teller.name_in(workspace) if self.named and teller is not None and teller.account is not None else ""

    def withdraw(self, now: datetime) -> None:
        """Withdraw the story, and erase its words, how they were meant, and how its teller wanted to be called."""
        self.withdrawn_at, self.text, self.called = now, "", ""
        self.forget_meaning()
        self.meant = ""

    def ask_meaning(self, scale: str) -> str:
        """Return the scale on which to ask its teller how they meant it, and record that they were asked. Empty where
        they were before, said so when they told it, or keep it to those where it was told."""
        said = self.dimension is not None and scale == TRIANGLE
        if self.meant or said or not scale or not self.may_travel:
            return ""
        self.meant = MEANING_ASKED
        return scale

    def forget_meaning(self) -> None:
        """Keep no more how it was meant; its teller is not asked again."""
        self.meant, self.meant_at = MEANING_ASKED, None

    def tell_again(self, text: str, readers: Readers, now: datetime) -> None:
        """Restore a withdrawn story, with new words and readers, because its teller wants it kept after all."""
        self.withdrawn_at, self.text, self.readers, self.told_at, self.deleted = None, text, readers, now, False


@dataclass(kw_only=True, eq=False)
class StoryRequest:
    """A request to keep someone else's message as a story, if its author agrees.

    `text` holds the message until the author answers or the request lapses; then it is erased.
    """

    id: StoryRequestId
    movement_id: MovementId
    place_id: PlaceId
    message: str
    thread: str | None = None
    author_id: PersonId
    asked_by_id: PersonId
    text: str
    asked_at: datetime
    answered_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.answered_at is None

    def answer(self, now: datetime) -> None:
        """Close the request and erase its text."""
        self.answered_at, self.text = now, ""


@dataclass(kw_only=True, eq=False)
class Retelling:
    """The record that a message of ours holds a story (its first post, a shared copy, a harvest, a reminder), so that
    an edit or a withdrawal reaches it there."""

    story_id: StoryId
    delivery_id: DeliveryId
    movement_id: MovementId


@dataclass(kw_only=True, eq=False)
class Ripple:
    """The record that a story moved someone: "I do this too". One per person and story, wherever they read it.

    `reactions` are their reactions to it, as "place:message:name"; `pressed` says that they pressed the button. A
    ripple lasts as long as one of the two is there.
    """

    story_id: StoryId
    movement_id: MovementId
    person_id: PersonId
    place_id: PlaceId | None
    at: datetime
    pressed: bool = False
    reactions: list[str] = field(default_factory=list)

    @property
    def lasts(self) -> bool:
        return self.pressed or bool(self.reactions)


def should_announce_ripple(count: int) -> bool:
    """Return whether the teller gets a message at this number of ripples: at the first and at every fifth."""
    return count == 1 or (count > 0 and count % 5 == 0)


_EMOJI_NAME = re.compile(r":[a-z0-9_+'-]+:")


def has_words(text: str) -> bool:
    """Return whether a text has words: letters or digits outside emoji names. A lone emoji is no story."""
    return any(character.isalnum() for character in _EMOJI_NAME.sub("", text))


def with_file_names(text: str, files: Iterable[str] = ()) -> str:
    """Return a text with the names of its attached files below it; without words the text as it is."""
    names = ", ".join(list(files)[:MAX_FILES])
    return f"{text}\n📎 {names}" if names and has_words(text) else text


def truncate(text: str, most: int = MAX_REPLY_CHARS) -> str:
    """Return `text`, cut after a word and ending in an ellipsis when it is longer than `most` characters.

    Line breaks stay; `shorten` of `bot.wording` puts everything on one line.
    """
    if len(text) <= most:
        return text
    cut = text[: most - 1]  # room for the ellipsis
    return (re.sub(r"\s+\S*$", "", cut) or cut) + "…"
