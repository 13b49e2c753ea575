"""What the tests around sending share: putting something in the outbox, and looking up what became of it."""

from datetime import datetime
from typing import Protocol

from adapters.clock import DialClock
from bot.catalogue.base import dump
from bot.catalogue.errors import Apology
from bot.domain.delivery import Delivery, to_place
from bot.domain.movement import PlaceId
from bot.ports import Begin


class Stage(Protocol):
    clock: DialClock
    begin: Begin


async def put(stage: Stage, key: str, *, place: str = "general", due_at: datetime | None = None) -> None:
    """Something for everyone in a place."""
    async with stage.begin() as work:
        to = await work.movements.place(PlaceId(place))
        assert to is not None
        now = stage.clock.now()
        said = dump(Apology(reference=key))
        await work.deliveries.add(to_place(to, "answer", key=key, now=now, due_at=due_at, args=said))


async def row(stage: Stage, key: str) -> Delivery:
    async with stage.begin() as work:
        found = await work.deliveries.by_key(key)
    assert found is not None
    return found
