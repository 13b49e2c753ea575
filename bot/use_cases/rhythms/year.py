"""Show a coordinator the year of a movement's rhythms: what came, what is to come, what is skipped, moved or paused."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry
from bot.catalogue.pictures import YEAR_RHYTHMS, RhythmYear, YearRhythm
from bot.catalogue.rhythms import RhythmSummary
from bot.domain import quiet_hours
from bot.domain.calendar import holidays_of
from bot.domain.movement import Movement, Purpose
from bot.domain.person import Language
from bot.domain.rhythm import Rhythm, can_come
from bot.domain.year import MomentState, Year, YearMoment, live_through
from bot.errors import Unwanted
from bot.pictures import plan_picture
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.ports.turn import language_for


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
    shown = await work.together(*(_load_rhythm(work, movement, one, purpose, year, language, now) for one in rhythms))
    return RhythmYear(
        name=movement.name,
        since=year.since,
        last=year.until - timedelta(days=1),
        today=today,
        rhythms=tuple(shown),
        more=count - len(rhythms),
    )


async def _load_rhythm(
    work: UnitOfWork,
    movement: Movement,
    rhythm: Rhythm,
    purpose: Purpose | None,
    year: Year,
    language: Language,
    now: datetime,
) -> YearRhythm:
    begin = datetime.combine(year.since, time(), ZoneInfo(rhythm.timezone)).astimezone(UTC)
    place, changes, posts = await work.together(
        work.movements.place(rhythm.place_id),
        work.rhythms.changes(rhythm, begin),
        work.deliveries.about(f"rhythm_{rhythm.kind.value}", rhythm.id, movement.id),
    )
    calendar = holidays_of(movement, place)
    moments: tuple[YearMoment, ...] = ()
    if place is not None:
        moments = live_through(
            rhythm,
            year,
            changes,
            calendar,
            quiet_hours.of_place(place, movement),
            posts,
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
