"""Files for one person, given for an hour: everything that is kept about them, composed once; calendars; and, for a
coordinator, what a movement takes along."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from bot.domain.ids import new_id
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId, WorkspaceId

PersonalFileId = NewType("PersonalFileId", str)

PERSONAL_FILE = "personal_file"
"""The kind of a delivery that gives someone their file."""
CALENDAR_FILE = "calendar_file"
"""The kind of a delivery that gives someone a calendar."""
TAKEAWAY_FILE = "takeaway_file"
"""The kind of a delivery that gives a coordinator what the movement takes along."""
MAGAZINE_FILE = "magazine_file"
"""The kind of a delivery that gives someone a magazine."""
CARD_FILE = "card_file"
"""The kind of a delivery that gives someone an invitation card."""
OLD_EXPORT = "export"
"""That kind as the version before planned it."""
GIVING = (PERSONAL_FILE, CALENDAR_FILE, TAKEAWAY_FILE, MAGAZINE_FILE, CARD_FILE, OLD_EXPORT)
"""Kinds of deliveries that give someone a file."""
FRESH_FOR = timedelta(hours=1)
"""How long the same file is given again instead of a new one: nobody has one composed more than once an hour."""
LINK_TTL = timedelta(hours=1)
"""How long a file is kept, and a link to it lives, after it was given."""
EVERYTHING, CALENDAR, TAKEAWAY, INVITATION_CARD = "everything", "calendar", "takeaway", "card"
"""Kinds of files, by what they hold."""
GIVE_DEADLINE = timedelta(days=1)
"""How long a file that was asked for may wait to be given."""


@dataclass(kw_only=True, eq=False)
class PersonalFile:
    """A file that someone asked for. Its content is stored beside it once it was composed, at `made_at`; after
    `expires_at` nobody can open it, and it is deleted. `sends` counts how often it was put in the outbox. A magazine,
    the `subject`, is not stored: it is set anew each time it is opened, with what may be printed then. `changes` counts
    how often something that is told in a takeaway changed: one that was composed meanwhile is composed anew."""

    id: PersonalFileId
    workspace_id: WorkspaceId
    person_id: PersonId
    asked_at: datetime
    made_at: datetime | None = None
    expires_at: datetime
    sends: int = 0
    kind: str = EVERYTHING
    movement_id: MovementId | None = None
    """The movement that a takeaway is of."""
    subject: str = ""
    changes: int = 0

    @classmethod
    def ask(
        cls,
        person: Person,
        now: datetime,
        kind: str = EVERYTHING,
        movement: MovementId | None = None,
        *,
        subject: str = "",
    ) -> "PersonalFile":
        """Make the file that someone asks for now, still to be composed."""
        return cls(
            id=PersonalFileId(new_id()),
            workspace_id=person.workspace_id,
            person_id=person.id,
            asked_at=now,
            expires_at=now + GIVE_DEADLINE,
            kind=kind,
            movement_id=movement,
            subject=subject,
        )

    @property
    def delivery_key(self) -> str:
        """The key of the delivery by which it was sent last."""
        return f"personal_file:{self.id}:{self.sends}"

    @property
    def renewable_at(self) -> datetime | None:
        """From when on a new one is composed; None while this one was not."""
        return self.made_at + FRESH_FOR if self.made_at else None

    def is_fresh(self, now: datetime) -> bool:
        """Return whether this file is given again, instead of composing another."""
        return now < self.expires_at and (self.renewable_at is None or now < self.renewable_at)

    def send_again(self, now: datetime) -> None:
        """Put it in the outbox once more: keep it until it was given."""
        self.sends += 1
        self.expires_at = now + GIVE_DEADLINE

    def start_expiry(self, now: datetime) -> None:
        """Let it expire: it was given, and from now on lives as long as its link."""
        self.expires_at = now + LINK_TTL
