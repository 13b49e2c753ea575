"""Doing something in one transaction, and once more when it lost a race."""

from asyncio import sleep
from collections.abc import Awaitable, Callable
from random import uniform
from time import perf_counter
from typing import TypeVar

from structlog.contextvars import get_contextvars

from bot.domain.ids import new_id
from bot.ports import Away, Begin, Conflict, Engine, UnitOfWork

TRIES = 6
"""How often what lost a race, or found storage away, begins again: for about a second."""
SOMEBODY_WAITS = 2.0
"""Seconds after which nothing is begun again that somebody waits for: a platform goes away after three."""
PATIENT = 12
"""The same, for what the world knows already and must be put on record: for about a minute."""
T = TypeVar("T")


class Once:
    """Does an act in one transaction, and wakes the lanes it gave something to send. Where storage is shared, what
    loses a race, or finds storage away for a moment, begins again, a little later."""

    def __init__(self, begin: Begin, engine: Engine) -> None:
        self._begin = begin
        self._engine = engine

    async def __call__(self, act: Callable[[UnitOfWork], Awaitable[T]], *, tries: int = TRIES) -> T:
        began = perf_counter()
        for tried in range(1, tries + 1):
            try:
                async with self._begin() as work:
                    done = await act(work)
            except (Conflict, Away):
                waited_for = tries <= TRIES and perf_counter() - began > SOMEBODY_WAITS
                if tried == tries or waited_for:
                    raise
                await sleep(uniform(0, 0.01 * 2**tried))
            else:
                for lane in work.woken:
                    self._engine.wake(lane)
                return done
        raise AssertionError("unreachable")


def correlation() -> str:
    """What the log calls the request that is going on; a new name where none is."""
    return str(get_contextvars().get("correlation") or new_id())
