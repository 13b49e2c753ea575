"""Asks: what colleagues want of one person, by way of Ritme. Together they are few, over all movements."""

from collections.abc import Sequence
from datetime import datetime, timedelta

MONTH = timedelta(days=30)
MAX_ASKS_PER_MONTH = 2
"""Asks that one person gets in a month, of every kind, from everyone, in all movements together."""
ASK_KINDS = ("invitation", "company_asked", "nominated", "history_asked", "room_asked", "print_asked")
"""Kinds of deliveries that are asks: an invitation (the second time too), a request to think along, the question
whether somebody may be suggested, the one for a moment to look back on, a request for room, and whether a
story may be printed. Each goes into the outbox by `Deliveries.add_ask`."""


def next_ask_at(asked: Sequence[datetime], now: datetime) -> datetime:
    """Return the first moment, from `now` on, at which one more ask leaves no month with more than
    `MAX_ASKS_PER_MONTH`. `asked`: the moments of earlier asks and of those still to come, in any order."""
    recent = sorted(moment for moment in asked if moment > now - MONTH)
    return max(now, recent[-MAX_ASKS_PER_MONTH] + MONTH) if len(recent) >= MAX_ASKS_PER_MONTH else now
