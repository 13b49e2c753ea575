"""Watch what single steps of an event loop do, by counting: how busy the machine is changes nothing."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest


class StepWatch:
    """Counts the Python functions called since `reset`: `largest` in the busiest step of the event loop, `in_threads`
    in other threads, for which the loop has to wait as well: one at a time has the interpreter."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the calls so far, those of this step too."""
        self.largest = self.in_threads = self._called = 0

    def count_call(self, _frame: FrameType, event: str, _argument: object) -> None:
        """Count a call; for `sys.setprofile`, which is of this thread alone."""
        if event == "call":
            self._called += 1

    def count_in_thread(self, _frame: FrameType, event: str, _argument: object) -> None:
        """Count a call in another thread; for `threading.setprofile`."""
        if event == "call":
            self.in_threads += 1

    def run_step(self, step: Any) -> None:
        """Run one step and count its calls."""
        self._called = 0
        step()
        self.largest = max(self.largest, self._called)


@contextmanager
def watched_steps() -> Iterator[StepWatch]:
    """Watch, within the context, every step of the loops of this thread, and the threads that begin meanwhile."""
    watch, run = StepWatch(), asyncio.Handle._run
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio.Handle, "_run", lambda handle: watch.run_step(lambda: run(handle)))
        before = sys.getprofile()
        sys.setprofile(watch.count_call)
        threading.setprofile(watch.count_in_thread)
        try:
            yield watch
        finally:
            sys.setprofile(before)
            threading.setprofile(None)  # type: ignore[arg-type]  # as it was; the stub knows no such call


async def count_calls(act: Callable[[], Awaitable[object]]) -> int:
    """Do something; return how many functions the busiest step of the event loop called."""
    with watched_steps() as watch:
        await asyncio.sleep(0)  # a step of its own
        watch.reset()
        await act()
        await asyncio.sleep(0)
        return watch.largest
