"""What Slack tells of people, places and groups."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.slack import people
from adapters.slack.calls import Calls, Said, team_of
from bot.chat import Account, ChatPlace, Profile, UserGroup
from bot.domain.person import WorkspaceId
from bot.ports import Clock, OutcomeUnknown, RetryAfter

AGAIN_AFTER = timedelta(minutes=10)


class SlackDirectory:
    """People through `users.info`, places through `conversations.info`, groups through `usergroups.list`. Asked in
    vain, it is not asked again for ten minutes."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._asked_in_vain: dict[tuple[str, str], datetime] = {}

    async def profile(self, account: Account) -> Profile | None:
        asked = self._asked("users.info", account.workspace, account.id, user=account.id, include_locale="true")
        user = (await asked or {}).get("user")
        return None if user is None else people.profile(user, team_of(account.workspace))

    async def place_name(self, place: ChatPlace) -> str | None:
        asked = self._asked("conversations.info", place.workspace, place.channel, channel=place.channel)
        channel = (await asked or {}).get("channel", {})
        # A conversation of a few people has a name made of theirs, which nobody uses.
        return None if channel.get("is_mpim") else channel.get("name")

    async def groups(self, workspace: WorkspaceId) -> Sequence[UserGroup] | None:
        answer = await self._asked("usergroups.list", workspace, "usergroups")
        if answer is None:
            return None
        found = (UserGroup(handle=one["id"], name=one["name"]) for one in answer.get("usergroups") or ())
        return sorted(found, key=lambda one: one.name.casefold())

    async def group_members(self, workspace: WorkspaceId, handle: str) -> Sequence[str] | None:
        answer = await self._asked("usergroups.users.list", workspace, handle, usergroup=handle)
        return None if answer is None else [str(one) for one in answer.get("users") or ()]

    async def _asked(self, method: str, workspace: str, whom: str, **args: Any) -> Mapping[str, Any] | None:
        """Slack's answer; None when it gave none."""
        now, about = self._clock.now(), (workspace, whom)
        if now - self._asked_in_vain.get(about, now - AGAIN_AFTER) < AGAIN_AFTER:
            return None
        try:
            return await self._calls(team_of(workspace), method, reads=True, **args)
        except (Said, OutcomeUnknown, RetryAfter):
            self._asked_in_vain[about] = now
            return None
