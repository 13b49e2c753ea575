"""What the core needs from outside: storage, sending, time and an engine."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.chat import Account, ChatPlace, Post, Profile, Receipt, UserGroup
from bot.domain.delivery import Delivery
from bot.domain.person import WorkspaceId
from bot.ports.repositories import (
    Connecting,
    Deliveries,
    Inbox,
    Initiatives,
    Movements,
    People,
    Rhythms,
    Steps,
    Stories,
    Stuck,
)
from bot.ports.turn import Outgoing, Turn

__all__ = [
    "Away",
    "Begin",
    "Clock",
    "Conflict",
    "Directory",
    "Engine",
    "Messenger",
    "NoAnswer",
    "Outgoing",
    "Platform",
    "TryLater",
    "Turn",
    "UnitOfWork",
    "Unknowable",
    "Unreachable",
    "Watch",
]


class UnitOfWork(Protocol):
    """One transaction: committed when its block ends well, rolled back when it raises. Beginning, using or ending it
    may raise `Conflict` or `StorageUnavailable`."""

    inbox: Inbox
    people: People
    movements: Movements
    initiatives: Initiatives
    stuck: Stuck
    steps: Steps
    stories: Stories
    connecting: Connecting
    rhythms: Rhythms
    deliveries: Deliveries
    woken: set[WorkspaceId]
    """Lanes that got something due now."""

    async def flush(self) -> None:
        """Writes what was added or changed, so that a query in this transaction sees it."""

    async def delete(self, entity: object) -> None: ...


Begin = Callable[[], AbstractAsyncContextManager[UnitOfWork]]


class Clock(Protocol):
    def now(self) -> datetime:
        """The aware UTC moment it is."""


class Messenger(Protocol):
    """Sends to one platform."""

    async def send(self, post: Post) -> Receipt:
        """Does what `post` says, once. Raises `RetryAfter`, `Unreachable` or `OutcomeUnknown`."""

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        """Return the receipt of a post whose answer was lost, if it arrived after all. Raises `OutcomeUnknown` when
        that cannot be told now, and `LookupUnsupported` when this platform never tells."""


class Directory(Protocol):
    async def profile(self, account: Account) -> Profile | None:
        """What the platform tells of a person; None when it cannot be told now."""

    async def place_name(self, place: ChatPlace) -> str | None:
        """What a place is called there; None when it cannot be told now."""

    async def groups(self, workspace: WorkspaceId) -> Sequence[UserGroup] | None:
        """The groups people form there, by name; None when that cannot be told now."""

    async def group_members(self, workspace: WorkspaceId, handle: str) -> Sequence[str] | None:
        """The account ids of who is in a group; None when it cannot be told now."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What the core needs of one platform."""

    messenger: Messenger
    directory: Directory | None = None


class Engine(Protocol):
    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
        """Something in this lane is due, or will be `after` a moment: drain it then. Never blocks, never raises. What
        takes longer than a moment it may leave to its own looking."""


class Conflict(Exception):
    """Somebody else did something at the same moment that this transaction did not know of. Nothing was changed: the
    same again, from the beginning, sees it."""


class StorageUnavailable(Exception):
    """Storage gives no answer. If that happened while committing, the change may or may not have been made."""


class Telemetry(Protocol):
    """For who keeps Ritme running. Never raises, never waits."""

    def span(self, what: str, correlation: str, **about: str) -> AbstractContextManager[None]:
        """While something is done that belongs to a request, known by its correlation id (32 hexadecimal digits)."""

    def record_intent(self, intent: str, outcome: str, seconds: float) -> None: ...
    def record_planned(self, moments: int) -> None: ...
    def record_delivery(self, delivery: Delivery) -> None:
        """Something became of a delivery, for now or for good."""


class RetryAfter(Exception):
    """Not sent; it has to wait until `until` (UTC), in this place or the whole workspace. `reason` is a block in
    `errors/reasons.md.j2`: most often the platform's pace."""

    def __init__(self, until: datetime, *, whole_workspace: bool = False, reason: str = "pace") -> None:
        super().__init__(f"try later: {until.isoformat()}")
        self.until = until
        self.reason = reason
        self.whole_workspace = whole_workspace


class Unreachable(Exception):
    """Not sent, and never will be like this: `reason` is a block in `errors/reasons.md.j2`. `place_is_gone` marks the
    place and `workspace_is_gone` all of the workspace; what is for there waits for it to come back."""

    def __init__(self, reason: str, *, place_is_gone: bool = False, workspace_is_gone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place_is_gone = place_is_gone
        self.workspace_is_gone = workspace_is_gone


class OutcomeUnknown(Exception):
    """It may or may not have been sent."""


class LookupUnsupported(Exception):
    """Whether it was sent, this platform never tells."""
