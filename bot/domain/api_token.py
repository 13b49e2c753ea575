"""The key by which a program outside reads what a movement shows: what it opens, until when, and how fast."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from math import ceil
from secrets import token_urlsafe
from typing import NewType

from bot.domain.ids import new_id
from bot.domain.movement import MovementId
from bot.domain.person import PersonId

ApiTokenId = NewType("ApiTokenId", str)

MAX_TOKENS = 6
"""Keys that a movement has at a time."""
MAX_TOKEN_NAME_CHARS = 60
REQUESTS_A_MINUTE = 60
MINUTE = timedelta(minutes=1)
_SECRET = re.compile(r"ritme_[A-Za-z0-9_-]{43}", re.ASCII)


class Scope(StrEnum):
    """A part of a movement that a key opens."""

    PURPOSE = "purpose"
    RHYTHMS = "rhythms"
    INITIATIVES = "initiatives"
    STORIES = "stories"
    FIGURES = "figures"


class Lifetime(StrEnum):
    """How long a key works."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_LASTS = {
    Lifetime.MONTH: timedelta(days=30),
    Lifetime.QUARTER: timedelta(days=91),
    Lifetime.YEAR: timedelta(days=365),
}


def digest_token(secret: str) -> str:
    """Return under what a key is stored; empty for what no key can be, which is not worth a look."""
    return sha256(f"api token:{secret}".encode()).hexdigest() if _SECRET.fullmatch(secret) else ""


@dataclass(kw_only=True, eq=False)
class ApiToken:
    """A key to a movement. It belongs to the movement, not to the coordinator who made it: `made_by` is None once they
    were forgotten. Of the secret only the digest is stored: it is shown once. `used_on` is the last day (UTC) it read
    something."""

    id: ApiTokenId
    movement_id: MovementId
    name: str
    scopes: list[str] = field(default_factory=list)
    digest: str = ""
    made_by: PersonId | None = None
    made_at: datetime
    expires_at: datetime
    used_on: date | None = None

    @classmethod
    def make(
        cls,
        movement: MovementId,
        name: str,
        scopes: Collection[Scope],
        by: PersonId,
        lifetime: Lifetime,
        now: datetime,
    ) -> tuple["ApiToken", str]:
        """Make a key that opens these parts; return it, and its secret."""
        secret = f"ritme_{token_urlsafe(32)}"
        made = cls(
            id=ApiTokenId(new_id()),
            movement_id=movement,
            name=name,
            scopes=[one.value for one in Scope if one in scopes],
            digest=digest_token(secret),
            made_by=by,
            made_at=now,
            expires_at=now + _LASTS[lifetime],
        )
        return made, secret

    def lasts(self, now: datetime) -> bool:
        """Return whether it still works."""
        return now < self.expires_at

    def opens(self, scope: Scope) -> bool:
        """Return whether it opens a part."""
        return scope.value in self.scopes

    def note_use(self, now: datetime) -> None:
        """Record the day on which it reads something."""
        if self.used_on != now.date():
            self.used_on = now.date()


@dataclass(frozen=True)
class Allowance:
    """The requests that a key may still make in its minute, and in how many seconds that is new. `refused`: this
    request was one too many."""

    most: int
    left: int
    seconds: int
    refused: bool = False


class RequestPace:
    """Counts the requests of each key in its minute, which begins with the first."""

    def __init__(self, most: int = REQUESTS_A_MINUTE) -> None:
        self._most = most
        self._counts: dict[ApiTokenId, tuple[datetime, int]] = {}

    def count(self, token: ApiTokenId, now: datetime) -> Allowance:
        """Count a request of a key, unless it is one too many, and return what is left."""
        began, many = self._counts.get(token, (now, 0))
        if not began <= now < began + MINUTE:
            began, many = now, 0
            self._counts = {name: one for name, one in self._counts.items() if one[0] + MINUTE > now}
        refused = many >= self._most
        many += not refused
        self._counts[token] = (began, many)
        seconds = ceil((began + MINUTE - now).total_seconds())
        return Allowance(most=self._most, left=self._most - many, seconds=seconds, refused=refused)
