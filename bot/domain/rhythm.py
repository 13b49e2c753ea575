"""A recurring moment in one place, and what is changed about single moments. Local time lives here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from heapq import heapify, heappop, heappush
from typing import NewType
from zoneinfo import ZoneInfo

import holidays
from dateutil.easter import easter
from dateutil.rrule import rrulestr

from bot.domain.delivery import Delivery, Priority, to_place
from bot.domain.movement import Movement, MovementId, Place, PlaceId
from bot.domain.person import PersonId

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
    known = country in holidays.list_supported_countries()
    return frozenset(holidays.country_holidays(country, years=year)) if known else frozenset()


def holidays_in(country: str, *, good_friday: bool) -> IsHoliday:
    """Whether a day is a public holiday there. In the Netherlands Good Friday is one only for who
    keeps it: most work on it."""

    def is_holiday(day: date) -> bool:
        if country == "NL" and not good_friday and day == easter(day.year) - timedelta(days=2):
            return False
        return day in _public(country, day.year)

    return is_holiday


def moments(
    rhythm: Rhythm, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, *, after: datetime
) -> Iterator[Moment]:
    """The moments of a rhythm later than `after`, in order, without end; none while it is paused."""
    if rhythm.ended_at is not None:
        return
    zone = ZoneInfo(rhythm.timezone)

    def counts(at: datetime) -> bool:
        resting = rhythm.paused_until is not None and at.astimezone(zone).date() < rhythm.paused_until
        return at > after and not resting

    waiting = [
        (change.moved_to, change.on)
        for change in changes.values()
        if change.moved_to is not None and not change.skipped
    ]
    heapify(waiting)
    since = max(rhythm.starts_on, after.astimezone(zone).date() - FURTHEST_MOVE)
    for on, day in _by_rule(rhythm, is_holiday, since):
        # What waits before this day cannot be passed by anything the rule still gives.
        while waiting and waiting[0][0].astimezone(zone).date() < on:
            at, first = heappop(waiting)
            if counts(at):
                yield Moment(on=first, at=at)
        if on not in changes:
            heappush(waiting, (local_moment(day, rhythm.at, rhythm.timezone), on))


def _by_rule(rhythm: Rhythm, is_holiday: IsHoliday, since: date) -> Iterator[tuple[date, date]]:
    """What the rule gives from a day on, each with the day it falls on. A holiday's moment is skipped, or moves to the
    next working day, unless the rule says something that day already."""
    rule = rrulestr(rhythm.rule, dtstart=datetime.combine(rhythm.starts_on, time(0)))
    taken: set[date] = set()
    for found in rule.xafter(datetime.combine(since, time(0)), inc=True):
        on = day = found.date()
        while is_holiday(day) or (day != on and day.weekday() >= 5):
            day += timedelta(days=1)
        moved = day != on
        if moved and (rhythm.on_holiday is OnHoliday.SKIP or day in taken or datetime.combine(day, time(0)) in rule):
            continue
        taken.add(day)
        yield on, day


def reckon(rhythm: Rhythm, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, *, after: datetime) -> None:
    """Sets when it is due next; after every change to a rhythm or one of its moments."""
    first = next(moments(rhythm, changes, is_holiday, after=after), None)
    rhythm.next_at = first.at if first is not None else None


def due_moments(
    rhythm: Rhythm, changes: Mapping[date, MomentChange], movement: Movement, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    """The moments of a rhythm from its next one up to now, and the first after now."""
    if rhythm.next_at is None:
        return (), None
    since = rhythm.next_at - timedelta(microseconds=1)
    if changes:
        return _due(rhythm, changes, holidays_of(movement), since, now)
    timing = (rhythm.rule, rhythm.starts_on, rhythm.at, rhythm.timezone, rhythm.on_holiday, rhythm.paused_until)
    return _due_alike(timing, rhythm.ended_at, movement.country, movement.good_friday, since, now)


@lru_cache(maxsize=1024)
def _due_alike(
    timing: tuple[str, date, time, str, OnHoliday, date | None],
    ended_at: datetime | None,
    country: str,
    good_friday: bool,
    since: datetime,
    now: datetime,
) -> tuple[Sequence[Moment], datetime | None]:
    """Many places have the same Monday morning: it is reckoned once."""
    rule, starts_on, at, timezone, on_holiday, paused_until = timing
    alike = Rhythm(
        id=RhythmId(""),
        movement_id=MovementId(""),
        place_id=PlaceId(""),
        kind=RhythmKind.PURPOSE,
        rule=rule,
        starts_on=starts_on,
        at=at,
        timezone=timezone,
        on_holiday=on_holiday,
        paused_until=paused_until,
        ended_at=ended_at,
        created_by=None,
        created_at=since,
    )
    return _due(alike, {}, holidays_in(country, good_friday=good_friday), since, now)


def _due(
    rhythm: Rhythm, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, since: datetime, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    past: list[Moment] = []
    for moment in moments(rhythm, changes, is_holiday, after=since):
        if moment.at > now:
            return past, moment.at
        past.append(moment)
    return past, None


def holidays_of(movement: Movement) -> IsHoliday:
    """The public holidays a movement keeps."""
    return holidays_in(movement.country, good_friday=movement.good_friday)


def planned(rhythm: Rhythm, place: Place, moment: Moment, now: datetime) -> Delivery:
    """What is to be said at a moment; planned twice, its key is the same. Later than four hours it makes no sense."""
    return to_place(
        place,
        f"rhythm_{rhythm.kind.value}",
        key=f"rhythm:{rhythm.id}:{moment.on.isoformat()}",
        now=now,
        subject=rhythm.id,
        priority=Priority.RHYTHM,
        due_at=moment.at,
        expires_at=moment.at + LATEST,
        args={"on": moment.on.isoformat()},
    )
