"""The engine inside one process: a tick every second, and at once when woken. It remembers nothing.

All that must survive stands in the tables: after a restart the first tick finds it.
"""

import asyncio
from collections.abc import Collection
from datetime import UTC
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger(__name__)

TICK = 1.0
"""Seconds between two looks at what is due."""
GRACE = 10.0
"""Seconds a running drain gets to finish when Ritme stops; what it then still holds is settled after the restart."""


class Work(Protocol):
    """What the engine keeps going: Ritme."""

    async def plan(self) -> Collection[str]:
        """Turns what is due into deliveries; answers the lanes that have something to send now."""

    async def drain(self, lane: str) -> bool:
        """Sends a bounded number of what is due in this lane; answers whether more is due now."""


class EmbeddedEngine:
    """Plans and drains `Work` from memory; never two drains of one lane at a time."""

    def __init__(self, *, tick: float = TICK, grace: float = GRACE) -> None:
        self._grace = grace
        self._work: Work | None = None
        self._planning = asyncio.Lock()
        self._drains: dict[str, asyncio.Task[None]] = {}
        self._woken: set[str] = set()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_job(
            self.tick, "interval", seconds=tick, max_instances=1, coalesce=True, misfire_grace_time=None
        )

    def start(self, work: Work) -> None:
        """Begins to tick, in the running event loop."""
        self._work = work
        self._scheduler.start()

    def wake(self, lane: str) -> None:
        """Drains this lane at once; when that is going on already, once more after it. Before `start`, does nothing."""
        if self._work is None:
            return
        self._woken.add(lane)
        if lane not in self._drains:
            self._drains[lane] = asyncio.create_task(self._drain(self._work, lane), name=f"drain {lane}")

    async def tick(self) -> None:
        """Plans, and starts the drains of what came due. What fails is logged, and tried again by the next tick."""
        async with self._planning:
            if self._work is None:
                return
            try:
                for lane in await self._work.plan():
                    self.wake(lane)
            except Exception:
                log.exception("plan failed")

    async def settle(self) -> None:
        """Plans and drains until nothing is going on: for whoever moved the clock and wants to see what follows."""
        await self.tick()
        while self._drains:
            await asyncio.wait(self._drains.values())

    async def close(self) -> None:
        """Stops ticking and lets what is being sent be sent."""
        if self._work is None:
            return
        self._scheduler.pause()
        async with self._planning:
            self._work = None
            self._scheduler.shutdown(wait=False)
        if self._drains:
            _, late = await asyncio.wait(self._drains.values(), timeout=self._grace)
            for drain in late:
                log.warning("drain stopped halfway", drain=drain.get_name())
                drain.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _drain(self, work: Work, lane: str) -> None:
        try:
            while lane in self._woken and self._work is not None:
                self._woken.discard(lane)
                if await work.drain(lane):
                    self._woken.add(lane)
                await asyncio.sleep(0)
        except Exception:
            log.exception("drain failed", lane=lane)
        finally:
            self._woken.discard(lane)
            del self._drains[lane]
