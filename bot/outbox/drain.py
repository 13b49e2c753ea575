"""Drain the outbox: claim what is due in one transaction, send it outside any, record the results in another.

A process may die at any point. Before the claim commits, nothing happened. After it, the rows are SENDING: they are
marked UNKNOWN once they are stale. Updates, deletions, home pages and Slack's ephemeral messages are repeated; at worst
one is seen twice. A new message is looked up (Slack) or shown to a coordinator (Teams), never sent again blindly.
"""

from asyncio import CancelledError, create_task, gather, shield
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from structlog.contextvars import bind_contextvars

from bot.chat import Post, PostedPicture
from bot.domain.delivery import INITIAL_BACKOFF, Delivery, DeliveryState
from bot.domain.person import Language, WorkspaceId, platform_of
from bot.outbox.claim import CLAIM_BATCH, CLAIM_TTL, OrderingKey, claim_batch, ordering_key
from bot.outbox.direct import AnswersInFlight, claim_answer
from bot.outbox.files import FileComposer
from bot.outbox.lookups import Lookup, LookupRunner, load_lookups
from bot.outbox.outcomes import Outcome, SendResult, attempt_of, mark_stale_unknown
from bot.outbox.record import PendingResults, ResultRecorder, report_results
from bot.ports import (
    Clock,
    Engine,
    OutcomeUnknown,
    Platform,
    RetryAfter,
    Telemetry,
    Typesetter,
    TypesettingFailed,
    UnitOfWork,
    Unreachable,
    Vault,
)
from bot.transactions import TransactionRunner, correlation_id

PEOPLE_ACT_FOR = timedelta(seconds=2)
"""How long after somebody did something others are taken to do so."""
log = structlog.get_logger("ritme")


@dataclass(frozen=True, kw_only=True)
class PreSendWork:
    """Work of a drain before it sends. `gone`: Ritme is uninstalled in this workspace, so there is nothing to do.
    `people_act`: somebody did something just now, here or elsewhere."""

    gone: bool = False
    people_act: bool = False
    lookups: Sequence[Lookup] = ()


class OutboxDrainer:
    """Drain the outbox, one lane at a time. `platforms` as for `Ritme`."""

    def __init__(
        self,
        *,
        run: TransactionRunner,
        platforms: Mapping[str, Platform],
        clock: Clock,
        engine: Engine,
        telemetry: Telemetry,
        files: FileComposer,
        typesetter: Typesetter | None = None,
        works_council: bool = False,
        vault: Vault | None = None,
    ) -> None:
        self._run = run
        self._platforms = platforms
        self._clock = clock
        self._telemetry = telemetry
        self._lookups = LookupRunner(run=run, platforms=platforms, clock=clock, telemetry=telemetry)
        self._recorder = ResultRecorder(run=run, clock=clock, engine=engine, telemetry=telemetry)
        self._files = files
        self._typesetter = typesetter
        self._works_council = works_council
        self._vault = vault
        self._not_served: set[str] = set()
        self.answers = AnswersInFlight(self._send_answer, self._recorder.commit_results)
        """The answers that are being sent in their own turn."""

    async def drain(self, lane: WorkspaceId) -> int:
        """Settle at most one batch of what is due in a workspace, in order per place. Returns how many rows it settled.

        Deliveries of unknown outcome are looked up first; what stands behind one in the same place waits for that. The
        engine promises one drain per lane at a time. Where Ritme is uninstalled, a single message tests whether it is
        let in again. Returns 0 for a platform that another process serves.
        """
        if not self._is_served(lane):
            return 0
        # What stands behind an answer that is under way waits here, rather than for the next look at the lane.
        await self.answers.finish(lane)
        work = await self._run(partial(self._load_pre_send_work, lane=lane))
        self._run.while_people_act = work.people_act
        settled = await self._lookups.look_up_all(lane, work.lookups)
        now, limit = self._clock.now(), 1 if work.gone else CLAIM_BATCH
        syntax = self._platforms[platform_of(lane)].syntax
        claim = partial(
            claim_batch,
            lane=lane,
            now=now,
            limit=limit,
            syntax=syntax,
            works_council=self._works_council,
            vault=self._vault,
        )
        claimed, posts = await self._run(claim)
        report_results((one for one in claimed if one.state is not DeliveryState.SENDING), self._telemetry)
        by_key: dict[OrderingKey, list[tuple[Delivery, Post]]] = {}
        for delivery, post in posts:
            by_key.setdefault(ordering_key(delivery), []).append((delivery, post))
        await self._send(lane, by_key.values())
        if work.gone and await self._is_gone(lane):
            # Not what was claimed: the engine would drain again at once and retry that message in a loop.
            return await self._settled_count(claimed)
        return settled + len(claimed)

    async def claim_own_answer(self, work: UnitOfWork) -> tuple[Delivery, Post] | None:
        """Claim the answer of a turn in its own transaction, where it can be sent at once (see `claim_answer`)."""
        answer = work.answer
        platform = self._platforms.get(platform_of(answer.workspace_id)) if answer is not None else None
        if answer is None or platform is None or not platform.answers_directly:
            return None
        post = await claim_answer(
            work,
            answer,
            now=self._clock.now(),
            syntax=platform.syntax,
            works_council=self._works_council,
            vault=self._vault,
        )
        return (answer, post) if post is not None else None

    async def reconcile(self, lane: WorkspaceId) -> int:
        """Look up deliveries of unknown outcome. Returns how many were settled; the others are looked up again
        later."""
        if not self._is_served(lane):
            return 0
        return await self._lookups.look_up_all(
            lane, (await self._run(partial(self._load_pre_send_work, lane=lane))).lookups
        )

    async def mark_stale_unknown(self, *, before: datetime) -> None:
        """Mark deliveries UNKNOWN whose sending began before `before`, by a process that has died."""
        stale = await self._run(partial(mark_stale_unknown, before=before, now=self._clock.now()))
        report_results(stale, self._telemetry)

    def _is_served(self, lane: WorkspaceId) -> bool:
        name = platform_of(lane)
        if name in self._platforms:
            return True
        if name not in self._not_served:
            self._not_served.add(name)
            log.warning("platform_not_served", platform=name)  # once: its lanes come due again and again
        return False

    async def _load_pre_send_work(self, work: UnitOfWork, *, lane: WorkspaceId) -> PreSendWork:
        now = self._clock.now()
        workspace, lookups, people_act = await work.together(
            work.people.workspace(lane), load_lookups(work, lane, now), work.inbox.has_any_since(now - PEOPLE_ACT_FOR)
        )
        if workspace is not None and workspace.gone_at is not None:
            return PreSendWork(gone=True, people_act=people_act)
        return PreSendWork(lookups=lookups, people_act=people_act)

    async def _is_gone(self, lane: WorkspaceId) -> bool:
        workspace = await self._run(lambda work: work.people.workspace(lane))
        return workspace is not None and workspace.gone_at is not None

    async def _settled_count(self, claimed: Sequence[Delivery]) -> int:
        async def load(work: UnitOfWork) -> list[Delivery | None]:
            return [await work.deliveries.get(one.id, one.workspace_id) for one in claimed]

        rows = await self._run(load)
        return sum(row is not None and row.state is not DeliveryState.WAITING for row in rows)

    async def _send(self, lane: WorkspaceId, queues: Iterable[Sequence[tuple[Delivery, Post]]]) -> None:
        """Send queues side by side, each in order, and record results meanwhile."""
        pending = PendingResults()
        sending = gather(*(self._send_in_order(queue, pending) for queue in queues), return_exceptions=True)
        sending.add_done_callback(lambda _: pending.arrived.set())
        recorder = create_task(self._recorder.flush_results(pending, sending.done))
        try:
            # Shielded: whoever cancels a drain must not cancel the recording of what was already sent.
            await shield(recorder)
        except CancelledError:
            sending.cancel()
            (problem,) = await gather(recorder, return_exceptions=True)
            if isinstance(problem, Exception):
                log.error("results_record_failed", workspace=lane, outcomes=len(pending.outcomes), exc_info=problem)
            raise
        for problem in await sending:
            if problem is not None:
                raise RuntimeError("sending to a place was cut short") from problem

    async def _send_in_order(self, queue: Sequence[tuple[Delivery, Post]], pending: PendingResults) -> None:
        """Send to one place, one after the other. A delivery that has to wait, or may have been sent, makes those
        behind it wait too."""
        hold: RetryAfter | None = None
        context_id = correlation_id()
        for delivery, post in queue:
            if pending.stopped:
                hold = hold or RetryAfter(self._clock.now())
            result: SendResult = (
                hold or self._claim_expired(delivery) or await self._send_one(delivery, post, context_id)
            )
            pending.add(Outcome(delivery=delivery, result=result, attempt=attempt_of(delivery)))
            if isinstance(result, RetryAfter):
                # Without `whole_workspace`: only the delivery that was told so holds up the workspace.
                hold = RetryAfter(result.until, reason=result.reason)
            elif isinstance(result, OutcomeUnknown):
                hold = RetryAfter(self._clock.now() + INITIAL_BACKOFF, reason="behind_unknown")
            elif isinstance(result, Unreachable) and result.workspace_is_gone:
                hold = RetryAfter(self._clock.now())

    async def _send_answer(self, answer: Delivery, post: Post) -> Outcome:
        """Send an answer in its own turn."""
        result = self._claim_expired(answer) or await self._send_one(answer, post, correlation_id())
        return Outcome(delivery=answer, result=result, attempt=attempt_of(answer))

    def _claim_expired(self, delivery: Delivery) -> RetryAfter | None:
        """Return a release when the claim expired: another worker may assume this one died, and look the delivery
        up while it is being sent."""
        now = self._clock.now()
        claimed_at = delivery.attempted_at or now
        return RetryAfter(now) if now - claimed_at > CLAIM_TTL else None

    async def _draw(self, picture: PostedPicture) -> PostedPicture | None:
        """Draw a picture; return None when that fails: its message says as much, and goes without it."""
        if self._typesetter is None:
            return None
        try:
            content = await self._typesetter.typeset(picture.drawing, picture.data, "png")
        except TypesettingFailed:
            log.exception("picture_draw_failed", drawing=picture.drawing)
            return None
        return replace(picture, content=content)

    async def _send_one(self, delivery: Delivery, post: Post, context_id: str) -> SendResult:
        request = delivery.correlation or context_id
        bind_contextvars(correlation=request)  # each queue runs in a task, with a context, of its own
        try:
            with self._telemetry.span("send", request, kind=delivery.kind, workspace=post.workspace):
                if post.file is not None:
                    content = await self._files.load(post.file, Language(post.file.linked.language))
                    post = replace(post, file=replace(post.file, content=content))
                if post.picture is not None:
                    post = replace(post, picture=await self._draw(post.picture))
                return await self._platforms[platform_of(post.workspace)].messenger.send(post)
        except (RetryAfter, Unreachable, OutcomeUnknown) as result:
            return result
        except Exception:
            # A bug after the message went out is possible, so it may have arrived: never send it again blindly.
            log.exception("delivery_send_failed", delivery=delivery.id, kind=delivery.kind)
            return OutcomeUnknown()
