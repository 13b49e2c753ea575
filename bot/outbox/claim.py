"""Claim what is due in a lane, in the order in which each place and person is to receive it.

Order is kept per `OrderingKey`. Three things may stand ahead of a due delivery with the same key, and then it waits:
one whose outcome is in doubt (it may or may not have arrived), one that is being sent, and one that waits for a retry.
"""

from asyncio import sleep
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from structlog.contextvars import bound_contextvars

from bot.chat import CommandSyntax, Post
from bot.domain.attention import Attention
from bot.domain.delivery import Act, Delivery, DeliveryState
from bot.domain.movement import PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.outbox.compose import compose_post
from bot.ports import RetryAfter, UnitOfWork, Vault
from bot.transactions import correlation_id, rebind_correlation

CLAIM_BATCH = 200
"""Deliveries claimed at a time; a worker that is killed leaves at most these in doubt."""
CLAIM_TTL = timedelta(seconds=5)
"""How long a claim is good for. Sending must begin within it, well before another worker takes the claim for stale
(`STALE_CLAIM_AFTER` of `bot.app`)."""
YIELD_EVERY = 25
"""Deliveries composed before the event loop, where it is held up by that, may answer requests again."""
RECHECK_IN_FLIGHT = timedelta(seconds=1)
"""How long to wait behind a delivery that is being sent before looking again."""

OrderingKey = tuple[PlaceId | None, PersonId | None, bool]
"""Deliveries with the same key are sent in order: all for one place, or for one person; a person's home page apart."""


def ordering_key(delivery: Delivery) -> OrderingKey:
    """Return the key within which this delivery keeps its order: what is for no place and nobody has one of its own."""
    if delivery.place_id is None and delivery.person_id is None:
        return (None, PersonId(delivery.id), False)
    return (delivery.place_id, None if delivery.place_id else delivery.person_id, delivery.act is Act.HOME)


async def claim_batch(
    work: UnitOfWork,
    *,
    lane: WorkspaceId,
    now: datetime,
    limit: int,
    syntax: CommandSyntax,
    works_council: bool = False,
    vault: Vault | None = None,
) -> tuple[Sequence[Delivery], list[tuple[Delivery, Post]]]:
    """Claim at most `limit` due deliveries of a lane and compose their posts.

    Returns all rows looked at, and those to be sent with their posts: these are SENDING once the transaction commits.
    The others were dropped, failed or rescheduled. Looks at fewer when others wait for this transaction to end, and at
    none while the platform asked the workspace to wait.
    `syntax`: how commands are typed on the platform of this lane.
    """
    workspace, ahead = await work.together(work.people.workspace(lane), _load_blockers(work, lane, now))
    if workspace is None or (workspace.held_until is not None and workspace.held_until > now):
        return [], []
    claimed = await work.deliveries.claim(lane, now, limit)
    # Held until the end: the identity map keeps only weak references to what was loaded.
    _prefetched, attention = await work.together(
        work.deliveries.prefetch(claimed), work.deliveries.attention(claimed, now)
    )
    batch = _Batch(
        ahead, attention, now, partial(compose_post, syntax=syntax, works_council=works_council, vault=vault)
    )
    context_id = bound = correlation_id()
    with bound_contextvars(correlation=context_id):
        for number, delivery in enumerate(claimed):
            if number and number % YIELD_EVERY == 0:
                await sleep(0)
                if work.is_awaited:
                    claimed = claimed[:number]  # the next batch takes the others
                    break
            bound = rebind_correlation(delivery.correlation or context_id, bound)
            await batch.add(work, delivery)
    await work.deliveries.save_all(claimed)
    return claimed, batch.posts


class _Blockers:
    """Deliveries that stand ahead of due ones, by ordering key."""

    def __init__(self, in_doubt: Mapping[OrderingKey, datetime], retries: Mapping[OrderingKey, Sequence[Delivery]]):
        self._in_doubt = in_doubt
        self._retries = retries

    def find(self, delivery: Delivery, now: datetime) -> RetryAfter | None:
        """Return until when a delivery has to wait for its turn; None when it is its turn."""
        key = ordering_key(delivery)
        if key in self._in_doubt:
            return RetryAfter(max(now, self._in_doubt[key]), reason="behind_unknown")
        ahead = [one.due_at for one in self._retries.get(key, ()) if _queue_position(one) <= _queue_position(delivery)]
        return RetryAfter(max(ahead)) if ahead else None


async def _load_blockers(work: UnitOfWork, lane: WorkspaceId, now: datetime) -> _Blockers:
    # Before the claim: a row that is claimed here must not be found to stand ahead of itself.
    doubtful, retried = await work.together(work.deliveries.in_doubt(lane), work.deliveries.awaiting_retry(lane))
    in_doubt = {
        ordering_key(one): now + RECHECK_IN_FLIGHT if one.state is DeliveryState.SENDING else one.due_at
        for one in doubtful
    }
    retries: dict[OrderingKey, list[Delivery]] = {}
    for one in retried:
        if one.due_at > now:
            retries.setdefault(ordering_key(one), []).append(one)
    return _Blockers(in_doubt, retries)


class _Batch:
    """Decides about claimed deliveries one after the other; each decision sees those before it."""

    def __init__(
        self, blockers: _Blockers, attention: Attention, now: datetime, compose: Callable[..., Awaitable[Post | None]]
    ) -> None:
        self.posts: list[tuple[Delivery, Post]] = []
        self._blockers = blockers
        self._attention = attention
        self._now = now
        self._compose = compose
        self._pages: set[PersonId | None] = set()

    async def add(self, work: UnitOfWork, delivery: Delivery) -> None:
        """Start a delivery with its post, or leave on its row why it is not sent now."""
        blocked = self._blockers.find(delivery, self._now)
        if blocked is not None:
            delivery.reschedule(blocked.until, blocked.reason)
            return
        if delivery.act is Act.HOME and delivery.person_id in self._pages:
            delivery.drop("unchanged")  # one refresh of a page shows all that happened
            return
        post = await self._compose(work, delivery, self._attention, self._now)
        if post is None:
            return
        delivery.start(self._now)
        self._attention.draw(delivery, self._now)
        if delivery.act is Act.HOME:
            self._pages.add(delivery.person_id)
        self.posts.append((delivery, post))


def _queue_position(delivery: Delivery) -> tuple[int, datetime]:
    return (delivery.priority, delivery.queued_at or delivery.due_at)
