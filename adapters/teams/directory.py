"""Look up names of people and places in Teams."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from adapters.memory import Memory
from adapters.teams.connector import Connector, ConnectorError
from adapters.teams.references import ConversationReferences
from bot.chat import Account, ChatPlace, Profile, UserGroup
from bot.domain.person import WorkspaceId
from bot.ports import Clock, OutcomeUnknown, RetryAfter, Unreachable

TEAMS_LOOKUP_BACKOFF = timedelta(minutes=10)
"""How long after a lookup failed the same name is not asked for again."""


class TeamsDirectory:
    """People through the members of a conversation, places through the channels of a team. Teams has no groups that a
    bot may read."""

    def __init__(self, connector: Connector, references: ConversationReferences, clock: Clock) -> None:
        self._connector = connector
        self._references = references
        self._clock = clock
        self._failed: Memory[tuple[str, str], bool] = Memory(clock, TEAMS_LOOKUP_BACKOFF)

    async def profile(self, account: Account) -> Profile | None:
        reference = await self._references.find_by_person(account.workspace, account.id)
        # Of someone we never met, any conversation of the organisation may tell.
        reference = reference or await self._references.find_any(account.workspace)
        if reference is None or (account.workspace, account.id) in self._failed:
            return None
        try:
            found = await self._connector.get_member(reference.service_url, reference.channel, account.id)
        except (ConnectorError, OutcomeUnknown, RetryAfter, Unreachable):
            self._failed.put((account.workspace, account.id), True)
            return None
        return Profile(name=str(found.get("name") or ""), guest=found.get("userRole") == "guest")

    async def place_name(self, place: ChatPlace) -> str | None:
        reference = await self._references.find(place.workspace, place.channel)
        if reference is None or not reference.team or (place.workspace, place.channel) in self._failed:
            return None
        try:
            found = await self._connector.list_channels(reference.service_url, reference.team)
        except (ConnectorError, OutcomeUnknown, RetryAfter, Unreachable):
            self._failed.put((place.workspace, place.channel), True)
            return None
        channels: Sequence[Mapping[str, Any]] = found.get("conversations") or ()
        return next((str(one["name"]) for one in channels if one.get("id") == place.channel and one.get("name")), None)

    async def groups(self, workspace: WorkspaceId) -> Sequence[UserGroup] | None:
        return ()

    async def group_members(self, workspace: WorkspaceId, handle: str) -> Sequence[str] | None:
        return ()
