"""The private link by which somebody's own calendar follows a movement: who has it, and whether it changed."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe
from typing import NewType

from bot.domain.ids import new_id
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId, WorkspaceId

FeedId = NewType("FeedId", str)

SECRET_BYTES = 32
MAX_SECRET_CHARS = 64
"""More than a secret has: a longer one is nobody's."""


def hash_secret(secret: str) -> str:
    """Return the SHA-256 digest of the secret of a link."""
    return sha256(secret.encode()).hexdigest()


@dataclass(kw_only=True, eq=False)
class CalendarFeed:
    """Somebody's calendar of one movement. Of the secret in its link only the digest is stored: the link is shown once.

    `mark` stands for what it held when a calendar last read it, `changed_at` is since when, and `revision` counts its
    changes."""

    id: FeedId
    workspace_id: WorkspaceId
    movement_id: MovementId
    person_id: PersonId
    digest: str
    made_at: datetime
    mark: str = ""
    revision: int = 0
    changed_at: datetime

    @classmethod
    def make(cls, person: Person, movement: MovementId, now: datetime) -> "CalendarFeed":
        """Make the calendar of somebody, without a link yet."""
        return cls(
            id=FeedId(new_id()),
            workspace_id=person.workspace_id,
            movement_id=movement,
            person_id=person.id,
            digest="",
            made_at=now,
            changed_at=now,
        )

    def renew(self, now: datetime) -> str:
        """Replace its link, and return the secret of the new one; the old one stops working."""
        secret = token_urlsafe(SECRET_BYTES)
        self.digest, self.made_at = hash_secret(secret), now
        return secret

    def notice(self, mark: str, now: datetime) -> None:
        """Record what it holds now; that is a new revision when it changed."""
        if mark != self.mark:
            self.mark, self.changed_at = mark, now
            self.revision += 1
