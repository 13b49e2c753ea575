"""Publish changes to every open page, as the source of its event stream."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

MAX_QUEUED_CHANGES = 500
"""A page further behind than this is disconnected; it reloads everything when it reconnects."""
ChangeKind = Literal["message", "clock", "activity"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of a message (by `id`), of the clock, or of the activity: the deliveries planned and done."""

    kind: ChangeKind
    id: str = ""


class Broadcaster:
    """Fan out changes to the subscribed pages, each with a queue of its own. None in a queue ends it."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Change | None]] = set()

    def publish(self, kind: ChangeKind, id: str = "") -> None:
        """Queue a change for every subscription; end those that are too far behind."""
        for queue in list(self._queues):
            if queue.qsize() >= MAX_QUEUED_CHANGES:
                self._queues.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(Change(kind=kind, id=id))

    def close(self) -> None:
        """End every subscription."""
        for queue in self._queues:
            queue.put_nowait(None)
        self._queues.clear()

    @contextmanager
    def subscribe(self) -> Iterator["Subscription"]:
        """Return a context with a subscription to changes published from now on."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield Subscription(queue)
        finally:
            self._queues.discard(queue)


class Subscription:
    """The changes queued for one page."""

    def __init__(self, queue: asyncio.Queue[Change | None]) -> None:
        self._queue = queue

    async def changes(self, keepalive: float) -> AsyncGenerator[Change | None, None]:
        """Yield changes as they come, and None after every `keepalive` seconds without one. Ends when unsubscribed."""
        while True:
            try:
                change = await asyncio.wait_for(self._queue.get(), keepalive)
            except TimeoutError:
                yield None
                continue
            if change is None:
                return
            yield change
