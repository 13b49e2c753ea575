"""Rhythms: scheduled moments in a place."""

from datetime import datetime

from bot.ports import UnitOfWork


async def plan_due(work: UnitOfWork, now: datetime, limit: int) -> int:
    """Turns due moments into deliveries, keyed by rhythm and moment. Returns how many rhythms were planned."""
    due = await work.rhythms.due(now, limit)
    for rhythm in due:
        rhythm.next_at = None
    return len(due)
