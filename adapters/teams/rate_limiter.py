"""Limit the rate of messages to what Teams takes, by sliding windows per conversation and per organisation."""

from collections import deque
from datetime import datetime, timedelta

from bot.ports import Clock, RetryAfter

CONVERSATION_LIMITS = ((7, 1), (8, 2), (60, 30), (1_800, 3_600))
"""(messages, seconds): at most so many messages of a bot in one conversation within so long; documented limits."""
TENANT_LIMITS = ((50, 1),)
"""(requests, seconds): at most so many requests of a bot in one organisation within so long; documented limit."""


class RateLimiter:
    """Counts what this process sent. Never waits: a caller that may not send is told when it may."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: dict[tuple[str, str], deque[datetime]] = {}

    def acquire(self, workspace: str, conversation: str) -> None:
        """Count one message to be sent now. Raises `RetryAfter` when the conversation, or the whole organisation, had
        as much as Teams takes; then nothing is counted."""
        now = self._clock.now()
        # Every window is looked at before anything is counted: a message held back by one takes no room in another.
        for key, windows in (((workspace, ""), TENANT_LIMITS), ((workspace, conversation), CONVERSATION_LIMITS)):
            free_at = _free_at(self._sent.get(key, deque()), windows)
            if free_at is not None and free_at > now:
                raise RetryAfter(free_at, whole_workspace=not key[1])
        most, seconds = CONVERSATION_LIMITS[-1]  # the longest window, so all that any window looks back on
        oldest = now - timedelta(seconds=seconds)
        for key in ((workspace, ""), (workspace, conversation)):
            # Taken out and put back, so that what was not written to for longest comes first, and is forgotten below.
            sent = self._sent.pop(key, None) or deque(maxlen=most)
            self._sent[key] = sent
            sent.append(now)
            while sent and sent[0] <= oldest:
                sent.popleft()
        while (first := next(iter(self._sent.values()))) and first[-1] <= oldest:
            del self._sent[next(iter(self._sent))]


def _free_at(sent: deque[datetime], windows: tuple[tuple[int, int], ...]) -> datetime | None:
    """Return when one more fits in every window, which may be in the past; None when too little was sent to tell."""
    free = [sent[-most] + timedelta(seconds=seconds) for most, seconds in windows if len(sent) >= most]
    return max(free, default=None)
