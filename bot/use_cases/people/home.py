"""Show people their home page, on platforms that have such a page, and as a message on any platform."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

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
from bot.domain.calendar import holidays_of
from bot.domain.carrying import carriers
from bot.domain.movement import Member, Movement, MovementId, Place, Purpose
from bot.domain.next_step import NextStep
from bot.domain.person import Person
from bot.domain.quiet_hours import arrival_of
from bot.domain.rhythm import MOMENTS_SHOWN, Rhythm, can_come, expect_moments
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
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
CORE_MESSAGES_SHOWN = 3
HOME_RHYTHMS_SHOWN = 6
TROUBLE_SHOWN = 5
ELSEWHERE_SHOWN = 4


async def record_visit(work: UnitOfWork, turn: Turn) -> None:
    """Note that someone opened their home page; a `blank` one shows nothing yet, so all of it has to be sent."""
    turn.person.record_home_visit(blank=turn.text("blank") == "yes")


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the page as an answer. In a channel it is about the movement there, and offers no switch to another."""
    home = await _load_home(work, turn.person, turn.movement.id if turn.movement else None, turn.now)
    home = replace(home, pages=turn.syntax.pages is not None)
    return home if turn.place is None else replace(home, elsewhere=())


async def switch(work: UnitOfWork, turn: Turn) -> InPlace:
    """Switch the page to another movement that the actor belongs to."""
    to = MovementId(turn.text("to"))
    if await work.movements.membership(to, turn.person.id) is None:
        raise Refused("not_found")
    if turn.person.has_home:
        turn.person.show_on_home(to)
    home = await _load_home(work, turn.person, to, turn.now)
    return InPlace(entry=replace(home, pages=turn.syntax.pages is not None))


async def compose_home(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the page as it is now; an empty one for someone who was just forgotten."""
    person = outgoing.person
    if person is None:
        raise Unwanted("gone")
    if person.account is None:
        return Home(gone=True)
    home = await _load_home(work, person, outgoing.delivery.movement_id, outgoing.now)
    return replace(home, pages=outgoing.syntax.pages is not None)


async def _load_home(work: UnitOfWork, person: Person, asked: MovementId | None, now: datetime) -> Home:
    """Load someone's page for the movement `asked` for, if they belong to it; else for the one they joined last."""
    belongs = await work.movements.of_person(person.id)
    movement, member = next((one for one in belongs if one[0].id == asked), belongs[0] if belongs else (None, None))
    snoozed = person.snoozed_until if person.snoozed_until is not None and person.snoozed_until > now else None
    stopped = person.stopped_at is not None
    if movement is None or member is None:
        return Home(name=person.name, snoozed_until=snoozed, stopped=stopped)
    purpose = await work.movements.purpose(movement.id)
    rhythms = await _load_rhythms(work, movement, purpose, now)
    return Home(
        name=person.name,
        movement=movement.id,
        movement_name=movement.name,
        elsewhere=tuple(OtherMovement(id=one.id, name=one.name) for one, _ in belongs if one.id != movement.id)[
            :ELSEWHERE_SHOWN
        ],
        snoozed_until=snoozed,
        stopped=stopped,
        steps=await _load_steps(work, person, movement, now),
        spells=await _load_spells(work, person, movement, now),
        stories=await _load_stories(work, person, movement),
        initiatives=await _load_initiatives(work, person, movement),
        chances=await _load_chances(work, person, movement, now),
        moments=_coming_moments(rhythms),
        purpose=_summarize_purpose(purpose, member),
        sent=await _load_sent_nudges(work, person, now, quiet=stopped or snoozed is not None),
        suggested=await _load_consent(work, person, movement, belongs, now),
        rhythms=_rhythm_summaries(rhythms, now) if member.coordinates else None,
        trouble=await _load_trouble(work, movement, now) if member.coordinates else None,
    )


async def _load_steps(work: UnitOfWork, person: Person, movement: Movement, now: datetime) -> HomeSteps:
    planned = await work.steps.planned_of(person.id, movement.id)
    planned = sorted(planned, key=lambda step: (step.follow_up_at, step.chosen_at, step.id))
    rests = {step.id: await find_rest(work, step, now) for step in planned}
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
    followed = await find_episodes_with_step(work, person.id, movement.id, now)
    resting = [one for one in await work.stuck.open_of(person.id, movement.id) if one.id not in followed]
    if not resting:
        return None
    shown = []
    for one in resting[:SPELLS_SHOWN]:
        at = stuck_return.returns_at(await work.deliveries.about(stuck_return.RETURN_KIND, one.id, movement.id))
        comes = at is not None and at > now and person.will_read(now)
        shown.append(
            HomeSpell(
                episode=one.id,
                initiative=await work.initiatives.name(one.initiative_id, movement.id),
                text=shorten(one.text, HOME_SPELL_CHARS),
                at=at if comes else None,
            )
        )
    return HomeSpells(spells=tuple(shown), more=len(resting) - len(shown))


def _come_back_at(person: Person, movement: Movement, step: NextStep, now: datetime) -> datetime:
    """Return when a step is followed up, or was to be."""
    at = step.follow_up_at
    return arrival_of(person, movement.timezone, movement, at) if at > now else at


async def _load_stories(work: UnitOfWork, person: Person, movement: Movement) -> HomeStories:
    # Of all movements, because "my stories" numbers them so; those of this movement are shown.
    told = await work.stories.of_teller(person.id, STORIES_KNOWN)
    here = [(number, story) for number, story in enumerate(told, 1) if story.movement_id == movement.id]
    shown = []
    for number, story in here[:STORIES_SHOWN]:
        place = await work.movements.place(story.place_id) if story.place_id else None
        shown.append(
            HomeStory(
                story=story.id,
                text=shorten(story.text, HOME_STORY_CHARS) if len(story.text) > HOME_STORY_CHARS else story.text,
                told_at=story.told_at,
                place=(place.name or place.channel) if place is not None else "",
                named=story.named,
                readers=story.readers,
                in_thread=story.message is not None,
                ripples=await work.stories.ripples(story.id, story.movement_id),
                number=number,
                cut=len(story.text) > HOME_STORY_CHARS,
            )
        )
    return HomeStories(stories=tuple(shown), older=here[STORIES_SHOWN][0] if len(here) > STORIES_SHOWN else 0)


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
    resting = await work.initiatives.resting(movement.id) if mine else set()
    shown = []
    for one in mine[:INITIATIVES_SHOWN]:
        carry = carriers(await work.initiatives.participants(one.id, movement.id))
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


_Rhythms = Sequence[tuple[Rhythm, Place, Sequence[datetime]]]
"""Rhythms, each with its place and when it comes next there."""


async def _load_rhythms(work: UnitOfWork, movement: Movement, purpose: Purpose | None, now: datetime) -> _Rhythms:
    """Load the rhythms with the moments that can come: not in a place that is out of reach, nor of a purpose that
    nobody wrote."""
    found = []
    for rhythm in await work.rhythms.of_movement(movement.id):
        place = await work.movements.place(rhythm.place_id)
        changes = await work.rhythms.changes(rhythm, now)
        if place is None:
            continue
        quiet = quiet_hours.of_place(place, movement)
        expected = expect_moments(
            rhythm.timing, changes, holidays_of(movement, place), quiet, after=now, count=MOMENTS_SHOWN
        )
        comes = can_come(rhythm, place, purpose)
        coming = [one.at for one in expected if one.at is not None and comes]
        found.append((rhythm, place, coming))
    return found


def _coming_moments(rhythms: _Rhythms) -> HomeMoments:
    found = [
        (place, UpcomingMoment(kind=rhythm.kind, place=_name(place), at=at))
        for rhythm, place, coming in rhythms
        for at in coming
    ]
    shown = sorted(found, key=lambda one: one[1].at)[:COMING_SHOWN]
    crowded = {
        _name(place)
        for place, _ in shown
        if exceeds_budget([one.at for there, one in found if there.id == place.id], MAX_POSTS_PER_WEEK, PLACE_WEEK)
    }
    return HomeMoments(moments=tuple(one for _, one in shown), crowded=tuple(sorted(crowded)))


def _name(place: Place) -> str:
    return place.name or place.channel


def _rhythm_summaries(rhythms: _Rhythms, now: datetime) -> HomeRhythms:
    shown = [RhythmSummary.of(one, _name(place), coming, now) for one, place, coming in rhythms]
    return HomeRhythms(rhythms=tuple(shown[:HOME_RHYTHMS_SHOWN]), more=max(0, len(rhythms) - HOME_RHYTHMS_SHOWN))


async def _load_trouble(work: UnitOfWork, movement: Movement, now: datetime) -> HomeTrouble | None:
    held = await work.deliveries.of_movement(movement.id, now - UNSENT_WINDOW, TROUBLE_SHOWN, not_posted=True)
    if not held:
        return None
    return HomeTrouble(held=tuple(UnsentMessage(kind=one.kind, at=one.due_at, reason=one.reason) for one in held))
