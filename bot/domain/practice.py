"""Small behaviours that people say they do too, and from how many on the others hear of it: never of whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId

MIN_PLACES = 2
"""Places from which on their number is told."""
SAME_PRESS = timedelta(minutes=1)
"""A second press within this time is the first one, made twice; a later one takes it back."""


@dataclass(frozen=True)
class Practised:
    """How many people of a movement do something, in how many places; 0 where that would give somebody away."""

    people: int = 0
    places: int = 0


@dataclass(kw_only=True, eq=False)
class Practice:
    """The record that somebody does a small behaviour too. One per person and behaviour of a movement; `place_id` is
    where they said so, None for a personal chat."""

    movement_id: MovementId
    behaviour: str
    person_id: PersonId
    place_id: PlaceId | None
    at: datetime

    def is_same_press(self, now: datetime) -> bool:
        """Return whether a press now is the one that made this record, made twice."""
        return now - self.at < SAME_PRESS


def behaviour_mark(text: str) -> str:
    """Return by what a behaviour is known: its words. With other words it is another one."""
    return sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:16]


def tell_how_many(people: int, places: int) -> Practised:
    """Return what may be told of how many do something: nothing below five, and no places below two."""
    if people < MIN_GROUP_SIZE:
        return Practised()
    return Practised(people=people, places=places if places >= MIN_PLACES else 0)
