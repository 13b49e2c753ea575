"""Turn where a page begins into a text for a URL, and back."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

from bot.api import After

MAX_CURSOR_CHARS = 300


def write_cursor(after: After) -> str:
    """Return the cursor of a place in a list."""
    at, last = after
    return urlsafe_b64encode(json.dumps([at.isoformat(), last]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> After:
    """Return the place in a list that a cursor says. Raises ValueError for what is none."""
    try:
        at, last = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
    except (TypeError, UnicodeDecodeError) as problem:
        raise ValueError("no cursor") from problem
    if not isinstance(last, str) or moment.tzinfo is None or "\0" in last:
        raise ValueError("no cursor")
    return moment, last
