"""Quiet hours of a group, such as a night shift: its people follow them until they choose their own."""

from dataclasses import dataclass
from datetime import datetime, time

from bot.domain.movement import MovementId
from bot.domain.person import Person

MAX_GROUP_CHARS = 80
MAX_KEY_CHARS = 120


@dataclass(kw_only=True, eq=False)
class GroupHours:
    """The quiet hours of a group of a movement, from `quiet_from` until `quiet_until` local time of each person.

    `key` is the name as it is compared (see `group_key`), `name` as it was written. Who is of a group is in
    `Person.group`: a person has one. Where several movements set hours for it, those that were set last hold: that is
    what its people heard last.
    """

    movement_id: MovementId
    key: str
    name: str
    quiet_from: time
    quiet_until: time
    quiet_weekends: bool
    set_at: datetime


def group_key(name: str) -> str:
    """Return the name of a group as it is compared: small letters and single spaces make no difference. Small letters
    may be more than those written ("ß" is "ss"): what is stored has an end."""
    return " ".join(name.casefold().split())[:MAX_KEY_CHARS].rstrip()


def follow_hours(person: Person, hours: GroupHours | None) -> bool:
    """Let a person follow the hours of their group, or none. Returns whether that changes when they are quiet: not when
    they chose for themselves."""
    before = (person.group_quiet_from, person.group_quiet_until, person.group_quiet_weekends)
    after = (hours.quiet_from, hours.quiet_until, hours.quiet_weekends) if hours is not None else (None, None, None)
    person.group_quiet_from, person.group_quiet_until, person.group_quiet_weekends = after
    return before != after and person.quiet_from is None
