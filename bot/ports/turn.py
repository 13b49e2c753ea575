"""The input of use cases (who acts, where, when, in which movement) and of composers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from bot.chat import DEFAULT_SYNTAX, CommandSyntax, Intent
from bot.domain.delivery import Delivery
from bot.domain.movement import Member, Movement, Place
from bot.domain.network_question import NetworkAdvice
from bot.domain.person import KEEP_CLOSED, Language, Person, Workspace
from bot.errors import Refused, Unwanted


class Vault(Protocol):
    """Encrypts secrets while they are stored."""

    @property
    def lasting(self) -> bool:
        """Return whether what it seals may be kept; else it can be opened for a day or so."""

    def seal(self, secret: str) -> str:
        """Return a secret as it is stored."""

    def reveal(self, sealed: str) -> str | None:
        """Return a secret from its stored form; None when no key fits."""


class Context(NamedTuple):
    """Holds what is known of who acts and where before a turn; None for what is not."""

    workspace: Workspace | None = None
    person: Person | None = None
    place: Place | None = None
    movement: Movement | None = None
    member: Member | None = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One intent with its context already loaded. `place` is None in a personal chat; `syntax` is how commands are
    typed on the platform of who acts."""

    intent: Intent
    now: datetime
    person: Person
    place: Place | None
    movement: Movement | None
    member: Member | None
    syntax: CommandSyntax = DEFAULT_SYNTAX
    keeps_closed: timedelta = KEEP_CLOSED
    """How long what people told of closed matters is kept."""
    works_council: bool = False
    """True in works-council mode: nobody is named or asked whom they know before the council agreed."""
    feeds_url: str = ""
    """The address below which calendars are served; empty where nobody reaches us."""
    api_url: str = ""
    """The address of what programs outside read; empty where nobody reaches us."""
    vault: Vault | None = None
    """Encrypts what is shown once while it waits to be sent; None where there is nothing to do so with."""
    advice: NetworkAdvice | None = None
    """The answer of the movement's network, once the use case asked for it; see `NeedsNetwork`."""
    computed: bytes | None = None
    """The bytes that the use case asked for; see `NeedsComputing`."""

    @property
    def lasting_vault(self) -> Vault | None:
        """Return what encrypts secrets that are kept; None where there is no key that lasts."""
        return self.vault if self.vault is not None and self.vault.lasting else None

    @property
    def language(self) -> Language:
        return language_for(self.person, self.place, self.movement)

    @property
    def timezone(self) -> str:
        return timezone_for(self.person, self.place, self.movement)

    def require_movement(self) -> Movement:
        """Return the movement this happens in. Raises `Refused` when there is none yet."""
        if self.movement is None:
            raise Refused("no_movement")
        return self.movement

    def require_coordinator(self) -> Movement:
        """Return the movement this happens in. Raises `Refused` when there is none, or the actor does not coordinate
        it."""
        movement = self.require_movement()
        if self.member is None or not self.member.coordinates:
            raise Refused("coordinators_only")
        return movement

    def require_council(self) -> Movement:
        """Return the movement this happens in. Raises `Refused` where its works council has to agree first that
        colleagues are named."""
        movement = self.require_movement()
        if not movement.may_name_people(self.works_council):
            raise Refused("council_first")
        return movement

    def text(self, name: str) -> str:
        """Return the trimmed text of one argument of the intent; see `Intent.text`."""
        return self.intent.text(name)


def language_for(person: Person | None, place: Place | None, movement: Movement | None) -> Language:
    """Return the language of what `person` reads alone: their own (`Person.follow_language`), when it is known; without
    a person, of what everyone in a place reads. Else it is the place's, the movement's, or Dutch."""
    for owner in (person, place, movement):
        if owner is not None and owner.language is not None:
            return owner.language
    return Language.NL


def timezone_for(person: Person | None, place: Place | None, movement: Movement | None) -> str:
    """Return the time zone (IANA name) of the reader: the person's, else the place's, else the movement's."""
    if person is not None and person.timezone:
        return person.timezone
    if place is not None:
        return place.timezone
    return movement.timezone if movement is not None else "Europe/Amsterdam"


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """The input of a composer: a delivery about to be worded, with the place, person and movement it is for."""

    delivery: Delivery
    now: datetime
    place: Place | None
    person: Person | None
    movement: Movement | None
    invited_by: Person | None = None
    """The person who added Ritme to a place of no movement yet: it has no language of its own, so theirs is used."""
    syntax: CommandSyntax = DEFAULT_SYNTAX
    works_council: bool = False
    """True in works-council mode."""
    vault: Vault | None = None
    """Opens what was sealed in the delivery."""

    def next_number(self) -> int:
        """Return how many messages of this kind its audience got before, and count this one. It picks the variant of
        the words."""
        audience = self.person or self.place
        if audience is None:
            return 0
        before = audience.said.get(self.delivery.kind, 0)
        # A new dict: SQLAlchemy does not notice changes within one.
        audience.said = {**audience.said, self.delivery.kind: before + 1}
        return before

    def require_movement(self) -> Movement:
        """Return the movement. Raises `Unwanted` when there is none any more."""
        if self.movement is None:
            raise Unwanted("no_movement")
        return self.movement

    def require_council(self) -> Movement:
        """Return the movement. Raises `Unwanted` where its works council has to agree first that colleagues are
        named."""
        movement = self.require_movement()
        if not movement.may_name_people(self.works_council):
            raise Unwanted("council_first")
        return movement
