"""Conversation references: a bot can write only in conversations that Teams told it of, so those are stored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from adapters.memory import Memory
from bot.ports import Clock, UnitOfWork

ConversationRow = Mapping[str, str]
"""A `Conversation` as it is stored: field → value."""
REFERENCE_CACHE_TTL = timedelta(minutes=1)
"""How long a reference is used before it is read again: other processes store newer ones."""
REMOVALS_KEPT = timedelta(days=30)
"""How long after our removal something may still arrive late."""


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
    """'yes' once a message without a mention arrived here: consent to read all was given, so replies need no @Ritme."""

    @property
    def can_receive(self) -> bool:
        """True when a message can be sent there.

        Someone met among others has no chat yet: only who they are is known, and their `member` stands in the place of
        a channel.
        """
        return self.channel != self.member


class ConversationStore(Protocol):
    """Storage of conversations, one per workspace and channel. Every method may raise `StorageUnavailable`."""

    def within(self, work: UnitOfWork) -> "ConversationStore":
        """Return the same storage, as part of a transaction."""

    async def get(self, workspace: str, channel: str) -> ConversationRow | None:
        """Return the conversation of a channel."""

    async def with_person(self, workspace: str, account: str) -> ConversationRow | None:
        """Return the conversation of one person."""

    async def latest(self, workspace: str) -> ConversationRow | None:
        """Return any conversation there, one of a team first."""

    async def of_groups(self, workspace: str, limit: int) -> Sequence[ConversationRow]:
        """Return channels and group chats there, at most `limit`."""

    async def of_team(self, workspace: str, team: str) -> Sequence[ConversationRow]:
        """Return the channels of a team."""

    async def save(self, row: ConversationRow) -> None:
        """Insert a conversation, or replace the one of its channel."""

    async def remove(self, workspace: str, channel: str) -> None:
        """Delete the conversation of a channel, if there is one."""

    async def removed_at(self, workspace: str, channels: Collection[str]) -> datetime | None:
        """Return when we were last removed from one of these channels; None when we never were."""

    async def find_all(
        self, workspace: str, channel: str, team: str, member: str
    ) -> tuple[Mapping[str, ConversationRow], datetime | None]:
        """Return what is stored of these conversations, by channel, and when we were last removed from one of them."""

    async def last_removal(self, workspace: str) -> ConversationRow | None:
        """Return where we were removed from last, as far as it is kept."""

    async def save_removal(self, row: ConversationRow, at: datetime, *, keep_since: datetime) -> None:
        """Store that we were removed from a conversation, and delete what was stored of removals before `keep_since`,
        of all workspaces."""


class ConversationReferences:
    """The conversations we know, stored when we first hear of them and when something about them changed.

    What was read or written is cached for REFERENCE_CACHE_TTL; of a person's own chat only what Teams told of it here.
    Methods that read or write raise `StorageUnavailable`.
    """

    def __init__(self, store: ConversationStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cache: Memory[tuple[str, str], Conversation] = Memory(clock, REFERENCE_CACHE_TTL)
        self._met: Memory[tuple[str, str], bool] = Memory(clock, REFERENCE_CACHE_TTL)
        self._chats: Memory[tuple[str, str], Conversation] = Memory(clock, REFERENCE_CACHE_TTL)

    def note(
        self, told: Conversation, member: Conversation | None = None, *, team: str = "", at: datetime | None = None
    ) -> "SenderNote":
        """Return what a turn tells of where it was spoken, in a team or not, and of someone met there among others, to
        be stored with the turn. `at`: when it was spoken."""
        is_met = member is None or (member.workspace_id, member.account) in self._met
        return SenderNote(self, told, None if is_met else member, team, at)

    async def record(self, told: Conversation) -> None:
        """Store a conversation that Teams wrote to us in, if anything about it is new."""
        known, _ = await self._store.find_all(told.workspace_id, told.channel, "", told.member)
        self.remember(await self.write(told, known, self._store))

    async def record_member(self, told: Conversation) -> None:
        """Store someone (`account`, `member`) met among others, so that a chat with them can be made later."""
        if (told.workspace_id, told.account) not in self._met:
            await self.write_member(told, self._store)
            self.remember_member(told)

    def store_of(self, work: UnitOfWork | None) -> ConversationStore:
        """Return the storage, as part of a transaction or by itself."""
        return self._store if work is None else self._store.within(work)

    async def write(
        self, told: Conversation, stored: Mapping[str, ConversationRow], store: ConversationStore
    ) -> Conversation:
        """Store a conversation if anything about it is new to what is `stored`. Returns it, completed with what is
        known, to be remembered once that is committed."""
        row = stored.get(told.channel)
        known = Conversation(**row) if row is not None else None
        whole = _merge(told, known) if known is not None else told
        if whole != known:
            await store.save(vars(whole))
            if whole.account and whole.can_receive and whole.member in stored:
                # Their own chat takes the place of the row that `record_member` made.
                await store.remove(whole.workspace_id, whole.member)
        return whole

    async def write_member(self, told: Conversation, store: ConversationStore) -> None:
        """Store someone met among others if they are new."""
        if await store.with_person(told.workspace_id, told.account) is None:
            await store.save(vars(replace(told, channel=told.member, team="")))

    def remember(self, told: Conversation) -> None:
        """Remember what was stored of a conversation that Teams told of."""
        self._cache_now(told)
        if told.account and told.can_receive:
            self._cache.forget((told.workspace_id, told.member))
            self._chats.put((told.workspace_id, told.account), told)

    def remember_member(self, told: Conversation) -> None:
        """Remember that someone met among others is stored."""
        self._met.put((told.workspace_id, told.account), True)

    async def find(self, workspace: str, channel: str) -> Conversation | None:
        """Return the conversation of a channel."""
        return self._cache.get((workspace, channel)) or await self._load(workspace, channel)

    async def find_by_person(self, workspace: str, account: str) -> Conversation | None:
        """Return the chat with a person; where there is none (`can_receive`), only who they are."""
        if (chat := self._chats.get((workspace, account))) is not None:
            return chat
        row = await self._store.with_person(workspace, account)
        return Conversation(**row) if row is not None else None

    async def find_any(self, workspace: str) -> Conversation | None:
        """Return any conversation of a workspace, for its service URL and to look up people in."""
        row = await self._store.latest(workspace)
        return Conversation(**row) if row is not None else None

    async def list_groups(self, workspace: str, limit: int) -> list[Conversation]:
        """Return the channels and group chats that we know, at most `limit`."""
        return [Conversation(**row) for row in await self._store.of_groups(workspace, limit)]

    async def list_team(self, workspace: str, team: str) -> list[Conversation]:
        """Return the channels of a team that we know."""
        return [Conversation(**row) for row in await self._store.of_team(workspace, team)]

    async def removed_at(self, workspace: str, *channels: str) -> datetime | None:
        """Return when we were last removed from one of these conversations, whichever process heard of it."""
        return await self._store.removed_at(workspace, [one for one in channels if one])

    async def find_former(self, workspace: str) -> Conversation | None:
        """Return the conversation that we were removed from last: its service URL may still reach people."""
        row = await self._store.last_removal(workspace)
        return Conversation(**row) if row is not None else None

    async def forget(self, workspace: str, channel: str) -> None:
        """Delete the conversation of a channel, from the cache and from storage."""
        gone = self._cache.get((workspace, channel))
        if gone is not None:
            self._met.forget((workspace, gone.account))
            self._chats.forget((workspace, gone.account))
        self._cache.forget((workspace, channel))
        await self._store.remove(workspace, channel)

    async def record_removal(self, told: Conversation, at: datetime) -> None:
        """Record that we were removed from a conversation at a moment: what was said there before is late."""
        await self._store.save_removal(vars(told), at, keep_since=self._clock.now() - REMOVALS_KEPT)
        await self.forget(told.workspace_id, told.channel)
        self._chats.forget((told.workspace_id, told.account))

    async def _load(self, workspace: str, channel: str) -> Conversation | None:
        row = await self._store.get(workspace, channel)
        if row is None:
            return None
        loaded = Conversation(**row)
        self._cache_now(loaded)
        return loaded

    def _cache_now(self, conversation: Conversation) -> None:
        self._cache.put((conversation.workspace_id, conversation.channel), conversation)


class SenderNote:
    """Stores where a turn was spoken and by whom: in the turn's own transaction (`keep`), or by itself where that did
    not come to a commit. Nothing is stored of what arrives late, from where we were removed since (`is_late`)."""

    def __init__(
        self,
        references: ConversationReferences,
        told: Conversation,
        member: Conversation | None,
        team: str,
        at: datetime | None,
    ) -> None:
        self._references = references
        self._told = told
        self._member = member
        self._team = team
        self._at = at
        self._kept: Conversation | None = None
        self.is_late = False
        self.is_settled = False

    async def keep(self, work: UnitOfWork | None) -> bool:
        """Store it in a transaction, or by itself, as far as it is new; return whether the turn is to be acted on. It
        is remembered by `settle`, once that is committed."""
        told, store = self._told, self._references.store_of(work)
        stored, removed_at = await store.find_all(told.workspace_id, told.channel, self._team, told.member)
        self.is_late = self._at is not None and removed_at is not None and self._at <= removed_at
        if self.is_late:
            return False
        self._kept = await self._references.write(told, stored, store)
        if self._member is not None:
            await self._references.write_member(self._member, store)
        return True

    async def settle(self, *, committed: bool) -> None:
        """Remember what was stored; store it first where the transaction it was kept in was not `committed`."""
        self.is_settled = True
        if (not committed or self._kept is None) and not self.is_late:
            await self.keep(None)
        if self.is_late or self._kept is None:
            return
        self._references.remember(self._kept)
        if self._member is not None:
            self._references.remember_member(self._member)


def _merge(told: Conversation, known: Conversation) -> Conversation:
    """Return what Teams tells now, completed with what it told before and leaves out this time."""
    optional = ("bot", "team", "account", "member", "hears")
    return replace(told, **{name: getattr(told, name) or getattr(known, name) for name in optional})
