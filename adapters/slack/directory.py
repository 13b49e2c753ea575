"""What Slack tells of people."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.slack.calls import Calls, Said, team_of
from bot.chat import Account, Place, Profile
from bot.ports import Clock, NoAnswer, TryLater

AGAIN_AFTER = timedelta(minutes=10)


class SlackDirectory:
    """People through `users.info`, places through `conversations.info`. Asked in vain, it is not asked again for ten
    minutes."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._asked_in_vain: dict[tuple[str, str], datetime] = {}

    async def profile(self, account: Account) -> Profile | None:
        user = (
            await self._asked("users.info", account.workspace, account.id, user=account.id, include_locale="true")
        ).get("user")
        if user is None:
            return None
        shown = user.get("profile", {})
        name = shown.get("display_name") or shown.get("real_name") or user.get("real_name") or user.get("name") or ""
        return Profile(name=name, language=user.get("locale"), timezone=_zone(user.get("tz")))

    async def place_name(self, place: Place) -> str | None:
        channel = (await self._asked("conversations.info", place.workspace, place.channel, channel=place.channel)).get(
            "channel", {}
        )
        # A conversation of a few people has a name made of theirs, which nobody uses.
        return None if channel.get("is_mpim") else channel.get("name")

    async def _asked(self, method: str, workspace: str, whom: str, **args: Any) -> Mapping[str, Any]:
        now, about = self._clock.now(), (workspace, whom)
        if now - self._asked_in_vain.get(about, now - AGAIN_AFTER) < AGAIN_AFTER:
            return {}
        try:
            return await self._calls(team_of(workspace), method, reads=True, **args)
        except (Said, NoAnswer, TryLater):
            self._asked_in_vain[about] = now
            return {}


def _zone(name: str | None) -> str | None:
    try:
        return ZoneInfo(name).key if name else None
    except (ValueError, ZoneInfoNotFoundError):
        return None
