"""Change the language, the quiet hours and the time zone of places."""

from datetime import datetime
from zoneinfo import available_timezones

from bot.catalogue.base import NO, YES, Entry, Pick
from bot.catalogue.forms import read_form
from bot.catalogue.rhythms import PlaceForm, PlaceSaved, RhythmSummary
from bot.domain import quiet_hours
from bot.domain.calendar import good_friday_is_chosen, holidays_of
from bot.domain.movement import Movement, Place
from bot.domain.person import Language
from bot.domain.rhythm import MOMENTS_SHOWN, Rhythm, expect_moments, update_next_at
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form for the language, the quiet hours and the time zone of a place."""
    movement = turn.require_coordinator()
    places = await work.movements.places(movement.id)
    if not places:
        raise Refused("not_found")
    here = next((one for one in places if turn.place is not None and one.id == turn.place.id), places[0])
    labels = await work.movements.labels(movement.id, turn.person.workspace_id)
    return PlaceForm(
        options={"place": tuple(Pick(value=one.id, label=labels[one.id]) for one in places)},
        values={
            "place": here.id,
            "language": here.language or movement.language,
            "quiet_from": here.quiet_from.isoformat("minutes"),
            "quiet_until": here.quiet_until.isoformat("minutes"),
            "quiet_weekends": YES if here.quiet_weekends else NO,
            "timezone": here.timezone,
            "good_friday": YES if movement.good_friday else NO,
        },
        asks_good_friday=good_friday_is_chosen(movement.country),
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save the settings of a place, and find the next moments of all rhythms again: holidays may have changed."""
    movement = turn.require_coordinator()
    # Where that is not asked, it stays as it is.
    unasked = {} if good_friday_is_chosen(movement.country) else {"good_friday": YES if movement.good_friday else NO}
    filled = read_form(PlaceForm, {**turn.intent.args, **unasked})
    if filled.text("timezone") and filled.text("timezone") not in available_timezones():
        filled.problems.add("timezone", "unknown_zone")
    places = await work.movements.places(movement.id)
    here = next((one for one in places if one.id == filled.text("place")), None)
    if here is None:
        filled.problems.add("place", "unknown_choice")
    if here is None or filled.problems:
        raise filled.problems.to_invalid()
    here.language = Language(filled.text("language"))
    here.quiet_from = filled.time("quiet_from") or here.quiet_from
    here.quiet_until = filled.time("quiet_until") or here.quiet_until
    here.quiet_weekends = filled.text("quiet_weekends") == YES
    here.timezone = filled.text("timezone")
    movement.good_friday = filled.text("good_friday") == YES
    rhythms = await work.rhythms.of_movement(movement.id)
    # What is due by now is left to the planner.
    for rhythm in (one for one in rhythms if one.next_at is None or one.next_at > turn.now):
        changes = await work.rhythms.changes(rhythm, turn.now)
        update_next_at(rhythm, changes, holidays_of(movement), after=turn.now)
    name, there = here.name or here.channel, [one for one in rhythms if one.place_id == here.id]
    return PlaceSaved(
        place=name,
        start=here.quiet_from,
        end=here.quiet_until,
        weekends=here.quiet_weekends,
        timezone=here.timezone,
        silenced=tuple(
            [
                RhythmSummary.of(one, name, (), turn.now)
                for one in there
                if await _is_silenced(work, movement, one, here, turn.now)
            ]
        ),
    )


async def _is_silenced(work: UnitOfWork, movement: Movement, rhythm: Rhythm, place: Place, now: datetime) -> bool:
    """Return whether one of the next moments of a rhythm falls in the quiet hours of its place."""
    changes = await work.rhythms.changes(rhythm, now)
    quiet = quiet_hours.of_place(place, movement)
    expected = expect_moments(rhythm.timing, changes, holidays_of(movement), quiet, after=now, count=MOMENTS_SHOWN)
    return any(one.because == "quiet" for one in expected)
