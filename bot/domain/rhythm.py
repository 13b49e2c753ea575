"""Rhythms: recurring moments in one place, changes to single moments, and the local times they fall on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import islice, takewhile
from typing import Any, Literal, NamedTuple, NewType
from zoneinfo import ZoneInfo

from bot.domain.calendar import LONGEST_REST, Calendar
from bot.domain.delivery import Delivery, Priority, new_delivery_id
from bot.domain.movement import MovementId, Place, PlaceId, PlaceState, Purpose
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.quiet_hours import QuietHours, to_utc
from bot.domain.recurrence import SEARCHED_DAYS, Freq, Pattern
from bot.domain.stretches import parse_stretches

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
    pauses: str = ""

    def rests_on(self, day: date) -> bool:
        """Return whether it is paused on a local day."""
        if self.paused_until is not None and day < self.paused_until:
            return True
        return any(one.covers(day) for one in parse_stretches(self.pauses))

    @property
    def pattern(self) -> Pattern:
        """How often it comes, as people choose it."""
        return Pattern.of(self.rule, self.starts_on)

    @property
    def times(self) -> tuple[time, ...]:
        """The local times of a day at which it comes, in order."""
        return (self.at, *self.pattern.also_at)


@dataclass(kw_only=True, eq=False)
class Rhythm:
    """A recurring message of one kind in one place.

    `rule` is that of a `Pattern` over local dates from `starts_on`; `at` its first local time of a day in `timezone`.
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
    pauses: str = ""
    """Pauses that were planned, as `format_stretches` writes them."""
    ended_at: datetime | None = None
    unanswered: int = 0
    pace_asked_at: datetime | None = None
    previous: dict[str, object] = field(default_factory=dict)
    """How it was before its last change, to take that back; empty when it cannot be."""
    created_by: PersonId | None
    created_at: datetime

    @property
    def pattern(self) -> Pattern:
        """How often it comes, as people choose it."""
        return Pattern.of(self.rule, self.starts_on)

    @property
    def timing(self) -> Timing:
        return Timing(
            self.rule,
            self.starts_on,
            self.at,
            self.timezone,
            self.on_holiday,
            self.paused_until,
            self.ended_at,
            self.pauses,
        )

    def find_rest(self, today: date) -> date | None:
        """Return the day on which it goes on, when it rests on a local day: by a pause of now, or a planned one."""
        day = today
        while self.timing.rests_on(day):
            pauses = parse_stretches(self.pauses)
            ends = [self.paused_until or day, *(one.end for one in pauses if one.covers(day))]
            day = max(ends)
        return day if day > today else None

    def find_begin(self, now: datetime) -> date:
        """Return the local day since when it is what it is now, as far as that is known: since it was made, or its
        timing was changed last."""
        zone, was = ZoneInfo(self.timezone), self.previous.get("was")
        begins = self.created_at
        if isinstance(was, dict) and any(was.get(name) != one for name, one in self._describe_timing().items()):
            begins = max(begins, datetime.fromisoformat(self.changed_at))
        return min(begins, now).astimezone(zone).date()

    def _describe_timing(self) -> dict[str, object]:
        return {
            "rule": self.rule,
            "starts_on": self.starts_on.isoformat(),
            "at": self.at.isoformat(),
            "timezone": self.timezone,
            "on_holiday": self.on_holiday.value,
        }

    @property
    def changed_at(self) -> str:
        """When it was changed last, as far as that can be taken back."""
        return str(self.previous.get("at", ""))

    def remember(self, changes: "Changes", now: datetime) -> None:
        """Keep what it is, and the changes to its moments, before it is changed."""
        self.previous = {
            "at": now.isoformat(),
            "was": {
                "kind": self.kind.value,
                "place_id": self.place_id,
                **self._describe_timing(),
                "paused_until": self.paused_until.isoformat() if self.paused_until else "",
                "pauses": self.pauses,
            },
            "moments": [
                [one.on.isoformat(), one.slot, one.skipped, one.moved_to.isoformat() if one.moved_to else ""]
                for one in changes.values()
            ],
        }

    def take_back(self) -> "Changes":
        """Become what it was before its last change; return the changes to its moments then."""
        was: Any = self.previous["was"]
        moments_then: Any = self.previous["moments"]
        self.kind, self.place_id, self.rule = RhythmKind(was["kind"]), PlaceId(was["place_id"]), was["rule"]
        self.starts_on, self.at = date.fromisoformat(was["starts_on"]), time.fromisoformat(was["at"])
        self.timezone, self.on_holiday = was["timezone"], OnHoliday(was["on_holiday"])
        self.paused_until = date.fromisoformat(was["paused_until"]) if was["paused_until"] else None
        self.pauses, self.ended_at, self.previous = was.get("pauses", ""), None, {}
        return {
            (date.fromisoformat(on), slot): MomentChange(
                rhythm_id=self.id,
                movement_id=self.movement_id,
                on=date.fromisoformat(on),
                slot=slot,
                skipped=skipped,
                moved_to=datetime.fromisoformat(moved_to) if moved_to else None,
            )
            for on, slot, skipped, moved_to in moments_then
        }

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
    """A coordinator's change to one moment. `on` is the local date the rule gave it, `slot` counts the times of a day,
    from 0."""

    rhythm_id: RhythmId
    movement_id: MovementId
    on: date
    slot: int = 0
    skipped: bool = False
    moved_to: datetime | None = None

    @property
    def matters(self) -> bool:
        """True when it changes something: what was taken back stays as a change without an effect."""
        return self.skipped or self.moved_to is not None

    def is_ahead(self, now: datetime, today: date) -> bool:
        """Return whether what it says is still to come: what was moved to later, or is skipped of today or later."""
        return self.moved_to > now if self.moved_to is not None else self.skipped and self.on >= today

    @property
    def moment(self) -> "MomentName":
        """The moment that it is about."""
        return self.on, self.slot


MomentName = tuple[date, int]
"""The name of a moment, which stays: the local date its rule gave it, and which time of that day it is, from 0."""
Changes = Mapping[MomentName, MomentChange]
"""Changes to moments of a rhythm."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One occurrence: `on` is the local date its rule gave it and `slot` which time of that day (its identity), `given`
    that local time, `at` the UTC moment it now falls on."""

    on: date
    at: datetime
    slot: int = 0
    given: time

    @property
    def name(self) -> MomentName:
        return self.on, self.slot


WhyOtherwise = Literal["", "holiday", "closed", "weekend", "changed", "quiet"]
"""The reason why a moment comes at another time than its rule has it, or not; empty for none."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A moment that a rule gives, and what becomes of it: posted at the UTC moment `at`, or skipped (None), and for
    which reason other than its rule: a holiday or a weekend, a coordinator's change, or the quiet hours of the place.
    `given` is when its rule has it."""

    on: date
    at: datetime | None
    because: WhyOtherwise = ""
    given: datetime


MAX_MOVE = timedelta(days=60)
"""How far a moment may be moved. So a change matters only if its rule gave a date at most this long ago."""

DAYS_LISTED = 16
"""Dates of a rhythm that are found at a time."""


def moments(timing: Timing, changes: Changes, calendar: Calendar, *, after: datetime) -> Iterator[Moment]:
    """Yield the moments of a rhythm later than `after`, in order; none while it is paused.

    Moments that were moved are merged in at the time they now fall on.
    """
    if timing.ended_at is not None:
        return
    zone, times = ZoneInfo(timing.timezone), timing.times
    waiting = [
        (change.moved_to, change.on, change.slot)
        for change in changes.values()
        # Of a rhythm that came more often a day, the changes are kept.
        if change.moved_to is not None and not change.skipped and change.slot < len(times)
    ]
    heapify(waiting)

    def next_waiting() -> Iterator[Moment]:
        at, on, slot = heappop(waiting)
        if at > after and not timing.rests_on(at.astimezone(zone).date()):
            yield Moment(on=on, slot=slot, given=times[slot], at=at)

    # What was moved from an earlier day waits already; the day before, for a time that the clocks skip.
    since = after.astimezone(zone).date() - timedelta(days=1)
    for on, day in _rule_days(timing, calendar, since):
        # A moment waiting before this day comes before all that the rule still gives.
        while waiting and waiting[0][0].astimezone(zone).date() < on:
            yield from next_waiting()
        for slot, at in _times_of_day(timing, day):
            # A changed moment is left out: it was skipped, or moved and is in the heap already.
            if (on, slot) not in changes:
                heappush(waiting, (at, on, slot))
    while waiting:
        yield from next_waiting()


def list_moments(timing: Timing, changes: Changes, calendar: Calendar, *, after: datetime, count: int) -> list[Moment]:
    """Return the next `count` moments of a rhythm later than `after`."""
    if changes:
        return list(islice(moments(timing, changes, calendar, after=after), count))
    return list(_list_plain_moments(timing, calendar, after, count))


@lru_cache(maxsize=1024)
def _list_plain_moments(timing: Timing, calendar: Calendar, after: datetime, count: int) -> Sequence[Moment]:
    """Return the next moments of a rhythm without changes. Cached: many places have the same Monday morning."""
    return tuple(islice(moments(timing, {}, calendar, after=after), count))


def _times_of_day(timing: Timing, day: date | None) -> Iterator[tuple[int, datetime]]:
    """Yield the moments of a day, each with its slot. Two that the clocks let fall together come once."""
    before: datetime | None = None
    for slot, local in enumerate(timing.times if day is not None else ()):
        at = to_utc(day or date.min, local, timing.timezone)
        if at != before:
            yield slot, at
        before = at


class CarriedChanges(NamedTuple):
    """The changes to moments that hold when a rhythm gets another timing, and the dates of those to come that do not
    exist any more."""

    left: Changes
    gone: Sequence[date]


def carry_changes(changes: Changes, before: Timing, after: Timing, calendar: Calendar, now: datetime) -> CarriedChanges:
    """Carry changes to moments over to another timing: those of moments that still exist, also where that moment came
    already, so that it does not come again; and those of days that are over, as they were."""
    slots = _match_slots(before.times, after.times)
    today = now.astimezone(ZoneInfo(before.timezone)).date()
    left: dict[MomentName, MomentChange] = {}
    for name, one in changes.items():
        exists = next(after.pattern.list_days(min(after.starts_on, one.on), one.on, calendar), None) == one.on
        slot = slots.get(one.slot)
        if exists and slot is not None:
            left[one.on, slot] = replace(one, slot=slot)
        elif not exists and one.on < today and not one.is_ahead(now, today):
            left.setdefault(name, one)
    ahead = {one.on for one in changes.values() if one.is_ahead(now, today)}
    return CarriedChanges(left, sorted(ahead - {one.on for one in left.values()}))


def _match_slots(before: Sequence[time], after: Sequence[time]) -> Mapping[int, int]:
    """Return which time of a day stands for which of before: the same, or of as many others the one in its place."""
    found = {slot: after.index(at) for slot, at in enumerate(before) if at in after}
    others = [slot for slot in range(len(before)) if slot not in found]
    places = [slot for slot in range(len(after)) if slot not in found.values()]
    return {**found, **(dict(zip(others, places, strict=True)) if len(others) == len(places) else {})}


def count_down(timing: Timing, calendar: Calendar, *, after: datetime, days: int) -> date | None:
    """Return the date of a rhythm's last moment, when it is to come on so many days; None when it does not come that
    often."""
    coming, found = moments(timing, {}, calendar, after=after), list[date]()
    while len(found) < days:
        moment = next(coming, None)
        if moment is None:
            return None
        if moment.on not in found[-1:]:
            found.append(moment.on)
    return max(found)


def expect_moments(
    timing: Timing,
    changes: Changes,
    calendar: Calendar,
    quiet: QuietHours,
    *,
    after: datetime,
    count: int,
) -> list[Expected]:
    """Return what becomes of the next `count` moments of a rhythm later than `after`. `quiet` are the hours in which
    nothing is sent in its place: a moment in them comes when they end, or not at all when that is too late."""
    coming = list_moments(timing, changes, calendar, after=after, count=count)
    return [_expect(moment, changes, calendar, quiet, timing) for moment in coming]


def forecast(
    timing: Timing,
    changes: Changes,
    calendar: Calendar,
    quiet: QuietHours,
    *,
    after: datetime,
    count: int,
) -> list[Expected]:
    """Return what `expect_moments` does, and the moments between those that are skipped, in order. Of a day that is
    skipped as a whole, it tells once."""
    if timing.ended_at is not None:
        return []
    found = expect_moments(timing, changes, calendar, quiet, after=after, count=count)
    last = max(one.on for one in found) if len(found) == count else date.max
    since = after.astimezone(ZoneInfo(timing.timezone)).date()
    for on, day in _rule_days(timing, calendar, since):
        if on > last:
            break
        if on >= since and not timing.rests_on(on):
            found += [one for one in _list_gaps(timing, changes, calendar, on, day) if one.given > after]
    return sorted(found, key=lambda one: one.at or one.given)[: count * MOMENTS_SHOWN]


def expect_until(
    timing: Timing,
    changes: Changes,
    calendar: Calendar,
    quiet: QuietHours,
    *,
    after: datetime,
    until: datetime,
) -> list[Expected]:
    """Return what becomes of every moment of a rhythm between two moments, and those between them that are skipped, in
    order, as `forecast` tells them."""
    if timing.ended_at is not None:
        return []
    zone = ZoneInfo(timing.timezone)
    since, last = after.astimezone(zone).date(), until.astimezone(zone).date()
    coming = takewhile(lambda one: one.at < until, moments(timing, changes, calendar, after=after))
    found = [_expect(one, changes, calendar, quiet, timing) for one in coming]
    found += [one for one in list_gaps(timing, changes, calendar, since, last) if one.given > after]
    return sorted(found, key=lambda one: one.at or one.given)


def list_gaps(timing: Timing, changes: Changes, calendar: Calendar, since: date, until: date) -> Iterator[Expected]:
    """Yield what is skipped of the dates that a rule gives from a day up to another; nothing of those it rests on."""
    for on, day in takewhile(lambda one: one[0] < until, _rule_days(timing, calendar, since)):
        if on >= since and not timing.rests_on(on):
            yield from _list_gaps(timing, changes, calendar, on, day)


def explain_move(on: date, slot: int, changes: Changes, calendar: Calendar) -> WhyOtherwise:
    """Return why a moment came on another day than the date its rule gave it."""
    return "changed" if (on, slot) in changes else _why_off(on, calendar)


def _list_gaps(timing: Timing, changes: Changes, calendar: Calendar, on: date, day: date | None) -> Iterator[Expected]:
    """Yield what is skipped of a date that the rule gives, and falls on a `day`, or on none."""
    for slot, given in _times_of_day(timing, on):
        change = changes.get((on, slot))
        if change is not None and change.skipped:
            yield Expected(on=on, at=None, because="changed", given=given)
        elif day is None and change is None:
            yield Expected(on=on, at=None, because=_why_off(on, calendar), given=given)
            return


def _expect(moment: Moment, changes: Changes, calendar: Calendar, quiet: QuietHours, timing: Timing) -> Expected:
    given = to_utc(moment.on, moment.given, timing.timezone)
    allowed = quiet.first_allowed_at(moment.at)
    if allowed != moment.at:
        late = allowed - moment.at > MISFIRE_GRACE
        return Expected(on=moment.on, at=None if late else allowed, because="quiet", given=given)
    if moment.name in changes:
        return Expected(on=moment.on, at=moment.at, because="changed", given=given)
    if moment.at.astimezone(ZoneInfo(timing.timezone)).date() == moment.on:
        return Expected(on=moment.on, at=moment.at, given=given)
    return Expected(on=moment.on, at=moment.at, because=_why_off(moment.on, calendar), given=given)


def _why_off(day: date, calendar: Calendar) -> Literal["holiday", "closed", "weekend"]:
    if calendar.is_closed(day):
        return "closed"
    return "holiday" if calendar(day) else "weekend"


def _rule_days(timing: Timing, calendar: Calendar, since: date) -> Iterator[tuple[date, date | None]]:
    """Yield the dates the rule gives from a day on, or a little before it, each with the day it falls on; None for a
    date that is skipped. It ends where all are skipped: a rule that only gives holidays would give no day for ever.

    A date that is a holiday is skipped, or moved to the next working day unless the rule gives that day already. With
    moving, a day of the month that falls in a weekend is moved too. A day that was chosen once is kept, whatever it is.
    """
    latest, seen, is_last = date.min, since, False
    while not is_last:
        found, is_last = _list_rule_days(timing, calendar, since)
        for on, day in found:
            if on <= latest:
                continue
            if day is not None:
                seen = on
            elif (on - seen).days > SEARCHED_DAYS:
                return
            latest = on
            yield on, day
        since = latest + timedelta(days=1)


@lru_cache(maxsize=1024)
def _list_rule_days(timing: Timing, calendar: Calendar, since: date) -> tuple[Sequence[tuple[date, date | None]], bool]:
    """Return the first of those dates, at least `DAYS_LISTED` of them, and whether there are no others. Cached: a day
    long they are the same, whoever looks at the rhythm, and for all places with the same Monday morning."""
    found: list[tuple[date, date | None]] = []
    left = DAYS_LISTED
    for one in _find_rule_days(timing, calendar, since):
        found.append(one)
        left -= one[0] >= since
        if not left:
            break
    return found, left > 0


def _find_rule_days(timing: Timing, calendar: Calendar, since: date) -> Iterator[tuple[date, date | None]]:
    """Yield what `_rule_days` does, from the first."""
    pattern, taken, seen = timing.pattern, set[date](), since
    weekends_too = pattern.freq is Freq.DATES and timing.on_holiday is OnHoliday.MOVE
    for on in pattern.list_days(timing.starts_on, _begin_of_rest(calendar, since), calendar):
        off = calendar(on) or (weekends_too and calendar.is_weekend(on))
        if not off or pattern.freq is Freq.ONCE:
            day: date | None = on
        else:
            day = _next_free_day(timing, pattern, calendar, on, taken) if timing.on_holiday is OnHoliday.MOVE else None
        if day is not None:
            taken.add(day)
            seen = on
        elif (on - seen).days > SEARCHED_DAYS:
            return
        yield on, day


def _begin_of_rest(calendar: Calendar, since: date) -> date:
    """Return the first of the days off in a row that a day is the last of: where moments move to, follows from all of
    these."""
    for _ in range(LONGEST_REST):
        if calendar.is_working(since - timedelta(days=1)):
            break
        since -= timedelta(days=1)
    return since


def _next_free_day(timing: Timing, pattern: Pattern, calendar: Calendar, on: date, taken: set[date]) -> date | None:
    """Return the working day that a date off moves to; None when its rhythm comes that day already."""
    following = (on + timedelta(days=number) for number in range(1, LONGEST_REST))
    day = next((one for one in following if calendar.is_working(one)), None)
    if day is None or day in taken or day == next(pattern.list_days(timing.starts_on, day, calendar), None):
        return None
    return day


def update_next_at(rhythm: Rhythm, changes: Changes, calendar: Calendar, *, after: datetime) -> None:
    """Set `next_at` to the first moment later than `after`. Call it after every change to a rhythm or its moments."""
    first = list_moments(rhythm.timing, changes, calendar, after=after, count=1)
    rhythm.next_at = first[0].at if first else None


def due_moments(
    due: Due, changes: Changes, calendar: Calendar, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    """Return the moments of a rhythm from its `next_at` up to now, and the time of the first after now, or None."""
    if due.next_at is None:
        return (), None
    if changes:
        return _due(due.timing, changes, calendar, due.next_at, now)
    return _due_without_changes(due.timing, calendar, due.next_at, now)


@lru_cache(maxsize=1024)
def _due_without_changes(
    timing: Timing, calendar: Calendar, since: datetime, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    """Compute the due moments of a rhythm without changes. Cached: many places have the same Monday morning."""
    return _due(timing, {}, calendar, since, now)


def _due(
    timing: Timing, changes: Changes, calendar: Calendar, since: datetime, now: datetime
) -> tuple[Sequence[Moment], datetime | None]:
    past: list[Moment] = []
    # `moments` excludes `after`, and the moment at `since` itself is due.
    for moment in moments(timing, changes, calendar, after=since - timedelta(microseconds=1)):
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
    """Return the idempotency key of the delivery for a moment: planning it twice adds one row. Its time is part of
    it: a rhythm that comes later on a day, since it was changed, comes once more that day."""
    return f"rhythm:{rhythm}:{moment.on.isoformat()}T{moment.given:%H%M}"
