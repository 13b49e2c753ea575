"""Look up deliveries of unknown outcome: arrived means sent, surely absent means send again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from bot.chat import Post
from bot.domain.delivery import Delivery
from bot.domain.person import WorkspaceId, platform_of
from bot.outbox.compose import lookup_post
from bot.outbox.outcomes import LookupResult, record_lookup
from bot.outbox.record import report_results
from bot.ports import (
    Clock,
    LookupUnsupported,
    OutcomeUnknown,
    Platform,
    StorageUnavailable,
    Telemetry,
    UnitOfWork,
)
from bot.transactions import TransactionRunner

log = structlog.get_logger("ritme")


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """A delivery to look up: its `post` without words, and the moment `since` which it may have arrived."""

    delivery: Delivery
    post: Post
    since: datetime


async def load_lookups(work: UnitOfWork, lane: WorkspaceId, now: datetime) -> list[Lookup]:
    """Load what is to be looked up now in a lane, in the order in which it was sent."""
    lookups = []
    for delivery in await work.deliveries.unknown(lane):
        if delivery.due_at <= now:
            post, since = await lookup_post(work, delivery, now)
            lookups.append(Lookup(delivery=delivery, post=post, since=since))
    return lookups


class LookupRunner:
    """Ask the platforms about lookups and record the answers."""

    def __init__(
        self, *, run: TransactionRunner, platforms: Mapping[str, Platform], clock: Clock, telemetry: Telemetry
    ) -> None:
        self._run = run
        self._platforms = platforms
        self._clock = clock
        self._telemetry = telemetry

    async def look_up_all(self, lane: WorkspaceId, lookups: Sequence[Lookup]) -> int:
        """Look up and record one after the other. Returns how many were settled; the others are looked up again later.

        A failure concerns one delivery only; `StorageUnavailable` ends it all.
        """
        now, settled = self._clock.now(), 0
        for lookup in lookups:
            delivery = lookup.delivery
            found = await self._find(lane, lookup)
            try:
                row = await self._run(partial(record_lookup, lane=lane, delivery=delivery, found=found, now=now))
            except StorageUnavailable:
                raise
            except Exception:
                log.exception("delivery_lookup_failed", delivery=delivery.id, kind=delivery.kind)
                continue
            if row is not None:
                report_results([row], self._telemetry)
                settled += not isinstance(found, OutcomeUnknown)
        return settled

    async def _find(self, lane: WorkspaceId, lookup: Lookup) -> LookupResult:
        try:
            return await self._platforms[platform_of(lane)].messenger.find(lookup.post, lookup.since)
        except (OutcomeUnknown, LookupUnsupported) as result:
            return result
        except Exception:
            log.exception("delivery_lookup_failed", delivery=lookup.delivery.id, kind=lookup.delivery.kind)
            return OutcomeUnknown()
