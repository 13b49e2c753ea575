"""A recurring moment in one place, and what is changed about single moments. Local time lives here."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import NewType

from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId

RhythmId = NewType("RhythmId", str)

LATEST_HOURS = 4
"""A moment that was missed while the service was down is still sent when at most this late."""
UNANSWERED_BEFORE_ASKING = 3
MOMENTS_SHOWN = 5


class RhythmKind(StrEnum):
    PURPOSE = "purpose"
    STORIES = "stories"
    CHECK_IN = "check_in"
    HARVEST = "harvest"
    LOOK_BACK = "look_back"


class OnHoliday(StrEnum):
    """What happens to a moment on a public holiday."""

    SKIP = "skip"
    MOVE = "move"


@dataclass(kw_only=True, eq=False)
class Rhythm:
    """When Ritme says something of one kind in one place.

    `rule` is an RFC 5545 RRULE over local dates from `starts_on`; `at` the local time in `timezone`.
    `next_at` (UTC) is the first moment not planned yet, None when there is none.
    """

    id: RhythmId
    movement_id: MovementId
    place_id: PlaceId
    kind: RhythmKind
    rule: str
    starts_on: date
    at: time
    timezone: str
    on_holiday: OnHoliday = OnHoliday.SKIP
    next_at: datetime | None = None
    paused_until: date | None = None
    paused: bool = False
    ended_at: datetime | None = None
    unanswered: int = 0
    pace_asked_at: datetime | None = None
    created_by: PersonId | None
    created_at: datetime


@dataclass(kw_only=True, eq=False)
class MomentChange:
    """What a coordinator changed about one moment. `on` is the local date the rule gave it."""

    rhythm_id: RhythmId
    movement_id: MovementId
    on: date
    skipped: bool = False
    moved_to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One occurrence: `on` is the local date its rule gave it (its identity), `at` the UTC moment it now falls on."""

    on: date
    at: datetime
    skipped: bool = False
    moved: bool = False
    reason: str = ""
