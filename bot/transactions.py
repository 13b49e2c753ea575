"""Run one unit of work per transaction, and retry it when it lost a race."""

from asyncio import Lock, sleep
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from random import uniform
from time import perf_counter
from typing import TypeVar

from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

from bot.domain.delivery import DeliveryState
from bot.domain.ids import new_id
from bot.domain.person import WorkspaceId
from bot.ports import Conflict, Engine, NeedsCounting, StorageUnavailable, Transactions, UnitOfWork

MAX_ATTEMPTS = 6
"""Attempts for work a person may be waiting for: at most 0.62 s of backoff in all, 0.3 s on average."""
INTERACTIVE_DEADLINE = 2.0
"""Seconds after which such work is not retried any more: Slack stops waiting after 3."""
RECORD_MAX_ATTEMPTS = 12
"""Attempts for recording what has already happened outside, such as a message that was sent: at most 41 s of backoff in
all, 20 s on average."""
MOST_DETOURS = 12
"""Times that something is counted or computed for one function, which starts over with it: twice what any needs. One
that needs it more often would for ever."""
NEVER_ENOUGH = "what was counted or computed is needed again, however often it was"
T = TypeVar("T")


class TransactionRunner:
    """Run a function in one transaction; wake the lanes in which it made something due. With `gives_way`, those of
    people who act go first where transactions wait for each other, and these run one at a time `while_people_act`."""

    def __init__(self, transact: Transactions, engine: Engine, *, gives_way: bool = False) -> None:
        self._transact = transact
        self._gives_way = gives_way
        self._engine = engine
        self._turn = Lock()
        self.while_people_act = False
        """Set by who gives way and sees that people act: several at a time would share the database's processors with
        theirs, and each answer would wait."""

    async def __call__(self, act: Callable[[UnitOfWork], Awaitable[T]], *, max_attempts: int = MAX_ATTEMPTS) -> T:
        """Run `act` as `transact` does. When it needs something counted, count that and start over."""
        for _ in range(MOST_DETOURS):
            try:
                return await self.transact(act, max_attempts=max_attempts)
            except NeedsCounting as needs:
                await self.count(needs)
        raise RuntimeError(NEVER_ENOUGH)

    async def count(self, needs: NeedsCounting) -> None:
        """Count what is needed beside everything else, and keep it."""
        counted = await self.read(needs.count)
        await self.transact(partial(needs.keep, counted=counted))

    async def transact(self, act: Callable[[UnitOfWork], Awaitable[T]], *, max_attempts: int = MAX_ATTEMPTS) -> T:
        """Run `act` in one transaction; retry with jittered backoff on `Conflict` or `StorageUnavailable`.

        `act` starts over with a fresh unit of work on every attempt, so it must not keep state between attempts. Raises
        the last error when the attempts, or the INTERACTIVE_DEADLINE, are used up. The deadline applies only when
        `max_attempts` is at most MAX_ATTEMPTS.
        """
        started = perf_counter()
        woken: Collection[WorkspaceId] = ()

        async def whole(work: UnitOfWork) -> T:
            nonlocal woken
            woken = work.woken
            result = await act(work)
            if work.answer is not None and work.answer.state is DeliveryState.WAITING:
                work.woken.add(work.answer.workspace_id)
            return result

        for attempt in range(1, max_attempts + 1):
            try:
                result = await (self._give_way(whole) if self._gives_way else self._transact(whole))
            except (Conflict, StorageUnavailable):
                is_interactive = max_attempts <= MAX_ATTEMPTS
                is_late = is_interactive and perf_counter() - started > INTERACTIVE_DEADLINE
                if attempt == max_attempts or is_late:
                    raise
                # Full jitter: two transactions that collided must not collide again in step.
                await sleep(uniform(0, 0.01 * 2**attempt))
            else:
                # Only after the commit: a drain woken earlier would not see the rows yet.
                for lane in woken:
                    self._engine.wake(lane)
                return result
        raise AssertionError("unreachable")

    async def _give_way(self, act: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        async with self._turn if self.while_people_act else nullcontext():
            return await self._transact.give_way(act)

    async def read(self, act: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Run `act`, which takes long and only reads, in a transaction outside the event loop."""
        return await self._transact.read(act)


@contextmanager
def correlate() -> Iterator[str]:
    """Bind a correlation id for what is logged within, unless one is bound; give it."""
    bound = get_contextvars().get("correlation")
    if bound:
        yield str(bound)
        return
    made = new_id()
    with bound_contextvars(correlation=made):
        yield made


def correlation_id() -> str:
    """Return the correlation id bound to the current context, or a new one."""
    return str(get_contextvars().get("correlation") or new_id())


def rebind_correlation(id: str, bound: str) -> str:
    """Bind a correlation id in the place of the one that is `bound`, and return it: for many in a row, of which most
    have the same. To bind takes longer than to compare."""
    if id != bound:
        bind_contextvars(correlation=id)
    return id
