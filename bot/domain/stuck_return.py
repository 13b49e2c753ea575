"""The one time that Ritme asks again about a stuck episode of which nobody heard since; after that it rests."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.delivery import PROMISED_IN, Delivery, DeliveryState, Priority, to_person
from bot.domain.initiative import StuckEpisode
from bot.domain.person import Person

RETURN_KIND = "stuck_return"
"""The kind of the delivery that asks again."""
IN_A_WEEK, IN_A_MONTH, NOT_AGAIN = "week", "month", "never"
RETURN_AFTER = {IN_A_WEEK: timedelta(days=7), IN_A_MONTH: timedelta(days=30)}
"""The choices, and how long that is; a week unless something else is chosen."""
RETURN_TTL = timedelta(days=30)
"""How long it may wait for room in the attention budget, when nobody chose its moment: it is the only time that they
hear that it rests after it."""


def plan_return(
    episode: StuckEpisode, person: Person, rows: Sequence[Delivery], now: datetime, due_at: datetime, *, promised: str
) -> Delivery | None:
    """Return the delivery that asks again, in place of one that still waits, which is dropped; None when it was asked
    before: it never is twice. `rows`: every delivery of `RETURN_KIND` about the episode. `promised`: the time
    zone in which the person chose the moment, or empty."""
    if any(row.may_have_arrived for row in rows):
        return None
    for row in rows:
        if row.state is DeliveryState.WAITING:
            row.drop("moved")
    return to_person(
        person,
        RETURN_KIND,
        key=f"{RETURN_KIND}:{episode.id}:{len(rows)}",
        now=now,
        movement=episode.movement_id,
        subject=episode.id,
        priority=Priority.ASKED_FOR if promised else Priority.NEWS,
        due_at=due_at,
        expires_at=None if promised else due_at + RETURN_TTL,
        args={PROMISED_IN: promised} if promised else {},
    )


def plan_usual_return(
    episode: StuckEpisode, person: Person, rows: Sequence[Delivery], now: datetime
) -> Delivery | None:
    """Return the delivery that asks again a week from now; None when it was asked before, or waits for a later moment
    that they chose."""
    due_at, planned_at = now + RETURN_AFTER[IN_A_WEEK], returns_at(rows)
    if planned_at is not None and planned_at >= due_at:
        return None
    return plan_return(episode, person, rows, now, due_at, promised="")


def returns_at(rows: Sequence[Delivery]) -> datetime | None:
    """Return when it is asked again; None when it rests."""
    return next((row.due_at for row in rows if row.state is DeliveryState.WAITING), None)
