"""Keeps a worker of procrastinate running: it ends when it loses the database, and is then started again."""

import asyncio
from collections.abc import Callable

import structlog
from procrastinate.worker import Worker

from adapters.engine.loops import interruptible_sleep

log = structlog.get_logger(__name__)

RESTART_BACKOFF = 1.0
"""Seconds to wait before a worker that lost the database starts again; doubles with every restart."""
MAX_RESTART_BACKOFF = 15.0
STABLE_AFTER = 60.0
"""Seconds of running after which a worker's next restart waits `RESTART_BACKOFF` again."""


class WorkerSupervisor:
    """Runs one worker at a time until `stopping` is set. `new_worker` makes one for every start."""

    def __init__(self, new_worker: Callable[[], Worker], stopping: asyncio.Event) -> None:
        self.is_restarting = False
        self._new_worker = new_worker
        self._stopping = stopping
        self._worker: Worker | None = None

    async def run(self) -> None:
        """Run a worker; when it ends by itself, wait and start another. Returns when `stopping` is set."""
        clock = asyncio.get_running_loop().time
        seconds = RESTART_BACKOFF
        while not self._stopping.is_set():
            began = clock()
            self._worker = self._new_worker()
            try:
                await self._worker.run()  # type: ignore[no-untyped-call]  # procrastinate has no annotation here
            except Exception:
                log.exception("worker_run_failed")
            if self._stopping.is_set():
                return
            if clock() - began > STABLE_AFTER:
                seconds = RESTART_BACKOFF
            log.warning("worker_restarts", seconds=seconds)
            self.is_restarting = True
            await interruptible_sleep(seconds, self._stopping)
            self.is_restarting = False
            seconds = min(seconds * 2, MAX_RESTART_BACKOFF)

    def stop_worker(self) -> None:
        """Let the worker take no more jobs; `run` returns when its running jobs have ended."""
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call]  # nor here
