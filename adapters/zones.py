"""Validate time zones that platforms name."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def parse_time_zone(name: object) -> str | None:
    """Return a time zone's name when it exists, else None. An unknown one would break later planning for its person."""
    return _check_name(name) if isinstance(name, str) and name else None


@lru_cache(maxsize=1_000)
def _check_name(name: str) -> str | None:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, ZoneInfoNotFoundError):  # OSError: "Europe" is a folder
        return None
