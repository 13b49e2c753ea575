"""Initiatives, the stuck episodes that belong to them, and the company that peers keep in those."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId

InitiativeId = NewType("InitiativeId", str)
EpisodeId = NewType("EpisodeId", str)
CompanyId = NewType("CompanyId", str)

STUCK_BEFORE_COMPANY = 2
"""After so many "still stuck" to the follow-up of a step, company is offered."""
MAX_STUCK_CHARS = 1500
MAX_OPEN_EPISODES = 50
"""Open episodes of one person that are looked at, the latest first."""
COMPANY_HOURS = 48
"""How long peers have to answer."""
COMPANY_SIZE = 2
"""Peers asked in a round."""


@dataclass(kw_only=True, eq=False)
class Initiative:
    """One local attempt inside the movement."""

    id: InitiativeId
    movement_id: MovementId
    name: str
    description: str = ""
    place_id: PlaceId | None = None
    started_by: PersonId | None
    started_at: datetime
    closed_at: datetime | None = None
    seeks_since: datetime | None = None
    """Since when those who take part (or the coordinators) are asked who carries it: its initiators are gone."""
    silence_asked_at: datetime | None = None
    """When somebody was last asked, or said, how it goes on with it after a silence."""
    rests_since: datetime | None = None
    """Since when it rests, as who carries it said; until something happens in it."""

    def go_on(self, now: datetime) -> None:
        """Record that it goes on."""
        self.rests_since, self.silence_asked_at = None, now

    def rest(self, now: datetime) -> None:
        """Record that it rests."""
        self.rests_since = self.silence_asked_at = now

    def reopen(self, now: datetime) -> None:
        """Open it again; whether it is carried is looked at anew."""
        self.closed_at = self.seeks_since = None
        self.go_on(now)


@dataclass(kw_only=True, eq=False)
class Participant:
    """A person's part in an initiative; an `initiator` carries it. `left_at` is None while they take part."""

    initiative_id: InitiativeId
    movement_id: MovementId
    person_id: PersonId
    initiator: bool = False
    joined_at: datetime
    left_at: datetime | None = None


class StuckKind(StrEnum):
    """The kind of being stuck, by which questions and suggestions are chosen."""

    REACH = "reach"
    OPPOSITION = "opposition"
    KNOW_HOW = "know_how"
    ENERGY = "energy"
    RULES = "rules"
    OTHER = "other"


class Audience(StrEnum):
    """The people who may see that someone is stuck: everyone in the channel, chosen helpers, or nobody else."""

    CHANNEL = "channel"
    HELPERS = "helpers"
    ME = "me"


class EpisodeState(StrEnum):
    """The state of a stuck episode: open, or one of its two endings."""

    OPEN = "open"
    BREAKTHROUGH = "breakthrough"
    LET_GO = "let_go"


@dataclass(kw_only=True, eq=False)
class StuckEpisode:
    """A spell of not knowing how to go on. It ends as a breakthrough or is let go; never counted against anyone."""

    id: EpisodeId
    movement_id: MovementId
    initiative_id: InitiativeId | None
    person_id: PersonId
    place_id: PlaceId | None
    thread: str | None = None
    text: str
    kind: StuckKind = StuckKind.OTHER
    audience: Audience = Audience.ME
    helpers: list[str] = field(default_factory=list)
    state: EpisodeState = EpisodeState.OPEN
    still_stuck: int = 0
    opened_at: datetime
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is EpisodeState.OPEN

    def is_meant_for(self, audience: Audience, place: PlaceId | None, helpers: Collection[str]) -> bool:
        """Return whether exactly these people may read it: everyone in a place, these helpers, or nobody else."""
        if self.audience is not audience:
            return False
        if audience is Audience.CHANNEL:
            return self.place_id == place
        return set(self.helpers) == set(helpers)

    def split(
        self, other: EpisodeId, texts: tuple[str, str], kinds: tuple[StuckKind, StuckKind], now: datetime
    ) -> "StuckEpisode":
        """Keep the first text, and return another episode for the second, for the same readers. Steps, questions and
        answers stay with this one: that is where they came from."""
        (self.text, text), (self.kind, kind) = texts, kinds
        return replace(self, id=other, text=text, kind=kind, helpers=list(self.helpers), still_stuck=0, opened_at=now)

    def still_stuck_again(self) -> bool:
        """Count one more "still stuck"; True when it is time for company."""
        self.still_stuck += 1
        return self.still_stuck >= STUCK_BEFORE_COMPANY

    def break_through(self, now: datetime) -> None:
        """Close as a breakthrough."""
        self.state, self.closed_at = EpisodeState.BREAKTHROUGH, now

    def let_go(self, now: datetime) -> None:
        """Close without a breakthrough."""
        self.state, self.closed_at = EpisodeState.LET_GO, now


class AskedBefore(NamedTuple):
    """Tells how many rounds of questions somebody was asked, and which about the same, oldest first."""

    rounds: int
    questions: Sequence[str]


class CompanyState(StrEnum):
    """The answer of a peer who was asked to think along."""

    ASKED = "asked"
    GIVEN = "given"
    DECLINED = "declined"


@dataclass(kw_only=True, eq=False)
class Company:
    """One peer who was asked to think along, and what they gave: one question and one idea.

    Answers of one `round` are shown together. `picked`: chosen by the person who is stuck, not by Ritme.
    """

    id: CompanyId
    movement_id: MovementId
    episode_id: EpisodeId
    person_id: PersonId
    round: int = 1
    picked: bool = False
    state: CompanyState = CompanyState.ASKED
    question: str = ""
    idea: str = ""
    asked_at: datetime
    answered_at: datetime | None = None

    def give(self, question: str, idea: str, now: datetime) -> None:
        """Record a peer's question and idea."""
        self.state, self.question, self.idea, self.answered_at = CompanyState.GIVEN, question, idea, now

    def decline(self, now: datetime) -> None:
        """Record that a peer cannot think along now."""
        self.state, self.answered_at = CompanyState.DECLINED, now
