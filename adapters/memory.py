"""Remember things for a while, and no more of them than fit: what is remembered may be anything that was ever sent."""

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.ports import Clock

MAX_REMEMBERED = 10_000
"""Things that one memory holds, at most; beyond it the oldest are forgotten."""
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Holds values by key, each for `ttl` after it was put there. The oldest are dropped whenever one is added."""

    def __init__(self, clock: Clock, ttl: timedelta, most: int = MAX_REMEMBERED) -> None:
        self._clock = clock
        self._ttl = ttl
        self._most = most
        self._kept: dict[K, tuple[V, datetime]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def get(self, key: K) -> V | None:
        """Return what was put there within the last `ttl`; None when nothing was."""
        value, at = self._kept.get(key, (None, None))
        return value if at is not None and self._clock.now() - at < self._ttl else None

    def put(self, key: K, value: V) -> None:
        """Remember a value, in place of the one before."""
        now = self._clock.now()
        # Taken out first, so that the dict stays ordered by time: what is first in it is the oldest.
        self._kept.pop(key, None)
        self._kept[key] = value, now
        while self._kept:
            oldest = next(iter(self._kept))
            if len(self._kept) <= self._most and now - self._kept[oldest][1] < self._ttl:
                break
            del self._kept[oldest]

    def forget(self, key: K) -> None:
        """Forget what was put there, if anything was."""
        self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
