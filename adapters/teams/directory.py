"""What Teams tells of people and places."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.teams.connector import Connector, Refusal
from adapters.teams.references import References
from bot.chat import Account, ChatPlace, Profile, UserGroup
from bot.domain.person import WorkspaceId
from bot.ports import Clock, OutcomeUnknown, RetryAfter, Unreachable

AGAIN_AFTER = timedelta(minutes=10)


class TeamsDirectory:
    """People through the members of a conversation, places through the channels of a team. Asked in vain, it is not
    asked again for ten minutes. Teams has no groups that a bot may read."""

    def __init__(self, connector: Connector, references: References, clock: Clock) -> None:
        self._connector = connector
        self._references = references
        self._clock = clock
        self._asked_in_vain: dict[tuple[str, str], datetime] = {}

    async def profile(self, account: Account) -> Profile | None:
        there = await self._references.with_person(account.workspace, account.id)
        there = there or await self._references.somewhere(account.workspace)
        if there is None or self._in_vain(account.workspace, account.id):
            return None
        try:
            found = await self._connector.member(there.service_url, there.channel, account.id)
        except (Refusal, OutcomeUnknown, RetryAfter, Unreachable):
            self._asked_in_vain[account.workspace, account.id] = self._clock.now()
            return None
        return Profile(name=str(found.get("name") or ""), guest=found.get("userRole") == "guest")

    async def place_name(self, place: ChatPlace) -> str | None:
        there = await self._references.of(place.workspace, place.channel)
        if there is None or not there.team or self._in_vain(place.workspace, place.channel):
            return None
        try:
            found = await self._connector.channels(there.service_url, there.team)
        except (Refusal, OutcomeUnknown, RetryAfter, Unreachable):
            self._asked_in_vain[place.workspace, place.channel] = self._clock.now()
            return None
        listed: Sequence[Mapping[str, Any]] = found.get("conversations") or ()
        return next((str(one["name"]) for one in listed if one.get("id") == place.channel and one.get("name")), None)

    async def groups(self, workspace: WorkspaceId) -> Sequence[UserGroup] | None:
        return ()

    async def group_members(self, workspace: WorkspaceId, handle: str) -> Sequence[str] | None:
        return ()

    def _in_vain(self, workspace: str, whom: str) -> bool:
        now = self._clock.now()
        return now - self._asked_in_vain.get((workspace, whom), now - AGAIN_AFTER) < AGAIN_AFTER
