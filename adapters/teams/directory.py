"""Look up names of people and places in Teams."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapters.memory import Memory
from adapters.teams.connector import Connector, ConnectorError
from adapters.teams.references import Conversation, ConversationReferences
from bot.chat import Account, ChatPlace, Profile, UserGroup
from bot.domain.person import WorkspaceId
from bot.ports import Clock, OutcomeUnknown, RetryAfter, Unreachable

TEAMS_LOOKUP_BACKOFF = timedelta(minutes=10)
"""How long after a lookup failed the same name is not asked for again."""
MAX_GROUPS_ASKED = 20
"""Conversations that are asked at most whether someone is a member; where there are more, nobody counts as gone."""
LEFT = Profile(name="", deactivated=True)
"""The profile of someone who is no member any more of where they were."""


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
        if (account.workspace, account.id) in self._failed:
            return None
        try:
            if reference is not None and not reference.can_receive:
                return await self._find_among_others(account, reference.member)
            # Of someone we never met, any conversation of the organisation may tell.
            known = reference or await self._references.find_any(account.workspace)
            member = reference.member if reference is not None else ""
            found = await self._find_member(known, account, member) if known is not None else None
        except (ConnectorError, OutcomeUnknown, RetryAfter, Unreachable):
            self._failed.put((account.workspace, account.id), True)
            return None
        if found is None and reference is None:
            self._failed.put((account.workspace, account.id), True)  # they may be elsewhere
            return None
        return found or LEFT  # in their own chat with us is nobody but them

    async def _find_among_others(self, account: Account, member: str) -> Profile | None:
        """Look up someone met among others. They left when they are in no conversation any more, as far as we are in
        all conversations where we may have met them."""
        groups = await self._references.list_groups(account.workspace, MAX_GROUPS_ASKED + 1)
        # All members of a team are in its first channel, which bears its id.
        for channel, one in {one.team or one.channel: one for one in groups}.items():
            if (found := await self._find_member(replace(one, channel=channel), account, member)) is not None:
                return found
        is_sure = 0 < len(groups) <= MAX_GROUPS_ASKED and await self._references.find_former(account.workspace) is None
        return LEFT if is_sure else None

    async def _find_member(self, conversation: Conversation, account: Account, member: str) -> Profile | None:
        """Return the profile of a member; None when neither id of theirs is one. Raises what `Connector` raises."""
        for known_as in filter(None, (member, account.id)):
            try:
                found = await self._connector.get_member(conversation.service_url, conversation.channel, known_as)
            except ConnectorError as error:
                if error.code == "MemberNotFoundInConversation" or (error.status == 404 and not error.code):
                    continue
                raise
            return Profile(name=str(found.get("name") or ""), guest=found.get("userRole") == "guest")
        return None

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
