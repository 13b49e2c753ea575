"""Apologize to who waits for an answer that cannot be sent because of a bug of ours."""

from datetime import datetime

from bot.catalogue.base import dump
from bot.catalogue.errors import Apology
from bot.domain.delivery import ANSWER, Delivery, new_delivery_id
from bot.ports import UnitOfWork


async def fail_with_apology(work: UnitOfWork, row: Delivery, reason: str, reference: str, now: datetime) -> None:
    """Settle a delivery as failed; if it is an answer that somebody waits for, put an apology in its place. What Ritme
    starts by itself is not missed, and an apology that fails is the end of it."""
    is_missed = row.kind == ANSWER and row.person_id is not None and row.args.get("entry") != Apology.__name__
    row.fail(reason)
    if is_missed:
        await work.deliveries.add(
            Delivery(
                id=new_delivery_id(),
                workspace_id=row.workspace_id,
                movement_id=row.movement_id,
                person_id=row.person_id,
                place_id=row.place_id,
                thread=row.thread,
                kind=ANSWER,
                args=dump(Apology(reference=reference)),
                key=f"apology:{row.id}",
                due_at=now,
                expires_at=row.expires_at,
                created_at=now,
                correlation=row.correlation,
            )
        )
