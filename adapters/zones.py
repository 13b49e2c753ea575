"""Time zones as platforms tell them."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def known_zone(told: object) -> str | None:
    """The time zone someone is said to live in, when there is one of that name: what nobody knows would break whatever
    is planned for them later."""
    try:
        return ZoneInfo(told).key if isinstance(told, str) else None
    except (OSError, ValueError, ZoneInfoNotFoundError):  # "Europe" is a folder
        return None
