"""What Slack tells of people."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.slack.calls import Calls, Said
from bot.chat import Account, Profile
from bot.ports import Clock, NoAnswer, TryLater

AGAIN_AFTER = timedelta(minutes=10)


class SlackDirectory:
    """Names, zones and languages, through `users.info`. Asked in vain, it is not asked again for ten minutes."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._asked_in_vain: dict[str, datetime] = {}

    async def profile(self, account: Account) -> Profile | None:
        now = self._clock.now()
        if now - self._asked_in_vain.get(account.id, now - AGAIN_AFTER) < AGAIN_AFTER:
            return None
        try:
            user = (await self._calls("users.info", reads=True, user=account.id, include_locale="true"))["user"]
        except (Said, NoAnswer, TryLater):
            self._asked_in_vain[account.id] = now
            return None
        self._asked_in_vain.pop(account.id, None)
        shown = user.get("profile", {})
        name = shown.get("display_name") or shown.get("real_name") or user.get("real_name") or user.get("name") or ""
        return Profile(name=name, language=user.get("locale"), timezone=_zone(user.get("tz")))


def _zone(name: str | None) -> str | None:
    try:
        return ZoneInfo(name).key if name else None
    except (ValueError, ZoneInfoNotFoundError):
        return None
