"""People, the workspace they belong to, and what they chose about themselves."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NewType

WorkspaceId = NewType("WorkspaceId", str)
PersonId = NewType("PersonId", str)

KEPT_AFTER_REMOVAL = timedelta(days=30)
"""How long what a workspace entrusted to Ritme is kept after Ritme was removed there: installed again, it goes on."""
ERASED = "erased"
"""Why nothing can be sent to a workspace of which nothing was kept."""
UNANSWERED_BEFORE_QUIET = 3
"""Three personal messages in a row without any answer: Ritme goes quiet and says so once."""


class Language(StrEnum):
    NL = "nl"
    EN = "en"

    @classmethod
    def meant(cls, hint: str | None, otherwise: "Language") -> "Language":
        """The language a locale such as "nl-NL" means to us, or `otherwise` when we do not speak it."""
        code = (hint or "").replace("_", "-").partition("-")[0].lower()
        return next((language for language in cls if language == code), otherwise)


class StoryChoice(StrEnum):
    """Where a person's thread replies may be read: kept for the movement, or only in that thread."""

    MOVEMENT = "movement"
    HERE = "here"
    FORGET = "forget"


@dataclass(kw_only=True, eq=False)
class Workspace:
    """A Slack workspace, a Teams tenant or the playground: owns people, places and credentials."""

    id: WorkspaceId
    name: str = ""
    held_until: datetime | None = None
    gone_at: datetime | None = None
    """Since when Ritme may not speak there any more: removed, or its access taken back."""
    gone_reason: str = ""
    """A block of `errors/reasons.md.j2`."""

    def refuses(self, reason: str, now: datetime) -> None:
        """The platform lets Ritme in no more: what is for here waits until it does."""
        if self.gone_at is None:
            self.gone_at, self.gone_reason = now, reason

    def lets_in(self) -> None:
        self.gone_at, self.gone_reason = None, ""


@dataclass(kw_only=True, eq=False)
class Person:
    """Someone Ritme talks with. `account` is None once they were forgotten: then nothing else of them is left."""

    id: PersonId
    workspace_id: WorkspaceId
    account: str | None
    name: str = ""
    language: Language | None = None
    timezone: str | None = None
    group: str = ""
    quiet_from: time | None = None
    quiet_until: time | None = None
    quiet_weekends: bool | None = None
    suggestible: bool | None = None
    story_choice: StoryChoice | None = None
    story_named: bool = True
    named_beyond: bool = False
    """Whether their name may stand beside their story in other workspaces of the movement too."""
    guest: bool = False
    """Someone their platform lets in for a part only: may take part, is never suggested and never nudged."""
    deactivated_at: datetime | None = None
    """Since when their platform says this account is no longer used."""
    chose: list[str] = field(default_factory=list)
    """Which of "language", "timezone" and "group" they set themselves: no platform changes those."""
    snoozed_until: datetime | None = None
    stopped_at: datetime | None = None
    unanswered: int = 0
    went_quiet_at: datetime | None = None
    home_mark: str | None = None
    """Which movement their home page shows, and a digest of what it shows of it; None when they never opened it."""
    said: dict[str, int] = field(default_factory=dict)
    """How often Ritme said something of each kind to them, so that it says it in another form the next time."""
    created_at: datetime

    def name_in(self, workspace: WorkspaceId) -> str:
        """What they are called there: in other workspaces of a movement their name only when they agreed to that."""
        return self.name if self.may_be_named_in(workspace) else ""

    def may_be_named_in(self, workspace: WorkspaceId) -> bool:
        return self.workspace_id == workspace or self.named_beyond

    @property
    def home_movement(self) -> str:
        """The movement their home page shows; empty when it shows none yet."""
        return (self.home_mark or "").partition(":")[0]

    def opened_home(self, *, blank: bool) -> None:
        """They see their home page. On a `blank` one nothing of what was shown before stands any more."""
        if blank or self.home_mark is None:
            self.turn_home(self.home_movement)

    def turn_home(self, movement: str) -> None:
        """From now on their home page shows this movement."""
        self.home_mark = f"{movement}:"

    def answered(self) -> None:
        """Whatever they do with Ritme counts as an answer; quiet ends by itself."""
        if self.unanswered or self.went_quiet_at is not None:
            self.unanswered, self.went_quiet_at = 0, None

    def nudged(self) -> None:
        self.unanswered += 1

    def wants_nothing(self, now: datetime) -> str | None:
        """Why nothing should be sent to this person now, or None."""
        if self.account is None:
            return "forgotten"
        if self.deactivated_at is not None:
            return "deactivated"
        if self.stopped_at is not None:
            return "stopped"
        if self.snoozed_until is not None and now < self.snoozed_until:
            return "snoozed"
        if self.went_quiet_at is not None:
            return "went_quiet"
        return None

    def can_be_suggested(self, now: datetime) -> bool:
        """Whether someone may be led to them now: to think along, to be invited or named. Guests never are."""
        return not self.guest and self.wants_nothing(now) is None
