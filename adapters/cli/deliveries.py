"""Show deliveries of the outbox to an operator, retry them or drop them. Nothing people wrote is shown."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.clock import SystemClock
from adapters.database.outbox import DeliveryRow, Outbox
from adapters.database.unit_of_work import connect
from adapters.doctor import check_database
from adapters.settings import Settings
from bot import wording
from bot.domain.delivery import RETRY_DEADLINE, DeliveryState
from bot.domain.person import Language
from bot.wording import Reader

ID_PREFIX = 8
"""Characters of an id that are shown: enough, as a rule, to tell it from the others."""
TEXT_REMOVED = "What it said went when it was dropped"


@dataclass(frozen=True, kw_only=True)
class DeliveryQuery:
    """Select deliveries to list; without `states`, those that are not settled and those that failed."""

    states: tuple[DeliveryState, ...] = ()
    workspace: str | None = None
    overdue: bool = False
    limit: int = 50


async def print_deliveries(settings: Settings, query: DeliveryQuery, *, as_json: bool, console: Console) -> bool:
    """Print a table of deliveries, due longest first, or JSON. Returns False when the database cannot be used."""
    async with _open_outbox(settings, console) as opened:
        if opened is None:
            return False
        outbox, now = opened
        rows = await outbox.rows(
            states=query.states,
            workspace=query.workspace,
            overdue_at=now if query.overdue else None,
            limit=query.limit,
        )
    if as_json:
        console.print_json(json.dumps([asdict(row) for row in rows], default=str))
        return True
    if not rows:
        console.print(_describe_empty(query))
        return True
    table = Table("id", "workspace", "to", "kind", "state", "due (UTC)", "tries", "because", box=None)
    for row in rows:
        due, reason = f"{row.due_at:%Y-%m-%d %H:%M}", _describe_reason(row, now)
        cells = (row.id[:ID_PREFIX], row.workspace, row.to, row.kind, row.state, due, str(row.attempts), reason)
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)
    if len(rows) == query.limit:
        console.print(f"There may be more: these are the first {query.limit}.")
    return True


async def print_delivery(settings: Settings, id: str, *, console: Console) -> bool:
    """Print every field of the one delivery whose id begins with `id`, and what happens to it next.

    Returns False when there is no such delivery, or more than one, or the database cannot be used.
    """
    async with _open_outbox(settings, console) as opened:
        if opened is None:
            return False
        outbox, now = opened
        row = await outbox.find_by_prefix(id)
    if row is None:
        return _report_no_match(id, console)
    lines = {
        "id": row.id,
        "what": f"{row.kind} ({row.act})",
        "to": f"{row.to or 'nobody'} in {row.workspace}",
        "state": row.state,
        "because": _describe_reason(row, now),
        "made": _format_moment(row.created_at),
        "due": _format_moment(row.due_at),
        "makes no sense after": _format_moment(row.expires_at),
        "tries": f"{row.attempts}, the last {_format_moment(row.attempted_at)}" if row.attempts else "none yet",
        "sent": _format_moment(row.sent_at),
        "known there as": row.receipt or "",
        "in the log": f"correlation {row.correlation}" if row.correlation else "",
    }
    for name, value in lines.items():
        if value:
            console.print(f"[bold]{name}[/]  {escape(value)}")
    console.print(_describe_next(row))
    return True


async def retry_deliveries(settings: Settings, ids: Sequence[str], *, even_if_twice: bool, console: Console) -> bool:
    """Make deliveries due now. `even_if_twice` includes those that may have arrived already.

    Prints a line for each; returns whether all of them will be sent.
    """
    async with _open_outbox(settings, console) as opened:
        if opened is None:
            return False
        outbox, now = opened
        succeeded = True
        for prefix in ids:
            row = await outbox.find_by_prefix(prefix)
            if row is None:
                succeeded = _report_no_match(prefix, console)
            elif row.has_no_words:
                console.print(f"{row.id[:ID_PREFIX]} was an answer. {TEXT_REMOVED}, so it cannot be sent again.")
                succeeded = False
            elif row.may_have_arrived and not even_if_twice:
                console.print(
                    f"{row.id[:ID_PREFIX]} may have arrived, and would come twice. If that is fine: --even-if-twice"
                )
                succeeded = False
            elif await outbox.retry(row.id, now, now + RETRY_DEADLINE, even_if_twice=even_if_twice):
                console.print(f"{row.id[:ID_PREFIX]} goes out as soon as its place allows.")
            else:
                # It is sent or being sent, or its state changed since it was read.
                console.print(f"{row.id[:ID_PREFIX]} is {row.state}: there is nothing to send again.")
                succeeded = False
    return succeeded


async def drop_deliveries(settings: Settings, ids: Sequence[str], *, console: Console) -> bool:
    """Drop deliveries that are not sent yet. Prints a line for each; returns whether all of them were dropped."""
    async with _open_outbox(settings, console) as opened:
        if opened is None:
            return False
        outbox, _ = opened
        succeeded = True
        for prefix in ids:
            row = await outbox.find_by_prefix(prefix)
            if row is None:
                succeeded = _report_no_match(prefix, console)
            elif await outbox.drop(row.id):
                console.print(f"{row.id[:ID_PREFIX]} is not sent any more.")
            else:
                console.print(f"{row.id[:ID_PREFIX]} is {row.state}: there is nothing to drop.")
                succeeded = False
    return succeeded


@asynccontextmanager
async def _open_outbox(settings: Settings, console: Console) -> AsyncIterator[tuple[Outbox, datetime] | None]:
    """Yield the outbox and the present time; print the problem and yield None when the database cannot be used."""
    finding = await check_database(settings)
    if finding.cure is not None:
        console.print(f"The database {escape(finding.text)}.")
        console.print(escape(finding.cure))
        yield None
        return
    engine = connect(settings.database_url)
    try:
        if settings.is_multi_process:
            # The workers go by the database's time; this machine's clock may differ from it.
            from adapters.database.postgresql import database_time

            now = await database_time(engine)
        else:
            now = SystemClock().now()
        yield Outbox(engine), now
    finally:
        await engine.dispose()


def _describe_empty(query: DeliveryQuery) -> str:
    if query.states or query.workspace:
        return "Nothing of that kind."
    return "Nothing is overdue." if query.overdue else "All is settled."


def _report_no_match(id: str, console: Console) -> bool:
    console.print(f"There is not exactly one delivery whose id begins with {escape(id)}.")
    return False


def _describe_reason(row: DeliveryRow, now: datetime) -> str:
    if not row.reason:
        return "it is its time" if row.state == "waiting" and row.due_at <= now else ""
    reader = Reader(language=Language.EN, timezone="UTC", now=now)
    return wording.render_sentence("errors/reasons.md.j2", row.reason, reader, None)


def _format_moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment is not None else ""


def _describe_next(row: DeliveryRow) -> str:
    if row.has_no_words:
        return f"It is not sent. {TEXT_REMOVED}: it was an answer."
    days = RETRY_DEADLINE.days
    return {
        "waiting": f"It is tried at {_format_moment(row.due_at)}, or when its place is free.",
        "sending": "It is under way. If whoever sends it is gone, that shows within a minute.",
        "sent": "It arrived.",
        "unknown": f"It is looked up again, ever less often, for {days} day; on Teams nothing can be looked up.",
        "failed": "It is not tried again by itself: ritme deliveries retry.",
        "dropped": "It is not sent: ritme deliveries retry, if it should be after all.",
    }[row.state]
