"""Word and lay out what stands in a calendar: the rhythms of a movement, and somebody's own moments in it.

Rows are read in one transaction, as plain values; what they lead to is computed after it, in a thread, so that nobody
waits for a calendar of many rhythms.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from bot import wording
from bot.chat import CommandSyntax
from bot.domain import quiet_hours
from bot.domain.calendar import Calendar, holidays_of
from bot.domain.movement import Movement
from bot.domain.person import Person
from bot.domain.quiet_hours import QuietHours, arrival_of, to_utc
from bot.domain.rhythm import Changes, Rhythm, Timing, can_come
from bot.domain.timetable import Series, Single, lay_out, window_of
from bot.ics import Agenda, Event
from bot.ports import UnitOfWork
from bot.ports.turn import language_for, timezone_for
from bot.resting import find_rest
from bot.wording import Reader

LASTS = timedelta(minutes=15)
"""How long a post or a question takes in a calendar, so that it can be seen there."""
MEETING_LASTS = timedelta(minutes=30)
_WORDS = "calendars/events.md.j2"


@dataclass(frozen=True, kw_only=True)
class ShownRhythm:
    """A rhythm as a calendar shows it. `place` is the name of its channel."""

    id: str
    kind: str
    place: str
    timing: Timing
    changes: Changes
    quiet: QuietHours
    days_off: Calendar


@dataclass(frozen=True, kw_only=True)
class ShownMoment:
    """A moment of somebody's own: a "step" that Ritme comes back to, or a "meeting" that they said yes to."""

    id: str
    kind: str
    at: datetime
    timezone: str


@dataclass(frozen=True, kw_only=True)
class AgendaFacts:
    """Everything that stands in a calendar, still without its days."""

    name: str
    since: date
    until: date
    reader: Reader
    rhythms: Sequence[ShownRhythm]
    own: Sequence[ShownMoment] = ()


async def load_whole(
    work: UnitOfWork, movement: Movement, person: Person, now: datetime, syntax: CommandSyntax
) -> AgendaFacts:
    """Load the rhythms of a movement that somebody sees, and their own moments in it."""
    rhythms = await work.rhythms.of_movement(movement.id)
    timezone = timezone_for(person, None, movement)
    since = to_utc(window_of(now)[0], time(0), timezone)
    facts, met, steps = await work.together(
        load_facts(work, movement, person, rhythms, now, syntax),
        work.connecting.joined_meetings(person.id, movement.id, since),
        _load_steps(work, person, movement, timezone, now),
    )
    meetings = [ShownMoment(id=one.id, kind="meeting", at=one.at, timezone=one.timezone) for one in met]
    known: AgendaFacts = facts
    return replace(known, own=(*steps, *meetings))


async def load_facts(
    work: UnitOfWork,
    movement: Movement,
    person: Person,
    rhythms: Sequence[Rhythm],
    now: datetime,
    syntax: CommandSyntax,
) -> AgendaFacts:
    """Load what a calendar shows somebody of rhythms: those that come in places of their own workspace. Of others they
    do not know the channels."""
    reader = Reader(
        language=language_for(person, None, movement),
        timezone=timezone_for(person, None, movement),
        now=now,
        syntax=syntax,
    )
    since, until = window_of(now)
    shown = []
    begins = min((to_utc(since, time(0), one.timezone) for one in rhythms), default=now)
    purpose, changes, there = await work.together(
        work.movements.purpose(movement.id),
        work.rhythms.changes_of([one.id for one in rhythms], begins),
        work.movements.places(movement.id),
    )
    places = {one.id: one for one in there}
    for rhythm in rhythms:
        place = places.get(rhythm.place_id)
        if place is None or place.workspace_id != person.workspace_id or not can_come(rhythm, place, purpose):
            continue
        shown.append(
            ShownRhythm(
                id=rhythm.id,
                kind=rhythm.kind.value,
                place=place.name or place.channel,
                timing=rhythm.timing,
                changes={name: replace(one) for name, one in changes.get(rhythm.id, {}).items()},
                quiet=quiet_hours.of_place(place, movement),
                days_off=holidays_of(movement, place),
            )
        )
    return AgendaFacts(
        name=movement.name,
        since=since,
        until=until,
        reader=reader,
        rhythms=tuple(shown),
    )


async def _load_steps(
    work: UnitOfWork, person: Person, movement: Movement, timezone: str, now: datetime
) -> list[ShownMoment]:
    """Return when Ritme comes back to each step of somebody; nothing of those about which nothing comes."""
    if not person.will_read(now):
        return []
    planned = await work.steps.planned_of(person.id, movement.id)
    rests = await work.together(*(find_rest(work, one, now) for one in planned))
    return [
        ShownMoment(
            id=one.id,
            kind="step",
            at=arrival_of(person, timezone, movement, one.follow_up_at),
            timezone=timezone,
        )
        for one, rest in zip(planned, rests, strict=True)
        if rest is None
    ]


def make_agenda(facts: AgendaFacts) -> Agenda:
    """Lay out a calendar and word it for its reader. Blocks: a rhythm not laid out before takes some 10 ms."""
    events = [event for rhythm in facts.rhythms for event in _show_rhythm(facts, rhythm)]
    events += [_show_own(facts, one) for one in facts.own]
    name = wording.render_sentence(_WORDS, "name", facts.reader, {"name": facts.name})
    return Agenda(name=name, timezone=facts.reader.timezone, events=tuple(events))


def _show_rhythm(facts: AgendaFacts, rhythm: ShownRhythm) -> list[Event]:
    laid = lay_out(rhythm.timing, rhythm.changes, rhythm.days_off, facts.since, facts.until, rhythm.quiet)
    values = {"kind": rhythm.kind, "place": rhythm.place, "name": facts.name}

    def words(block: str) -> str:
        return wording.render_sentence(_WORDS, block, facts.reader, values)

    title, about, where = words("rhythm"), words("rhythm_about"), words("rhythm_where")
    stands: tuple[Series | Single, ...] = (*laid.series, *laid.singles)
    return [
        Event(uid=f"{rhythm.id}-{when.name}@ritme", when=when, title=title, about=about, where=where, lasts=LASTS)
        for when in stands
    ]


def _show_own(facts: AgendaFacts, moment: ShownMoment) -> Event:
    is_meeting = moment.kind == "meeting"
    values = {"name": facts.name}
    return Event(
        uid=f"{moment.kind}-{moment.id}@ritme",
        when=Single(name=moment.id, timezone=moment.timezone, at=moment.at),
        title=wording.render_sentence(_WORDS, moment.kind, facts.reader, values),
        about=wording.render_sentence(_WORDS, f"{moment.kind}_about", facts.reader, values),
        lasts=MEETING_LASTS if is_meeting else LASTS,
        busy=is_meeting,
        private=True,
    )
