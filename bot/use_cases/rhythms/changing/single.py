"""Change single moments of a rhythm, and pause it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot import wording
from bot.catalogue.base import Entry, InPlace, Pick
from bot.catalogue.forms import Filled, parse_form, read_form
from bot.catalogue.rhythms import MomentForm, MomentLabel, PauseForm
from bot.domain import quiet_hours
from bot.domain.delivery import Priority
from bot.domain.movement import Movement
from bot.domain.rhythm import (
    MAX_MOVE,
    MOMENTS_SHOWN,
    Moment,
    MomentChange,
    Rhythm,
    holidays_of,
    local_moment,
    moments,
    plan_moment,
    update_next_at,
)
from bot.errors import Invalid, Refused
from bot.ports import Turn, UnitOfWork
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
            value=one.on.isoformat(),
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
    on = next((one.on for one in coming if one.on.isoformat() == filled.text("on")), None)
    if on is None:
        filled.problems.add("on", "unknown_choice")
    if what in ("skip", "now") and filled.text("day"):
        filled.problems.add("what", "only_moving")
    place = await work.movements.place(rhythm.place_id)
    if place is None:
        raise Refused("not_found")
    moved_to = turn.now if what == "now" else _parse_move(filled, rhythm, turn.now) if what == "move" else None
    if moved_to is not None:
        check_quiet(filled, quiet_hours.of_place(place), moved_to, "what" if what == "now" else "at")
    if on is None or filled.problems:
        raise filled.problems.to_invalid()
    change = await work.rhythms.change(rhythm.id, on)
    if change is None:
        change = MomentChange(rhythm_id=rhythm.id, movement_id=movement.id, on=on)
        work.rhythms.add(change)
    change.skipped, change.moved_to = moved_to is None, moved_to
    await work.flush()  # the next moment is found by a query that has to see this change
    await find_next(work, movement, rhythm, turn.now)
    if what == "now":
        # A person asks for it, so it is an answer: no budget holds it up, and it does not expire.
        asked = plan_moment(rhythm.due_in(place), Moment(on=on, at=turn.now), turn.now)
        asked.priority, asked.expires_at = Priority.ANSWER, None
        await work.deliveries.add(asked)
    return await show_rhythm(work, turn, rhythm, "sent" if what == "now" else "changed")


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
        moment = local_moment(day, filled.time("at") or rhythm.at, rhythm.timezone)
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
    """Pause a rhythm until a day, when it resumes by itself; planned deliveries of it are cancelled. Raises `Invalid`
    when nothing would come until then: the pause would be none."""
    rhythm = await load_own(work, turn)
    until = parse_form(PauseForm, turn.intent.args).day("until") or date.max
    today = turn.now.astimezone(ZoneInfo(rhythm.timezone)).date()
    if until <= today:
        raise Invalid({"until": "too_early"}, {"until": {"earliest": today + timedelta(days=1)}})
    if until > today + MAX_PAUSE:
        raise Invalid({"until": "too_late"}, {"until": {"latest": today + MAX_PAUSE}})
    held_back = await work.deliveries.cancel(f"rhythm_{rhythm.kind.value}", rhythm.id, "rhythm_rests")
    first = await _find_next_day(work, turn, rhythm)
    if first is not None and until <= first and not held_back:
        raise Invalid({"until": "nothing_until"}, {"until": {"first": first}})
    rhythm.paused_until = until
    await find_next(work, turn.require_movement(), rhythm, turn.now)
    return await show_rhythm(work, turn, rhythm, "paused")


async def _find_next_day(work: UnitOfWork, turn: Turn, rhythm: Rhythm) -> date | None:
    """Return the local day of the next moment that a pause can hold back."""
    unpaused = rhythm.timing._replace(paused_until=None)
    changes = await work.rhythms.changes(rhythm, turn.now)
    first = next(moments(unpaused, changes, holidays_of(turn.require_movement()), after=turn.now), None)
    return first.at.astimezone(ZoneInfo(rhythm.timezone)).date() if first is not None else None


async def resume(work: UnitOfWork, turn: Turn) -> InPlace:
    """End the pause of a rhythm."""
    rhythm = await load_own(work, turn)
    rhythm.paused_until = None
    await find_next(work, turn.require_movement(), rhythm, turn.now)
    return InPlace(entry=await show_rhythm(work, turn, rhythm, "resumed"))


async def find_next(work: UnitOfWork, movement: Movement, rhythm: Rhythm, now: datetime) -> None:
    """Find the next moment of a rhythm again, after a change to it."""
    update_next_at(rhythm, await work.rhythms.changes(rhythm, now), holidays_of(movement), after=now)
