"""Look up people, places and user groups in Slack."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from adapters.memory import Memory
from adapters.slack import people
from adapters.slack.web_api import SlackApi, SlackApiRefusal, slack_team
from bot.chat import Account, ChatPlace, Profile, UserGroup
from bot.domain.person import WorkspaceId
from bot.ports import Clock, OutcomeUnknown, RetryAfter

FAILED_LOOKUP_TTL = timedelta(minutes=10)
"""How long a failed lookup is not tried again."""


class SlackDirectory:
    """Looks up people with `users.info`, places with `conversations.info`, groups with `usergroups.list`.

    A lookup that failed is answered with None, and not tried again for `FAILED_LOOKUP_TTL`.
    """

    def __init__(self, api: SlackApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._failed: Memory[tuple[str, str], bool] = Memory(clock, FAILED_LOOKUP_TTL)

    async def profile(self, account: Account) -> Profile | None:
        answer = await self._look_up(
            "users.info", account.workspace, account.id, user=account.id, include_locale="true"
        )
        user = (answer or {}).get("user")
        return None if user is None else people.profile(user, slack_team(account.workspace))

    async def place_name(self, place: ChatPlace) -> str | None:
        answer = await self._look_up("conversations.info", place.workspace, place.channel, channel=place.channel)
        channel = (answer or {}).get("channel", {})
        # The name of a group chat is generated from its members' names; nobody uses it.
        return None if channel.get("is_mpim") else channel.get("name")

    async def groups(self, workspace: WorkspaceId) -> Sequence[UserGroup] | None:
        answer = await self._look_up("usergroups.list", workspace, "usergroups")
        if answer is None:
            return None
        found = (UserGroup(handle=one["id"], name=one["name"]) for one in answer.get("usergroups") or ())
        return sorted(found, key=lambda one: one.name.casefold())

    async def group_members(self, workspace: WorkspaceId, handle: str) -> Sequence[str] | None:
        answer = await self._look_up("usergroups.users.list", workspace, handle, usergroup=handle)
        return None if answer is None else [str(one) for one in answer.get("users") or ()]

    async def _look_up(self, method: str, workspace: str, subject: str, **args: Any) -> Mapping[str, Any] | None:
        """Return Slack's answer about a subject; None when it gave none, now or shortly before."""
        key = (workspace, subject)
        if key in self._failed:
            return None
        try:
            return await self._api.call(slack_team(workspace), method, reads=True, **args)
        except (SlackApiRefusal, OutcomeUnknown, RetryAfter):
            self._failed.put(key, True)
            return None
