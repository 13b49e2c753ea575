"""What goes on until it is told to stop. Nothing is cancelled: in the middle of a query that may go unnoticed (Python
3.11 loses it when the answer comes at the same moment)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog

log = structlog.get_logger(__name__)

A_MOMENT = timedelta(seconds=5)
"""What comes due sooner is waited for by itself; what takes longer the next tick finds soon enough."""


async def every(seconds: float, act: Callable[[], Awaitable[None]], until: asyncio.Event) -> None:
    """What fails, fails this time."""
    while not until.is_set():
        await attempt(act)
        await pause(seconds, until)


async def attempt(act: Callable[[], Awaitable[None]]) -> None:
    """What fails here, is done by another, or the next time."""
    try:
        await act()
    except Exception:
        log.warning("not_done_this_time", what=act.__name__, exc_info=True)


async def pause(seconds: float, until: asyncio.Event) -> None:
    """So many seconds, or less."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()


async def over(*tasks: asyncio.Task[None] | None) -> None:
    """Returns when these are over; who stops waiting for that does not stop them."""
    if going := [task for task in tasks if task is not None]:
        await asyncio.wait(going)
