"""What a use case is given: who acts, where, when, in which movement."""

from dataclasses import dataclass
from datetime import datetime

from bot.chat import Intent
from bot.domain.delivery import Delivery
from bot.domain.movement import Member, Movement, Place
from bot.domain.person import Language, Person
from bot.errors import Refused, Unwanted


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One intent, with what it is about already loaded. `place` is None in a personal chat."""

    intent: Intent
    now: datetime
    person: Person
    place: Place | None
    movement: Movement | None
    member: Member | None

    @property
    def language(self) -> Language:
        return language_for(self.person, self.place, self.movement)

    @property
    def timezone(self) -> str:
        return timezone_for(self.person, self.place, self.movement)

    def the_movement(self) -> Movement:
        """The movement this happens in; refuses when there is none yet."""
        if self.movement is None:
            raise Refused("no_movement")
        return self.movement

    def as_coordinator(self) -> Movement:
        """The movement, when the actor coordinates it; refuses otherwise."""
        movement = self.the_movement()
        if self.member is None or not self.member.coordinates:
            raise Refused("coordinators_only")
        return movement

    def text(self, name: str) -> str:
        return self.intent.text(name)


def language_for(person: Person | None, place: Place | None, movement: Movement | None) -> Language:
    """The language to use: what the person chose, else the place's, else the movement's, else Dutch."""
    for one in (person, place, movement):
        if one is not None and one.language is not None:
            return one.language
    return Language.NL


def timezone_for(person: Person | None, place: Place | None, movement: Movement | None) -> str:
    """The time zone (IANA name) of whoever reads."""
    if person is not None and person.timezone:
        return person.timezone
    if place is not None:
        return place.timezone
    return movement.timezone if movement is not None else "Europe/Amsterdam"


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A delivery about to be worded, with who and where it is for."""

    delivery: Delivery
    now: datetime
    place: Place | None
    person: Person | None
    movement: Movement | None
    invited_by: Person | None = None
    """Who let Ritme into a place that belongs to no movement yet, and so has no language of its own."""

    def number(self) -> int:
        """How many of its kind these people heard before: picks the next form of words. Asked for, it counts as one."""
        listening = self.person or self.place
        if listening is None:
            return 0
        before = listening.said.get(self.delivery.kind, 0)
        listening.said = {**listening.said, self.delivery.kind: before + 1}
        return before

    def the_movement(self) -> Movement:
        if self.movement is None:
            raise Unwanted("no_movement")
        return self.movement
