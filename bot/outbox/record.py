"""Record what became of sending, as soon as it is known.

Messages are out in the world before their results are stored, so results are kept in memory and retried until storage
takes them; while it does not, nothing more is sent.
"""

from asyncio import Event
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

import structlog

from bot.domain.delivery import Delivery
from bot.domain.person import WorkspaceId
from bot.outbox.outcomes import Outcome, record_results
from bot.ports import Clock, Engine, RetryAfter, StorageUnavailable, Telemetry, UnitOfWork
from bot.transactions import RECORD_MAX_ATTEMPTS, TransactionRunner

WAKE_GRANULARITY = timedelta(milliseconds=50)
"""Wake-ups closer together than this are merged into one."""
log = structlog.get_logger("ritme")


@dataclass
class PendingResults:
    """Results of sending that are not stored yet.

    `arrived` is set whenever one is added. `stopped`: storage is unavailable, so nothing more may be sent.
    """

    outcomes: deque[Outcome] = field(default_factory=deque)
    arrived: Event = field(default_factory=Event)
    stopped: bool = False

    def add(self, outcome: Outcome) -> None:
        """Queue a result, and wake whoever flushes them."""
        self.outcomes.append(outcome)
        self.arrived.set()


class ResultRecorder:
    """Store results of sending in batches: one transaction for all that came in while the last one ran."""

    def __init__(self, *, run: TransactionRunner, clock: Clock, engine: Engine, telemetry: Telemetry) -> None:
        self._run = run
        self._clock = clock
        self._engine = engine
        self._telemetry = telemetry

    async def flush_results(self, pending: PendingResults, is_over: Callable[[], bool]) -> None:
        """Store results as they come in, until sending `is_over` and none is left.

        While storage is unavailable results stay in `pending`, which is marked stopped. Raises `StorageUnavailable`
        when it still is once sending is over: the rows then stay SENDING, and are looked up later.
        """
        while pending.outcomes or not is_over():
            if not pending.outcomes:
                await pending.arrived.wait()
                pending.arrived.clear()
                continue
            batch = [pending.outcomes.popleft() for _ in range(len(pending.outcomes))]
            try:
                await self.commit_results(batch, reload=pending.stopped)
            except StorageUnavailable:
                pending.stopped = True
                # Back to the front, in order: a later result must not be stored before an earlier one.
                pending.outcomes.extendleft(reversed(batch))
                if is_over():
                    raise

    async def commit_results(self, outcomes: Sequence[Outcome], *, reload: bool = False) -> None:
        """Store results, of any lanes, in one transaction. When that fails, store each by itself, so that one bad
        result does not keep the others from being stored; its delivery stays SENDING, and is looked up later.

        `reload`: read the rows again instead of trusting the claimed ones.
        """
        try:
            report_results(await self._store(outcomes, reload=reload), self._telemetry)
            for lane in {one.delivery.workspace_id for one in outcomes}:
                here = [one.result for one in outcomes if one.delivery.workspace_id == lane]
                self.schedule_wakes(lane, [one.until for one in here if isinstance(one, RetryAfter)])
        except StorageUnavailable:
            raise
        except Exception:
            if len(outcomes) > 1:
                for one in outcomes:
                    await self.commit_results([one], reload=True)
            else:
                log.exception("result_record_failed", delivery=outcomes[0].delivery.id)

    def schedule_wakes(self, lane: WorkspaceId, retry_moments: Sequence[datetime]) -> None:
        """Wake a lane when its retries come due: a place takes a message a second, so waiting for the next tick would
        make every other one late."""
        now = self._clock.now()
        for ticks in {ceil((moment - now) / WAKE_GRANULARITY) for moment in retry_moments if moment > now}:
            self._engine.wake(lane, after=ticks * WAKE_GRANULARITY)

    async def _store(self, outcomes: Sequence[Outcome], *, reload: bool) -> Sequence[Delivery]:
        now = self._clock.now()
        claimed = [] if reload else [outcome.delivery for outcome in outcomes]

        async def record(work: UnitOfWork) -> Sequence[Delivery]:
            nonlocal claimed
            # Nobody else touches rows that are being sent, so the first attempt trusts what was claimed; save_all
            # raises Conflict where somebody did, and every later attempt locks and reads the rows.
            rows = claimed or await _lock_rows(work, outcomes)
            claimed = []
            return await record_results(work, rows=rows, outcomes=outcomes, now=now)

        return await self._run(record, max_attempts=RECORD_MAX_ATTEMPTS)


async def _lock_rows(work: UnitOfWork, outcomes: Sequence[Outcome]) -> list[Delivery]:
    """Read the rows of results again, lane after lane in one order: two that lock the same must not deadlock."""
    rows: list[Delivery] = []
    for lane in sorted({one.delivery.workspace_id for one in outcomes}):
        here = [one.delivery.id for one in outcomes if one.delivery.workspace_id == lane]
        rows += await work.deliveries.lock(here, lane)
    return rows


def report_results(deliveries: Iterable[Delivery], telemetry: Telemetry) -> None:
    """Log the state that deliveries have now, and count it."""
    bound = log.bind()  # once: the logger of the module makes a new one for each line
    for delivery in deliveries:
        bound.info(
            "delivery",
            id=delivery.id,
            kind=delivery.kind,
            workspace=delivery.workspace_id,
            state=delivery.state.value,
            reason=delivery.reason,
            correlation=delivery.correlation,
        )
        telemetry.record_delivery(delivery)
