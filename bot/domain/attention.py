"""The attention budget: how much Ritme may start by itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.domain.delivery import Delivery, DeliveryState

WEEK = timedelta(days=7)
PERSONAL_A_WEEK = 2
POSTS_A_WEEK = 3
AFTER = timedelta(seconds=1)


def free_at(sent: Sequence[datetime], most: int, now: datetime, reserved: Sequence[datetime] = ()) -> datetime:
    """When one more fits: `now`, or the first later moment worth looking again. Both sequences ascend.

    In no seven days more than `most` are sent. `reserved` are the due moments, within a week from now, of messages
    that go first (a follow-up someone asked for before news): what is sent now leaves their room.
    """
    recent = [moment for moment in sent if moment > now - WEEK]
    if len(recent) >= most:
        return recent[-most] + WEEK
    for number, due in enumerate(reserved, 1):
        still_counted = sum(moment > due - WEEK for moment in recent)
        if still_counted + number + 1 > most:
            return max(due, now) + AFTER
    return now


class Attention:
    """What some people and places were sent, and what waits for them: read once for many deliveries, and kept up with
    while it is decided about one after the other.

    `sent`: when nudges reached (or may have reached) each of them in the last week, in any order, by `drawn_on`;
    `waiting`: nudges due within a week.
    """

    def __init__(
        self,
        *,
        sent: Iterable[tuple[str, datetime]] = (),
        waiting: Iterable[Delivery] = (),
    ) -> None:
        self._sent: dict[str, list[datetime]] = {}
        self._waiting: dict[str, list[Delivery]] = {}
        for whose, moment in sorted(sent, key=lambda one: one[1]):
            self._sent.setdefault(whose, []).append(moment)
        for delivery in waiting:
            self._waiting.setdefault(drawn_on(delivery), []).append(delivery)

    def free_at(self, delivery: Delivery, now: datetime) -> datetime:
        """When there is room for a nudge, leaving that of what goes first and is due within a week."""
        whose = drawn_on(delivery)
        most = PERSONAL_A_WEEK if delivery.person_id is not None else POSTS_A_WEEK
        reserved = sorted(
            one.due_at
            for one in self._waiting.get(whose, ())
            if one.state is DeliveryState.WAITING and one.priority < delivery.priority and one.due_at <= now + WEEK
        )
        return free_at(self._sent.get(whose, ()), most, now, reserved)

    def draw(self, delivery: Delivery, now: datetime) -> None:
        """It goes out."""
        if delivery.is_nudge:
            self._sent.setdefault(drawn_on(delivery), []).append(now)


def drawn_on(delivery: Delivery) -> str:
    """Whose attention it asks for: a person's, or else that of everyone in a place."""
    return delivery.person_id or delivery.place_id or ""
