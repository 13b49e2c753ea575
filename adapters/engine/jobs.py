"""SQL statements on procrastinate's tables, for what its own functions do by the machine's clock or not at all.

Each operation is one idempotent statement. All times are the database's `now()`: a machine whose clock is an hour off
neither delays a lane nor stops the ticks (docs/adr/0082).

Two locks that procrastinate keeps as partial unique indexes give the guarantees here:

- `lock`, unique among jobs with status 'doing': one worker at a time drains a lane.
- `queueing_lock`, unique among jobs with status 'todo': at most one more job of a lane waits behind it.

Both are the lane (a workspace id) for drains, and the task name for planning and finding due lanes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job

QUEUE = "ritme"
DRAIN, PLAN, FIND_DUE, FORGET = "drain", "plan", "look", "forget"
"""Task names, stored with every job."""
PRIORITY_TICK, PRIORITY_NEXT, PRIORITY_YIELDED = 10, 1, -1
"""Procrastinate takes the job with the highest priority first, then the oldest. Ticks come before all lanes. A lane
that was just enqueued has 0: after a promoted one (`promote_oldest`), before those that had a time slice already."""

ENQUEUE = """
INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
SELECT %(queue)s, %(task)s, lane, lane, jsonb_build_object('lane', lane) FROM unnest(%(lanes)s::text[]) AS lane
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""
"""Add a drain for each lane that has none waiting. Part of the transaction that made something due, so a rollback also
removes the job.

Procrastinate's own `defer` raises `AlreadyEnqueued` for a lane that waits already; in PostgreSQL an error aborts the
whole transaction, unless a savepoint surrounds it, which costs two more round trips for every intent. DO NOTHING avoids
both. The `WHERE` must repeat that of the unique index, or PostgreSQL does not find it."""

_RETRY_IN = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
SELECT queue_name, task_name, priority, lock, queueing_lock, %(args)s, now() + make_interval(secs => %(seconds)s)
FROM procrastinate_jobs WHERE id = %(job)s
ON CONFLICT (queueing_lock) WHERE status = 'todo'
DO UPDATE SET args = excluded.args, scheduled_at = excluded.scheduled_at
"""
"""Add a job like this one, to start after some seconds.

When another job of the lane was enqueued while this one failed, that one is delayed instead (DO UPDATE): it would most
likely fail in the same way, and run at once would defeat the backoff."""

_YIELD = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
VALUES (%(queue)s, %(task)s, %(priority)s, %(lane)s, %(lane)s, %(args)s)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET priority = excluded.priority
"""
"""Add a drain with the lowest priority. A job that was enqueued meanwhile gets that priority, too: otherwise a lane
with constant news would never step aside."""

_MAY_CONTINUE = """
SELECT EXISTS (
    SELECT FROM procrastinate_jobs WHERE id = %(job)s AND status = 'doing' AND worker_id = %(worker)s
) AND NOT EXISTS (
    SELECT FROM procrastinate_jobs AS other
    WHERE status = 'todo' AND queue_name = %(queue)s AND queueing_lock <> %(lane)s
    AND (scheduled_at IS NULL OR scheduled_at <= now())
    AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'doing' AND lock = other.lock)
) AS so
"""
"""Two conditions: the job is still ours (another worker may have requeued it, taking us for dead), and no other job
could start now. Jobs whose lock is held cannot start, so they are no reason to stop."""

_NOTIFY = """
SELECT pg_notify('procrastinate_queue_v1#' || queue_name, %(news)s) FROM procrastinate_jobs
WHERE status = 'todo' AND queueing_lock = %(lane)s AND (scheduled_at IS NULL OR scheduled_at <= now())
"""
"""Procrastinate notifies idle workers when a job is inserted, not when a lock is released. A job that was inserted
while its lane was being drained could not start then; without this it would wait for the next poll."""

_PROMOTE = """
UPDATE procrastinate_jobs SET priority = %(next)s WHERE id = (
    SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = %(queue)s AND priority = %(again)s
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
"""
"""SKIP LOCKED: a row that another worker is taking or promoting at this moment needs no promotion, and waiting for its
lock would delay this worker."""

_TICK = """
WITH moment AS (
    INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp)
    SELECT task, floor(extract(epoch FROM now())) FROM unnest(%(tasks)s::text[]) AS task
    ON CONFLICT DO NOTHING RETURNING task_name, defer_timestamp
), past AS (
    DELETE FROM procrastinate_periodic_defers AS earlier USING moment
    WHERE earlier.task_name = moment.task_name AND earlier.defer_timestamp <> moment.defer_timestamp
)
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock)
SELECT %(queue)s, task_name, %(priority)s, task_name, task_name FROM moment
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""
"""Enqueue the tick's tasks, at most once for each second of the database, however many workers ask: of all that insert
the same second into `procrastinate_periodic_defers`, the unique constraint lets one through. Earlier seconds are
deleted in the same statement, so that the table stays small.

Procrastinate's own periodic tasks go by the machine's clock: put back by an hour, they would do nothing for an hour."""

_REQUEUE_STALLED = """
WITH held AS (
    SELECT id FROM procrastinate_jobs AS job
    WHERE status = 'doing' AND queue_name = %(queue)s AND (
        id = ANY(%(over)s) OR NOT EXISTS (
            SELECT FROM procrastinate_workers AS worker
            WHERE worker.id = job.worker_id
            AND greatest(last_heartbeat, pg_postmaster_start_time()) > now() - make_interval(secs => %(silence)s)
        )
    ) FOR UPDATE SKIP LOCKED
), lost AS (
    DELETE FROM procrastinate_jobs AS job USING held WHERE job.id = held.id RETURNING job.*
), back AS (
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
    SELECT queue_name, task_name, priority, lock, queueing_lock, args FROM lost
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
)
SELECT id, task_name, lock, pg_notify('procrastinate_queue_v1#' || queue_name, %(news)s) FROM lost
"""
"""Replace jobs that are 'doing' without a live worker by new ones, and notify idle workers.

- Delete and insert, rather than back to 'todo': if the old worker lives after all, the id it reports on is gone, so it
  cannot end the new job. The insert is skipped when a job of the lane waits already.
- FOR UPDATE SKIP LOCKED: every worker sweeps; two at the same moment do not wait for each other, or requeue twice.
- `pg_postmaster_start_time()`: while the server was down no worker could send a heartbeat. Counted from its start,
  all of them have time to do so before anyone takes them for dead.
- A worker that was pruned from `procrastinate_workers` is dead, too (NOT EXISTS)."""

_HEARTBEAT = "UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = ANY(%(workers)s)"

_JOB_INSERTED = '{"type": "job_inserted", "job_id": 0}'
"""The payload to which idle workers react by fetching jobs; the id in it is not used."""


@dataclass(frozen=True, kw_only=True)
class StalledJob:
    """A job that was 'doing', without a live worker or with a status that could not be written. `lane` is its lock."""

    id: int
    task: str
    lane: str | None


def enqueue_values(lanes: Collection[str]) -> Mapping[str, Any]:
    """Return the parameters of `ENQUEUE` for these lanes."""
    # Sorted: two transactions that insert the same lanes in different orders could wait for each other (a deadlock).
    return {"queue": QUEUE, "task": DRAIN, "lanes": sorted(lanes)}


class Jobs:
    """Operations on procrastinate's jobs, through an open connector; each is a transaction of its own."""

    def __init__(self, connector: BaseConnector) -> None:
        self._connector = connector

    async def enqueue(self, lanes: Collection[str]) -> None:
        """Enqueue a drain for each of these lanes that has none waiting."""
        if lanes:
            await self._connector.execute_query_async(ENQUEUE, **enqueue_values(lanes))

    async def retry_in(self, job: Job, *, seconds: float, tried: int) -> None:
        """Schedule a job like this one, no sooner than in `seconds`, that knows of `tried` failures before it."""
        args = {**job.task_kwargs, "tried": tried}
        await self._connector.execute_query_async(_RETRY_IN, job=job.id, args=args, seconds=seconds)

    async def yield_lane(self, lane: str) -> None:
        """Enqueue a drain of this lane behind all lanes that had no time slice yet."""
        await self._connector.execute_query_async(
            _YIELD, queue=QUEUE, task=DRAIN, priority=PRIORITY_YIELDED, lane=lane, args={"lane": lane}
        )

    async def may_continue(self, job: Job) -> bool:
        """Return whether the job is still held by its worker, and no other job could start instead."""
        row = await self._connector.execute_query_one_async(
            _MAY_CONTINUE, job=job.id, worker=job.worker_id, queue=QUEUE, lane=job.lock
        )
        return bool(row["so"])

    async def notify_lane_free(self, lane: str) -> None:
        """Notify idle workers when a job of this lane, whose lock was just released, could start now."""
        await self._connector.execute_query_async(_NOTIFY, lane=lane, news=_JOB_INSERTED)

    async def promote_oldest(self) -> None:
        """Raise the priority of the lane that has waited longest since its time slice, above newly enqueued ones."""
        await self._connector.execute_query_async(_PROMOTE, queue=QUEUE, next=PRIORITY_NEXT, again=PRIORITY_YIELDED)

    async def tick(self) -> None:
        """Enqueue planning and finding due lanes, unless a worker did so in this second."""
        await self._connector.execute_query_async(_TICK, queue=QUEUE, tasks=[FIND_DUE, PLAN], priority=PRIORITY_TICK)

    async def update_heartbeats(self, workers: Collection[int]) -> None:
        """Record that these workers are alive now."""
        await self._connector.execute_query_async(_HEARTBEAT, workers=list(workers))

    async def requeue_stalled_jobs(self, unrecorded: Collection[int], *, silence: float) -> Sequence[StalledJob]:
        """Requeue the jobs of workers without a heartbeat for `silence` seconds, and those with the ids `unrecorded`.

        Returns the jobs that were requeued.
        """
        rows = await self._connector.execute_query_all_async(
            _REQUEUE_STALLED, queue=QUEUE, over=list(unrecorded), silence=silence, news=_JOB_INSERTED
        )
        return [StalledJob(id=row["id"], task=row["task_name"], lane=row["lock"]) for row in rows]
