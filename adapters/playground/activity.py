"""What Ritme has just planned, sent, held back or dropped, and why: a look into the outbox.

Only kinds, moments, places and reasons; never the words that were sent.
"""

from datetime import datetime, timedelta
from typing import Any

from adapters.playground import words
from adapters.playground.personas import WORKSPACE
from bot.domain.delivery import Act, Delivery, DeliveryState
from bot.domain.movement import Place
from bot.domain.person import Language, Person, WorkspaceId
from bot.ports import Begin, UnitOfWork

SHOWN = 40
RHYTHMS_SHOWN = 8
AHEAD = timedelta(days=15)
LANE = WorkspaceId(WORKSPACE)
_STATES = {
    DeliveryState.SENDING: "sending",
    DeliveryState.SENT: "sent",
    DeliveryState.UNKNOWN: "unknown",
    DeliveryState.FAILED: "failed",
    DeliveryState.DROPPED: "dropped",
}


class Activity:
    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def planned(self, language: Language, now: datetime) -> list[dict[str, Any]]:
        """What is planned or held back, the first moment first."""
        async with self._begin() as work:
            rows = [
                _row(delivery, place, person, language, now)
                for delivery, place, person in await work.deliveries.planned(LANE, SHOWN)
                if delivery.act is Act.POST
            ]
            rows += await _rhythms(work, language, now)
        return sorted(rows, key=lambda row: str(row["at"]))[:SHOWN]

    async def done(self, language: Language, now: datetime) -> list[dict[str, Any]]:
        """What was sent, dropped or failed, the last first."""
        async with self._begin() as work:
            return [
                _row(delivery, place, person, language, now)
                for delivery, place, person in await work.deliveries.settled(LANE, SHOWN)
                if delivery.act is Act.POST
            ]

    async def first(self, language: Language, now: datetime) -> dict[str, Any] | None:
        """What the dial's next jump leads to."""
        return next(iter(await self.planned(language, now)), None)


def _row(
    delivery: Delivery, place: Place | None, person: Person | None, language: Language, now: datetime
) -> dict[str, Any]:
    waiting = delivery.state is DeliveryState.WAITING
    state = ("held" if delivery.reason else "planned") if waiting else _STATES[delivery.state]
    at = delivery.due_at if waiting else delivery.sent_at or delivery.attempted_at or delivery.due_at
    return {
        "id": delivery.id,
        "state": state,
        "kind": delivery.kind,
        "what": words.of_kind(delivery.kind, language, now),
        "channel": place.channel if place is not None else None,
        "persona": person.account if person is not None else None,
        "at": at.isoformat(),
        "why": words.of_reason(delivery.reason, language, now),
    }


async def _rhythms(work: UnitOfWork, language: Language, now: datetime) -> list[dict[str, Any]]:
    rows = []
    for rhythm, place in await work.rhythms.coming(now + AHEAD, RHYTHMS_SHOWN):
        if rhythm.next_at is None or place.workspace_id != LANE:
            continue
        kind = f"rhythm_{rhythm.kind.value}"
        rows.append(
            {
                "id": f"{rhythm.id}:{rhythm.next_at.isoformat()}",
                "state": "planned",
                "kind": kind,
                "what": words.of_kind(kind, language, now),
                "channel": place.channel,
                "persona": None,
                "at": rhythm.next_at.isoformat(),
                "why": "",
            }
        )
    return rows
