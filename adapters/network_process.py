"""Compute whom to suggest in a child process: begun when it is first needed, ended when nobody asks for a while.

A hundred thousand people are read in seconds. In a thread, Python's lock would make everybody else wait meanwhile.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

import structlog

from bot.domain.network_question import NetworkAdvice, NetworkQuestion
from bot.networks import NetworkCache, load_numbers
from bot.ports import NeedsNetwork, NetworkReader, StorageUnavailable

IDLE_SECONDS = 900.0
"""How long the process, and the networks it keeps, stay when nobody asks."""
NICENESS = 5
"""How far it stands back where processors are few: somebody asks whom to invite, many wait for an answer at once."""
log = structlog.get_logger(__name__)


class NetworkProcess:
    """Implements `NetworkAdviser`. Its child keeps the networks; readers are sent to it, so they are picklable."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._pool: ProcessPoolExecutor | None = None
        self._asked = 0
        self._is_closed = False
        self._letting_go: asyncio.TimerHandle | None = None

    async def advise(self, needs: NeedsNetwork) -> NetworkAdvice:
        """Answer a question. Raises `StorageUnavailable`."""
        try:
            return await self._ask(needs)
        except BrokenProcessPool:  # something ended it, such as a machine without memory left
            if self._is_closed:
                raise StorageUnavailable("the service ends") from None
            log.warning("network_process_lost")
            await self._end()
            return await self._ask(needs)

    async def close(self) -> None:
        """End the child process, when there is one, for good."""
        self._is_closed = True
        await self._end()

    async def _end(self) -> None:
        if self._letting_go is not None:
            self._letting_go.cancel()
        pool, self._pool = self._pool, None
        if pool is not None:
            # Not waited for: it only reads, and a large network takes seconds.
            for child in list(pool._processes.values()):
                child.terminate()
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    async def _ask(self, needs: NeedsNetwork) -> NetworkAdvice:
        if self._letting_go is not None:
            self._letting_go.cancel()
        if self._pool is None:
            # "spawn": a fork would take the connections and threads of this process with it.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_begin)
        loop, self._asked = asyncio.get_running_loop(), self._asked + 1
        try:
            # In a thread: the first question begins the process, which takes a tenth of a second.
            answer = await asyncio.to_thread(self._pool.submit, _answer, needs.question, needs.reader, needs.before)
            return await asyncio.wrap_future(answer)
        finally:
            self._asked -= 1
            if not self._asked:
                self._letting_go = loop.call_later(self._idle_seconds, self._let_go)

    def _let_go(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            log.info("network_process_ended", reason="idle")
            pool.shutdown(wait=False)


# -- in the child process ----------------------------------------------------------------------------------------------

_cache = NetworkCache()


def _begin() -> None:
    """Prepare the child: it ends with its parent, and not by the Ctrl-C that its parent is told too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    load_numbers()
    os.nice(NICENESS)  # not before: somebody waits for this


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(0)


def _answer(question: NetworkQuestion, reader: NetworkReader, before: NetworkAdvice | None) -> NetworkAdvice:
    return _cache.answer(question, reader, before)
