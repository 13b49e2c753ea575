"""The movement: its members, places, groups, invite codes, and the purpose it reminds itself of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import choice
from typing import NewType

from bot.domain.asks import MONTH
from bot.domain.person import Language, Person, PersonId, WorkspaceId

MovementId = NewType("MovementId", str)
PlaceId = NewType("PlaceId", str)
PurposeId = NewType("PurposeId", str)
InviteCodeId = NewType("InviteCodeId", str)


class Role(StrEnum):
    """The role of a member; a coordinator keeps rhythms and purpose."""

    MEMBER = "member"
    COORDINATOR = "coordinator"


POSTING_RESTRICTED = "place_closed"
"""The reason of a place where Ritme is, but may not post."""


class PlaceState(StrEnum):
    """The state of a place: whether Ritme can send there."""

    ALIVE = "alive"
    UNREACHABLE = "unreachable"


@dataclass(kw_only=True, eq=False)
class Movement:
    """People, initiatives and places around one shared purpose; may span workspaces."""

    id: MovementId
    name: str
    language: Language
    country: str = "NL"
    """Where it keeps the holidays of: an ISO 3166 code; empty for none."""
    region: str = ""
    """A subdivision with holidays of its own, as `holidays` names it."""
    weekend: str = ""
    """The weekdays of its weekend, a digit each (0 = Monday); empty for those of the country."""
    holidays: list[str] = field(default_factory=list)
    """The holidays on which it does otherwise than most people there; see `Calendar.changed`."""
    timezone: str = "Europe/Amsterdam"
    reach: dict[str, object] = field(default_factory=dict)
    """How far it reached when that was last counted; see `bot.domain.coverage.ReachPicture.dump`."""
    council_agreed_at: datetime | None = None
    """Since when its works council agreed that colleagues are named, where that is asked first."""
    looked_at: datetime | None = None
    """When Ritme last looked by itself how far it reaches."""
    figures: dict[str, object] = field(default_factory=dict)
    """Its figures, as they were last counted for outside; see `bot.domain.figures.Figures.dump`."""
    closed: str = ""
    """Days on which nobody of it works, besides holidays, as `format_stretches` writes them."""
    meaning: str = "triangle"
    """The scale on which tellers say how they meant a story, one of `bot.domain.meaning.SCALES`; empty: not asked."""
    clouds: dict[str, object] = field(default_factory=dict)
    """The clouds of these, by scale, as they were last drawn; see `bot.domain.meaning.Cloud.dump`."""
    spread: dict[str, object] = field(default_factory=dict)
    """How stories spread when that was last counted; see `bot.domain.spread.SpreadMap.dump`."""
    weeks: dict[str, object] = field(default_factory=dict)
    """Its last whole weeks, as they may be told; see `bot.domain.week_figures.SettledWeeks.dump`."""
    started_at: datetime

    def may_name_people(self, works_council: bool) -> bool:
        """Return whether people may be asked who is good at something, or whom they know: in works-council mode only
        once the council agreed."""
        return not works_council or self.council_agreed_at is not None


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
    country: str = ""
    """Where this place keeps the holidays of; empty: those of the movement, with its region and weekend."""
    region: str = ""
    weekend: str = ""
    holidays: list[str] = field(default_factory=list)
    state: PlaceState = PlaceState.ALIVE
    state_reason: str = ""
    lost_at: datetime | None = None
    """Since when it is unreachable, as far as that is known."""
    said: dict[str, int] = field(default_factory=dict)
    """The number of messages of each kind sent here, which picks the variant of the words of the next."""
    created_at: datetime

    def join(self, movement: Movement, timezone: str = "") -> None:
        """Become a place of a movement, in a time zone, or else that of the movement. What it kept in a movement before
        does not count."""
        self.movement_id, self.timezone = movement.id, timezone or movement.timezone
        self.country, self.region, self.weekend, self.holidays = "", "", "", []

    def mark_unreachable(self, reason: str, at: datetime | None = None) -> bool:
        """Record that nothing can be sent here since `at`, because of `reason`, a block of `errors/reasons.md.j2`.
        Returns False when it was unreachable already."""
        was_alive, self.state, self.state_reason = self.state is PlaceState.ALIVE, PlaceState.UNREACHABLE, reason
        self.lost_at = at
        return was_alive

    def mark_reachable(self) -> None:
        """Record that messages can be sent here again."""
        self.state, self.state_reason, self.lost_at = PlaceState.ALIVE, "", None

    def was_lost_by(self, at: datetime | None) -> bool:
        """Return whether what happened here at a moment (None: now) arrives after we are gone."""
        if self.state is PlaceState.ALIVE or at is None or self.lost_at is None:
            return False
        return at <= self.lost_at

    @property
    def revives_when_heard(self) -> bool:
        """True when hearing something from this place shows that it can be reached: we only hear where we are. Where
        posting is restricted we are, and cannot speak."""
        return self.state is PlaceState.UNREACHABLE and self.state_reason != POSTING_RESTRICTED


@dataclass(kw_only=True, eq=False)
class Member:
    """A person's membership of a movement; one row per person and movement."""

    movement_id: MovementId
    person_id: PersonId
    role: Role = Role.MEMBER
    joined_at: datetime
    suggestible: bool | None = None
    """True when colleagues of this movement who look for help may be pointed to them, False when not, None when they
    did not say. Each movement has its own answer."""
    figures: list[str] = field(default_factory=list)
    """As what (values of `KeyFigure`), in their own words: what others named them is never shown."""
    meets: bool | None = None
    """True when they may be brought together with a few others of the movement, who then read their name."""
    suggested: list[str] = field(default_factory=list)
    """When a colleague was shown their name as somebody to invite (ISO 8601), of the last `MONTH`; not to whom."""

    def record_suggestion(self, now: datetime) -> None:
        """Record that a colleague was shown their name as somebody to invite."""
        # A new list: SQLAlchemy does not notice changes within one.
        self.suggested = [*(one.isoformat() for one in self.suggested_since(now - MONTH)), now.isoformat()]

    def suggested_since(self, moment: datetime) -> list[datetime]:
        """List when a colleague was shown their name, after a moment within the last `MONTH`."""
        return [at for at in map(datetime.fromisoformat, self.suggested) if at > moment]

    def agree(self, *figures: str) -> None:
        """Record that they may be suggested, as these key figures too."""
        self.suggestible = True
        # A new list: SQLAlchemy does not notice changes within one.
        self.figures = list(dict.fromkeys([*self.figures, *map(str, figures)]))

    def decline(self) -> None:
        """Record that they do not want to be suggested."""
        self.suggestible, self.figures = False, []

    @property
    def coordinates(self) -> bool:
        return self.role is Role.COORDINATOR


CODE_LASTS = timedelta(days=7)
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32 alphabet: no two signs in it are mistaken for each other."""
_MISREAD = str.maketrans("OIL", "011")


def new_code() -> str:
    """Return a new invite code that nobody guesses (sixty bits), in three groups of four signs."""
    # `choice` is from `secrets`: whoever types a code can link a channel, so it must not be predictable.
    signs = "".join(choice(_SIGNS) for _ in range(12))
    return "-".join((signs[:4], signs[4:8], signs[8:]))


def hash_code(code: str) -> str:
    """Return the SHA-256 digest of an invite code, normalised first: lower case, spaces, or an O for a 0 do no harm."""
    typed = "".join(sign for sign in code.upper().translate(_MISREAD) if sign in _SIGNS)
    return sha256(typed.encode()).hexdigest()


@dataclass(kw_only=True, eq=False)
class InviteCode:
    """A code by which a coordinator of another workspace links a channel to this movement. Only its digest is stored:
    the code itself is shown once."""

    id: InviteCodeId
    movement_id: MovementId
    digest: str
    made_by: PersonId | None
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the code can still be used: neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(kw_only=True, eq=False)
class Segment:
    """A user group of the platform that stands for a group (team, shift, profession) of a movement.

    Membership is stored in `Person.group`, only of people Ritme knows. `known_at` is when the platform was last asked
    for it; None to ask again.
    """

    workspace_id: WorkspaceId
    handle: str
    movement_id: MovementId
    name: str
    known_at: datetime | None = None

    def add_person(self, person: Person) -> None:
        """Make this the group of a person, unless they have one or chose for themselves."""
        if not person.group and "group" not in person.chose:
            person.group = self.name

    def remove_person(self, person: Person) -> None:
        """Take this group away from a person, unless they chose it themselves."""
        if person.group == self.name and "group" not in person.chose:
            person.group = ""

    def rename(self, name: str, people: Iterable[Person]) -> None:
        """Rename the group, also with the `people` who have it from here."""
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
        """List the parts that are filled in, as (key, text): "vision", "core_message:2", "behaviour:0" …"""
        parts = [(part, getattr(self, part)) for part in PARTS if getattr(self, part)]
        parts += [(f"core_message:{i}", text) for i, text in enumerate(self.core_messages)]
        parts += [(f"behaviour:{i}", text) for i, text in enumerate(self.behaviours)]
        return parts

    def next_part(self, said_before: list[str]) -> tuple[str, str]:
        """Return the part whose turn it is, as (key, text): one never said, else the one said longest ago, so that
        nothing repeats before all was said. `said_before` holds keys, oldest first."""
        last = {key: number for number, key in enumerate(said_before)}
        return min(self.parts(), key=lambda part: last.get(part[0], -1))


PARTS_REMEMBERED = 200
"""How often back it is known which part of the purpose was said in a place: more than a purpose has parts."""


@dataclass(kw_only=True, eq=False)
class PartSaid:
    """The record that a part of the purpose was said in a place, for `Purpose.next_part`."""

    place_id: PlaceId
    movement_id: MovementId
    part: str
    said_at: datetime
