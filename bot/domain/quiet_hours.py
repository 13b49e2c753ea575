"""Quiet hours, in which no nudge is sent: evenings, nights and weekends, in local time."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.movement import Place
from bot.domain.person import Person


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """Quiet from `start` until `end` local time (over midnight when `end` < `start`; never when they are equal), and
    with `weekends` all Saturday and Sunday."""

    start: time
    end: time
    weekends: bool
    timezone: str

    def covers(self, moment: datetime) -> bool:
        """Return whether a moment is quiet."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        if self.weekends and local.weekday() >= 5:
            return True
        now = local.time().replace(fold=0)
        if self.start == self.end:
            return False
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def first_allowed_at(self, moment: datetime) -> datetime:
        """Return the first moment (UTC) from `moment` on that is not quiet."""
        if not self.covers(moment):
            return moment
        zone = ZoneInfo(self.timezone)
        day = moment.astimezone(zone).date()
        # Quiet can only end at `end`, or at midnight after a weekend.
        for ahead in range(9):
            for at in (time(0), self.end):
                candidate = datetime.combine(day + timedelta(days=ahead), at, zone).astimezone(UTC)
                if candidate >= moment and not self.covers(candidate):
                    return candidate
        raise ValueError("these quiet hours never end")


def of_place(place: Place) -> QuietHours:
    """Return the quiet hours of a place."""
    return QuietHours(
        start=place.quiet_from, end=place.quiet_until, weekends=place.quiet_weekends, timezone=place.timezone
    )


def of_person(person: Person, timezone: str) -> QuietHours:
    """Return the quiet hours of a person, with the default of a place for what they did not choose."""
    return QuietHours(
        start=person.quiet_from if person.quiet_from is not None else time(18),
        end=person.quiet_until if person.quiet_until is not None else time(8),
        weekends=person.quiet_weekends if person.quiet_weekends is not None else True,
        timezone=timezone,
    )
