"""Plan the welcome of who joins a movement."""

from datetime import datetime, timedelta

from bot.domain.delivery import Delivery, Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId

WELCOMED = "welcomed"
"""The kind of a delivery that welcomes somebody to a movement."""
AFTER_DESPAIR = timedelta(days=1)
"""How much later the welcome comes when the first thing somebody wrote was despair: first things first."""


def plan_welcome(
    person: Person, movement: MovementId, now: datetime, *, named_by: PersonId | None = None, later: bool = False
) -> Delivery:
    """Make the welcome of somebody who is new in a movement, once for each movement.

    It answers what they did themselves, so it is no nudge; for one who was `named_by` another, it is.
    """
    return to_person(
        person,
        WELCOMED,
        key=f"{WELCOMED}:{movement}:{person.id}",
        now=now,
        movement=movement,
        due_at=now + AFTER_DESPAIR if later else now,
        priority=Priority.FROM_A_PERSON if named_by else Priority.ANSWER,
        args={"by": named_by} if named_by else {},
    )
