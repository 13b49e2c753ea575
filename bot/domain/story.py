"""Micro-stories, what they set in motion, and where they may be read."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from bot.domain.delivery import DeliveryId
from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import Person, PersonId, StoryChoice, WorkspaceId

StoryId = NewType("StoryId", str)
StoryRequestId = NewType("StoryRequestId", str)

LONGEST_STORY = 1500
"""Characters that fit the form."""
MOST_FILES = 5
LONGEST_REPLY = 4000
"""A reply in a thread is kept whole up to here; of a longer one the beginning, cut at a word."""


SHOWN = 600
"""Characters of a story in a message of its own; the rest is read at a button."""
SHOWN_AMONG = 280
"""And in a message that holds more."""


class Dimension(StrEnum):
    BROADEN = "broaden"
    DEEPEN = "deepen"
    STEER = "steer"


class Readers(StrEnum):
    """Who may read a story. THREAD: only where it was told: a thread, a place, or (in a personal chat) the teller."""

    THREAD = "thread"
    MOVEMENT = "movement"
    EVERYONE = "everyone"


READ_BY = {None: Readers.THREAD, StoryChoice.HERE: Readers.THREAD, StoryChoice.MOVEMENT: Readers.MOVEMENT}
"""Who may read what is told in a message, by what its teller chose before."""
LAPSES_AFTER = timedelta(days=7)
"""How long the words of someone who was asked wait for their answer."""


@dataclass(kw_only=True, eq=False)
class Story:
    """A few sentences about something that happened, in the teller's own words.

    `thread` and `message` say where it was told; `message` is None when it came through the form.
    """

    id: StoryId
    movement_id: MovementId
    place_id: PlaceId | None
    thread: str | None = None
    message: str | None = None
    teller_id: PersonId
    text: str
    named: bool = True
    readers: Readers = Readers.THREAD
    initiative_id: InitiativeId | None = None
    dimension: Dimension | None = None
    part: str = ""
    told_at: datetime
    withdrawn_at: datetime | None = None
    harvested_at: datetime | None = None

    @property
    def is_told(self) -> bool:
        return self.withdrawn_at is None

    def may_travel(self) -> bool:
        """Whether it may be carried beyond the thread it was told in."""
        return self.is_told and self.readers is not Readers.THREAD

    def is_readable(self, here: PlaceId | None) -> bool:
        """Whether who is `here` (None: in their own chat) may read it."""
        return self.may_travel() or (self.is_told and here is not None and self.place_id == here)

    def credit(self, teller: Person | None, workspace: WorkspaceId) -> str:
        """The name it is told under in a workspace; empty when nameless there, or when the teller was forgotten."""
        return teller.name_in(workspace) if self.named and teller is not None and teller.account is not None else ""

    def withdraw(self, now: datetime) -> None:
        """Takes it back for good: of the words nothing is kept."""
        self.withdrawn_at, self.text = now, ""

    def tell_again(self, text: str, readers: Readers, now: datetime) -> None:
        """Its teller wants it kept after all."""
        self.withdrawn_at, self.text, self.readers, self.told_at = None, text, readers, now


@dataclass(kw_only=True, eq=False)
class StoryRequest:
    """That someone would like another's message to be kept as a story, while its author has not said yet whether it
    may. Of a no, and of what nobody answered, the words do not stay."""

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
        self.answered_at, self.text = now, ""


@dataclass(kw_only=True, eq=False)
class Retelling:
    """That a story stands in a message of ours (its first post, a shared copy, a harvest, a reminder), so that an edit
    or a withdrawal reaches it there."""

    story_id: StoryId
    delivery_id: DeliveryId
    movement_id: MovementId


@dataclass(kw_only=True, eq=False)
class Ripple:
    """That a story moved someone: "I do this too". One per person and story, wherever they read it.

    `reactions` are those it came by, as "place:message:name"; `pressed` that they said so with the button. A ripple
    lasts as long as one of the two.
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


def ripple_is_told(count: int) -> bool:
    """The teller hears of the first ripple and of every fifth."""
    return count == 1 or (count > 0 and count % 5 == 0)


_EMOJI_NAME = re.compile(r":[a-z0-9_+'-]+:")


def tells_something(text: str) -> bool:
    """Whether there is a word in it; a lone emoji or punctuation mark is no story."""
    return any(character.isalnum() for character in _EMOJI_NAME.sub("", text))


def told(text: str, files: Iterable[str] = ()) -> str:
    """What someone told, the names of the files they added below it. Files alone tell nothing."""
    names = ", ".join(list(files)[:MOST_FILES])
    return f"{text}\n📎 {names}" if names and tells_something(text) else text


def beginning(text: str, most: int = LONGEST_REPLY) -> str:
    """`text` as it is, or its beginning up to a word, ending in an ellipsis, when longer than `most` characters."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    return (re.sub(r"\s+\S*$", "", cut) or cut) + "…"
