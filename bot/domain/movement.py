"""The movement: its people, places and the purpose it reminds itself of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import choice
from typing import NewType

from bot.domain.person import Language, Person, PersonId, WorkspaceId

MovementId = NewType("MovementId", str)
PlaceId = NewType("PlaceId", str)
PurposeId = NewType("PurposeId", str)
InviteCodeId = NewType("InviteCodeId", str)


class Role(StrEnum):
    MEMBER = "member"
    COORDINATOR = "coordinator"


class PlaceState(StrEnum):
    ALIVE = "alive"
    UNREACHABLE = "unreachable"


@dataclass(kw_only=True, eq=False)
class Movement:
    """People, initiatives and places around one shared purpose; may span workspaces."""

    id: MovementId
    name: str
    language: Language
    country: str = "NL"
    good_friday: bool = False
    timezone: str = "Europe/Amsterdam"
    started_at: datetime


@dataclass(kw_only=True, eq=False)
class Place:
    """A channel in one workspace, linked to at most one movement. Local times there are in `timezone`."""

    id: PlaceId
    workspace_id: WorkspaceId
    channel: str
    name: str = ""
    movement_id: MovementId | None = None
    language: Language | None = None
    timezone: str = "Europe/Amsterdam"
    quiet_from: time = time(18)
    quiet_until: time = time(8)
    quiet_weekends: bool = True
    state: PlaceState = PlaceState.ALIVE
    state_reason: str = ""
    said: dict[str, int] = field(default_factory=dict)
    """How often Ritme said something of each kind here, so that it says it in another form the next time."""
    created_at: datetime

    def lose(self, reason: str) -> bool:
        """Nothing can be said here any more; False when that was known. `reason`: a block of
        `errors/reasons.md.j2`."""
        was_alive, self.state, self.state_reason = self.state is PlaceState.ALIVE, PlaceState.UNREACHABLE, reason
        return was_alive

    def come_back(self) -> None:
        self.state, self.state_reason = PlaceState.ALIVE, ""


@dataclass(kw_only=True, eq=False)
class Member:
    """That a person belongs to a movement; one row per person and movement."""

    movement_id: MovementId
    person_id: PersonId
    role: Role = Role.MEMBER
    joined_at: datetime

    @property
    def coordinates(self) -> bool:
        return self.role is Role.COORDINATOR


CODE_LASTS = timedelta(days=7)
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: nothing in it is mistaken for something else when it is read aloud."""
_MISREAD = str.maketrans("OIL", "011")


def new_code() -> str:
    """A code that nobody guesses (sixty bits), in three groups of four."""
    signs = "".join(choice(_SIGNS) for _ in range(12))
    return "-".join((signs[:4], signs[4:8], signs[8:]))


def digest_of(code: str) -> str:
    """How a code is kept, however it was typed: small, spaced, or with an O for a 0."""
    typed = "".join(sign for sign in code.upper().translate(_MISREAD) if sign in _SIGNS)
    return sha256(typed.encode()).hexdigest()


@dataclass(kw_only=True, eq=False)
class InviteCode:
    """A code by which a coordinator of another workspace links a channel to this movement. Only its digest is kept:
    the code itself is shown once."""

    id: InviteCodeId
    movement_id: MovementId
    digest: str
    made_by: PersonId | None
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


@dataclass(kw_only=True, eq=False)
class Segment:
    """A user group of the platform that stands for a group (team, shift, profession) of a movement. Who is in it is
    kept with the people Ritme knows, and of nobody else; `known_at` is when that was last asked, None to ask again."""

    workspace_id: WorkspaceId
    handle: str
    movement_id: MovementId
    name: str
    known_at: datetime | None = None

    def takes_in(self, person: Person) -> None:
        """They are in it: it is their group, unless they have one."""
        if not person.group and "group" not in person.chose:
            person.group = self.name

    def lets_go(self, person: Person) -> None:
        """They are not in it: it is not their group, unless they say so themselves."""
        if person.group == self.name and "group" not in person.chose:
            person.group = ""

    def rename(self, name: str, people: Iterable[Person]) -> None:
        """It is called otherwise, and so is the group of who has it from here."""
        for person in people:
            if person.group == self.name and "group" not in person.chose:
                person.group = name
        self.name = name


PARTS = ("vision", "mission", "identity", "norms", "values")
"""The five parts of a purpose that are one text each; core messages and behaviours are lists."""


@dataclass(kw_only=True, eq=False)
class Purpose:
    """One version of what a movement reminds itself of. Changing words makes a new version; earlier ones stay."""

    id: PurposeId
    movement_id: MovementId
    version: int
    vision: str
    mission: str = ""
    identity: str = ""
    norms: str = ""
    values: str = ""
    core_messages: list[str] = field(default_factory=list)
    behaviours: list[str] = field(default_factory=list)
    written_by: PersonId | None
    written_at: datetime

    def parts(self) -> list[tuple[str, str]]:
        """Everything that can be said, as (key, text): "vision", "core_message:2", "behaviour:0" …"""
        said = [(part, getattr(self, part)) for part in PARTS if getattr(self, part)]
        said += [(f"core_message:{i}", text) for i, text in enumerate(self.core_messages)]
        said += [(f"behaviour:{i}", text) for i, text in enumerate(self.behaviours)]
        return said

    def next_part(self, said_before: list[str]) -> tuple[str, str]:
        """The part whose turn it is. `said_before` holds keys, oldest first; nothing repeats before all is said."""
        parts = self.parts()
        counts = {key: said_before.count(key) for key, _ in parts}
        last = {key: max((i for i, k in enumerate(said_before) if k == key), default=-1) for key, _ in parts}
        return min(parts, key=lambda part: (counts[part[0]], last[part[0]]))


@dataclass(kw_only=True, eq=False)
class PartSaid:
    """That a part of the purpose was said in a place, so that it rotates."""

    place_id: PlaceId
    movement_id: MovementId
    part: str
    said_at: datetime
