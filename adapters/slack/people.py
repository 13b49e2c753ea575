"""What Slack's own record of a user says, as the core speaks of people."""

from collections.abc import Mapping
from typing import Any

from adapters.zones import known_zone
from bot.chat import Profile


def profile(user: Mapping[str, Any], team: str) -> Profile:
    """A user as `users.info` and `user_change` give them, seen from our workspace `team` (its bare id)."""
    shown = user.get("profile") or {}
    name = shown.get("display_name") or shown.get("real_name") or user.get("real_name") or user.get("name") or ""
    return Profile(
        name=name,
        language=user.get("locale"),
        timezone=known_zone(user.get("tz")),
        guest=_is_guest(user, team),
        deactivated=bool(user.get("deleted")),
    )


def _is_guest(user: Mapping[str, Any], team: str) -> bool:
    """Guests of our workspace, people of another one (Slack Connect), and bots: none of them is led to or nudged."""
    limited = ("is_restricted", "is_ultra_restricted", "is_stranger", "is_bot")
    return any(user.get(mark) for mark in limited) or user.get("team_id", team) != team
