"""Write events as an iCalendar file (RFC 5545) that calendars of others subscribe to or take in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.timetable import Series, Single

READ_AGAIN_AFTER = timedelta(hours=6)
"""How long a calendar is asked to wait before it reads the file again; many take a day."""
CONTENT_TYPE = "text/calendar"
LONGEST_LINE = 75
"""Octets of a line; what is longer goes on in the next, after a space (3.1)."""
_UTC_NAMES = ("UTC", "Etc/UTC")
_BREAK = re.compile(r"\r\n|\r|\n")
_ESCAPED = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,"})


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
    name, again = _text(agenda.name), _duration(READ_AGAIN_AFTER)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Ritme//Ritme//NL",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{name}",
        f"X-WR-CALNAME:{name}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{again}",
        f"X-PUBLISHED-TTL:{again}",
        f"X-WR-TIMEZONE:{agenda.timezone}",
    ]
    for zone, first, last in _list_zones(agenda.events):
        lines += _write_zone(zone, first, last)
    stamp = _utc(changed_at)
    for event in agenda.events:
        lines += _write_event(event, revision, stamp)
    lines.append("END:VCALENDAR")
    return b"".join(map(_fold, lines))


def _write_event(event: Event, revision: int, stamp: str) -> Iterator[str]:
    """Yield the lines of an event, and of what takes the place of those of its moments that were moved."""
    when, zone = event.when, ZoneInfo(event.when.timezone)
    if isinstance(when, Single):
        yield from _write_moment(event, _local(when.at, zone), revision, stamp)
        return
    first, *others = (f"{name}={','.join(map(str, values))}" for name, values in when.rule.items())
    rule = ";".join([first, f"UNTIL={_utc(when.until)}", *others])
    series = [f"RRULE:{rule}"]
    if when.left_out:
        series.append(_moments("EXDATE", [one.replace(tzinfo=zone) for one in when.left_out]))
    yield from _write_moment(event, when.first.replace(tzinfo=zone), revision, stamp, series)
    for given, at in when.moved:
        instead = [_moments("RECURRENCE-ID", [given.replace(tzinfo=zone)])]
        yield from _write_moment(event, _local(at, zone), revision, stamp, instead)


def _write_moment(event: Event, starts: datetime, revision: int, stamp: str, more: Sequence[str] = ()) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"SUMMARY:{_text(event.title)}"
    yield _moments("DTSTART", [starts])
    ends = (starts.astimezone(UTC) + event.lasts).astimezone(starts.tzinfo)
    if ends.utcoffset() == starts.utcoffset():
        yield _moments("DTEND", [ends])
    else:
        yield f"DURATION:{_duration(event.lasts)}"  # as a local time, the end might be before the begin
    yield f"DTSTAMP:{stamp}"
    yield f"UID:{_text(event.uid)}"
    yield f"SEQUENCE:{revision}"
    yield from more
    yield f"CLASS:{'PRIVATE' if event.private else 'PUBLIC'}"
    yield f"DESCRIPTION:{_text(event.about)}"
    yield f"LAST-MODIFIED:{stamp}"
    if event.where:
        yield f"LOCATION:{_text(event.where)}"
    yield f"TRANSP:{'OPAQUE' if event.busy else 'TRANSPARENT'}"
    yield "END:VEVENT"


def _fold(line: str) -> bytes:
    """Return a line as it stands in a file, cut where it is too long, but never within a character."""
    content = line.encode()
    pieces, begin, room = [], 0, LONGEST_LINE
    while len(content) - begin > room:
        end = begin + room
        while content[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(content[begin:end])
        begin, room = end, LONGEST_LINE - 1
    return b"\r\n ".join([*pieces, content[begin:]]) + b"\r\n"


def _text(words: str) -> str:
    return _BREAK.sub(r"\\n", words.translate(_ESCAPED))


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _moments(name: str, some: Sequence[datetime]) -> str:
    """Return the line of moments that are all in one zone, or in UTC."""
    zone = some[0].tzinfo
    if str(zone) in _UTC_NAMES:
        return f"{name}:{','.join(map(_utc, some))}"
    return f"{name};TZID={zone}:{_naive(some)}"


def _naive(some: Iterable[datetime]) -> str:
    """Return moments as the clocks of their zone show them."""
    return ",".join(f"{one:%Y%m%dT%H%M%S}" for one in some)


def _duration(lasts: timedelta) -> str:
    minutes, seconds = divmod(int(lasts.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = "".join(f"{many}{unit}" for many, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if many)
    return f"PT{parts or '0S'}"


def _offset_text(offset: timedelta) -> str:
    sign, seconds = ("-", -offset) if offset < timedelta() else ("+", offset)
    minutes, rest = divmod(int(seconds.total_seconds()), 60)
    return f"{sign}{minutes // 60:02}{minutes % 60:02}" + (f"{rest:02}" if rest else "")


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
def _write_zone(name: str, first: int, last: int) -> Sequence[str]:
    """Return the lines of the clocks of a zone from one year to another. The hour at which they change is the one
    before it, as the standard wants it (3.6.5)."""
    zone = ZoneInfo(name)
    begin, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    offset = _offset(begin, zone)
    known = [_Change(begin.replace(tzinfo=None), offset, offset, _name_of(begin, zone), _is_summer(begin, zone))]
    known += _find_changes(zone, begin, end)
    kinds: dict[tuple[Any, ...], list[datetime]] = {}
    for change in known:
        kinds.setdefault(change[1:], []).append(change.at)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    for (before, after, short, is_summer), at in kinds.items():
        part = "DAYLIGHT" if is_summer else "STANDARD"
        lines += [f"BEGIN:{part}", f"DTSTART:{_naive(at[:1])}"]
        lines += [f"RDATE:{_naive(at[1:])}"] if at[1:] else []
        lines += [f"TZNAME:{_text(short)}", f"TZOFFSETFROM:{_offset_text(before)}", f"TZOFFSETTO:{_offset_text(after)}"]
        lines.append(f"END:{part}")
    return (*lines, "END:VTIMEZONE")


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
