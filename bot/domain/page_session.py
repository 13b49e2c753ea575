"""The visit to the pages: a link for one person that opens a session once, on one device, for a working day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NewType

from bot.domain.ids import new_id
from bot.domain.person import Person, PersonId

PageSessionId = NewType("PageSessionId", str)

PAGE_LINK_TTL = timedelta(minutes=10)
"""How long a link waits to be opened."""
SESSION_SECRET_BYTES = 32
SESSION_SECRET_CHARS = 43
"""How long the secret of a session is, written in base64 without padding."""
SESSION_TTL = timedelta(hours=8)
"""How long a session lasts on its device: a shift."""
MAX_DEVICE_CHARS = 60


def digest_secret(secret: str) -> str:
    """Return under what the secret of a session is stored: of no use to whoever reads the database."""
    return sha256(f"page session:{secret}".encode()).hexdigest()


@dataclass(kw_only=True, eq=False)
class PageSession:
    """A link to the pages, and the session that it opens.

    Until it is opened `digest` is empty, and `expires_at` ends the link; after that `digest` stands for the secret on
    the device, and `expires_at` ends the session. `coordinated`: its person coordinated a movement when they opened
    it; it ends with that role.
    """

    id: PageSessionId
    person_id: PersonId
    made_at: datetime
    opened_at: datetime | None = None
    expires_at: datetime
    digest: str = ""
    device: str = ""
    coordinated: bool = False

    @classmethod
    def offer(cls, person: Person, now: datetime) -> "PageSession":
        """Make the link that someone asks for now."""
        return cls(id=PageSessionId(new_id()), person_id=person.id, made_at=now, expires_at=now + PAGE_LINK_TTL)

    def may_be_opened(self, now: datetime) -> bool:
        """Return whether its link was not used yet, and is on time."""
        return self.opened_at is None and now < self.expires_at

    def open(self, digest: str, device: str, now: datetime, *, coordinated: bool) -> None:
        """Open it on a device, by its link, which cannot be used again."""
        self.opened_at, self.expires_at = now, now + SESSION_TTL
        self.digest, self.device, self.coordinated = digest, device[:MAX_DEVICE_CHARS], coordinated

    def lasts(self, now: datetime) -> bool:
        """Return whether it is open."""
        return self.opened_at is not None and now < self.expires_at
