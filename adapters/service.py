"""Manage the lifecycle of everything that runs in a process."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import SharedClock
from adapters.database.migrate import is_newer_schema, schema_versions
from adapters.database.outbox import Outbox
from adapters.engine.work import Work
from adapters.metrics import Metrics
from bot.app import Ritme
from bot.ports import Clock, Engine

log = structlog.get_logger(__name__)
READINESS_TIMEOUT = 2.0
"""Seconds in which the database has to answer a probe of readiness or a scrape of metrics."""


class ServiceEngine(Engine, Protocol):
    """An engine with the lifecycle that the service manages."""

    @property
    def is_running(self) -> bool:
        """True while it takes new work."""

    async def start(self, work: Work) -> None:
        """Start to plan and send what is due, by calling `work`."""

    async def run_until_idle(self) -> None:
        """Plan and send all that is due; return when that is done."""

    async def close(self) -> None:
        """Stop taking new work, and finish what is being sent."""


@dataclass(kw_only=True)
class Service:
    """Everything that runs in this process, to be started once and closed once.

    `sends_deliveries` is False when only workers elsewhere send. `mounts` add the platforms' routes to the application.
    `start_hooks` open connections of their own by which platforms receive requests; `stop_intake_hooks` close those,
    before the engine finishes what it is sending. `close_hooks` run after that.
    """

    ritme: Ritme
    engine: ServiceEngine
    database: AsyncEngine
    clock: Clock
    metrics: Metrics
    sends_deliveries: bool = True
    is_single_process: bool = True
    start_hooks: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    stop_intake_hooks: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    mounts: list[Callable[[web.Application], None]] = field(default_factory=list)
    close_hooks: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    started: bool = False
    _clock_sync: asyncio.Task[None] | None = None
    _loading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Settle what the last run left half-way, then start the engine."""
        if isinstance(self.clock, SharedClock):
            await self.clock.sync()
            self._clock_sync = asyncio.create_task(self.clock.sync_periodically(), name="clock")
        # Only when no other process can be sending at this moment: its deliveries would be taken for interrupted ones.
        if self.is_single_process:
            await self.ritme.recover()
        if self.sends_deliveries:
            await self.engine.start(self.ritme)
        self.started = True

    async def open(self) -> None:
        """Read the phrase books, then start to receive requests by other ways than HTTP. Call after the routes are
        mounted, and before the first request: it would wait for the books, and be answered too late."""
        await asyncio.to_thread(self.ritme.load_books)
        for start in self.start_hooks:
            await start()

    def load_libraries(self) -> None:
        """Load, in a thread, what starting need not wait for but whoever tells something would: on SQLite everybody
        with them. Call once requests are answered."""
        self._loading = asyncio.create_task(self._load_libraries(), name="libraries")

    async def _load_libraries(self) -> None:
        try:
            await asyncio.to_thread(self.ritme.load_libraries)
        except Exception:  # the first text that needs one loads it, or fails by itself
            log.exception("libraries_load_failed")

    async def find_problems(self) -> dict[str, str]:
        """Return what keeps this process from being ready: a problem by subject; empty when it is ready.

        A database that a newer version migrated is no problem: its tables serve this version, too.
        """
        if not self.started:
            return {"engine": "is starting"}
        try:
            async with asyncio.timeout(READINESS_TIMEOUT):
                current, head = await schema_versions(self.database)
        except Exception as problem:
            log.warning("database_probe_failed", exc_info=True)
            return {"database": type(problem).__name__}
        if current != head and not is_newer_schema(current):
            return {"migrations": f"at {current or 'none'}, this version needs {head}"}
        if self.sends_deliveries and not self.engine.is_running:
            return {"engine": "does not run"}
        return {}

    async def export_metrics(self) -> bytes:
        """Return the metrics in Prometheus's text format; without outbox statistics while the database is away."""
        try:
            async with asyncio.timeout(READINESS_TIMEOUT):
                return self.metrics.export(await Outbox(self.database).stats(self.clock.now()))
        except Exception:
            log.warning("outbox_stats_failed", exc_info=True)
            return self.metrics.export(None)

    async def close(self) -> None:
        """Stop receiving, finish what is being sent, then close everything."""
        # In this order: what is received makes more to send, and sending needs the platforms and the database.
        if self._loading is not None:
            await self._loading
        for stop_intake in self.stop_intake_hooks:
            await stop_intake()
        await self.ritme.finish_answers()
        await self.engine.close()
        if self._clock_sync is not None:
            self._clock_sync.cancel()
            with suppress(asyncio.CancelledError):
                await self._clock_sync
        for close in self.close_hooks:
            await close()
        await self.database.dispose()
