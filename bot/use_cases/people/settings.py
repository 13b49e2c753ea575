"""Let people change their settings, snooze Ritme, stop it, and come back."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from bot.catalogue.base import MAX_FORM_OPTIONS, NO, YES, Entry, InPlace, Pick
from bot.catalogue.forms import Filled, parse_form, read_form
from bot.catalogue.people import (
    DAYS_OFF,
    MAX_OTHERS,
    MEETS,
    SUGGESTIBLE,
    SUGGESTIBLE_OTHERS,
    USUAL,
    Awake,
    MovedPromise,
    SettingsForm,
    SettingsSaved,
    Snoozed,
    SnoozeForm,
    StopOffered,
    Stopped,
)
from bot.days_off import follow_country, list_own_abroad
from bot.domain import quiet_hours
from bot.domain.attention import WEEK
from bot.domain.connectors import KeyFigure
from bot.domain.delivery import DeliveryState
from bot.domain.followed_days import DAYS, follow_days
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, StoryChoice
from bot.domain.quiet_hours import arrival_of
from bot.errors import Invalid
from bot.ports import Turn, UnitOfWork
from bot.shifts import dump_hours, follow_group, read_hours
from bot.understanding.absence import read_return
from bot.wording import shorten

MAX_SNOOZE = timedelta(days=365)
MOVEMENT_NAME_CHARS = 60
"""Characters of a movement's name in the label of a field."""
OF_MOVEMENT = "_in"
"""Ends the names of hidden values: which movement the field before it is about."""
MEETS_ASKED = "meets_asked"
"""The hidden value of a form that asks about being brought together."""
QUIET_SHOWN = "quiet_shown"
"""The hidden value of the form with the quiet hours that it shows."""
WAKES_AT = time(8)
"""Local time at which a snooze ends."""
Promises = dict[tuple[datetime, MovementId], tuple[Movement, datetime]]


async def change(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form with the actor's settings. Whether they may be suggested is asked for each of their movements, the
    one where they are first."""
    person = turn.person
    quiet = quiet_hours.of_person(person, turn.timezone, turn.movement)
    belongs = await _load_belongs(work, turn)
    answers = {True: YES, False: NO, None: ""}
    asked, others = list(zip(SUGGESTIBLE, belongs, strict=False)), belongs[len(SUGGESTIBLE) :][:MAX_OTHERS]
    shown = [*(one for _, one in asked), *others]
    places, labels = await _load_abroad(work, turn, belongs)
    return SettingsForm(
        follows=person.group if person.quiet_from is None and person.group_quiet_from is not None else "",
        movements=tuple(shorten(movement.name, MOVEMENT_NAME_CHARS) for _, (movement, _) in asked),
        options={
            SUGGESTIBLE_OTHERS: _as_options(others),
            MEETS: _as_options(shown),
            DAYS_OFF: _list_days(places, labels),
        },
        hidden={
            **{f"{name}{OF_MOVEMENT}": movement.id for name, (movement, _) in asked},
            **({f"{SUGGESTIBLE_OTHERS}{OF_MOVEMENT}": " ".join(one.id for one, _ in others)} if others else {}),
            **({MEETS_ASKED: YES} if shown else {}),
            QUIET_SHOWN: dump_hours(quiet.start, quiet.end, weekends=quiet.weekends),
        },
        values={
            **{name: answers[member.suggestible] for name, (_, member) in asked},
            SUGGESTIBLE_OTHERS: tuple(movement.id for movement, member in others if member.suggestible),
            MEETS: tuple(movement.id for movement, member in shown if member.meets),
            "figures": _figures(belongs),
            "language": turn.language.value,
            "timezone": turn.timezone,
            DAYS_OFF: person.days_place or USUAL,
            "group": person.group,
            "stories": person.story_choice.value if person.story_choice else "",
            "named": YES if person.story_named else NO,
            "named_beyond": YES if person.named_beyond else NO,
            "quiet_from": quiet.start.isoformat("minutes"),
            "quiet_until": quiet.end.isoformat("minutes"),
            "quiet_weekends": YES if quiet.weekends else NO,
        },
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Save the submitted settings."""
    filled = read_form(SettingsForm, turn.intent.args)
    if filled.text("timezone") not in available_timezones():
        filled.problems.add("timezone", "unknown_zone")
    if not set(filled.many(SUGGESTIBLE_OTHERS)) <= set(_list_others(turn)):
        filled.problems.add(SUGGESTIBLE_OTHERS, "unknown_choice")
    if not set(filled.many(MEETS)) <= set(_list_asked_movements(turn)):
        filled.problems.add(MEETS, "unknown_choice")
    belongs = await _load_belongs(work, turn)
    (places, _), promised = await work.together(_load_abroad(work, turn, belongs), _load_promises(work, turn, belongs))
    if filled.text(DAYS_OFF) not in ("", USUAL, *(one.id for one in places)):
        filled.problems.add(DAYS_OFF, "unknown_choice")
    filled.problems.raise_if_any()
    person = turn.person
    language, timezone = Language(filled.text("language")), filled.text("timezone")
    group = " ".join(filled.text("group").split())
    # Only values that differ from those shown count as chosen: the platform's profile may still change the others.
    changed = {
        "language": language is not turn.language,
        "timezone": timezone != turn.timezone,
        "group": group != person.group,
        DAYS: filled.text(DAYS_OFF) not in ("", person.days_place or USUAL),
    }
    person.chose = [name for name, other in changed.items() if other or name in person.chose]
    person.language, person.timezone, person.group = language, timezone, group
    if changed[DAYS]:
        follow_days(person, next((one for one in places if one.id == filled.text(DAYS_OFF)), None))
    elif changed["timezone"] and turn.movement is not None:
        await follow_country(work, person, turn.movement)
    _save_suggestible(turn, filled, belongs)
    _save_meeting(turn, filled, belongs)
    person.story_choice = StoryChoice(filled.text("stories")) if filled.text("stories") else None
    person.story_named = filled.text("named") == YES
    person.named_beyond = filled.text("named_beyond") == YES
    follows = await _save_hours(work, turn, filled)
    return SettingsSaved(moved=_compare_promises(turn, promised), **follows)


async def _save_hours(work: UnitOfWork, turn: Turn, filled: Filled) -> dict[str, Any]:
    """Save the quiet hours that differ from those that the form showed, or follow those of the group: filled in as
    these are, they are no choice. Returns which of the group hold now, where that is new."""
    person = turn.person
    shown = read_hours(turn.text(QUIET_SHOWN)) or _list_hours(person)
    wanted = filled.time("quiet_from"), filled.time("quiet_until"), filled.text("quiet_weekends") == YES
    is_new = await follow_group(work, person, turn.now, tell=False)
    hours = person.group_quiet_from, person.group_quiet_until, person.group_quiet_weekends
    if wanted != shown:
        chosen = wanted if wanted != hours else (None, None, None)
        person.quiet_from, person.quiet_until, person.quiet_weekends = chosen
    if not is_new or person.quiet_from is not None:
        return {}
    start, end, weekends = _list_hours(person)
    return {"start": start, "end": end, "weekends": weekends}


def _list_hours(person: Person) -> tuple[time | None, time | None, bool]:
    quiet = quiet_hours.of_person(person, person.timezone or "UTC", None)
    return quiet.start, quiet.end, quiet.weekends


async def _load_belongs(work: UnitOfWork, turn: Turn) -> list[tuple[Movement, Member]]:
    """Return the movements of the actor with their membership, the one where they act first."""
    belongs = await work.movements.of_person(turn.person.id)
    here = turn.movement.id if turn.movement else None
    return sorted(belongs, key=lambda one: one[0].id != here)


async def _load_abroad(
    work: UnitOfWork, turn: Turn, belongs: Sequence[tuple[Movement, Member]]
) -> tuple[list[Place], dict[PlaceId, str]]:
    """Return the places of somebody's movements that have days off of their own, and how they are called."""
    places: list[Place] = []
    labels: dict[PlaceId, str] = {}
    for movement, _ in belongs:
        if abroad := await list_own_abroad(work, turn.person, movement):
            places += abroad
            labels |= await work.movements.labels(movement.id, turn.person.workspace_id)
    return places[: MAX_FORM_OPTIONS - 1], labels


def _list_days(places: Sequence[Place], labels: Mapping[PlaceId, str]) -> tuple[Pick, ...]:
    """Return the choices of days off; none where all places keep those of their movement."""
    return (Pick(value=USUAL), *(Pick(value=one.id, label=labels[one.id]) for one in places)) if places else ()


def _figures(belongs: Sequence[tuple[Movement, Member]]) -> tuple[str, ...]:
    """Return as what somebody agreed to be suggested, in any of their movements."""
    said = {figure for _, member in belongs for figure in member.figures}
    return tuple(figure.value for figure in KeyFigure if figure in said)


def _save_suggestible(turn: Turn, filled: Filled, belongs: Sequence[tuple[Movement, Member]]) -> None:
    """Save in which movements the actor may be suggested, and as what. A field left open leaves its movement as it was;
    figures that stayed the same stay as they were in each."""
    figures = filled.many("figures")
    shown = f"{SUGGESTIBLE[0]}{OF_MOVEMENT}" in turn.intent.args
    changed = shown and set(figures) != set(_figures(belongs))
    by_id = {movement.id: member for movement, member in belongs}
    for name in SUGGESTIBLE:
        member = by_id.get(MovementId(turn.text(f"{name}{OF_MOVEMENT}")))
        if member is None:
            continue
        if filled.text(name) == YES:
            member.agree()
        elif filled.text(name) == NO:
            member.decline()
    for shown_id in _list_others(turn):
        other = by_id.get(MovementId(shown_id))
        if other is not None and shown_id in filled.many(SUGGESTIBLE_OTHERS):
            other.agree()
        elif other is not None and other.suggestible:
            other.decline()
    for _, member in belongs if changed else ():
        if member.suggestible:
            member.figures = list(figures)


def _save_meeting(turn: Turn, filled: Filled, belongs: Sequence[tuple[Movement, Member]]) -> None:
    """Save in which of the movements that the form showed the actor may be brought together with others. A form from
    before it asked that changes nothing."""
    if not turn.text(MEETS_ASKED):
        return
    shown = set(_list_asked_movements(turn))
    for movement, member in belongs:
        if movement.id in filled.many(MEETS):
            member.meets = True
        elif movement.id in shown and member.meets:
            member.meets = False


def _as_options(belongs: Sequence[tuple[Movement, Member]]) -> tuple[Pick, ...]:
    return tuple(Pick(value=movement.id, label=shorten(movement.name, MOVEMENT_NAME_CHARS)) for movement, _ in belongs)


def _list_asked_movements(turn: Turn) -> list[str]:
    """Return the ids of all movements that the form showed."""
    return [*(turn.text(f"{name}{OF_MOVEMENT}") for name in SUGGESTIBLE), *_list_others(turn)]


def _list_others(turn: Turn) -> list[str]:
    """Return the ids of the movements that the form showed in one field."""
    return turn.text(f"{SUGGESTIBLE_OTHERS}{OF_MOVEMENT}").split()


async def snooze(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to snooze, prefilled with the day that was typed (`said`: the whole sentence), or else a week."""
    today = _today(turn)
    heard = read_return(turn.text("said") or turn.text("text"), turn.language, today)
    latest = today + MAX_SNOOZE
    return SnoozeForm(
        values={"until": min(heard or today + WEEK, latest).isoformat()},
        earliest=today + timedelta(days=1),
        latest=latest,
    )


async def save_snooze(work: UnitOfWork, turn: Turn) -> Entry:
    """Start nothing towards the actor until the morning of a day; it ends by itself."""
    day = parse_form(SnoozeForm, turn.intent.args).day("until") or date.max
    earliest, latest = _today(turn) + timedelta(days=1), _today(turn) + MAX_SNOOZE
    if day < earliest:
        raise Invalid({"until": "too_early"}, {"until": {"earliest": earliest}})
    if day > latest:
        raise Invalid({"until": "too_late"}, {"until": {"latest": latest}})
    promised = await _load_promises(work, turn, await _load_belongs(work, turn))
    turn.person.snoozed_until = datetime.combine(day, WAKES_AT, ZoneInfo(turn.timezone))
    return Snoozed(until=turn.person.snoozed_until, moved=_compare_promises(turn, promised))


async def _load_promises(work: UnitOfWork, turn: Turn, belongs: Sequence[tuple[Movement, Member]]) -> Promises:
    """Return the moments to come for which the actor was promised a follow-up, and from which movement, each with when
    it comes."""
    promised: Promises = {}
    planned = await work.together(*(work.steps.planned_of(turn.person.id, movement.id) for movement, _ in belongs))
    for (movement, _), steps in zip(belongs, planned, strict=True):
        for step in steps:
            if step.follow_up_at > turn.now:
                comes = arrival_of(turn.person, turn.timezone, movement, step.follow_up_at)
                promised[step.follow_up_at, movement.id] = movement, comes
    return promised


def _compare_promises(turn: Turn, promised: Promises, *, back_to_first: bool = False) -> tuple[MovedPromise, ...]:
    """Return the promised moments that what was just chosen moves, with when each comes now; with `back_to_first` also
    those that come when they were promised at first."""
    moved = set[tuple[datetime, datetime]]()
    for (was, _), (movement, came) in promised.items():
        comes = arrival_of(turn.person, turn.timezone, movement, was)
        if comes != came and (back_to_first or comes != was):
            moved.add((was, comes))
    return tuple(MovedPromise(was=was, comes=comes) for was, comes in sorted(moved))


async def wake(work: UnitOfWork, turn: Turn) -> InPlace:
    """End a snooze: what waited for its end comes as soon as it may."""
    belongs, rows = await work.together(
        _load_belongs(work, turn), work.deliveries.of_person(turn.person.id, turn.now - MAX_SNOOZE)
    )
    promised = await _load_promises(work, turn, belongs)
    turn.person.snoozed_until = None
    for row in rows:
        if row.state is DeliveryState.WAITING and row.reason == "snoozed":
            row.reschedule(turn.now, row.reason)
    work.woken.add(turn.person.workspace_id)
    return InPlace(entry=Awake(moved=_compare_promises(turn, promised, back_to_first=True)))


async def stop(work: UnitOfWork, turn: Turn) -> Entry:
    """Start nothing towards the actor any more. In a place of a movement, where it may as well be about what is posted
    there, ask which of the two, and say who can stop that."""
    place = turn.place
    if place is not None and place.movement_id is not None:
        own = await _load_coordinators(work, turn, place.movement_id)
        return StopOffered(
            place=place.name,
            coordinators=tuple(one.name for one in own),
            asked=tuple(one.name for one in own if one.will_read(turn.now)),
            coordinates=turn.member is not None and turn.member.coordinates,
        )
    turn.person.stopped_at = turn.now
    return Stopped()


async def stop_personal_messages(work: UnitOfWork, turn: Turn) -> InPlace:
    """Start nothing towards the actor any more. Where the other choice was to ask who decides about the place, that can
    still be done."""
    turn.person.stopped_at = turn.now
    asked: tuple[str, ...] = ()
    if turn.text("askable") and turn.movement is not None and not (turn.member and turn.member.coordinates):
        own = await _load_coordinators(work, turn, turn.movement.id)
        asked = tuple(one.name for one in own if one.will_read(turn.now))
    return InPlace(entry=Stopped(asked=asked))


async def _load_coordinators(work: UnitOfWork, turn: Turn, movement: MovementId) -> list[Person]:
    """Return the other coordinators with a name, in the actor's own workspace or, where there are none, anywhere."""
    found = await work.people.coordinators(movement)
    own = [one for one in found if one.workspace_id == turn.person.workspace_id] or found
    return [one for one in own if one.name and one.id != turn.person.id]


async def come_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """End a stop, and a snooze."""
    turn.person.stopped_at = turn.person.snoozed_until = None
    return InPlace(entry=Awake())


def _today(turn: Turn) -> date:
    return turn.now.astimezone(ZoneInfo(turn.timezone)).date()
