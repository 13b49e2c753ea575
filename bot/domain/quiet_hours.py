"""Quiet hours, in which no nudge is sent: evenings, nights and weekends, in local time; and what is free."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.domain.calendar import SATURDAY_AND_SUNDAY, Calendar, weekend_of
from bot.domain.followed_days import days_off_of, weekend_of_person
from bot.domain.movement import Movement, Place
from bot.domain.person import Person

USUAL_TIME = time(9)
"""The local time to propose where the one that was wanted is not free, to who is awake then."""


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """Quiet from `start` until `end` local time (over midnight when `end` < `start`; never when they are equal), and
    with `weekends` all days of the `weekend` (0 = Monday).

    When the clocks change, quiet begins and ends when the local clock first reaches these times (see `to_utc`): it does
    not begin again when the clock shows them once more.
    """

    start: time
    end: time
    weekends: bool
    timezone: str
    weekend: tuple[int, ...] = SATURDAY_AND_SUNDAY

    def covers(self, moment: datetime) -> bool:
        """Return whether a moment is quiet."""
        return _is_quiet(self, moment)

    def ends_after(self, begins: date) -> datetime:
        """Return when the quiet that begins on a local day ends."""
        over_midnight = self.end < self.start
        return to_utc(begins + timedelta(days=1) if over_midnight else begins, self.end, self.timezone)

    def covers_day(self, day: date) -> bool:
        """Return whether a local day is quiet as a whole."""
        return self.weekends and day.weekday() in self.weekend

    def covers_time(self, at: time) -> bool:
        """Return whether a local time is quiet on every day."""
        at = at.replace(tzinfo=None, fold=0)
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    @property
    def usual_time(self) -> time:
        """The local time to propose: nine, or where that is quiet, when the quiet ends."""
        return self.end if self.covers_time(USUAL_TIME) else USUAL_TIME

    def first_allowed_at(self, moment: datetime) -> datetime:
        """Return the first moment (UTC) from `moment` on that is not quiet."""
        if not self.covers(moment):
            return moment
        day = moment.astimezone(ZoneInfo(self.timezone)).date()
        # Quiet can only end at `end`, or at midnight after a weekend.
        for ahead in range(9):
            for at in (time(0), self.end):
                candidate = to_utc(day + timedelta(days=ahead), at, self.timezone)
                if candidate >= moment and not self.covers(candidate):
                    return candidate
        raise ValueError("these quiet hours never end")


@lru_cache(maxsize=256)
def _is_quiet(hours: QuietHours, moment: datetime) -> bool:
    # Kept for all places with the same hours: on a Monday morning each is asked about the same moment.
    day = moment.astimezone(ZoneInfo(hours.timezone)).date()
    return hours.covers_day(day) or any(
        to_utc(begins, hours.start, hours.timezone) <= moment < hours.ends_after(begins)
        for begins in (day - timedelta(days=1), day)
    )


@lru_cache(maxsize=4096)
def to_utc(day: date, at: time, timezone: str) -> datetime:
    """Convert a local day and time to UTC. A time that the clocks skip becomes the next that exists; of one that occurs
    twice it is the first."""
    zone, local = ZoneInfo(timezone), datetime.combine(day, at.replace(tzinfo=None, fold=0))
    # A skipped time does not survive the way to UTC and back.
    while (moment := local.replace(tzinfo=zone).astimezone(UTC)).astimezone(zone).replace(tzinfo=None) != local:
        local += timedelta(minutes=1)
    return moment


@dataclass(frozen=True, kw_only=True)
class FreeMoments:
    """The moments at which a person can be promised a message: outside their quiet hours, on no public holiday."""

    quiet: QuietHours
    calendar: Calendar

    def day_problem(self, day: date) -> str:
        """Return why no moment of a local day is free, a block of `errors/fields.md.j2`; empty when one may be."""
        if self.calendar(day):
            return "holiday"
        return "quiet_day" if self.quiet.covers_day(day) else ""

    def are_free(self, moment: datetime) -> bool:
        """Return whether a moment is free."""
        return not self.quiet.covers(moment) and not self.calendar(self._local_day(moment))

    def nearest_to(self, day: date, at: time, *, now: datetime, earliest: date, latest: date) -> datetime | None:
        """Return the first free moment (UTC) from a local day and time on, up to the `latest` day; without one the last
        before it, from the `earliest` day on, or None.

        On another day than the one wanted it keeps the time that was wanted, where that is free, or is the usual time.
        """
        wanted = to_utc(day, at, self.quiet.timezone)
        for number in range((latest - day).days + 1):
            for moment in self._candidates(day + timedelta(days=number), at, wanted):
                if moment > now and moment >= wanted:
                    return moment
        for number in range((day - earliest).days + 1):
            for moment in self._candidates(day - timedelta(days=number), at, now):
                if now < moment < wanted:
                    return moment
        return None

    def _candidates(self, day: date, at: time, after: datetime) -> Iterator[datetime]:
        """Yield the free moments of a day to propose, best first: the time wanted, the usual, the next."""
        zone = self.quiet.timezone
        first = self.quiet.first_allowed_at(max(to_utc(day, time(0), zone), after))
        for moment in (to_utc(day, at, zone), to_utc(day, self.quiet.usual_time, zone), first):
            if self._local_day(moment) == day and self.are_free(moment):
                yield moment

    def _local_day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.quiet.timezone)).date()


def of_place(place: Place, movement: Movement | None) -> QuietHours:
    """Return the quiet hours of a place of a movement."""
    return QuietHours(
        start=place.quiet_from,
        end=place.quiet_until,
        weekends=place.quiet_weekends,
        timezone=place.timezone,
        weekend=weekend_of(movement, place.timezone, place),
    )


def of_person(person: Person, timezone: str, movement: Movement | None) -> QuietHours:
    """Return the quiet hours of a person for what comes from a movement: what they chose, else those of their group,
    else the default of a place."""
    starts, ends = (person.quiet_from, person.group_quiet_from), (person.quiet_until, person.group_quiet_until)
    weekends = (person.quiet_weekends, person.group_quiet_weekends)
    return QuietHours(
        start=next((one for one in starts if one is not None), time(18)),
        end=next((one for one in ends if one is not None), time(8)),
        weekends=next((one for one in weekends if one is not None), True),
        timezone=timezone,
        weekend=weekend_of_person(person, movement, timezone),
    )


def free_moments_of(person: Person, timezone: str, movement: Movement) -> FreeMoments:
    """Return the moments at which a person can be promised a message from a movement."""
    return FreeMoments(quiet=of_person(person, timezone, movement), calendar=days_off_of(person, movement))


def arrival_of(person: Person, timezone: str, movement: Movement | None, promised: datetime) -> datetime:
    """Return when a message that was promised for a moment comes, as the person's settings are now: later than promised
    where they snoozed Ritme, or made that moment quiet, since."""
    awake = max(promised, person.snoozed_until) if person.snoozed_until is not None else promised
    return of_person(person, person.timezone or timezone, movement).first_allowed_at(awake)
