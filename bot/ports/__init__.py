"""The ports: protocols for storage, sending, time, the engine and telemetry, and the exceptions they raise."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from bot.catalogue.base import Entry
from bot.chat import DEFAULT_SYNTAX, Account, ChatPlace, CommandSyntax, Post, Profile, Receipt, UserGroup
from bot.domain.delivery import Delivery
from bot.domain.network_question import NetworkAdvice, NetworkQuestion, NetworkRows, NetworkVersion
from bot.domain.person import WorkspaceId
from bot.ports.repositories import (
    Connecting,
    Deliveries,
    Doors,
    Experiments,
    Feeds,
    Holdouts,
    Inbox,
    Initiatives,
    Magazines,
    Movements,
    Outside,
    PageSessions,
    People,
    PersonalFiles,
    Rhythms,
    Steps,
    Stories,
    Stuck,
    Takeaways,
)
from bot.ports.turn import Context, Outgoing, Turn, Vault

__all__ = [
    "Clock",
    "Conflict",
    "Context",
    "Directory",
    "Engine",
    "LookupUnsupported",
    "Messenger",
    "NeedsComputing",
    "NeedsCounting",
    "NeedsNetwork",
    "NetworkReader",
    "OutcomeUnknown",
    "Outgoing",
    "Platform",
    "PrintForm",
    "RetryAfter",
    "StorageUnavailable",
    "Telemetry",
    "Transact",
    "Transactions",
    "Turn",
    "Typesetter",
    "TypesettingFailed",
    "UnitOfWork",
    "Unreachable",
    "Vault",
]


T = TypeVar("T")
PrintForm = Literal["png", "svg", "pdf"]
"""The form of a drawing: for a chat, for a page, for paper."""


class UnitOfWork(Protocol):
    """One transaction, with a repository for each family of entities.

    It is committed when the function that uses it returns, and rolled back when that raises; see `Transact`. Beginning,
    using or ending it may raise `Conflict` or `StorageUnavailable`.
    """

    inbox: Inbox
    people: People
    movements: Movements
    initiatives: Initiatives
    stuck: Stuck
    steps: Steps
    experiments: Experiments
    stories: Stories
    connecting: Connecting
    rhythms: Rhythms
    deliveries: Deliveries
    files: PersonalFiles
    sessions: PageSessions
    feeds: Feeds
    outside: Outside
    doors: Doors
    takeaways: Takeaways
    holdouts: Holdouts
    magazines: Magazines
    networks: "NetworkReader"
    woken: set[WorkspaceId]
    """Lanes in which something became due now: they are woken after commit."""
    answer: Delivery | None
    """The answer to what this transaction acts on, where it has to be sent: at once (`bot.outbox.direct`), or with its
    lane, which is woken after commit."""
    answer_entry: Entry | None
    """The entry that it says."""

    @property
    def is_awaited(self) -> bool:
        """True when others wait for this transaction, which gives way, to end; see `Transactions.give_way`."""

    async def flush(self) -> None:
        """Write what was added or changed, so that a query in this transaction sees it."""

    async def together(self, *asks: Awaitable[Any]) -> Sequence[Any]:
        """Await look-ups side by side, where none needs what another finds, and return their results: on PostgreSQL in
        one trip."""

    async def look_ahead(self, *named: tuple[type, str]) -> None:
        """Load entities by their ids, side by side: who asks for one in this transaction has it at once."""

    async def delete(self, entity: object) -> None:
        """Delete the row of an entity that was loaded in this transaction."""


class Transact(Protocol):
    """Runs a function with a unit of work, in one transaction: `found = await transact(look)`."""

    async def __call__(self, act: Callable[[UnitOfWork], Awaitable[T]], /) -> T:
        """Run `act`; commit when it returns, roll back when it raises.

        It may run outside the event loop: it touches nothing that belongs there, and waits for nothing but its unit of
        work. May raise `Conflict` or `StorageUnavailable`.
        """

    async def read(self, act: Callable[[UnitOfWork], Awaitable[T]], /) -> T:
        """Run `act`, which takes long and only reads, in a transaction outside the event loop: nobody waits for it, and
        it waits for nobody. Nothing that it changes is kept. May raise `StorageUnavailable`."""


class Transactions(Transact, Protocol):
    """Runs functions in a transaction each; some give way to those of people who act."""

    async def give_way(self, act: Callable[[UnitOfWork], Awaitable[T]], /) -> T:
        """Run `act` as calling does; where transactions wait for each other, after those of others."""


class NetworkReader(Protocol):
    """Reads a movement's network, in a transaction of its own."""

    def read(self, question: NetworkQuestion, known: NetworkVersion | None, since: datetime | None) -> NetworkRows:
        """Read what changed since `known`, a moment before `since` too; all of it when that cannot be told.

        Blocks: call it in another thread or process, it can be sent there. Raises `StorageUnavailable`.
        """


class NetworkAdviser(Protocol):
    """Answers questions to the networks of movements."""

    async def advise(self, needs: "NeedsNetwork") -> NetworkAdvice:
        """Answer a question, while no transaction is open. Raises `StorageUnavailable`."""


class Clock(Protocol):
    """The only source of the current time."""

    def now(self) -> datetime:
        """Return the current moment: aware, in UTC."""


class Messenger(Protocol):
    """Sends to one platform."""

    async def send(self, post: Post) -> Receipt:
        """Send one post, once. Raises `RetryAfter`, `Unreachable` or `OutcomeUnknown`; any other exception is taken for
        the last."""

    async def find(self, post: Post, since: datetime) -> Receipt | None:
        """Return the receipt of a post whose answer was lost, sent after `since`; None when it surely did not arrive.
        Raises `OutcomeUnknown` when that cannot be told now, and `LookupUnsupported` when this platform never tells."""


class Typesetter(Protocol):
    """Sets the templates of `prompts/print/`: pictures and pages."""

    async def typeset(self, drawing: str, data: Mapping[str, object], form: PrintForm) -> bytes:
        """Return a drawing with its data in a form; nothing in the data is read as markup. Raises
        `TypesettingFailed`."""


class Directory(Protocol):
    """Names and groups, as one platform knows them. Every method returns None when the platform cannot tell now."""

    async def profile(self, account: Account) -> Profile | None:
        """Look up a person."""

    async def place_name(self, place: ChatPlace) -> str | None:
        """Look up the name of a channel."""

    async def groups(self, workspace: WorkspaceId) -> Sequence[UserGroup] | None:
        """List the user groups of a workspace, by name."""

    async def group_members(self, workspace: WorkspaceId, handle: str) -> Sequence[str] | None:
        """List the account ids of the members of a user group."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The ports of one platform; `directory` is None where there is nothing to look up. `syntax` is how people address
    the app there. `tells_departures`: the platform tells by itself whose account is deactivated; where it does not, its
    directory is asked now and then. `answers_directly`: an answer there is sent as soon as it is kept, where nothing
    stands ahead of it (`bot.outbox.direct`). `feeds` is the address below which calendars of its people are served,
    with a slash at its end, `api` the address of what programs outside read; both are empty where nobody reaches us."""

    messenger: Messenger
    directory: Directory | None = None
    syntax: CommandSyntax = DEFAULT_SYNTAX
    tells_departures: bool = True
    answers_directly: bool = False
    feeds: str = ""
    api: str = ""


class Engine(Protocol):
    """Runs planning and draining when something is due."""

    def wake(self, lane: WorkspaceId, *, after: timedelta = timedelta(0)) -> None:
        """Drain a lane now, or once `after` has passed. Never blocks, never raises.

        A long `after` may be ignored: the engine finds due lanes by itself too.
        """


class Conflict(Exception):
    """Another transaction changed something that this one relied on. Nothing was changed: retry from the beginning."""


class NeedsNetwork(Exception):
    """A use case needs a movement's network to go on. Its transaction is rolled back; then, while none is open, the
    question is answered (`bot.networks`), and the intent handled again with the answer as `Turn.advice`."""

    def __init__(self, question: NetworkQuestion, reader: NetworkReader, before: NetworkAdvice | None) -> None:
        super().__init__("needs the network of a movement")
        self.question, self.reader, self.before = question, reader, before


class NeedsComputing(Exception):
    """A use case needs what takes long to `compute` to go on. Its transaction is rolled back; then, while none is open,
    that is computed in a thread, from plain values, and the intent handled again with it as `Turn.computed`."""

    def __init__(self, compute: Callable[[], bytes]) -> None:
        super().__init__("needs something computed")
        self.compute = compute


class NeedsCounting(Exception):
    """A use case needs figures that take long to count. Its transaction is rolled back; then `count`, which only reads,
    counts them, `keep` gets these as `counted` in a transaction of its own, and the use case starts over."""

    def __init__(self, count: Callable[[UnitOfWork], Awaitable[Any]], keep: Callable[..., Awaitable[None]]) -> None:
        super().__init__("needs something counted")
        self.count, self.keep = count, keep


class TypesettingFailed(Exception):
    """A drawing could not be made: a bug of ours, or of who sets it."""


class TookTooLong(Exception):
    """Storage was asked something that takes longer than others may be made to wait. Nothing was changed."""


class StorageUnavailable(Exception):
    """Storage gives no answer. If that happened while committing, the change may or may not have been made."""


class Telemetry(Protocol):
    """Traces and metrics for operators. Never raises, never waits."""

    def span(self, what: str, correlation: str, **about: str) -> AbstractContextManager[None]:
        """Trace a block as part of a request, known by its correlation id (32 hexadecimal digits)."""

    def record_intent(self, intent: str, outcome: str, seconds: float) -> None:
        """Count a handled intent by its outcome, and how long it took."""

    def record_planning(self, moments: int) -> None:
        """Count moments of rhythms for which deliveries were planned."""

    def record_delivery(self, delivery: Delivery) -> None:
        """Count the state that a delivery reached, for now or for good."""


class RetryAfter(Exception):
    """Not sent; it has to wait until `until` (UTC), in this place or (`whole_workspace`) everywhere in the workspace.

    `reason` is a block in `errors/reasons.md.j2`: most often the platform's pace.
    """

    def __init__(self, until: datetime, *, whole_workspace: bool = False, reason: str = "pace") -> None:
        super().__init__(f"try later: {until.isoformat()}")
        self.until = until
        self.reason = reason
        self.whole_workspace = whole_workspace


class Unreachable(Exception):
    """Not sent, and sending it again would fail too. `reason` is a block in `errors/reasons.md.j2`.

    `place_is_gone` says that nothing can be sent to the place, `workspace_is_gone` that nothing can be sent to the
    workspace: deliveries for it wait until it is back. `reference` is set where the cause is a bug of ours: it stands
    in the log, and in an apology to whoever waits for an answer.
    """

    def __init__(
        self, reason: str, *, place_is_gone: bool = False, workspace_is_gone: bool = False, reference: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place_is_gone = place_is_gone
        self.workspace_is_gone = workspace_is_gone
        self.reference = reference


class OutcomeUnknown(Exception):
    """It may or may not have been sent."""


class LookupUnsupported(Exception):
    """This platform offers no way to find out whether a post arrived."""
