"""Send an answer in the turn that it answers: claimed in the turn's transaction, sent as soon as that is committed.

Only where nothing stands ahead of it for its place or person, and nothing else is due in its lane by that transaction:
everything else goes out by the drain of its lane, which keeps the order. A process that dies in between leaves what a
drain leaves that dies after its claim. See docs/adr/0118.
"""

from asyncio import Task, create_task, shield, sleep, wait
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from bot.chat import CommandSyntax, Post
from bot.domain.attention import Attention
from bot.domain.delivery import Delivery
from bot.domain.person import WorkspaceId
from bot.outbox.compose import compose_post
from bot.outbox.outcomes import Outcome
from bot.ports import UnitOfWork, Vault

Send = Callable[[Delivery, Post], Awaitable[Outcome]]
"""Sends an answer that was claimed."""
Record = Callable[[Sequence[Outcome]], Awaitable[None]]
"""Records what became of answers, in one transaction."""
LINGER = 0.025
"""Seconds for which the result of an answer waits for those of others that are being sent, to be recorded with them."""
log = structlog.get_logger("ritme")


async def claim_answer(
    work: UnitOfWork,
    answer: Delivery,
    *,
    now: datetime,
    syntax: CommandSyntax,
    works_council: bool,
    vault: Vault | None,
) -> Post | None:
    """Claim the answer of this transaction, the last thing done in it, and compose its post.

    Returns None when it has to wait for its turn in the lane, or was dropped, failed or rescheduled.
    """
    lane = answer.workspace_id
    if lane in work.woken:  # names are looked up first, and what else is due keeps its order with this
        return None
    workspace = await work.people.workspace(lane)
    if workspace is None or workspace.gone_at is not None:
        return None
    if workspace.held_until is not None and workspace.held_until > now:
        return None
    if await work.deliveries.stands_behind(answer, now):
        return None
    post = await compose_post(work, answer, Attention(), now, syntax, works_council, vault, work.answer_entry)
    if post is not None:
        answer.start(now)
    return post


class AnswersInFlight:
    """The answers that this process is sending in their own turn; each is over once its result is recorded.

    A result is recorded at once where no other answer is being sent, and else with what comes in within `LINGER`.
    """

    def __init__(self, send: Send, record: Record) -> None:
        self._send = send
        self._record = record
        self._under_way: dict[Task[None], WorkspaceId] = {}
        self._sending = 0
        self._results: list[Outcome] = []
        self._recording: Task[None] | None = None
        """Records `_results` once it has lingered; None while there are none."""
        self._recordings: set[Task[None]] = set()

    def start(self, answer: Delivery, post: Post) -> None:
        """Send an answer, beside whatever goes on."""
        self._sending += 1
        task = create_task(self._send_one(answer, post), name=f"answer {answer.id}")
        self._under_way[task] = answer.workspace_id
        task.add_done_callback(self._under_way.pop)

    async def finish(self, lane: WorkspaceId | None = None, *, within: float | None = None) -> None:
        """Wait until what is being sent now is over, in a lane or in all of them, for some seconds at most."""
        waiting = {task for task, where in self._under_way.items() if lane in (None, where)}
        if lane is None:
            waiting |= self._recordings
        if waiting:
            await wait(waiting, timeout=within)

    def cancel(self) -> None:
        """Cut short what is still being sent: what became of it is looked up later. What is known is recorded."""
        for task in self._under_way:
            task.cancel()

    async def _send_one(self, answer: Delivery, post: Post) -> None:
        try:
            outcome = await self._send(answer, post)
        finally:
            self._sending -= 1
        self._results.append(outcome)
        if self._recording is None:
            self._recording = create_task(self._record_results(), name="results of answers")
            self._recordings.add(self._recording)
            self._recording.add_done_callback(self._recordings.discard)
        # Shielded: who is cut short waits no longer, and what is known is recorded all the same.
        await shield(self._recording)

    async def _record_results(self) -> None:
        if self._sending:
            await sleep(LINGER)
        results, self._results, self._recording = self._results, [], None
        try:
            await self._record(results)
        except Exception:
            # Not recorded: the rows stay SENDING, and are looked up once their claims are stale.
            log.exception("answers_record_failed", deliveries=[one.delivery.id for one in results])
