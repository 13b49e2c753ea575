"""People, the workspace they belong to, and what they chose about themselves."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NewType

WorkspaceId = NewType("WorkspaceId", str)
PersonId = NewType("PersonId", str)


def platform_of(workspace: str) -> str:
    """Return the platform of a workspace id, the part before the colon: "slack" for "slack:T0123"."""
    return workspace.partition(":")[0]


KEPT_AFTER_REMOVAL = timedelta(days=30)
"""How long the data of a workspace stays after Ritme was removed from it; installed again in time, all goes on."""
KEEP_CLOSED = timedelta(days=365)
"""How long what people told of closed matters is kept, unless the settings say otherwise."""
REMOVED = "uninstalled"
"""`Workspace.gone_reason` of one that told us it removed Ritme, a block of `errors/reasons.md.j2`."""
WENT_QUIET = "went_quiet"
"""The reason to send nothing to a person who left so many messages unanswered, a block of `errors/reasons.md.j2`."""
ERASED = "erased"
"""The `gone_reason` of a workspace whose data was erased."""
UNANSWERED_BEFORE_QUIET = 3
"""After so many personal messages in a row without any answer Ritme goes quiet, and says so once."""


class Language(StrEnum):
    """A language that Ritme speaks."""

    NL = "nl"
    EN = "en"

    @classmethod
    def from_locale(cls, hint: str | None, otherwise: "Language") -> "Language":
        """Return the language of a locale such as "nl-NL", or `otherwise` when Ritme does not speak it."""
        return cls.of_locale(hint) or otherwise

    @classmethod
    def of_locale(cls, hint: str | None) -> "Language | None":
        """Return the language of a locale such as "nl-NL"; None when Ritme does not speak it."""
        code = (hint or "").replace("_", "-").partition("-")[0].lower()
        return next((language for language in cls if language == code), None)


class StoryChoice(StrEnum):
    """A person's standing choice for their thread replies: stories for the movement, only for that thread, or none."""

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
    """Since when nothing can be sent there: Ritme was removed, or its access taken back."""
    gone_reason: str = ""
    """A block of `errors/reasons.md.j2`."""
    installed_at: datetime | None = None
    """When Ritme was last seen to be installed there: news of a removal before it is late."""

    @property
    def is_removed(self) -> bool:
        """True when Ritme was removed: whatever arrives from there is late. It is back once it is installed again."""
        return self.gone_at is not None and self.gone_reason in (REMOVED, ERASED)

    def record_installation(self, name: str, now: datetime) -> None:
        """Record that Ritme is installed: for the first time, again or still."""
        self.name, self.installed_at = name, now
        self.mark_accessible()

    def was_installed_since(self, moment: datetime) -> bool:
        """Return whether Ritme was seen to be installed after a moment."""
        return self.installed_at is not None and self.installed_at > moment

    def record_removal(self, now: datetime) -> None:
        """Record that Ritme was removed; what was erased since stays so."""
        self.gone_at = self.gone_at or now
        if self.gone_reason != ERASED:
            self.gone_reason = REMOVED

    def mark_inaccessible(self, reason: str, now: datetime) -> None:
        """Record that the platform gives no access any more: deliveries wait until it does. The first reason stays."""
        if self.gone_at is None:
            self.gone_at, self.gone_reason = now, reason

    def mark_accessible(self) -> None:
        """Record that the platform gives access again."""
        self.gone_at, self.gone_reason = None, ""


@dataclass(kw_only=True, eq=False)
class Person:
    """A person in a workspace. `account` is None once they were forgotten: then nothing else about them is left."""

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
    """Their own quiet hours; None where they chose none, and follow those of their group, or the usual."""
    group_quiet_from: time | None = None
    group_quiet_until: time | None = None
    group_quiet_weekends: bool | None = None
    """The quiet hours of their group, where it has any: see `bot.domain.group_hours`."""
    days_place: str = ""
    """The place (its id) that has days off of its own, which hold for them; empty: those of the movement do."""
    days_off: dict[str, object] = field(default_factory=dict)
    """These days off: see `bot.domain.followed_days`."""
    story_choice: StoryChoice | None = None
    story_named: bool = True
    named_beyond: bool = False
    """True when their name may be shown with their stories in other workspaces of the movement too."""
    guest: bool = False
    """True for an account with limited access: may take part, is never suggested; receives only nudges they
    asked for."""
    deactivated_at: datetime | None = None
    """Since when the platform reports this account as deactivated."""
    looked_up_at: datetime | None = None
    """Since when the platform's directory was last asked about them, or they showed themselves that they are there."""
    chose: list[str] = field(default_factory=list)
    """Those of "language", "timezone", "group" and "days" they set themselves: a profile from the platform does not
    change them, nor does where they act."""
    snoozed_until: datetime | None = None
    stopped_at: datetime | None = None
    unanswered: int = 0
    went_quiet_at: datetime | None = None
    home_movement: str | None = None
    """The movement that their home page shows, empty when it shows none yet; None when they never opened it."""
    home_digest: str = ""
    """A digest of what their home page shows; empty when it shows nothing yet."""
    said: dict[str, int] = field(default_factory=dict)
    """The number of messages of each kind sent to them, which picks the variant of the words of the next."""
    created_at: datetime

    def name_in(self, workspace: WorkspaceId) -> str:
        """Return the name to show in a workspace; empty in another than theirs, unless they agreed to that."""
        return self.name if self.may_be_named_in(workspace) else ""

    def may_be_named_in(self, workspace: WorkspaceId) -> bool:
        """Return whether their name may be shown in a workspace: their own, or any when they agreed to that."""
        return self.workspace_id == workspace or self.named_beyond

    def follow_language(self, locale: str | None) -> None:
        """Take over the language that the platform tells of this person, unless they chose one with us. Whatever is for
        them alone is in it, wherever they read it; one that Ritme does not speak leaves it to the place."""
        told = Language.of_locale(locale)
        if told not in (None, self.language) and "language" not in self.chose:
            self.language = told

    @property
    def has_home(self) -> bool:
        """True when they ever opened their home page: only then is it kept up to date."""
        return self.home_movement is not None

    def record_home_visit(self, *, blank: bool) -> None:
        """Record that they opened their home page. When the platform shows it `blank`, its digest is forgotten, so that
        it is sent again."""
        if blank or self.home_movement is None:
            self.show_on_home(self.home_movement or "")

    def show_on_home(self, movement: str) -> None:
        """Show this movement on their home page from now on."""
        self.home_movement, self.home_digest = movement, ""

    def record_answer(self) -> bool:
        """Reset the count of unanswered nudges, and end quiet; return whether it was quiet. Anything they do with Ritme
        counts as an answer."""
        was_quiet = self.went_quiet_at is not None
        if self.unanswered or was_quiet:
            self.unanswered, self.went_quiet_at = 0, None
        return was_quiet

    def count_nudge(self) -> None:
        """Count one more nudge without an answer."""
        self.unanswered += 1

    def suppression_reason(self, now: datetime) -> str | None:
        """Return the reason to send nothing to this person now, or None."""
        if self.account is None:
            return "forgotten"
        if self.deactivated_at is not None:
            return "deactivated"
        if self.stopped_at is not None:
            return "stopped"
        if self.snoozed_until is not None and now < self.snoozed_until:
            return "snoozed"
        if self.went_quiet_at is not None:
            return WENT_QUIET
        return None

    def will_read(self, now: datetime) -> bool:
        """Return whether a message that Ritme starts reaches this person, now or once they are awake again."""
        return self.suppression_reason(now) in (None, "snoozed")

    def can_be_suggested(self, now: datetime) -> bool:
        """Return whether others may be pointed to them now: to think along, to be invited or named. Never to guests."""
        return not self.guest and self.suppression_reason(now) is None
