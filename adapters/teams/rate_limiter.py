"""How much Teams takes: in one conversation and in one organisation, by sliding windows."""

from collections import deque
from datetime import datetime, timedelta

from bot.ports import Clock, RetryAfter

CONVERSATION = ((7, 1), (8, 2), (60, 30), (1_800, 3_600))
ORGANISATION = ((50, 1),)
"""So many in so many seconds."""


class RateLimiter:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: dict[tuple[str, str], deque[datetime]] = {}

    def take_turn(self, workspace: str, conversation: str) -> None:
        """Raises `RetryAfter` when the conversation, or the whole organisation, had as much as Teams takes."""
        now = self._clock.now()
        for key, windows in (((workspace, ""), ORGANISATION), ((workspace, conversation), CONVERSATION)):
            free_at = _free_at(self._sent.get(key, deque()), windows)
            if free_at is not None and free_at > now:
                raise RetryAfter(free_at, whole_workspace=not key[1])
        oldest = now - timedelta(seconds=CONVERSATION[-1][1])
        for key in ((workspace, ""), (workspace, conversation)):
            sent = self._sent.setdefault(key, deque(maxlen=CONVERSATION[-1][0]))
            sent.append(now)
            while sent and sent[0] <= oldest:
                sent.popleft()


def _free_at(sent: deque[datetime], windows: tuple[tuple[int, int], ...]) -> datetime | None:
    """When one more fits in every window; None when it does now."""
    waits = [sent[-most] + timedelta(seconds=seconds) for most, seconds in windows if len(sent) >= most]
    return max(waits, default=None)
