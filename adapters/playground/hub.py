"""Live updates: whatever changes is told to every open page."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

MOST_UNREAD = 500
"""A page further behind than this is sent away, and starts over when it comes back."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What changed: a message (by `id`), the clock, or what the bot has planned and done."""

    kind: Literal["message", "clock", "activity"]
    id: str = ""


class Hub:
    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Change | None]] = set()

    def tell(self, kind: Literal["message", "clock", "activity"], id: str = "") -> None:
        for listener in list(self._listeners):
            if listener.qsize() >= MOST_UNREAD:
                self._listeners.discard(listener)
                listener.put_nowait(None)
            else:
                listener.put_nowait(Change(kind=kind, id=id))

    def close(self) -> None:
        """Ends every stream."""
        for listener in self._listeners:
            listener.put_nowait(None)
        self._listeners.clear()

    @contextmanager
    def listening(self) -> Iterator["Listener"]:
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield Listener(queue)
        finally:
            self._listeners.discard(queue)


class Listener:
    def __init__(self, queue: asyncio.Queue[Change | None]) -> None:
        self._queue = queue

    async def changes(self, patience: float) -> AsyncGenerator[Change | None, None]:
        """Changes as they come; None when `patience` seconds passed without one, so that the line is kept open."""
        while True:
            try:
                change = await asyncio.wait_for(self._queue.get(), patience)
            except TimeoutError:
                yield None
                continue
            if change is None:
                return
            yield change
