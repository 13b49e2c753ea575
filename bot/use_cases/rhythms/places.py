"""Change the language, the quiet hours and the time zone of places."""

from dataclasses import replace
from zoneinfo import available_timezones

from bot.catalogue.base import NO, YES, Entry, InPlace, Pick
from bot.catalogue.forms import read_form
from bot.catalogue.rhythms import PlaceForm, RhythmSummary
from bot.changes import record_change
from bot.domain import quiet_hours
from bot.domain.calendar import holidays_of
from bot.domain.change import CoordinatorAct, join_about
from bot.domain.cures import find_cure, list_quiet
from bot.domain.movement import Movement, Place, PlaceId
from bot.domain.person import Language
from bot.domain.rhythm import RhythmId
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.upkeep import check_place, retime


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
        },
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save the settings of a place."""
    movement = turn.require_coordinator()
    filled = read_form(PlaceForm, turn.intent.args)
    if filled.text("timezone") and filled.text("timezone") not in available_timezones():
        filled.problems.add("timezone", "unknown_zone")
    places = await work.movements.places(movement.id)
    here = next((one for one in places if one.id == filled.text("place")), None)
    if here is None:
        filled.problems.add("place", "unknown_choice")
    if here is None or filled.problems:
        raise filled.problems.to_invalid()
    before, was = quiet_hours.of_place(here, movement), here.timezone
    here.language = Language(filled.text("language"))
    here.quiet_from = filled.time("quiet_from") or here.quiet_from
    here.quiet_until = filled.time("quiet_until") or here.quiet_until
    here.quiet_weekends = filled.text("quiet_weekends") == YES
    here.timezone = filled.text("timezone")
    record_change(work, turn, CoordinatorAct.PLACE_SET, here.name or here.channel)
    return await check_place(work, movement, here, turn.now, before=before, was=was if was != here.timezone else "")


async def choose_zone(work: UnitOfWork, turn: Turn) -> InPlace:
    """Let the rhythms of a place that are in the time zone it was in keep their clock time, or their moment; or leave
    all as it is."""
    movement, place = await _load_place(work, turn)
    was, keep, rest = turn.text("was"), turn.text("keep"), turn.text("rest").split()
    if keep == "clock":
        for rhythm in await work.rhythms.of_place(place.id):
            if rhythm.movement_id == movement.id and rhythm.timezone == was and was != place.timezone:
                await retime(work, movement, rhythm, rhythm.timing._replace(timezone=place.timezone), turn.now)
                rest.append(rhythm.id)
        record_change(work, turn, CoordinatorAct.RHYTHM_CHANGED, place.name or place.channel)
    checked = await check_place(work, movement, place, turn.now, among=rest if keep != "all" else ())
    return InPlace(entry=replace(checked, news={"all": "left"}.get(keep, keep)))


async def fit(work: UnitOfWork, turn: Turn) -> InPlace:
    """Move a rhythm to the nearest time that is not quiet in its place, or say why it stays; the others are still to be
    chosen about."""
    movement, place = await _load_place(work, turn)
    rhythm = await work.rhythms.get(RhythmId(turn.text("rhythm")), movement.id)
    if rhythm is None or rhythm.ended_at is not None:
        raise Refused("not_found")
    changes, quiet = await work.rhythms.changes(rhythm, turn.now), quiet_hours.of_place(place, movement)
    calendar = holidays_of(movement, place)
    is_quiet = bool(list_quiet(rhythm.timing, changes, calendar, quiet, turn.now))
    cure = find_cure(rhythm.timing, changes, calendar, quiet, turn.now) if is_quiet else None
    if cure is not None:
        await retime(work, movement, rhythm, cure.timing, turn.now, cure.moved)
        record_change(work, turn, CoordinatorAct.RHYTHM_CHANGED, join_about(rhythm.kind, place.name or place.channel))
    rest = [one for one in turn.text("rest").split() if one != rhythm.id]
    checked = await check_place(work, movement, place, turn.now, among=rest, was=turn.text("was"))
    summary = RhythmSummary.of(rhythm, place.name or place.channel, (), turn.now)
    if cure is None:
        return InPlace(entry=replace(checked, news="no_cure" if is_quiet else "not_quiet", fitted=summary))
    return InPlace(entry=replace(checked, news="fitted", fitted=summary, undo=rhythm.changed_at))


async def _load_place(work: UnitOfWork, turn: Turn) -> tuple[Movement, Place]:
    """Return the movement that the actor coordinates, and the place of it that an intent is about."""
    movement = turn.require_coordinator()
    place = await work.movements.place(PlaceId(turn.text("place")))
    if place is None or place.movement_id != movement.id:
        raise Refused("not_found")
    return movement, place
