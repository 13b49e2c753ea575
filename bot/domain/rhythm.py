"""A recurring moment in one place, and what is changed about single moments. Local time lives here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from heapq import heapify, heappop, heappush
from typing import NamedTuple, NewType
from zoneinfo import ZoneInfo

import holidays
from dateutil.easter import easter
from dateutil.rrule import rrulestr

from bot.domain.delivery import Delivery, Priority, new_delivery_id
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import PersonId, WorkspaceId

RhythmId = NewType("RhythmId", str)

LATEST = timedelta(hours=4)
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


class Timing(NamedTuple):
    """What the moments of a rhythm follow from: the same for many places on a Monday morning."""

    rule: str
    starts_on: date
    at: time
    timezone: str
    on_holiday: OnHoliday = OnHoliday.SKIP
    paused_until: date | None = None
    ended_at: datetime | None = None


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
    ended_at: datetime | None = None
    unanswered: int = 0
    pace_asked_at: datetime | None = None
    created_by: PersonId | None
    created_at: datetime

    @property
    def timing(self) -> Timing:
        return Timing(
            self.rule, self.starts_on, self.at, self.timezone, self.on_holiday, self.paused_until, self.ended_at
        )

    def due_in(self, place: Place) -> "Due":
        return Due(self.id, self.movement_id, self.place_id, place.workspace_id, self.kind, self.next_at, self.timing)


class Due(NamedTuple):
    """A rhythm as the planner sees it: there may be a hundred thousand at once."""

    id: RhythmId
    movement_id: MovementId
    place_id: PlaceId
    workspace_id: WorkspaceId
    kind: RhythmKind
    next_at: datetime | None
    timing: Timing


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


IsHoliday = Callable[[date], bool]
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
SLOWEST = 4
FURTHEST_MOVE = timedelta(days=60)
"""How far a moment may be moved: how long before it falls its rule may have given it."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """What people choose: every 1 to 4 weeks on weekdays (0 = Monday), or monthly on the nth (-1: last) of one."""

    every: int = 1
    days: tuple[int, ...]
    nth: int = 0

    @property
    def monthly(self) -> bool:
        return self.nth != 0

    @property
    def rule(self) -> str:
        """The RFC 5545 recurrence."""
        if self.monthly:
            return f"FREQ=MONTHLY;BYDAY={self.nth}{DAYS[self.days[0]]}"
        return f"FREQ=WEEKLY;INTERVAL={self.every};BYDAY={','.join(DAYS[day] for day in self.days)}"

    @classmethod
    def of(cls, rule: str) -> "Pattern":
        """The pattern a rule of ours stands for."""
        parts = dict(part.split("=") for part in rule.split(";"))
        if parts["FREQ"] == "MONTHLY":
            return cls(days=(DAYS.index(parts["BYDAY"][-2:]),), nth=int(parts["BYDAY"][:-2]))
        days = tuple(DAYS.index(day) for day in parts["BYDAY"].split(","))
        return cls(every=int(parts.get("INTERVAL", "1")), days=days)

    def first_day(self, at: time, timezone: str, now: datetime) -> date:
        """The first of its weekdays with that time still ahead: what "every so many weeks" is counted from."""
        day = now.astimezone(ZoneInfo(timezone)).date()
        while day.weekday() not in self.days or local_moment(day, at, timezone) <= now:
            day += timedelta(days=1)
        return day

    def slower(self) -> "Pattern | None":
        """Half as often; None when it is as slow as it goes."""
        if self.monthly or self.every >= SLOWEST:
            return None
        return Pattern(every=min(SLOWEST, self.every * 2), days=self.days)


def local_moment(day: date, at: time, timezone: str) -> datetime:
    """The UTC moment of a local time. One that the clocks skip becomes the next that exists; one that comes twice is
    the first of the two."""
    zone = ZoneInfo(timezone)
    wanted = datetime.combine(day, at)
    while True:
        moment = wanted.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == wanted:
            return moment
        wanted += timedelta(minutes=1)


@cache
def _public(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:  # a country whose holidays nobody wrote down; asking for a list imports all of them
        return frozenset()


def holidays_in(country: str, *, good_friday: bool) -> IsHoliday:
    """Whether a day is a public holiday there. In the Netherlands Good Friday is one only for who
    keeps it: most work on it."""

    def is_holiday(day: date) -> bool:
        if country == "NL" and not good_friday and day == easter(day.year) - timedelta(days=2):
            return False
        return day in _public(country, day.year)

    return is_holiday


def moments(
    timing: Timing, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, *, after: datetime
) -> Iterator[Moment]:
    """The moments of a rhythm later than `after`, in order, without end; none while it is paused."""
    if timing.ended_at is not None:
        return
    zone = ZoneInfo(timing.timezone)

    def counts(at: datetime) -> bool:
        resting = timing.paused_until is not None and at.astimezone(zone).date() < timing.paused_until
        return at > after and not resting

    waiting = [
        (change.moved_to, change.on)
        for change in changes.values()
        if change.moved_to is not None and not change.skipped
    ]
    heapify(waiting)
    since = max(timing.starts_on, after.astimezone(zone).date() - FURTHEST_MOVE)
    for on, day in _by_rule(timing, is_holiday, since):
        # What waits before this day cannot be passed by anything the rule still gives.
        while waiting and waiting[0][0].astimezone(zone).date() < on:
            at, first = heappop(waiting)
            if counts(at):
                yield Moment(on=first, at=at)
        if on not in changes:
            heappush(waiting, (local_moment(day, timing.at, timing.timezone), on))


def _by_rule(timing: Timing, is_holiday: IsHoliday, since: date) -> Iterator[tuple[date, date]]:
    """What the rule gives from a day on, each with the day it falls on. A holiday's moment is skipped, or moves to the
    next working day, unless the rule says something that day already."""
    rule = rrulestr(timing.rule, dtstart=datetime.combine(timing.starts_on, time(0)))
    taken: set[date] = set()
    for found in rule.xafter(datetime.combine(since, time(0)), inc=True):
        on = day = found.date()
        while is_holiday(day) or (day != on and day.weekday() >= 5):
            day += timedelta(days=1)
        moved = day != on
        if moved and (timing.on_holiday is OnHoliday.SKIP or day in taken or datetime.combine(day, time(0)) in rule):
            continue
        taken.add(day)
        yield on, day


def reckon(rhythm: Rhythm, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, *, after: datetime) -> None:
    """Sets when it is due next; after every change to a rhythm or one of its moments."""
    first = next(moments(rhythm.timing, changes, is_holiday, after=after), None)
    rhythm.next_at = first.at if first is not None else None


def due_moments(
    due: Due, changes: Mapping[date, MomentChange], movement: Movement, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    """The moments of a rhythm from its next one up to now, and the first after now."""
    if due.next_at is None:
        return (), None
    if changes:
        return _due(due.timing, changes, holidays_of(movement), due.next_at, now)
    return _due_alike(due.timing, movement.country, movement.good_friday, due.next_at, now)


@lru_cache(maxsize=1024)
def _due_alike(
    timing: Timing, country: str, good_friday: bool, since: datetime, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    """Many places have the same Monday morning: it is reckoned once."""
    return _due(timing, {}, holidays_in(country, good_friday=good_friday), since, now)


def _due(
    timing: Timing, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, since: datetime, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    past: list[Moment] = []
    for moment in moments(timing, changes, is_holiday, after=since - timedelta(microseconds=1)):
        if moment.at > now:
            return past, moment.at
        past.append(moment)
    return past, None


def holidays_of(movement: Movement) -> IsHoliday:
    """The public holidays a movement keeps."""
    return holidays_in(movement.country, good_friday=movement.good_friday)


def planned(due: Due, moment: Moment, now: datetime) -> Delivery:
    """What is to be said at a moment; planned twice, its key is the same. Later than four hours it makes no sense."""
    return Delivery(
        id=new_delivery_id(),
        workspace_id=due.workspace_id,
        movement_id=due.movement_id,
        place_id=due.place_id,
        kind=f"rhythm_{due.kind.value}",
        subject=due.id,
        args={"on": moment.on.isoformat()},
        key=key_of(due.id, moment),
        priority=Priority.RHYTHM,
        due_at=moment.at,
        expires_at=moment.at + LATEST,
        created_at=now,
    )


def key_of(rhythm: RhythmId, moment: Moment) -> str:
    """What makes planning a moment twice harmless."""
    return f"rhythm:{rhythm}:{moment.on.isoformat()}"
