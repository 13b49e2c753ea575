"""When to ask an initiative which way it wants to go: rarely, and when a moment opens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.initiative import Initiative
from bot.domain.person import Person
from bot.domain.story import Dimension

STEERING = "steering_asked"
"""The kind of a question about which way to go."""
RARELY = timedelta(days=31)
"""How long after such a question the next one about the same initiative may be planned."""
SUDDEN, SUDDENLY_WITHIN, FIRST_MANY = 3, timedelta(days=2), 5
"""A story ripples suddenly when so many people do this too within that time, and when it reaches so many at all."""
IN_A_ROW = 3
"""Broadening moments after which direction is asked about."""
MIN_GROUP = 5
"""People of a group, in the movement, before it counts as one."""
STALE_AFTER = timedelta(days=7)


class Occasion(StrEnum):
    """The moment that opened."""

    RIPPLED = "rippled"
    GROUP_JOINED = "group_joined"
    BROADENED = "broadened"


def ripples_suddenly(moments: Sequence[datetime]) -> bool:
    """Return whether a story ripples suddenly, with its newest ripple, of all the moments at which it did."""
    ordered = sorted(moments)
    if len(ordered) == FIRST_MANY:
        return True
    return len(ordered) >= SUDDEN and ordered[-1] - ordered[-SUDDEN] <= SUDDENLY_WITHIN


def broadens_again(dimensions: Sequence[Dimension]) -> bool:
    """Return whether the latest moments of an initiative, newest first, are all broadening ones."""
    latest = dimensions[:IN_A_ROW]
    return len(latest) == IN_A_ROW and all(one is Dimension.BROADEN for one in latest)


def may_steer(asked: Sequence[datetime], now: datetime) -> bool:
    """Return whether a question about direction may be planned, after those planned at these moments."""
    return all(now - one >= RARELY for one in asked)


def plan_steering(initiative: Initiative, person: Person, occasion: Occasion, now: datetime) -> Delivery:
    """Make the question to who carries an initiative."""
    return to_person(
        person,
        STEERING,
        key=f"{STEERING}:{initiative.id}:{now.date().isoformat()}",
        now=now,
        movement=initiative.movement_id,
        subject=initiative.id,
        priority=Priority.NEWS,
        expires_at=now + STALE_AFTER,
        args={"occasion": occasion.value},
    )
