"""Background loops, and the timings that both engines share.

A loop is stopped by an event and never cancelled: on Python 3.11 a cancellation in the middle of a query gets lost when
the answer arrives at the same moment, and whoever waits for the loop to end would wait for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog

log = structlog.get_logger(__name__)

TICK_INTERVAL = 1.0
"""Seconds between two ticks: each plans what is due and finds lanes with something to send."""
SHUTDOWN_GRACE = 25.0
"""Seconds that running batches and planning get to finish when an engine stops."""
MAX_WAKE_DELAY = timedelta(seconds=5)
"""The longest delay for which `wake` sets a timer. Anything due later is left to the ticks, which may find it up to
`TICK_INTERVAL` late."""


async def run_periodically(seconds: float, act: Callable[[], Awaitable[None]], stopped: asyncio.Event) -> None:
    """Call `act`, and again `seconds` after each call ends, until `stopped` is set; log failures and continue."""
    while not stopped.is_set():
        await run_logging_errors(act)
        await interruptible_sleep(seconds, stopped)


async def run_logging_errors(act: Callable[[], Awaitable[None]]) -> None:
    """Call `act` once and log the exception it raises, if any: another process or the next round does it instead."""
    try:
        await act()
    except Exception:
        log.warning("periodic_task_failed", what=act.__name__, exc_info=True)


async def interruptible_sleep(seconds: float, stopped: asyncio.Event) -> None:
    """Sleep for `seconds`; return early when `stopped` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()


async def wait_for(*tasks: asyncio.Task[None] | None) -> None:
    """Return when all these tasks have ended; None is ignored. Their exceptions are not raised here."""
    if running := [task for task in tasks if task is not None]:
        # Unlike gather(): when the caller is cancelled meanwhile, the tasks go on.
        await asyncio.wait(running)
