"""Keep what answers a request of Slack's going, in time or after it: the person waits for the acknowledgement only."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

ACK_BUDGET = 2.5
"""Seconds after its arrival at which a request is acknowledged at the latest; Slack stops waiting after 3."""
T = TypeVar("T")


class AnswerTasks:
    """Tasks that answer requests, and go on when a request could not wait for them any longer."""

    def __init__(self) -> None:
        # The event loop holds only a weak reference to a task.
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task, and keep it until it is done."""
        task = asyncio.create_task(work, name="slack answer")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task whose end nobody waits for."""
        _ = self.start(work)

    async def close(self) -> None:
        """Wait until all tasks are done, and those that they started."""
        while self._running:
            await asyncio.wait(self._running)


async def is_done_by(task: asyncio.Task[Any], moment: float) -> bool:
    """Wait for a task until a moment of the event loop's clock. Returns whether it is done; if not, it goes on."""
    left = moment - asyncio.get_running_loop().time()
    done, _ = await asyncio.wait({task}, timeout=max(left, 0))
    return bool(done)
