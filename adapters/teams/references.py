"""Where Teams reaches whom: nothing can be said in a conversation it has not told us of."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.ports import Clock

Row = Mapping[str, str]
GONE_BY_FOR = timedelta(minutes=1)
"""How long what was read is taken to hold."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A channel, a group chat, or the chat between one person (`account`) and the bot.

    `bot` is our id there, `team` is set for a channel. A person's `account` is their id in the directory of their
    organisation, `member` ("29:…") the one among the members of a conversation.
    """

    workspace_id: str
    channel: str
    service_url: str
    bot: str = ""
    team: str = ""
    account: str = ""
    member: str = ""
    hears: str = ""
    """"yes" once we were told of something there that did not mention us: answers need not, either."""

    @property
    def is_chat(self) -> bool:
        """Whether something can be said there. Of someone we met among others only who they are is known: their
        `member` stands in the place of a channel until there is a chat."""
        return self.channel != self.member


class Kept(Protocol):
    """Where conversations are kept, as rows with a `Conversation`'s fields."""

    async def get(self, workspace: str, channel: str) -> Row | None: ...
    async def with_person(self, workspace: str, account: str) -> Row | None: ...
    async def latest(self, workspace: str) -> Row | None:
        """Any conversation there, one of a team first."""

    async def of_team(self, workspace: str, team: str) -> Sequence[Row]: ...
    async def save(self, row: Row) -> None:
        """Takes the place of what was known of this channel."""

    async def remove(self, workspace: str, channel: str) -> None: ...


class References:
    """The conversations we know, written down when we first hear of them and when something about them changed. What
    was read is gone by for a minute: other processes are told things, too."""

    def __init__(self, kept: Kept, clock: Clock) -> None:
        self._kept = kept
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[Conversation, datetime]] = {}
        self._met: dict[tuple[str, str], datetime] = {}

    async def note(self, told: Conversation, *, anew: bool = False) -> None:
        """Teams spoke to us in this conversation. With `anew` it told of our coming or going, so that nothing read
        before holds."""
        known = None if anew else self._lately(told.workspace_id, told.channel)
        if known is not None and _and_more(told, known) == known:
            return
        known = await self._read(told.workspace_id, told.channel)
        told = _and_more(told, known) if known is not None else told
        if told != known:
            await self._kept.save(asdict(told))
            self._remember(told)
            if told.account and told.is_chat:
                await self.forget(told.workspace_id, told.member)

    async def meet(self, told: Conversation) -> None:
        """Someone (`account`, `member`) among others, whom we may want to speak with alone."""
        met = (told.workspace_id, told.account)
        if met in self._met and self._is_lately(self._met[met]):
            return
        if await self.with_person(told.workspace_id, told.account) is None:
            await self._kept.save(asdict(replace(told, channel=told.member, team="")))
        self._met[met] = self._clock.now()

    async def of(self, workspace: str, channel: str) -> Conversation | None:
        return self._lately(workspace, channel) or await self._read(workspace, channel)

    async def with_person(self, workspace: str, account: str) -> Conversation | None:
        row = await self._kept.with_person(workspace, account)
        return Conversation(**row) if row is not None else None

    async def somewhere(self, workspace: str) -> Conversation | None:
        """Any conversation there: which address to use, and where to ask for people."""
        row = await self._kept.latest(workspace)
        return Conversation(**row) if row is not None else None

    async def of_team(self, workspace: str, team: str) -> list[Conversation]:
        return [Conversation(**row) for row in await self._kept.of_team(workspace, team)]

    async def forget(self, workspace: str, channel: str) -> None:
        gone = self._lately(workspace, channel)
        if gone is not None:
            self._met.pop((workspace, gone.account), None)
        self._known.pop((workspace, channel), None)
        await self._kept.remove(workspace, channel)

    async def _read(self, workspace: str, channel: str) -> Conversation | None:
        row = await self._kept.get(workspace, channel)
        if row is None:
            return None
        read = Conversation(**row)
        self._remember(read)
        return read

    def _remember(self, one: Conversation) -> None:
        self._known[one.workspace_id, one.channel] = one, self._clock.now()

    def _lately(self, workspace: str, channel: str) -> Conversation | None:
        """As we knew it less than a minute ago."""
        one, at = self._known.get((workspace, channel), (None, None))
        return one if at is not None and self._is_lately(at) else None

    def _is_lately(self, moment: datetime) -> bool:
        return self._clock.now() - moment < GONE_BY_FOR


def _and_more(told: Conversation, known: Conversation) -> Conversation:
    """What Teams tells now, and what it told before and leaves out this time."""
    kept = {name: getattr(told, name) or getattr(known, name) for name in ("bot", "team", "account", "member", "hears")}
    return replace(told, **kept)
