"""What time it is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog

log = structlog.get_logger(__name__)
LOOK_EVERY = 30.0
"""Seconds between two looks at the database's clock."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class DialClock:
    """A clock that can be set forward and then runs on: for the playground's dial and for tests.

    With `running` False it stands still until moved.
    """

    def __init__(self, start: datetime | None = None, *, running: bool = True) -> None:
        self._running = running
        self._ahead = timedelta(0) if start is None else start - datetime.now(UTC)
        self._still = start or datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead if self._running else self._still

    def set(self, moment: datetime) -> None:
        """Moves to `moment`, an aware datetime."""
        self._ahead = moment - datetime.now(UTC)
        self._still = moment


class SharedClock:
    """The database's time, which is the same for every process that shares it, however wrong their own clocks are.

    `ask` tells the time there. In between it runs on by this machine's steady clock, which nobody sets.
    """

    def __init__(self, ask: Callable[[], Awaitable[datetime]]) -> None:
        self._ask = ask
        self._told = datetime.now(UTC)
        self._told_at = monotonic()

    def now(self) -> datetime:
        return self._told + timedelta(seconds=monotonic() - self._told_at)

    async def look(self) -> None:
        """Asks what time it is; the answer is taken to hold for the moment half-way."""
        before = monotonic()
        told = await self._ask()
        self._told, self._told_at = told, (before + monotonic()) / 2

    async def keep_looking(self) -> None:
        """For ever. While nobody answers, the time runs on."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except Exception:
                log.warning("clock_unanswered", exc_info=True)
