"""Micro-stories, what they set in motion, and where they may be read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId

StoryId = NewType("StoryId", str)

LONGEST_STORY = 1500


class Dimension(StrEnum):
    BROADEN = "broaden"
    DEEPEN = "deepen"
    STEER = "steer"


class Readers(StrEnum):
    """Who may read a story."""

    THREAD = "thread"
    MOVEMENT = "movement"
    EVERYONE = "everyone"


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


@dataclass(kw_only=True, eq=False)
class Ripple:
    """That a story moved someone: "I do this too". One per person and story, wherever they read it."""

    story_id: StoryId
    movement_id: MovementId
    person_id: PersonId
    place_id: PlaceId | None
    at: datetime


def ripple_is_told(count: int) -> bool:
    """The teller hears of the first ripple and of every fifth."""
    return count == 1 or (count > 0 and count % 5 == 0)
