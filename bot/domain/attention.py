"""The attention budget: how much Ritme may start by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

WEEK = timedelta(days=7)
PERSONAL_A_WEEK = 2
POSTS_A_WEEK = 3


def free_at(sent: Sequence[datetime], most: int, now: datetime) -> datetime:
    """When one more fits: now, or a week after the message that fills the budget. `sent` ascends, any length."""
    recent = [moment for moment in sent if moment > now - WEEK]
    if len(recent) < most:
        return now
    return recent[-most] + WEEK
