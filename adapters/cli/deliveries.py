"""Show deliveries of the outbox to an operator, retry them or drop them.

Nothing people wrote is shown, and nobody by an id that stands elsewhere: the kind of a message tells who is stuck,
silent or helping.
"""

import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from secrets import token_bytes

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.cli.audit import note_access
from adapters.clock import SystemClock
from adapters.database.outbox import DeliveryRow, Outbox
from adapters.database.unit_of_work import connect
from adapters.database_check import check_database
from adapters.settings import Settings
from bot import wording
from bot.domain.delivery import RETRY_DEADLINE, DeliveryState
from bot.domain.person import Language
from bot.wording import Reader

ID_PREFIX = 8
"""Characters of an id that are shown: enough, as a rule, to tell it from the others."""
TEXT_REMOVED = "Its text was deleted when it was dropped"


@dataclass(frozen=True, kw_only=True)
class DeliveryQuery:
    """Select deliveries to list; without `states`, those that are not settled and those that failed."""

    states: tuple[DeliveryState, ...] = ()
    workspace: str | None = None
    overdue: bool = False
    limit: int = 50


IDS_A_LINE = 20
"""Ids of deliveries in one line of the audit log: with all that stands beside them well below 1,024 bytes, after which
some system logs cut a line off."""


class Recipients:
    """Names whom deliveries are for. People get a name of this run only, unless they are `revealed`.

    So one sees which messages are for the same person, but not who that is: neither the log nor a later run has it.
    """

    def __init__(self, *, revealed: bool) -> None:
        self._revealed = revealed
        self._key = token_bytes()

    def describe(self, row: DeliveryRow) -> str:
        """Return the place and the person that a delivery is for; empty for neither."""
        return " ".join(part for part in (row.place, self._name(row)) if part)

    def as_json(self, row: DeliveryRow) -> dict[str, object]:
        """Return every field of a row, with `to` in the place of those that tell who it is."""
        fields = asdict(row)
        del fields["place"], fields["account"]
        return {**fields, "to": self.describe(row), "receipt": self.find_receipt(row)}

    def find_receipt(self, row: DeliveryRow) -> str:
        """Return the platform's id of the message, by which its recipient could be looked up there."""
        return (row.receipt or "") if self._revealed or not row.account else ""

    def note(self, rows: Sequence[DeliveryRow]) -> None:
        """Note in the audit log whose deliveries were shown, if they were: as many a line as no log cuts off."""
        personal = [row.id for row in rows if row.account] if self._revealed else []
        for first in range(0, len(personal), IDS_A_LINE):
            note_access("delivery_recipients_revealed", deliveries=personal[first : first + IDS_A_LINE])

    def _name(self, row: DeliveryRow) -> str:
        if self._revealed or not row.account:
            return row.account
        whole = f"{row.workspace} {row.account}".encode()
        return f"person-{hmac.new(self._key, whole, 'sha256').hexdigest()[:6]}"


async def print_deliveries(
    settings: Settings, query: DeliveryQuery, *, as_json: bool, reveal: bool, console: Console
) -> bool:
    """Print a table of deliveries, due longest first, or JSON; with `reveal`, with the people they are for.

    Returns False when the database cannot be used.
    """
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
    recipients = Recipients(revealed=reveal)
    recipients.note(rows)
    if as_json:
        console.print_json(json.dumps([recipients.as_json(row) for row in rows], default=str))
        return True
    if not rows:
        console.print(_describe_empty(query))
        return True
    table = Table("id", "workspace", "to", "kind", "state", "due (UTC)", "attempts", "reason", box=None)
    for row in rows:
        due, reason = f"{row.due_at:%Y-%m-%d %H:%M}", _describe_reason(row, now)
        to = recipients.describe(row)
        cells = (row.id[:ID_PREFIX], row.workspace, to, row.kind, row.state, due, str(row.attempts), reason)
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)
    if len(rows) == query.limit:
        console.print(f"Only the first {query.limit} are shown; --limit shows more.")
    return True


async def print_delivery(settings: Settings, id: str, *, reveal: bool, console: Console) -> bool:
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
    recipients = Recipients(revealed=reveal)
    recipients.note([row])
    lines = {
        "id": row.id,
        "kind": f"{row.kind} ({row.act})",
        "to": f"{recipients.describe(row) or 'nobody'} in {row.workspace}",
        "state": row.state,
        "reason": _describe_reason(row, now),
        "created": _format_moment(row.created_at),
        "due": _format_moment(row.due_at),
        "expires": _format_moment(row.expires_at),
        "attempts": f"{row.attempts}, the last at {_format_moment(row.attempted_at)}" if row.attempts else "none",
        "sent": _format_moment(row.sent_at),
        "platform message id": recipients.find_receipt(row),
        "correlation id in the log": row.correlation,
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
                    f"{row.id[:ID_PREFIX]} may have arrived, and would then be seen twice. "
                    "To send it anyway: --even-if-twice"
                )
                succeeded = False
            elif await outbox.retry(row.id, now, now + RETRY_DEADLINE, even_if_twice=even_if_twice):
                console.print(f"{row.id[:ID_PREFIX]} will be sent as soon as possible.")
            else:
                # It is sent or being sent, or its state changed since it was read.
                console.print(f"{row.id[:ID_PREFIX]} is {row.state}: it cannot be retried.")
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
                console.print(f"{row.id[:ID_PREFIX]} is cancelled: it will not be sent.")
            else:
                console.print(f"{row.id[:ID_PREFIX]} is {row.state}: it cannot be cancelled.")
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
        return "No deliveries match."
    return "Nothing is overdue." if query.overdue else "No deliveries are unsettled or failed."


def _report_no_match(id: str, console: Console) -> bool:
    console.print(f"No delivery, or more than one, has an id that begins with {escape(id)}.")
    return False


def _describe_reason(row: DeliveryRow, now: datetime) -> str:
    if not row.reason:
        return "due now" if row.state == "waiting" and row.due_at <= now else ""
    reader = Reader(language=Language.EN, timezone="UTC", now=now)
    return wording.render_sentence("errors/reasons.md.j2", row.reason, reader, None)


def _format_moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment is not None else ""


def _describe_next(row: DeliveryRow) -> str:
    if row.has_no_words:
        return f"It will not be sent: it was an answer. {TEXT_REMOVED}."
    days = RETRY_DEADLINE.days
    return {
        "waiting": f"It will be sent at {_format_moment(row.due_at)}, or after the deliveries ahead of it.",
        "sending": "It is being sent. If the sending process died, its state becomes unknown in about a minute.",
        "sent": "It arrived.",
        "unknown": f"It will be looked up at growing intervals for {days} day; on Teams nothing can be looked up.",
        "failed": "It will not be retried automatically. To send it again: ritme deliveries retry",
        "dropped": "It will not be sent. To send it after all: ritme deliveries retry",
    }[row.state]
