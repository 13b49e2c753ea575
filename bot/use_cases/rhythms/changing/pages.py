"""Load rhythms, and say what will come of them: where, when, and what a holiday or the quiet hours do to it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile

from bot.catalogue.rhythms import ComingMoment, RhythmShown, RhythmSummary
from bot.domain import quiet_hours
from bot.domain.attention import MAX_POSTS_PER_WEEK, PLACE_WEEK, exceeds_budget
from bot.domain.movement import Movement, Place, PlaceState
from bot.domain.person import Language
from bot.domain.rhythm import (
    MOMENTS_SHOWN,
    Expected,
    Moment,
    Rhythm,
    RhythmId,
    can_come,
    forecast,
    holidays_of,
    lacks_purpose,
    moments,
    name_holiday,
)
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork

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
    """Load a rhythm of the movement that the actor coordinates. Raises `Refused` otherwise."""
    turn.require_coordinator()
    return await load(work, turn)


async def next_moments(
    work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime, count: int
) -> Sequence[Moment]:
    """Return the next moments of a rhythm."""
    changes = await work.rhythms.changes(rhythm, now)
    return list(islice(moments(rhythm.timing, changes, holidays_of(movement), after=now), count))


async def summarize(
    work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime
) -> tuple[RhythmSummary, Sequence[Expected]]:
    """Return a rhythm as lists show it, and what becomes of its next moments."""
    place = await work.movements.place(rhythm.place_id)
    expected: Sequence[Expected] = ()
    if place is not None:
        changes = await work.rhythms.changes(rhythm, now)
        quiet = quiet_hours.of_place(place)
        expected = forecast(rhythm.timing, changes, holidays_of(movement), quiet, after=now, count=MOMENTS_SHOWN)
    name = (place.name or place.channel) if place is not None else ""
    comes = place is not None and can_come(rhythm, place, await work.movements.purpose(movement.id))
    posted = [one.at for one in expected if one.at is not None and comes]
    return RhythmSummary.of(rhythm, name, posted, now), expected


async def show_rhythm(work: UnitOfWork, turn: Turn, rhythm: Rhythm, news: str = "") -> RhythmShown:
    """Return the page of a rhythm. `news` tells what was just done."""
    movement = turn.require_movement()
    place = await work.movements.place(rhythm.place_id)
    summary, expected = await summarize(work, movement, rhythm, turn.now)
    return RhythmShown(
        rhythm=summary,
        coming=tuple(_word_expectation(one, movement, turn.language) for one in expected),
        purpose_missing=lacks_purpose(rhythm, await work.movements.purpose(movement.id)),
        crowded=place is not None and await _is_crowded(work, movement, place, turn.now),
        lost=place.state_reason or "place_gone" if place is not None and place.state is PlaceState.UNREACHABLE else "",
        may_change=turn.member is not None and turn.member.coordinates,
        news=news,
    )


def _word_expectation(one: Expected, movement: Movement, language: Language) -> ComingMoment:
    holiday = name_holiday(movement.country, one.on, language) if one.because == "holiday" else ""
    return ComingMoment(on=one.on, at=one.at, because=one.because, holiday=holiday)


async def _is_crowded(work: UnitOfWork, movement: Movement, place: Place, now: datetime) -> bool:
    """Return whether the rhythms of a place ask for more posts in a week than its budget allows: the last of them will
    not come."""
    until, found = now + CROWDED_AHEAD, list[datetime]()
    for rhythm in await work.rhythms.of_place(place.id):
        changes = await work.rhythms.changes(rhythm, now)
        coming = moments(rhythm.timing, changes, holidays_of(movement), after=now)
        found += [one.at for one in takewhile(lambda one: one.at <= until, coming)]
    return exceeds_budget(found, MAX_POSTS_PER_WEEK, PLACE_WEEK)
