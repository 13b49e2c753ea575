"""Take turns: a few intents of a workspace act at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from weakref import WeakValueDictionary

from bot.ports import StorageUnavailable

INTENTS_AT_A_TIME = 4
"""Intents of a workspace that act at a time: while the database works for one, the next are computed. More would wait
for the row of their movement, each with a connection that others need (docs/adr/0117, 0125)."""
TURN_TIMEOUT = 2.0
"""Seconds to wait for a turn. Slack wants its answer within 3."""


class WorkspaceTurns:
    """The turns of every workspace in this process, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def take(self, workspace: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises `StorageUnavailable` when too many others came before."""
        turns = self._turns.setdefault(workspace, asyncio.Semaphore(INTENTS_AT_A_TIME))
        try:
            # One that is free is taken at once, without a timer.
            async with asyncio.timeout(TURN_TIMEOUT) if turns.locked() else nullcontext():
                await turns.acquire()
        except TimeoutError:
            raise StorageUnavailable("too many act in this workspace at once") from None
        try:
            yield
        finally:
            turns.release()
