"""Clocks: of this machine, of the database, and one that can be set."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog

log = structlog.get_logger(__name__)
SYNC_INTERVAL = 30.0
"""Seconds between two times that the database is asked for its clock."""
SYNC_READINGS = 8
"""How often it is asked each time."""


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SettableClock:
    """A clock that can be set and then runs on, for the playground and for tests.

    With `running` False it stands still until it is set again.
    """

    def __init__(self, start: datetime | None = None, *, running: bool = True) -> None:
        self._running = running
        self._ahead = timedelta(0) if start is None else start - datetime.now(UTC)
        self._still = start or datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead if self._running else self._still

    def set(self, moment: datetime) -> None:
        """Set the clock to `moment`, an aware datetime."""
        self._ahead = moment - datetime.now(UTC)
        self._still = moment


class SharedClock:
    """The database's clock, which all processes that share the database agree on, however wrong their own clocks are.

    `fetch_time` asks the database. In between, time runs on by this machine's monotonic clock, which cannot be set.
    """

    def __init__(self, fetch_time: Callable[[], Awaitable[datetime]]) -> None:
        self._fetch_time = fetch_time
        self._synced = datetime.now(UTC)
        self._synced_at = monotonic()

    def now(self) -> datetime:
        return self._synced + timedelta(seconds=monotonic() - self._synced_at)

    async def sync(self) -> None:
        """Ask the database for the time. Raises what `fetch_time` raises.

        What is asked in one process and then in another is put in order by their clocks. An answer is some milliseconds
        old, more where a process is busy: of several the quickest counts, for the moment half-way the question.
        """
        readings = [await self._read() for _ in range(SYNC_READINGS)]
        _, self._synced, self._synced_at = min(readings)

    async def _read(self) -> tuple[float, datetime, float]:
        """Return how long an answer took, the answer, and when it was true by this machine's monotonic clock."""
        before = monotonic()
        answer = await self._fetch_time()
        took = monotonic() - before
        return took, answer, before + took / 2

    async def sync_periodically(self) -> None:
        """Synchronise every `SYNC_INTERVAL` seconds until cancelled. While the database is away, time runs on."""
        while True:
            await asyncio.sleep(SYNC_INTERVAL)
            try:
                await self.sync()
            except Exception:
                log.warning("clock_sync_failed", exc_info=True)
