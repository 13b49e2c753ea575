"""List what Ritme has planned, sent, held back or dropped in the playground, and why.

Rows hold kinds, moments, places and reasons; never the words that were sent.
"""

from datetime import datetime, timedelta
from typing import Any

from adapters.playground import page_texts
from adapters.playground.personas import WORKSPACE
from bot.domain.delivery import Act, Delivery, DeliveryState
from bot.domain.movement import Place
from bot.domain.person import Language, Person, WorkspaceId
from bot.ports import Transact, UnitOfWork

MAX_ROWS = 40
"""Rows in each list."""
MAX_RHYTHMS = 8
"""Rhythms among the planned rows."""
RHYTHM_HORIZON = timedelta(days=15)
"""How far ahead the moments of rhythms are listed."""
LANE = WorkspaceId(WORKSPACE)
_STATES = {
    DeliveryState.SENDING: "sending",
    DeliveryState.SENT: "sent",
    DeliveryState.UNKNOWN: "unknown",
    DeliveryState.FAILED: "failed",
    DeliveryState.DROPPED: "dropped",
}


class OutboxActivity:
    """Read the playground's deliveries and the next moments of its rhythms, as rows for the page."""

    def __init__(self, transact: Transact) -> None:
        self._transact = transact

    async def list_upcoming(self, language: Language, now: datetime) -> list[dict[str, Any]]:
        """Return what is planned or held back, the first moment first."""

        async def load(work: UnitOfWork) -> list[dict[str, Any]]:
            rows = [
                _row(delivery, place, person, language, now)
                for delivery, place, person in await work.deliveries.upcoming(LANE, MAX_ROWS)
                if delivery.act is Act.POST
            ]
            return rows + await _rhythm_rows(work, language, now)

        return sorted(await self._transact(load), key=lambda row: str(row["at"]))[:MAX_ROWS]

    async def list_recent(self, language: Language, now: datetime) -> list[dict[str, Any]]:
        """Return what was sent, dropped or failed, the last first."""

        async def load(work: UnitOfWork) -> list[dict[str, Any]]:
            return [
                _row(delivery, place, person, language, now)
                for delivery, place, person in await work.deliveries.history(LANE, MAX_ROWS)
                if delivery.act is Act.POST
            ]

        return await self._transact(load)

    async def find_next(self, language: Language, now: datetime) -> dict[str, Any] | None:
        """Return the row of the first moment, to which the clock's "next" leads; None when nothing is planned."""
        return next(iter(await self.list_upcoming(language, now)), None)


def _row(
    delivery: Delivery, place: Place | None, person: Person | None, language: Language, now: datetime
) -> dict[str, Any]:
    is_waiting = delivery.state is DeliveryState.WAITING
    state = ("held" if delivery.reason else "planned") if is_waiting else _STATES[delivery.state]
    at = delivery.due_at if is_waiting else delivery.sent_at or delivery.attempted_at or delivery.due_at
    return {
        "id": delivery.id,
        "state": state,
        "kind": delivery.kind,
        "what": page_texts.describe_kind(delivery.kind, language, now),
        "channel": place.channel if place is not None else None,
        "persona": person.account if person is not None else None,
        "at": at.isoformat(),
        "why": page_texts.describe_reason(delivery.reason, language, now),
    }


async def _rhythm_rows(work: UnitOfWork, language: Language, now: datetime) -> list[dict[str, Any]]:
    rows = []
    for rhythm, place in await work.rhythms.upcoming(now + RHYTHM_HORIZON, MAX_RHYTHMS):
        if rhythm.next_at is None or place.workspace_id != LANE:
            continue
        kind = f"rhythm_{rhythm.kind.value}"
        rows.append(
            {
                "id": f"{rhythm.id}:{rhythm.next_at.isoformat()}",
                "state": "planned",
                "kind": kind,
                "what": page_texts.describe_kind(kind, language, now),
                "channel": place.channel,
                "persona": None,
                "at": rhythm.next_at.isoformat(),
                "why": "",
            }
        )
    return rows
