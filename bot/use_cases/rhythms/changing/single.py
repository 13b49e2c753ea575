"""Change single moments of a rhythm, and pause it."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot import wording
from bot.catalogue.base import Entry, InPlace, Pick
from bot.catalogue.forms import Filled, read_form
from bot.catalogue.rhythms import MomentForm, MomentLabel, PauseForm
from bot.changes import record_change
from bot.days_off import load_calendar
from bot.domain import quiet_hours
from bot.domain.change import CoordinatorAct, join_about
from bot.domain.delivery import Priority
from bot.domain.movement import Movement
from bot.domain.quiet_hours import to_utc
from bot.domain.rhythm import (
    MAX_MOVE,
    MOMENTS_SHOWN,
    Moment,
    MomentChange,
    Rhythm,
    moments,
    plan_moment,
)
from bot.domain.stretches import MAX_STRETCHES, Stretch, end_stretch, format_stretches, list_to_come, parse_stretches
from bot.errors import Invalid, Refused
from bot.ports import Turn, UnitOfWork
from bot.upkeep import find_next_moment
from bot.use_cases.rhythms.changing.form import check_quiet
from bot.use_cases.rhythms.changing.pages import load_own, next_moments, show_rhythm
from bot.wording import Reader

MAX_PAUSE = timedelta(days=366)


async def change_moment(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to skip, move or send now one of the next moments."""
    rhythm = await load_own(work, turn)
    movement = turn.require_movement()
    reader = Reader(language=turn.language, timezone=turn.timezone, now=turn.now)
    coming = await next_moments(work, movement, rhythm, turn.now, MOMENTS_SHOWN)
    picks = tuple(
        Pick(
            value=_to_value(one),
            label=wording.render_entry(MomentLabel(at=one.at, timezone=rhythm.timezone), reader).text,
        )
        for one in coming
    )
    if not picks:
        raise Refused("no_moments")
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    return MomentForm(
        options={"on": picks},
        values={"on": picks[0].value, "what": "skip", "at": rhythm.at.isoformat("minutes")},
        hidden={"rhythm": rhythm.id},
        earliest=today,
        latest=today + MAX_MOVE,
    )


async def save_moment(work: UnitOfWork, turn: Turn) -> Entry:
    """Skip one moment, move it, or send it now. Raises `Invalid` when it would fall in quiet hours, or when a day or
    time was filled in for a moment that is not moved."""
    rhythm = await load_own(work, turn)
    movement = turn.require_movement()
    filled = read_form(MomentForm, turn.intent.args)
    what = filled.text("what")
    coming = await next_moments(work, movement, rhythm, turn.now, MOMENTS_SHOWN * 2)
    chosen = next((one for one in coming if _to_value(one) == filled.text("on")), None)
    if chosen is None:
        filled.problems.add("on", "unknown_choice")
    if what in ("skip", "now") and filled.text("day"):
        filled.problems.add("what", "only_moving")
    place = await work.movements.place(rhythm.place_id)
    if place is None:
        raise Refused("not_found")
    moved_to = turn.now if what == "now" else _parse_move(filled, rhythm, turn.now) if what == "move" else None
    if moved_to is not None:
        check_quiet(
            filled, quiet_hours.of_place(place, turn.require_movement()), moved_to, "what" if what == "now" else "at"
        )
    if chosen is None or filled.problems:
        raise filled.problems.to_invalid()
    await remember(work, turn, rhythm, CoordinatorAct.MOMENT_CHANGED)
    if what == "now":
        rhythm.previous = {}  # what was sent cannot be taken back
    change = await work.rhythms.change(rhythm.id, chosen.name)
    if change is None:
        change = MomentChange(rhythm_id=rhythm.id, movement_id=movement.id, on=chosen.on, slot=chosen.slot)
        work.rhythms.add(change)
    change.skipped, change.moved_to = moved_to is None, moved_to
    await find_next(work, movement, rhythm, turn.now)
    if what == "now":
        # A person asks for it, so it is an answer: no budget holds it up, and it does not expire.
        asked = plan_moment(rhythm.due_in(place), replace(chosen, at=turn.now), turn.now)
        asked.priority, asked.expires_at = Priority.ANSWER, None
        await work.deliveries.add(asked)
    return await show_rhythm(work, turn, rhythm, "sent" if what == "now" else "changed")


def _to_value(moment: Moment) -> str:
    """Return a moment as the value of a choice; the first of a day is its date."""
    return f"{moment.on.isoformat()}/{moment.slot}" if moment.slot else moment.on.isoformat()


def _parse_move(filled: Filled, rhythm: Rhythm, now: datetime) -> datetime | None:
    """Return the UTC moment to move to; None, with a problem added, when there is none, or it has passed or is too far
    ahead."""
    day = filled.day("day")
    today = now.astimezone(ZoneInfo(rhythm.timezone)).date()
    if day is None:
        filled.problems.add("day", "missing_day")
    elif day < today:
        filled.problems.add("day", "too_early", earliest=today)
    elif day > today + MAX_MOVE:
        filled.problems.add("day", "too_late", latest=today + MAX_MOVE)
    else:
        moment = to_utc(day, filled.time("at") or rhythm.at, rhythm.timezone)
        if moment > now:
            return moment
        filled.problems.add("at", "moment_passed")
    return None


async def pause(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to pause a rhythm, prefilled with two weeks; further where nothing would come in those."""
    rhythm = await load_own(work, turn)
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    until = today + timedelta(days=14)
    first = await _find_next_day(work, turn, rhythm)
    if first is not None and first >= until:
        until = min(first + timedelta(days=1), today + MAX_PAUSE)
    return PauseForm(
        values={"until": until.isoformat()},
        hidden={"rhythm": rhythm.id},
        earliest=today + timedelta(days=1),
        latest=today + MAX_PAUSE,
    )


async def save_pause(work: UnitOfWork, turn: Turn) -> Entry:
    """Pause a rhythm until a day, when it resumes by itself: from now on, when planned deliveries of it are cancelled,
    or from a day to come. Raises `Invalid` when nothing would come in between: the pause would be none."""
    rhythm = await load_own(work, turn)
    filled = read_form(PauseForm, turn.intent.args)
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    starts, until = filled.day("starts") or today, filled.day("until")
    if starts < today:
        filled.problems.add("starts", "too_early", earliest=today)
    if until is not None and until <= max(starts, today):
        filled.problems.add("until", "too_early", earliest=max(starts, today) + timedelta(days=1))
    if until is not None and until > today + MAX_PAUSE:
        filled.problems.add("until", "too_late", latest=today + MAX_PAUSE)
    if len(list_to_come(parse_stretches(rhythm.pauses), today)) >= MAX_STRETCHES:
        filled.problems.add("starts", "too_many", most=str(MAX_STRETCHES))
    if until is None or filled.problems:
        raise filled.problems.to_invalid()
    held_back = False
    if starts == today:
        held_back = bool(await work.deliveries.cancel(f"rhythm_{rhythm.kind.value}", rhythm.id, "rhythm_rests"))
    first = await _find_next_day(work, turn, rhythm, starts)
    if first is not None and until <= first and not held_back:
        raise Invalid({"until": "nothing_until"}, {"until": {"first": first}})
    await remember(work, turn, rhythm, CoordinatorAct.RHYTHM_PAUSED)
    rhythm.pauses = format_stretches((*parse_stretches(rhythm.pauses), Stretch(starts, until)), today)
    await find_next(work, turn.require_movement(), rhythm, turn.now)
    return await show_rhythm(work, turn, rhythm, "paused" if starts == today else "planned")


async def _find_next_day(work: UnitOfWork, turn: Turn, rhythm: Rhythm, since: date | None = None) -> date | None:
    """Return the local day of the next moment that a pause can hold back, from a day on."""
    unpaused = rhythm.timing._replace(paused_until=None, pauses="")
    changes = await work.rhythms.changes(rhythm, turn.now)
    after = max(turn.now, to_utc(since, time(0), rhythm.timezone)) if since is not None else turn.now
    calendar = await load_calendar(work, turn.require_movement(), rhythm.place_id)
    first = next(moments(unpaused, changes, calendar, after=after), None)
    return first.at.astimezone(ZoneInfo(rhythm.timezone)).date() if first is not None else None


async def resume(work: UnitOfWork, turn: Turn) -> InPlace:
    """End the pause of a rhythm, or leave out one that was planned."""
    rhythm = await load_own(work, turn)
    await remember(work, turn, rhythm, CoordinatorAct.RHYTHM_RESUMED)
    today, planned = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date(), parse_stretches(rhythm.pauses)
    if turn.text("pause"):
        ends = [one for one in planned if one.text == turn.text("pause")]
    else:
        rhythm.paused_until, ends = None, [one for one in planned if one.covers(today)]
    kept = [left for one in planned for left in (end_stretch(one, today) if one in ends else [one])]
    rhythm.pauses = format_stretches(kept, today)
    await find_next(work, turn.require_movement(), rhythm, turn.now)
    return InPlace(entry=await show_rhythm(work, turn, rhythm, "resumed" if not turn.text("pause") else "changed"))


async def remember(work: UnitOfWork, turn: Turn, rhythm: Rhythm, kind: CoordinatorAct) -> None:
    """Keep a rhythm as it is, to take back the change that comes now, and log that."""
    rhythm.remember(await work.rhythms.changes(rhythm, turn.now), turn.now)
    await log_rhythm(work, turn, rhythm, kind)


async def log_rhythm(work: UnitOfWork, turn: Turn, rhythm: Rhythm, kind: CoordinatorAct) -> None:
    """Log a change of a rhythm, with its kind and the name of its place."""
    place = await work.movements.place(rhythm.place_id)
    name = (place.name or place.channel) if place is not None else ""
    record_change(work, turn, kind, join_about(rhythm.kind, name) if name else "")


async def find_next(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime) -> None:
    """Find the next moment of a rhythm again, after a change to it."""
    await find_next_moment(work, rhythm, await load_calendar(work, movement, rhythm.place_id), now)
