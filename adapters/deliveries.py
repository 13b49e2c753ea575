"""`ritme deliveries`: the outbox, for who keeps Ritme running, in words but without anybody's."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.clock import SystemClock
from adapters.database.outbox import Outbox, Row
from adapters.database.unit_of_work import connect
from adapters.doctor import database
from adapters.settings import Settings
from bot import wording
from bot.domain.delivery import GIVE_UP_AFTER, DeliveryState
from bot.domain.person import Language
from bot.wording import Reader

SHORT = 8
"""Characters of an id that tell it from the others, as a rule."""
GONE = "What it said went when it was dropped"


@dataclass(frozen=True, kw_only=True)
class Asked:
    states: tuple[str, ...] = ()
    workspace: str | None = None
    overdue: bool = False
    limit: int = 50


async def listed(settings: Settings, asked: Asked, *, as_json: bool, console: Console) -> bool:
    async with _opened(settings, console) as opened:
        if opened is None:
            return False
        box, now = opened
        rows = await box.rows(
            states=tuple(DeliveryState(one) for one in asked.states),
            workspace=asked.workspace,
            overdue_at=now if asked.overdue else None,
            limit=asked.limit,
        )
    if as_json:
        console.print_json(json.dumps([asdict(row) for row in rows], default=str))
        return True
    if not rows:
        console.print(_nothing(asked))
        return True
    table = Table("id", "workspace", "to", "kind", "state", "due (UTC)", "tries", "because", box=None)
    for row in rows:
        due = f"{row.due_at:%Y-%m-%d %H:%M}"
        words = (row.id[:SHORT], row.workspace, row.to, row.kind, row.state, due, str(row.attempts), _why(row, now))
        table.add_row(*(escape(word) for word in words))
    console.print(table)
    if len(rows) == asked.limit:
        console.print(f"There may be more: these are the first {asked.limit}.")
    return True


async def explained(settings: Settings, id: str, *, console: Console) -> bool:
    async with _opened(settings, console) as opened:
        if opened is None:
            return False
        box, now = opened
        row = await box.about(id)
    if row is None:
        return _not_one(id, console)
    lines = {
        "id": row.id,
        "what": f"{row.kind} ({row.act})",
        "to": f"{row.to or 'nobody'} in {row.workspace}",
        "state": row.state,
        "because": _why(row, now),
        "made": _moment(row.created_at),
        "due": _moment(row.due_at),
        "makes no sense after": _moment(row.expires_at),
        "tries": f"{row.attempts}, the last {_moment(row.attempted_at)}" if row.attempts else "none yet",
        "sent": _moment(row.sent_at),
        "known there as": row.receipt or "",
        "in the log": f"correlation {row.correlation}" if row.correlation else "",
    }
    for name, said in lines.items():
        if said:
            console.print(f"[bold]{name}[/]  {escape(said)}")
    console.print(_next(row))
    return True


async def retried(settings: Settings, ids: Sequence[str], *, even_if_twice: bool, console: Console) -> bool:
    async with _opened(settings, console) as opened:
        if opened is None:
            return False
        box, now = opened
        well = True
        for one in ids:
            row = await box.about(one)
            if row is None:
                well = _not_one(one, console)
            elif row.is_silent:
                console.print(f"{row.id[:SHORT]} was an answer. {GONE}, so it cannot be sent again.")
                well = False
            elif row.may_have_arrived and not even_if_twice:
                console.print(
                    f"{row.id[:SHORT]} may have arrived, and would come twice. If that is fine: --even-if-twice"
                )
                well = False
            elif await box.retry(row.id, now, now + GIVE_UP_AFTER, even_if_twice=even_if_twice):
                console.print(f"{row.id[:SHORT]} goes out as soon as its place allows.")
            else:
                console.print(f"{row.id[:SHORT]} is {row.state}: there is nothing to send again.")
                well = False
    return well


async def dropped(settings: Settings, ids: Sequence[str], *, console: Console) -> bool:
    async with _opened(settings, console) as opened:
        if opened is None:
            return False
        box, _ = opened
        well = True
        for one in ids:
            row = await box.about(one)
            if row is None:
                well = _not_one(one, console)
            elif await box.drop(row.id):
                console.print(f"{row.id[:SHORT]} is not sent any more.")
            else:
                console.print(f"{row.id[:SHORT]} is {row.state}: there is nothing to drop.")
                well = False
    return well


@asynccontextmanager
async def _opened(settings: Settings, console: Console) -> AsyncIterator[tuple[Outbox, datetime] | None]:
    """The outbox and what time it is there; None, said with its cure, when the database cannot be used."""
    found = await database(settings)
    if found.cure is not None:
        console.print(f"The database {escape(found.text)}.")
        console.print(escape(found.cure))
        yield None
        return
    engine = connect(settings.database_url)
    try:
        if settings.many_processes:
            from adapters.database.postgresql import time_of

            now = await time_of(engine)
        else:
            now = SystemClock().now()
        yield Outbox(engine), now
    finally:
        await engine.dispose()


def _nothing(asked: Asked) -> str:
    if asked.states or asked.workspace:
        return "Nothing of that kind."
    return "Nothing is overdue." if asked.overdue else "All is settled."


def _not_one(id: str, console: Console) -> bool:
    console.print(f"There is not exactly one delivery whose id begins with {escape(id)}.")
    return False


def _why(row: Row, now: datetime) -> str:
    if not row.reason:
        return "it is its time" if row.state == "waiting" and row.due_at <= now else ""
    reader = Reader(language=Language.EN, timezone="UTC", now=now)
    return wording.sentence("errors/reasons.md.j2", row.reason, reader, None)


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment is not None else ""


def _next(row: Row) -> str:
    if row.is_silent:
        return f"It is not sent. {GONE}: it was an answer."
    again = timedelta(days=1)
    return {
        "waiting": f"It is tried at {_moment(row.due_at)}, or when its place is free.",
        "sending": "It is under way. If whoever sends it is gone, that shows within a minute.",
        "sent": "It arrived.",
        "unknown": f"It is looked up again, ever less often, for {again.days} day; on Teams nothing can be looked up.",
        "failed": "It is not tried again by itself: ritme deliveries retry.",
        "dropped": "It is not sent: ritme deliveries retry, if it should be after all.",
    }[row.state]
