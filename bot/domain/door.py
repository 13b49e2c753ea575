"""The door by which people without an account tell a story: for an initiative and a time; and what comes through it.

A story waits behind the door until somebody of the movement let it in. Nothing of its teller is kept but the words, how
they want to be called, and the digest of a code by which they take it back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NewType

from bot.domain.ids import new_id
from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import PersonId
from bot.domain.story import StoryId

StoryDoorId = NewType("StoryDoorId", str)
DoorStoryId = NewType("DoorStoryId", str)

DOOR_TOLD = "door_told"
"""The kind of the message that somebody told something at a door."""
DOOR_CARD = "door_card"
"""The kind of the message with the card of a door."""
MAX_QUESTION_CHARS = 200
MAX_CALLED_CHARS = 30
"""Characters of the name by which somebody wants to be called."""
USUALLY_OPEN, LONGEST_OPEN = timedelta(days=28), timedelta(days=92)
HOUR = timedelta(hours=1)
PER_HOUR = 20
"""Stories that one door takes within an hour."""
ALL_PER_HOUR = 300
"""Stories that all doors together take within an hour."""
CHANGES_PER_HOUR = 5
"""Changes of one story within an hour; each counts as a story of its door, too."""
UNREAD_FOR = timedelta(days=30)
"""How long a story waits for somebody who reads it; then its words are erased."""
TELL_AGAIN_AFTER = timedelta(days=7)
"""A story that comes so long after the last message about others that wait is told of in a message of its own."""


class Called(StrEnum):
    """The way somebody without an account wants to be called: not at all, by a first name, or as a neighbour."""

    NOBODY = "nobody"
    NAME = "name"
    NEIGHBOUR = "neighbour"


class DoorState(StrEnum):
    """The state of a story told at a door: it waits, was let in or not, was taken back, or nobody read it in time."""

    WAITING = "waiting"
    LET_IN = "let_in"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"
    UNREAD = "unread"


def hash_press(door: StoryDoorId, once: str, *filled: str) -> str:
    """Return under what it is stored that a page was sent with what was filled in: sent again, it is known. Without the
    mark of the page, which is stored nowhere, the words cannot be guessed from it."""
    return sha256("\0".join(("door press", door, once, *filled)).encode()).hexdigest()


def digest_words(text: str, called: str) -> str:
    """Return by what it is known which words somebody saw when they decided about them."""
    return sha256(f"door words:{called}\0{text}".encode()).hexdigest()[:16]


def hash_door_code(door: StoryDoorId, code: str) -> str:
    """Return under what the code of a story is stored, however it was typed."""
    letters = "".join(one for one in code.upper() if one.isalnum()).replace("0", "O").replace("1", "I")
    return sha256(f"door code:{door}:{letters.replace('8', 'B')}".encode()).hexdigest()


@dataclass(kw_only=True, eq=False)
class StoryDoor:
    """A door that a coordinator opened: for an initiative, until a moment, with the question that is asked there."""

    id: StoryDoorId
    movement_id: MovementId
    initiative_id: InitiativeId
    question: str
    opened_by: PersonId | None
    opened_at: datetime
    ends_at: datetime
    closed_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Return whether stories are taken now."""
        return self.closed_at is None and now < self.ends_at

    def close(self, now: datetime) -> None:
        """Close it; it stays closed."""
        self.closed_at = self.closed_at or now


@dataclass(kw_only=True, eq=False)
class DoorStory:
    """A text that somebody told at a door. `called` is how they want to be called; `press` and `code` are digests.

    Its words are here while it waits. Let in they are those of the story `story_id`; in any other end they are erased
    with how they want to be called, at `ended_at`. `changes` were made without an hour of rest, the last at
    `changed_at`.
    """

    id: DoorStoryId
    door_id: StoryDoorId
    movement_id: MovementId
    press: str
    code: str
    text: str
    called: str
    told_at: datetime
    state: DoorState = DoorState.WAITING
    story_id: StoryId | None = None
    ended_at: datetime | None = None
    changed_at: datetime | None = None
    changes: int = 0

    @classmethod
    def tell(cls, door: StoryDoor, press: str, code: str, text: str, called: str, now: datetime) -> "DoorStory":
        """Make what is told at a door now."""
        return cls(
            id=DoorStoryId(new_id()),
            door_id=door.id,
            movement_id=door.movement_id,
            press=press,
            code=code,
            text=text,
            called=called,
            told_at=now,
        )

    @property
    def waits(self) -> bool:
        """True while nobody decided about it."""
        return self.state is DoorState.WAITING

    def let_in(self, story: StoryId) -> None:
        """Record that it became a story: its words are there now."""
        self.state, self.story_id, self.text = DoorState.LET_IN, story, ""

    def count_changes(self, now: datetime) -> int:
        """Return how often it was changed without an hour of rest since."""
        return self.changes if self.changed_at is not None and self.changed_at > now - HOUR else 0

    def tell_again(self, text: str, called: str, now: datetime) -> None:
        """Replace its words: it waits for who reads them, again."""
        self.changes, self.changed_at = self.count_changes(now) + 1, now
        self.state, self.text, self.called = DoorState.WAITING, text, called

    def end(self, state: DoorState, now: datetime) -> None:
        """End it without becoming a story, or being one any more, and erase its words and how its teller is called."""
        self.state, self.text, self.called, self.ended_at = state, "", "", now
