"""Show a coordinator the year of a movement's rhythms: what came, what is to come, what is skipped, moved or paused."""

from asyncio import sleep
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry
from bot.catalogue.pictures import YEAR_RHYTHMS, RhythmYear, YearRhythm
from bot.catalogue.rhythms import RhythmSummary
from bot.domain import quiet_hours
from bot.domain.calendar import holidays_of
from bot.domain.movement import Movement, Place, Purpose
from bot.domain.person import Language
from bot.domain.rhythm import Changes, Rhythm, can_come
from bot.domain.year import GivenMoment, MomentState, Year, YearMoment, live_through
from bot.errors import Unwanted
from bot.pictures import plan_picture
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.ports.turn import language_for

FURTHEST_EAST = timedelta(hours=14)
"""By how much a day begins before that of UTC where it begins first."""


async def ask_year(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the picture of a year for a coordinator. Raises `Refused` for somebody else."""
    turn.require_coordinator()
    return await plan_picture(work, turn, "year_drawn")


async def compose_year(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the year for who asked. Raises `Unwanted` when they coordinate the movement no more."""
    movement, reader = outgoing.require_movement(), outgoing.person
    member = await work.movements.membership(movement.id, reader.id) if reader is not None else None
    if member is None or not member.coordinates:
        raise Unwanted("gone")
    return await load_year(work, movement, language_for(reader, None, movement), outgoing.now)


async def load_year(work: UnitOfWork, movement: Movement, language: Language, now: datetime) -> RhythmYear:
    """Load the year of a movement's rhythms around now, the oldest rhythms first."""
    zone = ZoneInfo(movement.timezone)
    today = now.astimezone(zone).date()
    rhythms, count, purpose = await work.together(
        work.rhythms.oldest(movement.id, YEAR_RHYTHMS),
        work.rhythms.count(movement.id),
        work.movements.purpose(movement.id),
    )
    year = Year.around(today, rhythms[0].created_at.astimezone(zone).date() if rhythms else None)
    ids = [one.id for one in rhythms]
    begin = datetime.combine(year.since, time(), UTC) - FURTHEST_EAST
    places, changes, given = await work.together(
        work.movements.places_among({one.place_id for one in rhythms}),
        work.rhythms.changes_of(ids, begin),
        work.deliveries.given_moments({f"rhythm_{one.kind.value}" for one in rhythms}, ids, movement.id),
    )
    shown = []
    for one in rhythms:
        await sleep(0)  # a year takes milliseconds: others go first
        place, its, came = places.get(one.place_id), changes.get(one.id, {}), given.get(one.id, ())
        shown.append(_show_rhythm(movement, one, purpose, year, language, now, place, its, came))
    return RhythmYear(
        name=movement.name,
        since=year.since,
        last=year.until - timedelta(days=1),
        today=today,
        rhythms=tuple(shown),
        more=count - len(rhythms),
    )


def _show_rhythm(
    movement: Movement,
    rhythm: Rhythm,
    purpose: Purpose | None,
    year: Year,
    language: Language,
    now: datetime,
    place: Place | None,
    changes: Changes,
    given: Sequence[GivenMoment],
) -> YearRhythm:
    calendar = holidays_of(movement, place)
    moments: tuple[YearMoment, ...] = ()
    if place is not None:
        moments = live_through(
            rhythm,
            year,
            changes,
            calendar,
            quiet_hours.of_place(place, movement),
            given,
            now,
        )
        if not can_come(rhythm, place, purpose):
            moments = tuple(one for one in moments if one.state not in (MomentState.PLANNED, MomentState.MOVED))
    off = {one.given or one.on for one in moments if one.because == "holiday"}
    return YearRhythm(
        rhythm=RhythmSummary.of(rhythm, (place.name or place.channel) if place is not None else "", (), now),
        moments=moments,
        holidays=tuple((day, calendar.name_day(day, language)) for day in sorted(off)),
    )
