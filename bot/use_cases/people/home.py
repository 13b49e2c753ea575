"""Show people their home page, on platforms that have such a page, and as a message on any platform."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.home import (
    Home,
    HomeChances,
    HomeInitiatives,
    HomeMoments,
    HomePurpose,
    HomeRhythms,
    HomeSent,
    HomeSpell,
    HomeSpells,
    HomeStep,
    HomeSteps,
    HomeStories,
    HomeStory,
    HomeSuggested,
    HomeTrouble,
    NotedChance,
    OtherMovement,
    OwnInitiative,
    UpcomingMoment,
)
from bot.catalogue.people import ListedNudge
from bot.catalogue.rhythms import UNSENT_WINDOW, RhythmSummary, UnsentMessage
from bot.domain import quiet_hours, stuck_return
from bot.domain.asks import MONTH
from bot.domain.attention import MAX_POSTS_PER_WEEK, PLACE_WEEK, WEEK, exceeds_budget
from bot.domain.calendar import Calendar, holidays_of
from bot.domain.carrying import carriers
from bot.domain.initiative import StuckEpisode
from bot.domain.movement import Member, Movement, MovementId, Place, Purpose
from bot.domain.next_step import NextStep
from bot.domain.person import Language, Person
from bot.domain.quiet_hours import QuietHours, arrival_of
from bot.domain.rhythm import MOMENTS_SHOWN, Changes, Expected, Rhythm, can_come, expect_moments, expect_until
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.ports.turn import language_for
from bot.resting import find_episodes_with_step, find_rest
from bot.wording import shorten

# Items that the page shows of each kind. A full page fits the narrowest platform (`tests/unit/test_slack_home.py`).
STEPS_SHOWN = 5
SPELLS_SHOWN = 3
HOME_SPELL_CHARS = 200
"""Characters of what someone is stuck with that the page shows."""
STORIES_SHOWN = 3
STORIES_KNOWN = 100
"""Stories of someone, in all their movements, that are looked at to find those to show."""
HOME_STORY_CHARS = 300
"""Characters of a story that the page shows; a button shows the whole of it."""
CHANCES_SHOWN = 3
HOME_CHANCE_CHARS = 120
INITIATIVES_SHOWN = 5
COMING_SHOWN = 5
GAPS_SHOWN = 4
"""The most that is told of what is skipped until then."""
GAPS_AHEAD = timedelta(days=31)
"""How far ahead what is skipped is told, where fewer moments come than the page shows."""
CORE_MESSAGES_SHOWN = 3
HOME_RHYTHMS_SHOWN = 6
RHYTHMS_KNOWN = 20
"""Rhythms that are looked at to find the moments that come next: of more, those that come soonest."""
TROUBLE_SHOWN = 5
ELSEWHERE_SHOWN = 4


async def record_visit(work: UnitOfWork, turn: Turn) -> None:
    """Note that someone opened their home page; a `blank` one shows nothing yet, so all of it has to be sent."""
    turn.person.record_home_visit(blank=turn.text("blank") == "yes")


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the page as an answer. In a channel it is about the movement there, and offers no switch to another."""
    asked = turn.movement.id if turn.movement else None
    home = await _load_home(work, turn.person, asked, turn.now, turn.language, counts=not turn.works_council)
    home = replace(home, pages=turn.syntax.pages is not None)
    return home if turn.place is None else replace(home, elsewhere=())


async def switch(work: UnitOfWork, turn: Turn) -> InPlace:
    """Switch the page to another movement that the actor belongs to."""
    to = MovementId(turn.text("to"))
    if await work.movements.membership(to, turn.person.id) is None:
        raise Refused("not_found")
    if turn.person.has_home:
        turn.person.show_on_home(to)
    home = await _load_home(work, turn.person, to, turn.now, counts=not turn.works_council)
    return InPlace(entry=replace(home, pages=turn.syntax.pages is not None))


async def compose_home(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the page as it is now; an empty one for someone who was just forgotten."""
    person = outgoing.person
    if person is None:
        raise Unwanted("gone")
    if person.account is None:
        return Home(gone=True)
    asked, counts = outgoing.delivery.movement_id, not outgoing.works_council
    home = await _load_home(work, person, asked, outgoing.now, counts=counts)
    return replace(home, pages=outgoing.syntax.pages is not None)


async def _load_home(
    work: UnitOfWork,
    person: Person,
    asked: MovementId | None,
    now: datetime,
    language: Language | None = None,
    *,
    counts: bool,
) -> Home:
    """Load someone's page for the movement `asked` for, if they belong to it; else for the one they joined last."""
    belongs = await work.movements.of_person(person.id)
    movement, member = next((one for one in belongs if one[0].id == asked), belongs[0] if belongs else (None, None))
    snoozed = person.snoozed_until if person.snoozed_until is not None and person.snoozed_until > now else None
    stopped = person.stopped_at is not None
    if movement is None or member is None:
        return Home(name=person.name, snoozed_until=snoozed, stopped=stopped)
    (
        (purpose, rhythms),
        (rhythms_in_all, trouble),
        steps,
        spells,
        stories,
        initiatives,
        chances,
        sent,
        suggested,
    ) = await work.together(
        _load_rhythms(work, movement, now),
        _load_for_coordinator(work, movement, member, now),
        _load_steps(work, person, movement, now),
        _load_spells(work, person, movement, now),
        _load_stories(work, person, movement),
        _load_initiatives(work, person, movement),
        _load_chances(work, person, movement, now),
        _load_sent_nudges(work, person, now, quiet=stopped or snoozed is not None),
        _load_consent(work, person, movement, belongs, now),
    )
    language = language or language_for(person, None, movement)
    return Home(
        name=person.name,
        movement=movement.id,
        movement_name=movement.name,
        elsewhere=tuple(OtherMovement(id=one.id, name=one.name) for one, _ in belongs if one.id != movement.id)[
            :ELSEWHERE_SHOWN
        ],
        snoozed_until=snoozed,
        stopped=stopped,
        steps=steps,
        spells=spells,
        stories=stories,
        initiatives=initiatives,
        chances=chances,
        moments=_coming_moments(rhythms, language, now),
        purpose=_summarize_purpose(purpose, member),
        sent=sent,
        suggested=replace(suggested, counts=counts),
        rhythms=_rhythm_summaries(rhythms, rhythms_in_all, now) if member.coordinates else None,
        trouble=trouble,
    )


async def _load_for_coordinator(
    work: UnitOfWork, movement: Movement, member: Member, now: datetime
) -> tuple[int, HomeTrouble | None]:
    """Return what only coordinators see: how many rhythms there are, and what was not sent."""
    if not member.coordinates:
        return 0, None
    count, trouble = await work.together(work.rhythms.count(movement.id), _load_trouble(work, movement, now))
    return count, trouble


async def _load_steps(work: UnitOfWork, person: Person, movement: Movement, now: datetime) -> HomeSteps:
    planned = await work.steps.planned_of(person.id, movement.id)
    planned = sorted(planned, key=lambda step: (step.follow_up_at, step.chosen_at, step.id))
    found = await work.together(*(find_rest(work, step, now) for step in planned))
    rests = {step.id: rest for step, rest in zip(planned, found, strict=True)}
    # What rests comes last, the latest first: it must not keep away what is still to come.
    resting = [step for step in reversed(planned) if rests[step.id] is not None]
    ordered = [step for step in planned if rests[step.id] is None] + resting
    return HomeSteps(
        steps=tuple(
            HomeStep(
                step=step.id,
                round=step.not_yet,
                cue=step.cue,
                action=step.action,
                with_whom=step.with_whom,
                at=_come_back_at(person, movement, step, now),
                due=step.follow_up_at <= now,
                rests=rests[step.id],
            )
            for step in ordered[:STEPS_SHOWN]
        ),
        more=max(0, len(planned) - STEPS_SHOWN),
        comes=person.stopped_at is None,
    )


async def _load_spells(work: UnitOfWork, person: Person, movement: Movement, now: datetime) -> HomeSpells | None:
    """Load what someone is stuck with and no step follows up; None when there is nothing."""
    followed, still_open = await work.together(
        find_episodes_with_step(work, person.id, movement.id, now), work.stuck.open_of(person.id, movement.id)
    )
    resting = [one for one in still_open if one.id not in followed]
    if not resting:
        return None
    shown = await work.together(*(_load_spell(work, person, one, now) for one in resting[:SPELLS_SHOWN]))
    return HomeSpells(spells=tuple(shown), more=len(resting) - len(shown))


async def _load_spell(work: UnitOfWork, person: Person, episode: StuckEpisode, now: datetime) -> HomeSpell:
    rows, initiative = await work.together(
        work.deliveries.about(stuck_return.RETURN_KIND, episode.id, episode.movement_id),
        work.initiatives.name(episode.initiative_id, episode.movement_id),
    )
    at = stuck_return.returns_at(rows)
    comes = at is not None and at > now and person.will_read(now)
    text = shorten(episode.text, HOME_SPELL_CHARS)
    return HomeSpell(episode=episode.id, initiative=initiative, text=text, at=at if comes else None)


def _come_back_at(person: Person, movement: Movement, step: NextStep, now: datetime) -> datetime:
    """Return when a step is followed up, or was to be."""
    at = step.follow_up_at
    return arrival_of(person, movement.timezone, movement, at) if at > now else at


async def _load_stories(work: UnitOfWork, person: Person, movement: Movement) -> HomeStories:
    # Of all movements, because "my stories" numbers them so; those of this movement are shown.
    told = await work.stories.of_teller(person.id, STORIES_KNOWN)
    here = [(number, story) for number, story in enumerate(told, 1) if story.movement_id == movement.id]
    shown = here[:STORIES_SHOWN]
    places, *ripples = await work.together(
        work.movements.places_among({story.place_id for _, story in shown if story.place_id}),
        *(work.stories.ripples(story.id, story.movement_id) for _, story in shown),
    )
    stories = []
    for (number, story), count in zip(shown, ripples, strict=True):
        place = places.get(story.place_id) if story.place_id else None
        stories.append(
            HomeStory(
                story=story.id,
                text=shorten(story.text, HOME_STORY_CHARS) if len(story.text) > HOME_STORY_CHARS else story.text,
                told_at=story.told_at,
                place=(place.name or place.channel) if place is not None else "",
                named=story.named,
                readers=story.readers,
                in_thread=story.message is not None,
                ripples=count,
                number=number,
                cut=len(story.text) > HOME_STORY_CHARS,
            )
        )
    return HomeStories(stories=tuple(stories), older=here[STORIES_SHOWN][0] if len(here) > STORIES_SHOWN else 0)


async def _load_chances(work: UnitOfWork, person: Person, movement: Movement, now: datetime) -> HomeChances | None:
    noted = await work.steps.open_chances(person.id, movement.id, CHANCES_SHOWN)
    shown = []
    for one in noted:
        at = one.comes_back_at if person.stopped_at is None else None
        coming = arrival_of(person, movement.timezone, movement, at) if at is not None and at > now else None
        shown.append(NotedChance(id=one.id, text=shorten(one.text, HOME_CHANCE_CHARS), at=coming))
    return HomeChances(chances=tuple(shown)) if shown else None


async def _load_initiatives(work: UnitOfWork, person: Person, movement: Movement) -> HomeInitiatives:
    mine = await work.initiatives.of_person(person.id, movement.id)
    if not mine:
        return HomeInitiatives(initiatives=(), more=0)
    resting, *parts = await work.together(
        work.initiatives.resting(movement.id),
        *(work.initiatives.participants(one.id, movement.id) for one in mine[:INITIATIVES_SHOWN]),
    )
    shown = []
    for one, taking_part in zip(mine, parts, strict=False):
        carry = carriers(taking_part)
        shown.append(
            OwnInitiative(
                id=one.id,
                name=one.name,
                carried=person.id in {each.id for each in carry},
                seeks=not carry,
                rests=one.id in resting,
            )
        )
    return HomeInitiatives(initiatives=tuple(shown), more=max(0, len(mine) - INITIATIVES_SHOWN))


def _summarize_purpose(purpose: Purpose | None, member: Member) -> HomePurpose:
    if purpose is None:
        return HomePurpose(may_write=member.coordinates)
    return HomePurpose(
        vision=purpose.vision,
        core_messages=tuple(purpose.core_messages[:CORE_MESSAGES_SHOWN]),
        may_write=member.coordinates,
    )


async def _load_sent_nudges(work: UnitOfWork, person: Person, now: datetime, *, quiet: bool) -> HomeSent:
    # Rows by the moment they were made: one that was sent this week may have been planned the week before.
    recent = await work.deliveries.of_person(person.id, now - 2 * WEEK)
    sent = sorted(
        (one.sent_at, one.kind)
        for one in recent
        if one.is_nudge and one.sent_at is not None and one.sent_at > now - WEEK
    )
    return HomeSent(sent=tuple(ListedNudge(kind=kind, at=at) for at, kind in sent), quiet=quiet)


async def _load_consent(
    work: UnitOfWork, person: Person, movement: Movement, belongs: Sequence[tuple[Movement, Member]], now: datetime
) -> HomeSuggested:
    yes = {one.id: one.name for one, member in belongs if member.suggestible}
    return HomeSuggested(
        movement=movement.id,
        movement_name=movement.name,
        yes=movement.id in yes,
        elsewhere=tuple(name for one, name in yes.items() if one != movement.id),
        suggested_times=sum(len(member.suggested_since(now - MONTH)) for _, member in belongs),
        asked_times=await work.deliveries.count_asks(person.id, now),
    )


class _Coming(NamedTuple):
    """A rhythm with what its moments follow from, and its next ones that can come: none in a place that is out of
    reach, nor of a purpose that nobody wrote."""

    rhythm: Rhythm
    place: Place
    changes: Changes
    calendar: Calendar
    quiet: QuietHours
    moments: Sequence[Expected]


async def _load_rhythms(
    work: UnitOfWork, movement: Movement, now: datetime
) -> tuple[Purpose | None, Sequence[_Coming]]:
    found = []
    purpose, rhythms = await work.together(
        work.movements.purpose(movement.id), work.rhythms.of_movement(movement.id, RHYTHMS_KNOWN)
    )
    places, changed = await work.together(
        work.movements.places_among({one.place_id for one in rhythms}),
        work.rhythms.changes_of([one.id for one in rhythms], now),
    )
    for rhythm in rhythms:
        place, changes = places.get(rhythm.place_id), changed.get(rhythm.id, {})
        if place is None:
            continue
        quiet, calendar = quiet_hours.of_place(place, movement), holidays_of(movement, place)
        expected = expect_moments(rhythm.timing, changes, calendar, quiet, after=now, count=MOMENTS_SHOWN)
        coming = [one for one in expected if one.at is not None] if can_come(rhythm, place, purpose) else []
        found.append(_Coming(rhythm, place, changes, calendar, quiet, coming))
    return purpose, found


def _coming_moments(rhythms: Sequence[_Coming], language: Language, now: datetime) -> HomeMoments:
    found = [
        (each.place, at, _word_moment(each, one, language))
        for each in rhythms
        for one in each.moments
        if (at := one.at) is not None
    ]
    shown = sorted(found, key=lambda one: one[1])[:COMING_SHOWN]
    last = shown[-1][1] if shown else now
    until = last if len(shown) == COMING_SHOWN else max(last, now + GAPS_AHEAD)
    gaps = sorted((gap for each in rhythms for gap in _list_gaps(each, language, now, until)), key=_first_day)
    crowded = {
        _name(place)
        for place, _, _ in shown
        if exceeds_budget([at for there, at, _ in found if there.id == place.id], MAX_POSTS_PER_WEEK, PLACE_WEEK)
    }
    lines = sorted((*(one for _, _, one in shown), *gaps[:GAPS_SHOWN]), key=_first_day)
    return HomeMoments(moments=tuple(lines), crowded=tuple(sorted(crowded)))


def _first_day(one: UpcomingMoment) -> datetime:
    return one.at or datetime.combine(one.on or date.max, time(0), UTC)


def _list_gaps(each: _Coming, language: Language, now: datetime, until: datetime) -> Iterator[UpcomingMoment]:
    """Yield what is skipped of a rhythm that comes: of days in a row for the same reason, as one."""
    if not each.moments:
        return
    expected = expect_until(each.rhythm.timing, each.changes, each.calendar, each.quiet, after=now, until=until)
    worded = (_word_moment(each, one, language) for one in expected)
    for (skipped, _, _), ones in groupby(worded, lambda one: (one.at is None, one.because, one.holiday)):
        first, *rest = ones
        if skipped:
            yield replace(first, last=rest[-1].on if rest else None)


def _word_moment(each: _Coming, one: Expected, language: Language) -> UpcomingMoment:
    return UpcomingMoment(
        kind=each.rhythm.kind,
        place=_name(each.place),
        at=one.at,
        on=one.on,
        because=one.because,
        holiday=each.calendar.name_day(one.on, language) if one.because == "holiday" else "",
        timezone=each.rhythm.timezone,
    )


def _name(place: Place) -> str:
    return place.name or place.channel


def _rhythm_summaries(rhythms: Sequence[_Coming], many: int, now: datetime) -> HomeRhythms:
    shown = [
        RhythmSummary.of(one.rhythm, _name(one.place), [each.at for each in one.moments if each.at is not None], now)
        for one in rhythms
    ]
    return HomeRhythms(rhythms=tuple(shown[:HOME_RHYTHMS_SHOWN]), more=max(0, many - HOME_RHYTHMS_SHOWN))


async def _load_trouble(work: UnitOfWork, movement: Movement, now: datetime) -> HomeTrouble | None:
    held = await work.deliveries.of_movement(movement.id, now - UNSENT_WINDOW, TROUBLE_SHOWN, not_posted=True)
    if not held:
        return None
    return HomeTrouble(held=tuple(UnsentMessage(kind=one.kind, at=one.due_at, reason=one.reason) for one in held))
