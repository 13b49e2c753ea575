"""Put posts in the outbox, and look up what became of them."""

from datetime import datetime
from typing import Protocol

from adapters.clock import SettableClock
from adapters.database.unit_of_work import Begin
from bot.catalogue.base import dump
from bot.catalogue.errors import Apology
from bot.domain.delivery import Delivery, to_place
from bot.domain.movement import PlaceId


class Driver(Protocol):
    """Anything with a clock and transactions: a world, or a driver of Slack or Teams."""

    clock: SettableClock
    begin: Begin


async def enqueue_post(
    driver: Driver, key: str, *, place: str = "general", due_at: datetime | None = None, round_of_stories: bool = False
) -> None:
    """Put a post for everyone in a place in the outbox, due at once unless `due_at` says later: some words, or what a
    rhythm posts, which can be worded again after it failed."""
    async with driver.begin() as work:
        to = await work.movements.place(PlaceId(place))
        assert to is not None
        now = driver.clock.now()
        kind, args = ("rhythm_stories", {"number": 0}) if round_of_stories else ("answer", dump(Apology(reference=key)))
        await work.deliveries.add(to_place(to, kind, key=key, now=now, due_at=due_at, args=args))


async def get_delivery(driver: Driver, key: str) -> Delivery:
    """Return the delivery with an idempotency key, as it is stored now."""
    async with driver.begin() as work:
        found = await work.deliveries.by_key(key)
    assert found is not None
    return found
