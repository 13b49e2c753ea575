"""Send an answer in the turn that it answers: claimed in the turn's transaction, sent as soon as that is committed.

Only where nothing stands ahead of it for its place or person, and nothing else is due in its lane by that transaction:
everything else goes out by the drain of its lane, which keeps the order. A process that dies in between leaves what a
drain leaves that dies after its claim. See docs/adr/0118.
"""

from asyncio import Task, create_task, wait
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from bot.chat import CommandSyntax, Post
from bot.domain.attention import Attention
from bot.domain.delivery import Delivery
from bot.domain.person import WorkspaceId
from bot.outbox.compose import compose_post
from bot.ports import UnitOfWork, Vault

Send = Callable[[WorkspaceId, Sequence[Sequence[tuple[Delivery, Post]]]], Awaitable[None]]
"""Sends what was claimed in a lane, and records what became of it."""
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
    post = await compose_post(work, answer, Attention(), now, syntax, works_council, vault)
    if post is not None:
        answer.start(now)
    return post


class AnswersInFlight:
    """The answers that this process is sending in their own turn; each is over once its result is recorded."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sending: dict[Task[None], WorkspaceId] = {}

    def start(self, answer: Delivery, post: Post) -> None:
        """Send an answer, beside whatever goes on."""
        task = create_task(self._send_one(answer, post), name=f"answer {answer.id}")
        self._sending[task] = answer.workspace_id
        task.add_done_callback(self._sending.pop)

    async def finish(self, lane: WorkspaceId | None = None, *, within: float | None = None) -> None:
        """Wait until what is being sent now is over, in a lane or in all of them, for some seconds at most."""
        if waiting := [task for task, where in self._sending.items() if lane in (None, where)]:
            await wait(waiting, timeout=within)

    def cancel(self) -> None:
        """Cut short what is still being sent: what became of it is looked up later."""
        for task in self._sending:
            task.cancel()

    async def _send_one(self, answer: Delivery, post: Post) -> None:
        try:
            await self._send(answer.workspace_id, [[(answer, post)]])
        except Exception:
            # Not recorded: the row stays SENDING, and is looked up once its claim is stale.
            log.exception("answer_send_failed", delivery=answer.id, kind=answer.kind)
