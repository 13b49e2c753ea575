"""Load rhythms, and say what will come of them: where, when, and what a holiday or the quiet hours do to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from bot.catalogue.rhythms import UNDOABLE, ComingMoment, DaysOff, NearMoment, RhythmShown, RhythmSummary
from bot.days_off import load_calendar
from bot.domain import quiet_hours
from bot.domain.attention import MAX_POSTS_PER_WEEK, PLACE_WEEK, exceeds_budget
from bot.domain.calendar import Calendar, holidays_of
from bot.domain.movement import Movement, Place, PlaceId, PlaceState, Purpose
from bot.domain.person import Language
from bot.domain.rhythm import (
    MOMENTS_SHOWN,
    Changes,
    Expected,
    Moment,
    Rhythm,
    RhythmId,
    can_come,
    forecast,
    lacks_purpose,
    moments,
)
from bot.domain.stretches import parse_stretches
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.upkeep import plan_past

NEAR = timedelta(hours=1)
"""Two moments in one place that are nearer to each other than this are told."""
CROWDED_AHEAD = timedelta(weeks=5)
"""How far ahead the posts of a place are counted, to see whether they fit its weekly budget."""


async def load(work: UnitOfWork, turn: Turn) -> Rhythm:
    """Load the rhythm that an intent is about. Raises `Refused` when it is not one of this movement, or has ended."""
    rhythm = await load_any(work, turn)
    if rhythm.ended_at is not None:
        raise Refused("not_found")
    return rhythm


async def load_any(work: UnitOfWork, turn: Turn) -> Rhythm:
    """Load the rhythm that an intent is about, also one that has ended. Raises `Refused` when it is not one of this
    movement."""
    rhythm = await work.rhythms.get(RhythmId(turn.text("rhythm")), turn.require_movement().id)
    if rhythm is None:
        raise Refused("not_found")
    return rhythm


async def load_own(work: UnitOfWork, turn: Turn) -> Rhythm:
    """Load a rhythm of the movement that the actor coordinates, to change it. Raises `Refused` otherwise.

    What is due by now is planned first.
    """
    movement = turn.require_coordinator()
    rhythm = await load(work, turn)
    await plan_past(work, movement, rhythm, turn.now)
    return rhythm


async def next_moments(
    work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime, count: int
) -> Sequence[Moment]:
    """Return the next moments of a rhythm."""
    changes = await work.rhythms.changes(rhythm, now)
    return list(
        islice(moments(rhythm.timing, changes, await load_calendar(work, movement, rhythm.place_id), after=now), count)
    )


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Holds what lies around some rhythms of a movement, loaded at once: their places, the purpose, and the rhythms in
    the same places, with the changes to moments of all of them."""

    movement: Movement
    purpose: Purpose | None
    places: Mapping[PlaceId, Place]
    there: Mapping[PlaceId, Sequence[Rhythm]]
    changes: Mapping[RhythmId, Changes]

    def calendar(self, place: PlaceId) -> Calendar:
        """Return the days off that are kept in a place."""
        return holidays_of(self.movement, self.places.get(place))

    def changes_to(self, rhythm: Rhythm) -> Changes:
        """Return the changes to moments of a rhythm."""
        return self.changes.get(rhythm.id, {})


async def look_around(work: UnitOfWork, movement: Movement, rhythms: Sequence[Rhythm], now: datetime) -> Surroundings:
    """Load what lies around rhythms, in as many statements however many there are."""
    within = {one.place_id for one in rhythms}
    there, purpose, places, changes = await work.together(
        work.rhythms.of_places(within),
        work.movements.purpose(movement.id),
        work.movements.places_among(within),
        work.rhythms.changes_in(within, now),
    )
    ended = [one.id for one in rhythms if one.ended_at is not None]
    return Surroundings(
        movement=movement,
        purpose=purpose,
        places=places,
        there=there,
        changes={**changes, **await work.rhythms.changes_of(ended, now)},
    )


async def summarize(
    work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime, changes: Changes | None = None
) -> tuple[RhythmSummary, Sequence[Expected]]:
    """Return a rhythm as lists show it, and what becomes of its next moments, with the changes that are stored or with
    others."""
    around = await look_around(work, movement, [rhythm], now)
    return summarize_within(around, rhythm, now, changes)


def summarize_within(
    around: Surroundings, rhythm: Rhythm, now: datetime, changes: Changes | None = None
) -> tuple[RhythmSummary, Sequence[Expected]]:
    """Return the same (see `summarize`) of one of several, around which all is loaded."""
    place = around.places.get(rhythm.place_id)
    expected: Sequence[Expected] = ()
    if place is not None:
        changes = around.changes_to(rhythm) if changes is None else changes
        quiet = quiet_hours.of_place(place, around.movement)
        calendar = around.calendar(place.id)
        expected = forecast(rhythm.timing, changes, calendar, quiet, after=now, count=MOMENTS_SHOWN)
    name = (place.name or place.channel) if place is not None else ""
    comes = place is not None and can_come(rhythm, place, around.purpose)
    posted = [one.at for one in expected if one.at is not None and comes]
    return RhythmSummary.of(rhythm, name, posted, now), expected


async def show_rhythm(work: UnitOfWork, turn: Turn, rhythm: Rhythm, news: str = "") -> RhythmShown:
    """Return the page of a rhythm. `news` tells what was just done."""
    around = await look_around(work, turn.require_movement(), [rhythm], turn.now)
    return show_within(around, turn, rhythm, news)


def show_within(around: Surroundings, turn: Turn, rhythm: Rhythm, news: str = "") -> RhythmShown:
    """Return the page of one of several rhythms, around which all is loaded."""
    place = around.places.get(rhythm.place_id)
    summary, coming = foresee(around, turn, rhythm)
    missing, lost = find_obstacles(around, rhythm)
    return RhythmShown(
        rhythm=summary,
        coming=coming,
        purpose_missing=missing,
        crowded=place is not None and _is_crowded(around, place, turn.now),
        lost=lost,
        near=find_near(around, turn, rhythm),
        may_change=turn.member is not None and turn.member.coordinates,
        news=news,
        undo=rhythm.changed_at if news in UNDOABLE else "",
        pauses=tuple(
            DaysOff(begin=one.begin, end=one.end, value=one.text)
            for one in parse_stretches(rhythm.pauses)
            if one.begin > turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
        ),
    )


def find_obstacles(around: Surroundings, rhythm: Rhythm) -> tuple[bool, str]:
    """Return what keeps a rhythm from coming: whether it lacks a purpose, and why its place is out of reach, a block of
    `errors/reasons.md.j2`; empty when it is not."""
    place = around.places.get(rhythm.place_id)
    lost = place is not None and place.state is PlaceState.UNREACHABLE
    missing = lacks_purpose(rhythm, around.purpose)
    return missing, (place.state_reason or "place_gone") if place is not None and lost else ""


def find_near(
    around: Surroundings, turn: Turn, rhythm: Rhythm, changes: Changes | None = None
) -> tuple[NearMoment, ...]:
    """Return the first moment of each rhythm in the same place that comes within an hour of one of the next moments of
    this one."""
    calendar = around.calendar(rhythm.place_id)
    changes = around.changes_to(rhythm) if changes is None else changes
    own = [one.at for one in islice(moments(rhythm.timing, changes, calendar, after=turn.now), MOMENTS_SHOWN)]
    found = [NearMoment(kind=rhythm.kind, at=at) for before, at in pairwise(own) if at - before < NEAR][:1]
    until = own[-1] + NEAR if own else turn.now
    for other in around.there.get(rhythm.place_id, ()) if own else ():
        coming = moments(other.timing, around.changes_to(other), calendar, after=turn.now)
        within = (one.at for one in takewhile(lambda one: one.at < until, coming))
        at = next((at for at in within if any(abs(at - one) < NEAR for one in own)), None)
        if at is not None and other.id != rhythm.id:
            found.append(NearMoment(kind=other.kind, at=at))
    return tuple(sorted(found, key=lambda one: one.at))


def foresee(
    around: Surroundings, turn: Turn, rhythm: Rhythm, changes: Changes | None = None
) -> tuple[RhythmSummary, tuple[ComingMoment, ...]]:
    """Return a rhythm as lists show it, and what becomes of its next moments, in words; also of one that is not
    stored."""
    summary, expected = summarize_within(around, rhythm, turn.now, changes)
    calendar = around.calendar(rhythm.place_id)
    return summary, tuple(_word_expectation(one, rhythm, calendar, turn.language) for one in expected)


def _word_expectation(one: Expected, rhythm: Rhythm, calendar: Calendar, language: Language) -> ComingMoment:
    holiday = calendar.name_day(one.on, language) if one.because == "holiday" else ""
    several = len(rhythm.timing.times) > 1 and one.at is None and one.because != "holiday"
    return ComingMoment(
        on=one.on, at=one.at, because=one.because, holiday=holiday, given=one.given if several else None
    )


def _is_crowded(around: Surroundings, place: Place, now: datetime) -> bool:
    """Return whether the rhythms of a place ask for more posts in a week than its budget allows: the last of them will
    not come."""
    until, found = now + CROWDED_AHEAD, list[datetime]()
    for rhythm in around.there.get(place.id, ()):
        coming = moments(rhythm.timing, around.changes_to(rhythm), around.calendar(place.id), after=now)
        found += [one.at for one in takewhile(lambda one: one.at <= until, coming)]
    return exceeds_budget(found, MAX_POSTS_PER_WEEK, PLACE_WEEK)
