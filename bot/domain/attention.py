"""The attention budget: how many messages Ritme may send by itself, as a sliding window over the last seven days."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.domain.delivery import Delivery, DeliveryState

WEEK = timedelta(days=7)
MAX_NUDGES_PER_WEEK = 2
"""Nudges to one person, everything together."""
MAX_POSTS_PER_WEEK = 3
"""Nudges in one place."""
PLACE_WEEK = WEEK - timedelta(hours=2)
"""A week of local days: it is an hour shorter when the clocks go forward, and a post may have been a moment late. With
a longer one, a rhythm of three days a week would come an hour late from then on."""
_MARGIN = timedelta(seconds=1)
"""Added to the due moment of a reserved message, so that the next look comes after it was sent."""


def next_allowed_at(
    sent: Sequence[datetime], most: int, now: datetime, reserved: Sequence[datetime] = (), week: timedelta = WEEK
) -> datetime:
    """Return when one more message fits the budget: `now`, or the first later moment worth looking again.

    In no `week` more than `most` are sent. Both sequences ascend. `reserved` are the due moments, within a week
    from now, of messages with a higher priority (a follow-up someone asked for before news): room is kept for them.
    """
    recent = [moment for moment in sent if moment > now - week]
    if len(recent) >= most:
        return recent[-most] + week
    # Each reserved message must still fit, in the week that ends when it is due, after this one was sent.
    for number, due in enumerate(reserved, 1):
        still_counted = sum(moment > due - week for moment in recent)
        if still_counted + number + 1 > most:
            return max(due, now) + _MARGIN
    return now


def exceeds_budget(planned: Iterable[datetime], most: int, week: timedelta = WEEK) -> bool:
    """Return whether more messages are planned in some week than may be sent: the last of them will not come."""
    moments = sorted(planned)
    return any(last - first < week for first, last in zip(moments, moments[most:], strict=False))


class Attention:
    """The attention budgets of some people and places, read once for a batch of deliveries and updated while they are
    decided on one by one.

    `sent`: when nudges reached (or may have reached) each of them in the last week, in any order, by `budget_owner`;
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
        for owner, moment in sorted(sent, key=lambda one: one[1]):
            self._sent.setdefault(owner, []).append(moment)
        for delivery in waiting:
            self._waiting.setdefault(budget_owner(delivery), []).append(delivery)

    def next_allowed_at(self, delivery: Delivery, now: datetime) -> datetime:
        """Return when a nudge may be sent: `now`, or the first later moment worth looking again. Room is kept for
        waiting nudges of a higher priority; one that was promised for this moment needs none."""
        if delivery.is_promised:
            return now
        owner = budget_owner(delivery)
        most = MAX_NUDGES_PER_WEEK if delivery.person_id is not None else MAX_POSTS_PER_WEEK
        reserved = sorted(
            one.due_at
            # Read from the state it has now: one of the same batch may have been sent or dropped since.
            for one in self._waiting.get(owner, ())
            if one.state is DeliveryState.WAITING and one.priority < delivery.priority and one.due_at <= now + WEEK
        )
        week = WEEK if delivery.person_id is not None else PLACE_WEEK
        return next_allowed_at(self._sent.get(owner, ()), most, now, reserved, week)

    def draw(self, delivery: Delivery, now: datetime) -> None:
        """Count a delivery that is sent now, if it is a nudge."""
        if delivery.is_nudge:
            self._sent.setdefault(budget_owner(delivery), []).append(now)


def budget_owner(delivery: Delivery) -> str:
    """Return the id of the person whose budget a delivery draws on, or else of the place."""
    return delivery.person_id or delivery.place_id or ""
