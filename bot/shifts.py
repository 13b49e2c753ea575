"""Let people follow the quiet hours of their group, and tell them where that is news."""

from datetime import datetime, time

from bot.catalogue.base import NO, YES
from bot.domain.delivery import Priority, to_person
from bot.domain.group_hours import GroupHours, follow_hours
from bot.domain.movement import MovementId
from bot.domain.person import Person
from bot.domain.quiet_hours import of_person
from bot.ports import UnitOfWork

HOURS_TOLD = "group_hours"
"""The kind of the news that the quiet hours of somebody's group hold for them."""

Hours = tuple[time, time, bool]
"""From when until when it is quiet, and whether weekends are."""


def dump_hours(start: time, end: time, *, weekends: bool) -> str:
    """Return quiet hours as a button or a form sends them back."""
    return f"{start.isoformat()} {end.isoformat()} {YES if weekends else NO}"


def read_hours(sent: str) -> Hours | None:
    """Return quiet hours that were sent back; None when these are not."""
    try:
        start, end, weekends = sent.split()
        return time.fromisoformat(start), time.fromisoformat(end), weekends == YES
    except ValueError:
        return None


async def follow_group(
    work: UnitOfWork, person: Person, now: datetime, *, tell: bool = True, movement: MovementId | None = None
) -> bool:
    """Let a person follow the hours of the group they are of, after their group, its hours or their movements changed.
    Returns whether it changes when they are quiet, which they are told unless they read it at once (`tell`): once each
    time those hours are set. `movement` says where a change comes from that leaves no hours."""
    found = await work.movements.find_hours([person.id], person.group) if person.group else {}
    return await apply_group_hours(work, person, found.get(person.id), now, tell=tell, movement=movement)


async def apply_group_hours(
    work: UnitOfWork,
    person: Person,
    hours: GroupHours | None,
    now: datetime,
    *,
    tell: bool = True,
    movement: MovementId | None = None,
) -> bool:
    """Let a person follow these hours of their group, or none, as `follow_group` does."""
    before = of_person(person, person.timezone or "UTC", None)
    if not follow_hours(person, hours):
        return False
    after = of_person(person, person.timezone or "UTC", None)
    of_movement = hours.movement_id if hours is not None else movement
    if before == after:
        return False
    if tell and of_movement is not None:
        since = f"{hours.set_at if hours is not None else now}:{after.start}-{after.end}"
        await work.deliveries.add(
            to_person(
                person,
                HOURS_TOLD,
                key=f"{HOURS_TOLD}:{person.id}:{of_movement}:{since}",
                now=now,
                movement=of_movement,
                priority=Priority.NEWS,
                args={
                    "group": hours.name if hours is not None else "",
                    "hours": [after.start.isoformat(), after.end.isoformat(), after.weekends],
                    "were": [before.start.isoformat(), before.end.isoformat(), before.weekends],
                },
            )
        )
    return True


async def join_group(work: UnitOfWork, person: Person, now: datetime) -> None:
    """Let somebody who became a member of a movement follow the hours that their group has there."""
    if person.group:
        await work.flush()  # the hours are found by a query that has to see the membership
        await follow_group(work, person, now)
