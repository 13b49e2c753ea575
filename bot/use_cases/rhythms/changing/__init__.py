"""Show rhythms; and for coordinators: make, change, pause and end them, and change single moments."""

from datetime import timedelta

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.rhythms import (
    UNSENT_WINDOW,
    PaceKept,
    RhythmDoubled,
    RhythmForm,
    RhythmsShown,
    UnsentMessage,
)
from bot.domain.delivery import Delivery
from bot.domain.rhythm import Rhythm
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.understanding.rhythm import HeardRhythm, read_rhythm
from bot.use_cases.rhythms.changing.form import fill_form, parse_rhythm
from bot.use_cases.rhythms.changing.pages import load, load_any, load_own, show_rhythm, summarize
from bot.use_cases.rhythms.changing.single import (
    change_moment,
    find_next,
    pause,
    resume,
    save_moment,
    save_pause,
)

__all__ = [
    "change_moment",
    "create",
    "end",
    "keep_pace",
    "pause",
    "resume",
    "save",
    "save_double",
    "save_moment",
    "save_pause",
    "show",
    "show_one",
    "slow_down",
]
UNSENT_SHOWN = 5


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show every rhythm with its next moment; to coordinators also messages that were not sent lately, and why. When
    they typed what rhythm they want, open the form with that."""
    movement = turn.require_movement()
    may_change = turn.member is not None and turn.member.coordinates
    missed = ""
    if may_change and turn.text("text"):
        heard = await _read(work, turn)
        if heard.is_wanted:
            return await fill_form(work, turn, heard.values, heard.missed)
        missed = turn.text("text") if not heard.values and not heard.asks else ""
    found = await work.rhythms.of_movement(movement.id)
    unsent: list[UnsentMessage] = []
    if may_change:
        rows = await work.deliveries.of_movement(movement.id, turn.now - UNSENT_WINDOW, UNSENT_SHOWN, not_posted=True)
        unsent = [_to_unsent_message(one) for one in rows]
    return RhythmsShown(
        name=movement.name,
        rhythms=tuple([(await summarize(work, movement, one, turn.now))[0] for one in found]),
        held=tuple(unsent),
        may_change=may_change,
        missed=missed,
    )


def _to_unsent_message(delivery: Delivery) -> UnsentMessage:
    return UnsentMessage(kind=delivery.kind, at=delivery.due_at, reason=delivery.reason)


async def _read(work: UnitOfWork, turn: Turn) -> HeardRhythm:
    """Read what was typed after the command: the rhythm that is wanted."""
    movement = turn.require_movement()
    names = await work.movements.labels(movement.id, turn.person.workspace_id)
    places = await work.movements.places(movement.id)
    named = {name: place.id for place in places for name in (place.channel, place.name, names[place.id]) if name}
    return read_rhythm(turn.text("text"), turn.language, named)


async def show_one(work: UnitOfWork, turn: Turn) -> Entry:
    """Show one rhythm with its next five moments."""
    return await show_rhythm(work, turn, await load(work, turn))


async def create(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form for a new rhythm, filled in with what was typed, if anything."""
    turn.require_coordinator()
    heard = await _read(work, turn)
    return await fill_form(work, turn, heard.values, heard.missed)


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save a new rhythm, and show it with its next five moments. Raises `Invalid` when it would fall in quiet hours.
    Where one of the same kind comes at the same moments already, ask first."""
    rhythm = await parse_rhythm(work, turn, turn.intent.args)
    alike = await _find_alike(work, rhythm)
    if not alike:
        return await _add(work, turn, rhythm)
    summary, _ = await summarize(work, turn.require_movement(), alike[-1], turn.now)
    return RhythmDoubled(
        rhythm=summary,
        same=any(one.rule == rhythm.rule for one in alike),
        args={**_pack(turn), "alike": str(len(alike))},
    )


async def save_double(work: UnitOfWork, turn: Turn) -> InPlace:
    """Save a rhythm although there is one alike. Pressed twice, it is saved once: `alike` counts those there were."""
    args = {**turn.intent.args, "weekdays": tuple(turn.text("weekdays").split())}
    rhythm = await parse_rhythm(work, turn, args)
    alike = await _find_alike(work, rhythm)
    if len(alike) > int(turn.text("alike") or 0):
        return InPlace(entry=await show_rhythm(work, turn, alike[-1], "saved"))
    return InPlace(entry=await _add(work, turn, rhythm))


def _pack(turn: Turn) -> dict[str, str]:
    """Return the values of a submitted form as those of a button, which has only single ones."""
    values = {ask.name: turn.intent.args.get(ask.name, "") for ask in RhythmForm.asks}
    return {name: value if isinstance(value, str) else " ".join(value) for name, value in values.items()}


async def _find_alike(work: UnitOfWork, rhythm: Rhythm) -> list[Rhythm]:
    """Return the rhythms of this kind in the same place that share a day and the time with it, oldest first."""
    days = set(rhythm.pattern.days)
    return [
        one
        for one in await work.rhythms.of_movement(rhythm.movement_id)
        if (one.kind, one.place_id, one.at, one.timezone) == (rhythm.kind, rhythm.place_id, rhythm.at, rhythm.timezone)
        and days & set(one.pattern.days)
    ]


async def _add(work: UnitOfWork, turn: Turn, rhythm: Rhythm) -> Entry:
    work.rhythms.add(rhythm)
    await find_next(work, turn.require_movement(), rhythm, turn.now)
    await work.flush()  # the page counts all rhythms of the place, by a query that has to see this one
    return await show_rhythm(work, turn, rhythm, "saved")


async def end(work: UnitOfWork, turn: Turn) -> InPlace:
    """End a rhythm for good; planned deliveries of it are cancelled."""
    turn.require_coordinator()
    rhythm = await load_any(work, turn)
    if rhythm.ended_at is None:
        rhythm.ended_at, rhythm.next_at = turn.now, None
        await work.deliveries.cancel(f"rhythm_{rhythm.kind.value}", rhythm.id, "rhythm_ended")
    return InPlace(entry=await show_rhythm(work, turn, rhythm, "ended"))


async def slow_down(work: UnitOfWork, turn: Turn) -> InPlace:
    """Halve the frequency of a rhythm from its next moment on. Raises `Refused` when it is as slow as it can be.

    `every` is how often it came when that was asked: pressed twice, it is halved once.
    """
    rhythm = await load_own(work, turn)
    pattern = rhythm.pattern
    if turn.text("every") in ("", str(pattern.every)):
        slower = pattern.slower()
        if slower is None:
            raise Refused("slowest")
        rhythm.rule, rhythm.unanswered = slower.rule, 0
        # Counted anew, from so far ahead that the next moment is about one new interval away.
        rhythm.starts_on = slower.first_day(rhythm.at, rhythm.timezone, turn.now + timedelta(weeks=slower.every - 1))
        await find_next(work, turn.require_movement(), rhythm, turn.now)
    return InPlace(entry=await show_rhythm(work, turn, rhythm, "slower"))


async def keep_pace(work: UnitOfWork, turn: Turn) -> InPlace:
    """Confirm that a rhythm keeps its pace; nothing changes."""
    await load_own(work, turn)
    return InPlace(entry=PaceKept())
