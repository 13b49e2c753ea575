"""Validate time zones that platforms name."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def parse_time_zone(name: object) -> str | None:
    """Return a time zone's name when it exists, else None. An unknown one would break later planning for its person."""
    try:
        return ZoneInfo(name).key if isinstance(name, str) else None
    except (OSError, ValueError, ZoneInfoNotFoundError):  # OSError: "Europe" is a folder
        return None
