"""Turn where a page begins into a text for a URL, and back."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

from bot.api import After

MAX_CURSOR_CHARS = 300
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def write_cursor(after: After) -> str:
    """Return the cursor of a place in a list."""
    at, last = after
    return urlsafe_b64encode(json.dumps([at.isoformat(), last]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> After:
    """Return the place in a list that a cursor says. Raises ValueError for what is none."""
    try:
        at, last = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not _ID.fullmatch(last):
            raise ValueError("no cursor")
        return moment.astimezone(UTC), last  # a moment that is none in UTC cannot be compared, or looked for
    except (TypeError, OverflowError, RecursionError) as problem:
        raise ValueError("no cursor") from problem
