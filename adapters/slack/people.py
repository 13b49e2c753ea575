"""Translate Slack's record of a user to a `Profile`."""

from collections.abc import Mapping
from typing import Any

from adapters.zones import parse_time_zone
from bot.chat import Profile


def profile(user: Mapping[str, Any], team: str) -> Profile:
    """Return the profile of a user as `users.info` and `user_change` give them, seen from the workspace `team`."""
    shown = user.get("profile") or {}
    name = shown.get("display_name") or shown.get("real_name") or user.get("real_name") or user.get("name") or ""
    return Profile(
        name=name,
        language=user.get("locale"),
        timezone=parse_time_zone(user.get("tz")),
        guest=_is_guest(user, team),
        deactivated=bool(user.get("deleted")),
    )


def _is_guest(user: Mapping[str, Any], team: str) -> bool:
    """Return whether Ritme may not nudge or suggest a user: a guest, a bot, or of another workspace (Slack Connect)."""
    limited = ("is_restricted", "is_ultra_restricted", "is_stranger", "is_bot")
    return any(user.get(mark) for mark in limited) or user.get("team_id", team) != team
