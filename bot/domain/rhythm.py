"""Rhythms: recurring moments in one place, changes to single moments, and the local times they fall on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Literal, NamedTuple, NewType
from zoneinfo import ZoneInfo

import holidays
from dateutil.easter import easter
from dateutil.rrule import rrulestr

from bot.domain.delivery import Delivery, Priority, new_delivery_id
from bot.domain.movement import Movement, MovementId, Place, PlaceId, PlaceState, Purpose
from bot.domain.person import Language, PersonId, WorkspaceId
from bot.domain.quiet_hours import QuietHours

RhythmId = NewType("RhythmId", str)

MISFIRE_GRACE = timedelta(hours=4)
"""How late a moment may still be sent, such as one missed while the service was down."""
UNANSWERED_BEFORE_ASKING = 3
"""After so many moments in a row without an answer, a coordinator is asked about the pace."""
MOMENTS_SHOWN = 5


class RhythmKind(StrEnum):
    """The kind of message that a rhythm sends."""

    PURPOSE = "purpose"
    STORIES = "stories"
    CHECK_IN = "check_in"
    HARVEST = "harvest"
    LOOK_BACK = "look_back"
    QUILT = "quilt"
    MEETING = "meeting"


class OnHoliday(StrEnum):
    """The rule for a moment on a public holiday: skip it, or move it to the next working day."""

    SKIP = "skip"
    MOVE = "move"


class Timing(NamedTuple):
    """The values that the moments of a rhythm follow from. Rhythms of many places have equal ones, so what is computed
    from it can be shared and cached."""

    rule: str
    starts_on: date
    at: time
    timezone: str
    on_holiday: OnHoliday = OnHoliday.SKIP
    paused_until: date | None = None
    ended_at: datetime | None = None


@dataclass(kw_only=True, eq=False)
class Rhythm:
    """A recurring message of one kind in one place.

    `rule` is an RFC 5545 RRULE over local dates from `starts_on`; `at` the local time in `timezone`.
    `next_at` (UTC) is the first moment not planned yet, None when there is none. `unanswered` counts moments in a row
    without an answer; `pace_asked_at` is when a coordinator was asked about that.
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
    def pattern(self) -> "Pattern":
        """How often it comes, as people choose it."""
        return Pattern.of(self.rule, self.starts_on)

    @property
    def timing(self) -> Timing:
        return Timing(
            self.rule, self.starts_on, self.at, self.timezone, self.on_holiday, self.paused_until, self.ended_at
        )

    def due_in(self, place: Place) -> "Due":
        """Return the rhythm as the planner sees it; `place` is the one it is for."""
        return Due(self.id, self.movement_id, self.place_id, place.workspace_id, self.kind, self.next_at, self.timing)


class Due(NamedTuple):
    """A rhythm as the planner sees it. A light tuple: there may be a hundred thousand at once."""

    id: RhythmId
    movement_id: MovementId
    place_id: PlaceId
    workspace_id: WorkspaceId
    kind: RhythmKind
    next_at: datetime | None
    timing: Timing


@dataclass(kw_only=True, eq=False)
class MomentChange:
    """A coordinator's change to one moment. `on` is the local date the rule gave it."""

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


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A date that a rule gives, and what becomes of it: posted at the UTC moment `at`, or skipped (None), and for which
    reason other than its rule: a holiday, a coordinator's change, or the quiet hours of the place."""

    on: date
    at: datetime | None
    because: Literal["", "holiday", "changed", "quiet"] = ""


IsHoliday = Callable[[date], bool]
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""Weekdays as RFC 5545 abbreviates them, from Monday."""
MAX_WEEKS_BETWEEN = 4
MAX_MOVE = timedelta(days=60)
"""How far a moment may be moved. So a change matters only if its rule gave a date at most this long ago."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A recurrence that people can choose: every 1 to 4 weeks on weekdays (0 = Monday), or monthly on the nth (-1:
    last) of one weekday."""

    every: int = 1
    days: tuple[int, ...]
    nth: int = 0

    @property
    def monthly(self) -> bool:
        return self.nth != 0

    @property
    def rule(self) -> str:
        """The recurrence as an RFC 5545 RRULE."""
        if self.monthly:
            return f"FREQ=MONTHLY;BYDAY={self.nth}{WEEKDAYS[self.days[0]]}"
        return f"FREQ=WEEKLY;INTERVAL={self.every};BYDAY={','.join(WEEKDAYS[day] for day in self.days)}"

    @classmethod
    def of(cls, rule: str, starts_on: date) -> "Pattern":
        """Parse a rule made by `rule`, or one without days: those are that of `starts_on` (RFC 5545, 3.3.10)."""
        parts = dict(part.split("=") for part in rule.split(";"))
        if parts["FREQ"] == "MONTHLY" and "BYDAY" in parts:
            return cls(days=(WEEKDAYS.index(parts["BYDAY"][-2:]),), nth=int(parts["BYDAY"][:-2]))
        named = parts["BYDAY"].split(",") if "BYDAY" in parts else [WEEKDAYS[starts_on.weekday()]]
        days = tuple(WEEKDAYS.index(day) for day in named)
        return cls(every=int(parts.get("INTERVAL", "1")), days=days)

    def first_day(self, at: time, timezone: str, now: datetime) -> date:
        """Return the first local day of the pattern at which `at` is still to come: intervals are counted from it."""
        day = now.astimezone(ZoneInfo(timezone)).date()
        while day.weekday() not in self.days or local_moment(day, at, timezone) <= now:
            day += timedelta(days=1)
        return day

    def slower(self) -> "Pattern | None":
        """Return the pattern half as often; None when it is as slow as can be."""
        if self.monthly or self.every >= MAX_WEEKS_BETWEEN:
            return None
        return Pattern(every=min(MAX_WEEKS_BETWEEN, self.every * 2), days=self.days)


def local_moment(day: date, at: time, timezone: str) -> datetime:
    """Convert a local day and time to UTC. A time that the clocks skip becomes the next that exists; of one that occurs
    twice it is the first."""
    zone = ZoneInfo(timezone)
    wanted = datetime.combine(day, at)
    # A skipped time does not survive the way to UTC and back.
    while True:
        moment = wanted.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == wanted:
            return moment
        wanted += timedelta(minutes=1)


@cache
def _public_holidays(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        # The library does not know the country. Asking it first for the list of those it knows would import them all.
        return frozenset()


def good_friday_is_chosen(country: str) -> bool:
    """Return whether people in a country choose for themselves if Good Friday is a day off."""
    return country == "NL"


def holidays_in(country: str, *, good_friday: bool) -> IsHoliday:
    """Return the test for public holidays in a country (ISO 3166 code). In the Netherlands Good Friday counts only with
    `good_friday`: most people work on it."""

    def is_holiday(day: date) -> bool:
        if good_friday_is_chosen(country) and not good_friday and day == easter(day.year) - timedelta(days=2):
            return False
        return day in _public_holidays(country, day.year)

    return is_holiday


def moments(
    timing: Timing, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, *, after: datetime
) -> Iterator[Moment]:
    """Yield the moments of a rhythm later than `after`, in order, without end; none while it is paused.

    Moments that were moved are merged in at the time they now fall on.
    """
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
    # A moment after `after` may have been moved there from as much earlier as `MAX_MOVE`.
    since = max(timing.starts_on, after.astimezone(zone).date() - MAX_MOVE)
    for on, day in _rule_days(timing, is_holiday, since):
        # A moment waiting before this day comes before all that the rule still gives.
        while waiting and waiting[0][0].astimezone(zone).date() < on:
            at, first = heappop(waiting)
            if counts(at):
                yield Moment(on=first, at=at)
        # A changed date is left out: its moment was skipped, or moved and is in the heap already.
        if on not in changes and day is not None:
            heappush(waiting, (local_moment(day, timing.at, timing.timezone), on))


def expect_moments(
    timing: Timing,
    changes: Mapping[date, MomentChange],
    is_holiday: IsHoliday,
    quiet: QuietHours,
    *,
    after: datetime,
    count: int,
) -> list[Expected]:
    """Return what becomes of the next `count` moments of a rhythm later than `after`. `quiet` are the hours in which
    nothing is sent in its place: a moment in them comes when they end, or not at all when that is too late."""
    zone = ZoneInfo(timing.timezone)
    coming = islice(moments(timing, changes, is_holiday, after=after), count)
    return [_expect(moment, changes, quiet, zone) for moment in coming]


def forecast(
    timing: Timing,
    changes: Mapping[date, MomentChange],
    is_holiday: IsHoliday,
    quiet: QuietHours,
    *,
    after: datetime,
    count: int,
) -> list[Expected]:
    """Return what `expect_moments` does, and the dates between those moments that are skipped, in order."""
    zone = ZoneInfo(timing.timezone)
    found = expect_moments(timing, changes, is_holiday, quiet, after=after, count=count)
    if not found:
        return []
    given, last = {one.on for one in found}, max(one.on for one in found)
    since = max(timing.starts_on, after.astimezone(zone).date(), timing.paused_until or date.min)
    for on, day in _rule_days(timing, is_holiday, since):
        if on > last:
            break
        by_hand = on in changes and changes[on].skipped
        if on not in given and (day is None or by_hand) and local_moment(on, timing.at, timing.timezone) > after:
            found.append(Expected(on=on, at=None, because="changed" if by_hand else "holiday"))
    return sorted(found, key=lambda one: one.at or local_moment(one.on, timing.at, timing.timezone))


def _expect(moment: Moment, changes: Mapping[date, MomentChange], quiet: QuietHours, zone: ZoneInfo) -> Expected:
    allowed = quiet.first_allowed_at(moment.at)
    if allowed != moment.at:
        late = allowed - moment.at > MISFIRE_GRACE
        return Expected(on=moment.on, at=None if late else allowed, because="quiet")
    if moment.on in changes:
        return Expected(on=moment.on, at=moment.at, because="changed")
    moved = moment.at.astimezone(zone).date() != moment.on
    return Expected(on=moment.on, at=moment.at, because="holiday" if moved else "")


def name_holiday(country: str, day: date, language: Language) -> str:
    """Return the name of a public holiday; empty when there are no names for that country in that language."""
    return _holiday_names(country, day.year, language).get(day, "")


@cache
def _holiday_names(country: str, year: int, language: Language) -> Mapping[date, str]:
    try:
        known = holidays.country_holidays(country).supported_languages
        code = next((one for one in known if one.split("_")[0] == language.value), "")
        found = holidays.country_holidays(country, years=year, language=code) if code else {}
    except NotImplementedError:
        return {}
    return {day: " / ".join(name.split("; ")) for day, name in found.items()}


def _rule_days(timing: Timing, is_holiday: IsHoliday, since: date) -> Iterator[tuple[date, date | None]]:
    """Yield the dates the rule gives from a day on, each with the day it falls on; None for a date that is skipped.

    A date that is a holiday is skipped, or moved to the next working day unless the rule gives that day already.
    """
    rule = rrulestr(timing.rule, dtstart=datetime.combine(timing.starts_on, time(0)))
    taken: set[date] = set()
    for found in rule.xafter(datetime.combine(since, time(0)), inc=True):
        on = day = found.date()
        while is_holiday(day) or (day != on and day.weekday() >= 5):
            day += timedelta(days=1)
        moved = day != on
        # Two moments of one rhythm never fall on the same day.
        if moved and (timing.on_holiday is OnHoliday.SKIP or day in taken or datetime.combine(day, time(0)) in rule):
            yield on, None
            continue
        taken.add(day)
        yield on, day


def update_next_at(
    rhythm: Rhythm, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, *, after: datetime
) -> None:
    """Set `next_at` to the first moment later than `after`. Call it after every change to a rhythm or its moments."""
    first = next(moments(rhythm.timing, changes, is_holiday, after=after), None)
    rhythm.next_at = first.at if first is not None else None


def due_moments(
    due: Due, changes: Mapping[date, MomentChange], movement: Movement, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    """Return the moments of a rhythm from its `next_at` up to now, and the time of the first after now, or None."""
    if due.next_at is None:
        return (), None
    if changes:
        return _due(due.timing, changes, holidays_of(movement), due.next_at, now)
    return _due_without_changes(due.timing, movement.country, movement.good_friday, due.next_at, now)


@lru_cache(maxsize=1024)
def _due_without_changes(
    timing: Timing, country: str, good_friday: bool, since: datetime, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    """Compute the due moments of a rhythm without changes. Cached: many places have the same Monday morning."""
    return _due(timing, {}, holidays_in(country, good_friday=good_friday), since, now)


def _due(
    timing: Timing, changes: Mapping[date, MomentChange], is_holiday: IsHoliday, since: datetime, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    past: list[Moment] = []
    # `moments` excludes `after`, and the moment at `since` itself is due.
    for moment in moments(timing, changes, is_holiday, after=since - timedelta(microseconds=1)):
        if moment.at > now:
            return past, moment.at
        past.append(moment)
    return past, None


def lacks_purpose(rhythm: Rhythm, purpose: Purpose | None) -> bool:
    """Return whether a rhythm waits for a purpose to be written down."""
    return rhythm.kind is RhythmKind.PURPOSE and (purpose is None or not purpose.parts())


def can_come(rhythm: Rhythm, place: Place, purpose: Purpose | None) -> bool:
    """Return whether what a rhythm posts would reach its place, as things are now; if not, no moment of it is told."""
    return place.state is not PlaceState.UNREACHABLE and not lacks_purpose(rhythm, purpose)


def holidays_of(movement: Movement) -> IsHoliday:
    """Return the test for the public holidays that a movement keeps."""
    return holidays_in(movement.country, good_friday=movement.good_friday)


def plan_moment(due: Due, moment: Moment, now: datetime) -> Delivery:
    """Make the delivery for a moment of a rhythm. It expires `MISFIRE_GRACE` after the moment."""
    return Delivery(
        id=new_delivery_id(),
        workspace_id=due.workspace_id,
        movement_id=due.movement_id,
        place_id=due.place_id,
        kind=f"rhythm_{due.kind.value}",
        subject=due.id,
        args={"on": moment.on.isoformat()},
        key=moment_key(due.id, moment),
        priority=Priority.RHYTHM,
        due_at=moment.at,
        expires_at=moment.at + MISFIRE_GRACE,
        created_at=now,
    )


def moment_key(rhythm: RhythmId, moment: Moment) -> str:
    """Return the idempotency key of the delivery for a moment: planning it twice adds one row."""
    return f"rhythm:{rhythm}:{moment.on.isoformat()}"
