"""What came of sending, and of looking for what may have been sent, put on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from structlog.contextvars import bind_contextvars, bound_contextvars

from bot.chat import Receipt
from bot.domain.delivery import Act, Delivery, DeliveryState
from bot.domain.person import Workspace, WorkspaceId
from bot.once import correlation
from bot.ports import NoAnswer, TryLater, UnitOfWork, Unknowable, Unreachable
from bot.use_cases import deliveries, reach

CameOfIt = Receipt | TryLater | Unreachable | NoAnswer
Found = Receipt | NoAnswer | Unknowable | None
"""What looking for a message told: it is there, it is not (None), or nobody can tell, now or ever."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of sending one delivery, at this attempt."""

    delivery: Delivery
    came_of_it: CameOfIt
    attempt: tuple[int, datetime | None]

    def is_news_of(self, row: Delivery) -> bool:
        """A try of which nobody heard back may have put it on record already, and whoever took us for dead may have
        gone on without us. That it arrived is news even then."""
        if attempt_of(row) != self.attempt:
            return False
        if isinstance(self.came_of_it, Receipt):
            return row.state not in (DeliveryState.SENT, DeliveryState.DROPPED)
        if isinstance(self.came_of_it, NoAnswer):
            return row.state is DeliveryState.SENDING
        return row.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN)  # it surely did not arrive


def attempt_of(delivery: Delivery) -> tuple[int, datetime | None]:
    """Which try to send it this is."""
    return (delivery.attempts, delivery.attempted_at)


async def lost_sight_of(work: UnitOfWork, *, before: datetime, now: datetime) -> Sequence[Delivery]:
    """Of what began to be sent before then, by somebody who is not there any more."""
    abandoned = await work.deliveries.abandoned(before)
    for delivery in abandoned:
        delivery.lose_sight(now)
    return abandoned


async def recorded(
    work: UnitOfWork, *, lane: WorkspaceId, rows: Sequence[Delivery], outcomes: Sequence[Outcome], now: datetime
) -> Sequence[Delivery]:
    workspace = await work.people.workspace(lane)
    came = {outcome.delivery.id: outcome for outcome in outcomes}
    settled = [row for row in rows if came[row.id].is_news_of(row)]
    here = correlation()
    with bound_contextvars(correlation=here):
        for row in settled:
            bind_contextvars(correlation=row.correlation or here)
            await settle(work, row, workspace, came[row.id].came_of_it, now)
    await work.deliveries.put_down(settled)
    return settled


async def looked_up(
    work: UnitOfWork, *, lane: WorkspaceId, delivery: Delivery, found: Found, now: datetime
) -> Delivery | None:
    """What looking up a delivery of unknown outcome told; None when somebody settled it, or tried it once more,
    meanwhile."""
    row = await work.deliveries.get(delivery.id, lane)
    if row is None or row.state is not DeliveryState.UNKNOWN or row.attempts != delivery.attempts:
        return None
    if isinstance(found, Receipt):
        await settle(work, row, await work.people.workspace(lane), found, now)
    elif isinstance(found, Unknowable):
        row.fail("never_known")
    elif isinstance(found, NoAnswer):
        row.lose_sight(now)
    else:
        row.not_arrived(now)
    return row


async def settle(
    work: UnitOfWork, row: Delivery, workspace: Workspace | None, came_of_it: CameOfIt, now: datetime
) -> None:
    if workspace is not None and workspace.gone_at is not None and _was_let_in(row, came_of_it):
        workspace.lets_in()
        work.woken.add(workspace.id)
    if isinstance(came_of_it, Receipt):
        row.arrived(now, came_of_it.channel, came_of_it.message)
        await deliveries.arrived(work, row, now)
    elif isinstance(came_of_it, TryLater):
        row.put_back(came_of_it.until, came_of_it.reason)
        if came_of_it.whole_workspace and workspace is not None:
            workspace.held_until = max(workspace.held_until or came_of_it.until, came_of_it.until)
    elif isinstance(came_of_it, Unreachable):
        place = await work.movements.place(row.place_id) if row.place_id else None
        if came_of_it.workspace_is_gone and workspace is not None:
            workspace.refuses(came_of_it.reason, now)
            row.wait_until(now, came_of_it.reason)
        elif came_of_it.place_is_gone and place is not None and row.person_id is None:
            await reach.lose(work, place, came_of_it.reason, now)
            row.hold(came_of_it.reason, now)
        else:
            row.fail(came_of_it.reason)
    else:
        row.lose_sight(now)


def _was_let_in(row: Delivery, came_of_it: CameOfIt) -> bool:
    """Whether this shows that a workspace lets us in: something new arrived, or its place was what was wrong."""
    if isinstance(came_of_it, Receipt):
        return row.act in (Act.POST, Act.HOME)
    return isinstance(came_of_it, Unreachable) and came_of_it.place_is_gone and not came_of_it.workspace_is_gone
