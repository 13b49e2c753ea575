"""Compute whom to suggest in a child process: begun when it is first needed, ended when nobody asks for a while.

A hundred thousand people are read in seconds. In a thread, Python's lock would make everybody else wait meanwhile.
"""

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from typing import cast

import structlog

from adapters.network_child import LENGTH, pack
from bot.domain.network_question import NetworkAdvice
from bot.ports import NeedsNetwork, StorageUnavailable

IDLE_SECONDS = 900.0
"""How long the process, and the networks it keeps, stay when nobody asks."""
log = structlog.get_logger(__name__)


class _Lost(Exception):
    """The child ended before it answered."""


class NetworkProcess:
    """Implements `NetworkAdviser`. Its child keeps the networks; readers are sent to it, so they are picklable."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._child: Process | None = None
        self._turn = asyncio.Lock()
        self._asked = 0
        self._is_closed = False
        self._letting_go: asyncio.TimerHandle | None = None
        self._asking: set[asyncio.Task[NetworkAdvice]] = set()

    async def advise(self, needs: NeedsNetwork) -> NetworkAdvice:
        """Answer a question. Raises `StorageUnavailable`."""
        # Whoever asks may go: the answer is read all the same, or the next would be taken for theirs.
        asking = asyncio.create_task(self._ask(needs))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return await asyncio.shield(asking)

    async def close(self) -> None:
        """End the child process, when there is one, for good."""
        self._is_closed = True
        self._stay()
        if self._child is not None:
            # Not waited for until it answers: it only reads, and a large network takes seconds.
            self._child.terminate()
            await self._child.wait()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _ask(self, needs: NeedsNetwork) -> NetworkAdvice:
        self._stay()
        self._asked += 1
        question = pack((needs.question, needs.reader, needs.before))
        try:
            async with self._turn:
                try:
                    return await self._exchange(question)
                except _Lost:  # something ended it, such as a machine without memory left
                    log.warning("network_process_lost")
                    return await self._exchange(question)
        except _Lost:
            raise StorageUnavailable("the process that computes whom to suggest ended twice") from None
        finally:
            self._asked -= 1
            if not self._asked and not self._is_closed:
                self._letting_go = asyncio.get_running_loop().call_later(self._idle_seconds, self._let_go)

    async def _exchange(self, question: bytes) -> NetworkAdvice:
        if self._is_closed:
            raise StorageUnavailable("the service ends")
        child = self._child = self._child or await _begin()
        questions, answers = cast(asyncio.StreamWriter, child.stdin), cast(asyncio.StreamReader, child.stdout)
        try:
            questions.write(question)
            await questions.drain()
            length = int.from_bytes(await answers.readexactly(LENGTH), "big")
            answer, error, where = pickle.loads(await answers.readexactly(length))  # noqa: S301 (our own child)
        except (ConnectionError, asyncio.IncompleteReadError):
            self._child = None
            await child.wait()
            raise _Lost from None
        if error is not None:
            error.add_note(where)
            raise error
        return cast(NetworkAdvice, answer)

    def _stay(self) -> None:
        if self._letting_go is not None:
            self._letting_go.cancel()
            self._letting_go = None

    def _let_go(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.stdin is not None:
            log.info("network_process_ended", reason="idle")
            child.stdin.close()


async def _begin() -> Process:
    """Begin the child. It finds its modules where this process does."""
    places = os.pathsep.join(filter(None, sys.path))
    program = (sys.executable, "-m", "adapters.network_child")
    return await create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, env={**os.environ, "PYTHONPATH": places})
