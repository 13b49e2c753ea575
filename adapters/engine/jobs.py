"""Jobs as procrastinate keeps them: what its own functions leave to a machine's clock, the database decides here.

Each is one statement, and harmless to say twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job

QUEUE = "ritme"
DRAIN, PLAN, LOOK, FORGET = "drain", "plan", "look", "forget"
PRIORITY_TICK, PRIORITY_NEXT, PRIORITY_YIELDED = 10, 1, -1
"""Who goes first. What was told of has 0, between those whose turn it is by now and those that had a turn already."""

ENQUEUE = """
INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
SELECT %(queue)s, %(task)s, lane, lane, jsonb_build_object('lane', lane) FROM unnest(%(lanes)s::text[]) AS lane
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""
"""What procrastinate's own function does, but that a lane which waits already is no error: an error would end the
transaction this is a part of, and a savepoint around it would cost two more round trips for every intent."""

_RETRY_IN = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
SELECT queue_name, task_name, priority, lock, queueing_lock, %(args)s, now() + make_interval(secs => %(seconds)s)
FROM procrastinate_jobs WHERE id = %(job)s
ON CONFLICT (queueing_lock) WHERE status = 'todo'
DO UPDATE SET args = excluded.args, scheduled_at = excluded.scheduled_at
"""
"""What was told of while it failed waits, too: nobody knows better yet."""

_YIELD = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
VALUES (%(queue)s, %(task)s, %(priority)s, %(lane)s, %(lane)s, %(args)s)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET priority = excluded.priority
"""

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

_NOTIFY = """
SELECT pg_notify('procrastinate_queue_v1#' || queue_name, %(news)s) FROM procrastinate_jobs
WHERE status = 'todo' AND queueing_lock = %(lane)s AND (scheduled_at IS NULL OR scheduled_at <= now())
"""

_PROMOTE = """
UPDATE procrastinate_jobs SET priority = %(next)s WHERE id = (
    SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = %(queue)s AND priority = %(again)s
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
"""

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
"""Once for each second of the database, however many ask. Procrastinate's own periodic tasks go by the machine's clock:
put back by an hour, they would do nothing for an hour."""

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
"""A new job takes its place, unless one waits already: should whoever held it live after all, then what it says of the
old one concerns nobody. While the database was away no heart could beat."""

_HEARTBEAT = "UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = ANY(%(workers)s)"

_JOB_INSERTED = '{"type": "job_inserted", "job_id": 0}'
"""What makes idle workers look at what waits."""


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A job somebody had taken, and did not put on record."""

    id: int
    task: str
    lane: str | None


def enqueue_values(lanes: Collection[str]) -> Mapping[str, Any]:
    """The values of `ENQUEUE` that have these lanes drained."""
    return {"queue": QUEUE, "task": DRAIN, "lanes": sorted(lanes)}


class Jobs:
    """The jobs in the database of this connector, which is open."""

    def __init__(self, connector: BaseConnector) -> None:
        self._connector = connector

    async def enqueue(self, lanes: Collection[str]) -> None:
        """Has these lanes drained, each unless a job for it waits already."""
        if lanes:
            await self._connector.execute_query_async(ENQUEUE, **enqueue_values(lanes))

    async def retry_in(self, job: Job, *, seconds: float, tried: int) -> None:
        """Has what this job did done again after so many seconds, and not before."""
        args = {**job.task_kwargs, "tried": tried}
        await self._connector.execute_query_async(_RETRY_IN, job=job.id, args=args, seconds=seconds)

    async def yield_lane(self, lane: str) -> None:
        """Has a lane drained once more, after all those that had no turn yet."""
        await self._connector.execute_query_async(
            _YIELD, queue=QUEUE, task=DRAIN, priority=PRIORITY_YIELDED, lane=lane, args={"lane": lane}
        )

    async def may_continue(self, job: Job) -> bool:
        """Whether this job is still held by whoever does it, and nobody waits who could begin."""
        row = await self._connector.execute_query_one_async(
            _MAY_CONTINUE, job=job.id, worker=job.worker_id, queue=QUEUE, lane=job.lock
        )
        return bool(row["so"])

    async def over(self, lane: str) -> None:
        """A job of this lane is over: whatever waited behind it may begin."""
        await self._connector.execute_query_async(_NOTIFY, lane=lane, news=_JOB_INSERTED)

    async def promote_oldest(self) -> None:
        """Of the lanes that had a turn, the one that has waited longest is next."""
        await self._connector.execute_query_async(_PROMOTE, queue=QUEUE, next=PRIORITY_NEXT, again=PRIORITY_YIELDED)

    async def tick(self) -> None:
        """Has somebody plan and look for what came due, unless somebody asked for that in this second."""
        await self._connector.execute_query_async(_TICK, queue=QUEUE, tasks=[LOOK, PLAN], priority=PRIORITY_TICK)

    async def update_heartbeats(self, workers: Collection[int]) -> None:
        """These live."""
        await self._connector.execute_query_async(_HEARTBEAT, workers=list(workers))

    async def requeue_stalled(self, over: Collection[int], *, silence: float) -> Sequence[Lost]:
        """Gives back these jobs, and what workers hold whose hearts have been silent for so many seconds, and tells
        those that are idle. Returns what still was held."""
        rows = await self._connector.execute_query_all_async(
            _REQUEUE_STALLED, queue=QUEUE, over=list(over), silence=silence, news=_JOB_INSERTED
        )
        return [Lost(id=row["id"], task=row["task_name"], lane=row["lock"]) for row in rows]
