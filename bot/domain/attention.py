"""The attention budget: how much Ritme may start by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

WEEK = timedelta(days=7)
PERSONAL_A_WEEK = 2
POSTS_A_WEEK = 3
AFTER = timedelta(seconds=1)


def free_at(sent: Sequence[datetime], most: int, now: datetime, reserved: Sequence[datetime] = ()) -> datetime:
    """When one more fits: `now`, or the first later moment worth looking again. Both sequences ascend.

    In no seven days more than `most` are sent. `reserved` are the due moments, within a week from now, of messages
    that go first (a follow-up someone asked for before news): what is sent now leaves their room.
    """
    recent = [moment for moment in sent if moment > now - WEEK]
    if len(recent) >= most:
        return recent[-most] + WEEK
    for number, due in enumerate(reserved, 1):
        still_counted = sum(moment > due - WEEK for moment in recent)
        if still_counted + number + 1 > most:
            return max(due, now) + AFTER
    return now
