"""Show and change whose holidays and weekend a movement and its places keep: country, region, and what differs."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from bot.catalogue.base import Entry, InPlace, Pick
from bot.catalogue.countries import (
    EVERYWHERE,
    MOVEMENT,
    CountryForm,
    CountryProposed,
    CountryShown,
    DaysForm,
    KeptDays,
)
from bot.catalogue.forms import Filled, read_form
from bot.catalogue.rhythms import RhythmSummary
from bot.changes import record_change
from bot.days_off import update_followers
from bot.domain.calendar import (
    Calendar,
    decode_changes,
    encode_changes,
    find_weekend,
    hash_holiday,
    holidays_of,
    list_regions,
    parse_weekend,
)
from bot.domain.change import CoordinatorAct
from bot.domain.countries import guess_country, name_country, parse_country
from bot.domain.movement import Movement, Place
from bot.domain.person import Language
from bot.domain.quiet_hours import of_place
from bot.domain.recurrence import WEEKDAYS
from bot.domain.regions import find_region, name_regions
from bot.errors import Invalid, Refused
from bot.ports import Turn, UnitOfWork
from bot.understanding.countries import NamedCountry, read_country
from bot.upkeep import find_next_moments, find_silent_rhythms, list_moved_days
from bot.wording import format_channel


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show what the movement and its places keep. With the name of a country, or a sentence that has one, show what
    that would be."""
    movement = turn.require_coordinator()
    named = read_country(turn.text("text"))
    if named.country:
        kept = _move_to(named, holidays_of(movement), _today(turn, movement))
        proposed = await _propose(work, turn, None, kept)
        several = len(await work.movements.places(movement.id)) > 1
        return replace(proposed, named=named.words if several else "")
    return replace(await _show(work, turn, movement), missed="" if turn.text("heard") else turn.text("text"))


async def choose(work: UnitOfWork, turn: Turn) -> CountryForm:
    """Open the form for the country of the movement or of a place."""
    movement = turn.require_coordinator()
    labels = await work.movements.labels(movement.id, turn.person.workspace_id)
    places = await work.movements.places(movement.id)
    return CountryForm(
        options={
            "where": (
                Pick(value=MOVEMENT, label=movement.name),
                *(Pick(value=one.id, label=format_channel(labels[one.id])) for one in places),
            )
        },
        values={
            "where": MOVEMENT,
            "country": turn.text("country") or name_country(movement.country, turn.language),
        },
    )


async def look(work: UnitOfWork, turn: Turn) -> Entry:
    """Show what the country that was filled in would mean, before it is saved."""
    movement = turn.require_coordinator()
    filled = read_form(CountryForm, turn.intent.args)
    named = read_country(filled.text("country"))
    if filled.text("country") and not named.country:
        _refuse_country(filled, turn)
    place = await _find_place(work, movement, filled.text("where"))
    if filled.text("where") not in ("", MOVEMENT) and place is None:
        filled.problems.add("where", "unknown_choice")
    filled.problems.raise_if_any()
    return await _propose(work, turn, place, _move_to(named, holidays_of(movement, place), _today(turn, movement)))


def _move_to(named: NamedCountry, now: Calendar, today: date) -> Calendar:
    """Return what is kept in a country, or a region of it, by who keeps this `now`: the same when they are there
    already."""
    known = dict(list_regions(named.country, today))
    region = named.region if named.region in known else ""
    if now.country == named.country:
        return replace(now, region=region or now.region)
    return Calendar(country=named.country, region=region, weekend=find_weekend(named.country))


def _refuse_country(filled: Filled, turn: Turn) -> None:
    name = guess_country(filled.text("country"), turn.language)
    filled.problems.add("country", "unknown_country", name=name)


async def adjust(work: UnitOfWork, turn: Turn) -> DaysForm:
    """Open the form for the region, the weekend and the holidays that count: those kept now, or of a proposal."""
    movement = turn.require_coordinator()
    place = await _find_place(work, movement, turn.text("where"))
    today = _today(turn, movement)
    kept = holidays_of(movement, place)
    if turn.text("country"):
        kept = _read_proposal(turn, today, kept)
    regions = name_regions(kept.country, today, turn.language)
    listed = kept.list_holidays(today)
    names = kept.name_holidays(listed, turn.language)
    return DaysForm(
        regions=len(regions),
        options={
            "region": (Pick(value=EVERYWHERE), *(Pick(value=code, label=name) for code, name in regions.items())),
            "holidays": tuple(Pick(value=hash_holiday(one.name), label=names[one.name]) for one in listed),
        },
        values={
            "region": kept.region or EVERYWHERE,
            "region_named": regions.get(kept.region, kept.region),
            "weekend": tuple(WEEKDAYS[day] for day in kept.weekend),
            "holidays": tuple(hash_holiday(one.name) for one in listed if one.kept),
        },
        hidden={
            "where": place.id if place is not None else MOVEMENT,
            "country": kept.country,
            "before": kept.region,
            "changed": encode_changes(kept.changed),
        },
    )


async def propose(work: UnitOfWork, turn: Turn) -> Entry:
    """Show what the region, the weekend and the holidays that were filled in would mean, before they are saved."""
    movement = turn.require_coordinator()
    today, filled = _today(turn, movement), read_form(DaysForm, turn.intent.args)
    country = turn.text("country")
    region = _read_region(filled, country, today, turn.language)
    place = await _find_place(work, movement, turn.text("where"))
    stored = holidays_of(movement, place).changed
    changed = decode_changes(turn.text("changed"), country, today, stored)
    before = Calendar(country=country, region=turn.text("before"), changed=changed)
    names = {hash_holiday(one.name): one.name for one in before.list_holidays(today)}
    if not names.keys() >= set(filled.many("holidays")):
        filled.problems.add("holidays", "unknown_choice")
    filled.problems.raise_if_any()
    kept = [names[one] for one in filled.many("holidays")]
    weekend = tuple(WEEKDAYS.index(day) for day in WEEKDAYS if day in filled.many("weekend"))
    wanted = Calendar(country=country, region=region, weekend=weekend, changed=before.choose_holidays(today, kept))
    return await _propose(work, turn, place, wanted)


def _read_region(filled: Filled, country: str, today: date, language: Language) -> str:
    """Return the region that was chosen or named; empty for all of the country."""
    regions = name_regions(country, today, language)
    chosen, named = filled.text("region"), filled.text("region_named")
    if chosen and chosen != EVERYWHERE and not named:
        if chosen not in regions:
            filled.problems.add("region", "unknown_choice")
        return chosen
    found = find_region(named, country, today)
    if named and not found:
        filled.problems.add("region_named", "unknown_region", example=next(iter(regions.values()), ""))
    return found


async def save(work: UnitOfWork, turn: Turn) -> InPlace:
    """Save what was proposed, and find the next moments of all rhythms again: the days off may have changed.

    A place that would keep what the movement keeps, follows the movement from now on.
    """
    movement = turn.require_coordinator()
    places = await work.movements.places(movement.id)
    place = next((one for one in places if one.id == turn.text("where")), None)
    wanted = _read_proposal(turn, _today(turn, movement), holidays_of(movement, place))
    if place is None and turn.text("where") != MOVEMENT:
        raise Refused("not_found")
    promised = await list_moved_days(work, movement, turn.now)
    quiet = {one.id: of_place(one, movement) for one in places}
    owner = place if place is not None else movement
    owner.country, owner.region, owner.holidays = wanted.country, wanted.region, list(wanted.changed)
    usual = find_weekend(wanted.country)
    owner.weekend = "" if wanted.weekend == usual else "".join(map(str, wanted.weekend))
    if place is not None and holidays_of(movement, place) == holidays_of(movement):
        place.country, place.region, place.weekend, place.holidays = "", "", "", []
    if place is not None:
        await update_followers(work, place)
    await find_next_moments(work, movement, turn.now, promised)
    about = (place.name or place.channel) if place is not None else ""
    record_change(work, turn, CoordinatorAct.HOLIDAYS_CHANGED, about)
    shown = await _show(work, turn, movement)
    silenced = await find_silent_rhythms(work, movement, promised.rhythms, quiet, turn.now)
    names = {one.id: one.name or one.channel for one in places}
    summaries = tuple(RhythmSummary.of(one, names.get(one.place_id, ""), (), turn.now) for one in silenced)
    return InPlace(entry=replace(shown, saved=True, silenced=summaries))


async def _show(work: UnitOfWork, turn: Turn, movement: Movement) -> CountryShown:
    labels, abroad = await work.together(
        work.movements.labels(movement.id, turn.person.workspace_id), work.movements.places_abroad(movement.id)
    )
    today = _today(turn, movement)
    return CountryShown(
        name=movement.name,
        kept=KeptDays.of(holidays_of(movement), turn.language, today),
        places=tuple(
            KeptDays.of(holidays_of(movement, one), turn.language, today, place=labels[one.id]) for one in abroad
        ),
    )


async def _propose(work: UnitOfWork, turn: Turn, place: Place | None, kept: Calendar) -> CountryProposed:
    movement = turn.require_coordinator()
    labels = await work.movements.labels(movement.id, turn.person.workspace_id) if place is not None else {}
    name = labels[place.id] if place is not None else ""
    return CountryProposed(
        name=movement.name,
        kept=KeptDays.of(kept, turn.language, _today(turn, movement), place=name),
        where=place.id if place is not None else MOVEMENT,
        country=kept.country,
        region=kept.region,
        weekend="".join(map(str, kept.weekend)),
        changed=encode_changes(kept.changed),
    )


def _read_proposal(turn: Turn, today: date, stored: Calendar) -> Calendar:
    """Return what the button of a proposal says, where this is `stored`. Raises `Invalid` for what no proposal
    has."""
    country, region, weekend = turn.text("country"), turn.text("region"), turn.text("weekend")
    known = not region or region in dict(list_regions(country, today))
    if parse_country(country) != country or not known or not weekend or not set(weekend) < set("0123456"):
        raise Invalid({"country": "unknown_choice"})
    place = Calendar(country=country, region=region, weekend=parse_weekend(weekend))
    return replace(place, changed=decode_changes(turn.text("changed"), country, today, stored.changed))


async def _find_place(work: UnitOfWork, movement: Movement, chosen: str) -> Place | None:
    return next((one for one in await work.movements.places(movement.id) if one.id == chosen), None)


def _today(turn: Turn, movement: Movement) -> date:
    return turn.now.astimezone(ZoneInfo(movement.timezone)).date()
