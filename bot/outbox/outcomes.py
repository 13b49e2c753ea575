"""Apply what became of an attempt to send, or of looking one up, to its delivery.

Everything here runs inside a transaction that somebody else began.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.contextvars import bound_contextvars

from bot import webhooks
from bot.chat import Receipt
from bot.domain.delivery import Act, Delivery, DeliveryState, to_home, to_person
from bot.domain.person import UNANSWERED_BEFORE_QUIET, Workspace, WorkspaceId
from bot.domain.personal_file import GIVING, PersonalFileId
from bot.domain.webhook import EVENT_KIND, MovementEvent
from bot.outbox.apologies import fail_with_apology
from bot.ports import LookupUnsupported, OutcomeUnknown, RetryAfter, UnitOfWork, Unreachable
from bot.transactions import correlation_id, rebind_correlation
from bot.use_cases.outbox import reach

COUNTED_ONCE_IN = timedelta(hours=20)
"""Nudges that come so close together count as one: less than a day, for what comes at the same hour each day."""
SendResult = Receipt | RetryAfter | Unreachable | OutcomeUnknown
"""The result of one attempt: arrived, wait, never like this, or nobody knows."""
LookupResult = Receipt | OutcomeUnknown | LookupUnsupported | None
"""The result of looking a delivery up: it is there, it is not (None), not known now, or never known."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one attempt to send one delivery, identified by `attempt` (see `attempt_of`)."""

    delivery: Delivery
    result: SendResult
    attempt: tuple[int, datetime | None]

    def applies_to(self, row: Delivery) -> bool:
        """Return whether the stored row still waits for this result.

        A commit whose answer was lost may have recorded it already, and a worker that took us for dead may have sent
        the delivery again: then the attempt differs. A receipt is accepted even after others marked the row unknown or
        failed; that something surely did not arrive, only while nobody has settled it.
        """
        if attempt_of(row) != self.attempt:
            return False
        if isinstance(self.result, Receipt):
            return row.state not in (DeliveryState.SENT, DeliveryState.DROPPED)
        if isinstance(self.result, OutcomeUnknown):
            return row.state is DeliveryState.SENDING
        return row.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN)


def attempt_of(delivery: Delivery) -> tuple[int, datetime | None]:
    """Return what identifies the latest attempt to send a delivery: its number and when it began."""
    return (delivery.attempts, delivery.attempted_at)


async def mark_stale_unknown(work: UnitOfWork, *, before: datetime, now: datetime) -> Sequence[Delivery]:
    """Mark deliveries UNKNOWN whose sending began before `before`: their sender has died. Returns them."""
    stale = await work.deliveries.stale(before)
    for delivery in stale:
        delivery.mark_unknown(now)
    return stale


async def record_results(
    work: UnitOfWork, *, rows: Sequence[Delivery], outcomes: Sequence[Outcome], now: datetime
) -> Sequence[Delivery]:
    """Apply outcomes to the stored rows they still apply to, and save those. Returns them."""
    workspaces = await work.people.workspaces({row.workspace_id for row in rows})
    by_id = {outcome.delivery.id: outcome for outcome in outcomes}
    changed = [row for row in rows if by_id[row.id].applies_to(row)]
    context_id = bound = correlation_id()
    with bound_contextvars(correlation=context_id):
        for row in changed:
            bound = rebind_correlation(row.correlation or context_id, bound)
            await apply_result(work, row, workspaces.get(row.workspace_id), by_id[row.id].result, now)
    await _count_nudges(work, changed, now)
    await _announce_posts(work, changed, now)
    await work.deliveries.save_all(changed)
    return changed


async def record_lookup(
    work: UnitOfWork, *, lane: WorkspaceId, delivery: Delivery, found: LookupResult, now: datetime
) -> Delivery | None:
    """Apply the result of looking up a delivery of unknown outcome. Returns the row; None when another process settled
    it, or tried it again, in the meantime."""
    row = await work.deliveries.get(delivery.id, lane)
    if row is None or row.state is not DeliveryState.UNKNOWN or row.attempts != delivery.attempts:
        return None
    if isinstance(found, Receipt):
        await apply_result(work, row, await work.people.workspace(lane), found, now)
        await _count_nudges(work, [row], now)
        await _announce_posts(work, [row], now)
    elif isinstance(found, LookupUnsupported):
        row.fail("never_known")
    elif isinstance(found, OutcomeUnknown):
        row.mark_unknown(now)
    else:
        row.retry_with_backoff(now)
    return row


async def apply_result(
    work: UnitOfWork, row: Delivery, workspace: Workspace | None, result: SendResult, now: datetime
) -> None:
    """Move a delivery, and where it concerns them its place and workspace, to the state that a result leads to."""
    # What was posted before Ritme was removed, and is known to have arrived only now, does not bring it back.
    is_shut_out = workspace is not None and workspace.gone_at is not None and not workspace.is_removed
    if workspace is not None and is_shut_out and _shows_access(row, result):
        workspace.mark_accessible()
        work.woken.add(workspace.id)
    if row.kind == EVENT_KIND and not isinstance(result, RetryAfter):
        gone = isinstance(result, Unreachable)
        await webhooks.note_result(work, row.subject, now, arrived=isinstance(result, Receipt), for_good=gone)
    if isinstance(result, Receipt):
        row.record_receipt(now, result.channel, result.message)
        await _after_arrival(work, row, now)
        await _keep_file(work, row, now)
    elif isinstance(result, RetryAfter):
        row.release(result.until, result.reason)
        if result.whole_workspace and workspace is not None:
            workspace.held_until = max(workspace.held_until or result.until, result.until)
    elif isinstance(result, Unreachable):
        await _apply_unreachable(work, row, workspace, result, now)
    else:
        row.mark_unknown(now)


async def _apply_unreachable(
    work: UnitOfWork, row: Delivery, workspace: Workspace | None, result: Unreachable, now: datetime
) -> None:
    place = await work.movements.place(row.place_id) if row.place_id else None
    if result.workspace_is_gone and workspace is not None:
        workspace.mark_inaccessible(result.reason, now)
        row.reschedule(now, result.reason)
    elif result.place_is_gone and place is not None and row.person_id is None:
        await reach.mark_unreachable(work, place, result.reason, now)
        row.hold(result.reason, now)
    elif result.reference:
        await fail_with_apology(work, row, result.reason, result.reference, now)
    else:
        row.fail(result.reason)


def _shows_access(row: Delivery, result: SendResult) -> bool:
    """Return whether a result proves that a workspace lets Ritme in: a new message arrived, or only a place is gone."""
    if isinstance(result, Receipt):
        return row.act in (Act.POST, Act.HOME)
    return isinstance(result, Unreachable) and result.place_is_gone and not result.workspace_is_gone


async def _announce_posts(work: UnitOfWork, recorded: Sequence[Delivery], now: datetime) -> None:
    """Let addresses outside know which rhythms came, among deliveries that were recorded just now. Who hears of it is
    looked up once a movement: on a Monday morning a hundred come at once."""
    posted = [
        (row.movement_id, row)
        for row in recorded
        if row.movement_id is not None and row.subject and row.state is DeliveryState.SENT
        if row.kind.startswith("rhythm_") and row.act is Act.POST
    ]
    for movement in dict.fromkeys(one for one, _ in posted):
        hearing = await webhooks.find_hearing(work, movement, MovementEvent.RHYTHM_POSTED)
        for row in [row for one, row in posted if one == movement] if hearing else ():
            with bound_contextvars(correlation=row.correlation or correlation_id()):
                await webhooks.plan_calls(work, hearing, MovementEvent.RHYTHM_POSTED, row.subject, row.id, now)


async def _keep_file(work: UnitOfWork, row: Delivery, now: datetime) -> None:
    """Keep a file that was given for as long as a link to it lives."""
    file = await work.files.get(PersonalFileId(row.subject)) if row.kind in GIVING else None
    if file is not None:
        file.start_expiry(now)


async def _after_arrival(work: UnitOfWork, delivery: Delivery, now: datetime) -> None:
    """Remember which home page a person sees now; after a nudge it is shown anew."""
    if delivery.person_id is None or not (delivery.is_nudge or delivery.act is Act.HOME):
        return
    person = await work.people.in_workspace(delivery.person_id, delivery.workspace_id)
    if person is None or person.account is None:
        return
    if delivery.act is Act.HOME:
        shown = delivery.args.get("shown")
        if isinstance(shown, list | tuple):
            person.home_movement, person.home_digest = map(str, shown)
    elif person.has_home:
        await work.deliveries.add(to_home(person, key=delivery.id, now=now, movement=delivery.movement_id))


async def _count_nudges(work: UnitOfWork, recorded: Sequence[Delivery], now: datetime) -> None:
    """Count the nudges among deliveries that were recorded just now, and go quiet, saying so once, after three that
    stayed without an answer. Of several within a day one counts: nobody leaves unanswered what came a minute ago."""
    arrived = {row.person_id: row for row in recorded if row.is_nudge and row.state is DeliveryState.SENT}
    for person_id, row in arrived.items():
        person = await work.people.in_workspace(person_id, row.workspace_id) if person_id is not None else None
        if person is None or person.account is None:
            continue
        if person.unanswered and await work.deliveries.was_nudged(
            person.id, now - COUNTED_ONCE_IN, [one.id for one in recorded]
        ):
            continue
        person.count_nudge()
        if person.unanswered >= UNANSWERED_BEFORE_QUIET and person.went_quiet_at is None:
            person.went_quiet_at = now
            with bound_contextvars(correlation=row.correlation or correlation_id()):
                await work.deliveries.add(
                    to_person(
                        person,
                        "went_quiet",
                        key=f"went_quiet:{person.id}:{now.isoformat()}",
                        now=now,
                        movement=row.movement_id,
                    )
                )
