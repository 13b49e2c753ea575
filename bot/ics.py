"""Write events as an iCalendar file (RFC 5545) that calendars of others subscribe to or take in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.timetable import Series, Single

if TYPE_CHECKING:  # imported where it is used: few ask for a calendar, and it takes a tenth of a second at the start
    import icalendar

READ_AGAIN_AFTER = timedelta(hours=6)
"""How long a calendar is asked to wait before it reads the file again; many take a day."""
CONTENT_TYPE = "text/calendar"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens once or, as a series, again and again. `uid` is its own for ever, `busy` says that it
    takes the reader's time; `private` asks calendars to hide it from those with whom they are shared."""

    uid: str
    when: Series | Single
    title: str
    about: str
    where: str = ""
    lasts: timedelta
    busy: bool = False
    private: bool = False


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """Everything in one file, under a name, for a reader in a time zone."""

    name: str
    timezone: str
    events: tuple[Event, ...]


def write_agenda(agenda: Agenda, *, revision: int, changed_at: datetime) -> bytes:
    """Return the file. `revision` counts the changes to it, `changed_at` is when the last was made."""
    import icalendar

    file = icalendar.Calendar()
    for name, value in (
        ("prodid", "-//Ritme//Ritme//NL"),
        ("version", "2.0"),
        ("calscale", "GREGORIAN"),
        ("method", "PUBLISH"),
        ("name", icalendar.vText(agenda.name)),
        ("x-wr-calname", icalendar.vText(agenda.name)),
        ("x-wr-timezone", agenda.timezone),
        ("x-published-ttl", icalendar.vDuration(READ_AGAIN_AFTER)),
    ):
        file.add(name, value)
    file.add("refresh-interval", icalendar.vDuration(READ_AGAIN_AFTER), parameters={"VALUE": "DURATION"})
    for zone, first, last in _list_zones(agenda.events):
        file.add_component(_write_zone(zone, first, last))
    for event in agenda.events:
        for one in _write_event(event):
            one.add("sequence", revision)
            one.add("dtstamp", changed_at)
            one.add("last-modified", changed_at)
            file.add_component(one)
    written: bytes = file.to_ical()
    return written


def _write_event(event: Event) -> Iterator["icalendar.Event"]:
    """Yield an event, and what takes the place of those of its moments that were moved."""
    when, zone = event.when, ZoneInfo(event.when.timezone)
    if isinstance(when, Single):
        yield _write_moment(event, _local(when.at, zone))
        return
    series = _write_moment(event, when.first.replace(tzinfo=zone))
    series.add("rrule", {**when.rule, "UNTIL": [when.until]})
    if when.left_out:
        series.add("exdate", [one.replace(tzinfo=zone) for one in when.left_out])
    yield series
    for given, at in when.moved:
        instead = _write_moment(event, _local(at, zone))
        instead.add("recurrence-id", given.replace(tzinfo=zone))
        yield instead


def _write_moment(event: Event, starts: datetime) -> "icalendar.Event":
    import icalendar

    made = icalendar.Event()
    for name, value in (
        ("uid", event.uid),
        ("summary", event.title),
        ("description", event.about),
        ("dtstart", starts),
        ("transp", "OPAQUE" if event.busy else "TRANSPARENT"),
        ("class", "PRIVATE" if event.private else "PUBLIC"),
    ):
        made.add(name, value)
    ends = (starts.astimezone(UTC) + event.lasts).astimezone(starts.tzinfo)
    if ends.utcoffset() == starts.utcoffset():
        made.add("dtend", ends)
    else:
        made.add("duration", event.lasts)  # as a local time, the end might be before the begin
    if event.where:
        made.add("location", event.where)
    return made


def _local(at: datetime, zone: Any) -> datetime:
    """Return a moment as it is written in a zone; in UTC where the clocks show that time twice, and this is the second:
    a calendar would take it for the first."""
    local = at.astimezone(zone)
    return at.astimezone(UTC) if local.fold else local


class _Change(NamedTuple):
    """A change of the clocks: the local time before it at which it is made, and how they go from one offset to
    another."""

    at: datetime
    before: timedelta
    after: timedelta
    name: str
    is_summer: bool


def _list_zones(events: Sequence[Event]) -> list[tuple[str, int, int]]:
    """List the zones of events, each with the first and the last year that it is needed for."""
    years: dict[str, list[int]] = {}
    for event in events:
        when = event.when
        among = years.setdefault(when.timezone, [])
        among += (when.at.year,) if isinstance(when, Single) else (when.first.year, when.until.year)
    return [(zone, min(found) - 1, max(found) + 1) for zone, found in sorted(years.items())]


@lru_cache(maxsize=256)
def _write_zone(name: str, first: int, last: int) -> "icalendar.Timezone":
    """Return the clocks of a zone from one year to another. Written here: `icalendar` has the hour at which clocks go
    forward as it is after that, while the standard (3.6.5) wants it as it is before."""
    import icalendar

    made = icalendar.Timezone()
    made.add("tzid", name)
    zone = ZoneInfo(name)
    begin, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    offset = _offset(begin, zone)
    known = [_Change(begin.replace(tzinfo=None), offset, offset, _name_of(begin, zone), _is_summer(begin, zone))]
    known += _find_changes(zone, begin, end)
    kinds: dict[tuple[Any, ...], list[datetime]] = {}
    for change in known:
        kinds.setdefault(change[1:], []).append(change.at)
    for (before, after, short, is_summer), at in kinds.items():
        part = icalendar.TimezoneDaylight() if is_summer else icalendar.TimezoneStandard()
        part.add("dtstart", at[0])
        if at[1:]:
            part.add("rdate", at[1:])
        part.add("tzoffsetfrom", before)
        part.add("tzoffsetto", after)
        part.add("tzname", short)
        made.add_component(part)
    return made


def _find_changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[_Change]:
    """Yield the changes of the clocks of a zone."""
    day = begin
    while day < end:
        after = day + timedelta(days=1)
        before, offset = _offset(day, zone), _offset(after, zone)
        if before != offset:
            at = _find_change(zone, day, after)
            yield _Change(
                (at + before).replace(tzinfo=None), before, offset, _name_of(after, zone), _is_summer(after, zone)
            )
        day = after


def _find_change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the minute between two moments from which on the clocks are as at the second."""
    before = _offset(low, zone)
    while high - low > timedelta(minutes=1):
        middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _name_of(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).tzname() or "UTC"


def _is_summer(at: datetime, zone: ZoneInfo) -> bool:
    return bool(at.astimezone(zone).dst())
