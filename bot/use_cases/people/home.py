"""A page of one's own, wherever the platform has a place for it, and as a message where it has not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.home import (
    Coming,
    Elsewhere,
    Home,
    HomeInitiatives,
    HomeMoments,
    HomePurpose,
    HomeRhythms,
    HomeSent,
    HomeStep,
    HomeSteps,
    HomeStories,
    HomeStory,
    HomeTrouble,
    Joined,
)
from bot.catalogue.people import Told
from bot.catalogue.rhythms import Described, HeldBack
from bot.domain.movement import Member, Movement, MovementId
from bot.domain.person import Person
from bot.domain.rhythm import MOMENTS_SHOWN, Moment, Rhythm, holidays_of, moments
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.wording import shorten

STEPS_SHOWN = 5
STORIES_SHOWN = 3
STORIES_KNOWN = 100
BEGINNING = 300
"""Characters of a story that a page shows; the rest is read by itself."""
INITIATIVES_SHOWN = 5
COMING_SHOWN = 5
CORE_MESSAGES_SHOWN = 3
RHYTHMS_SHOWN = 6
TROUBLE_SHOWN = 5
ELSEWHERE_SHOWN = 4
WEEK = timedelta(days=7)
TROUBLE_SINCE = timedelta(days=14)


async def opened(work: UnitOfWork, turn: Turn) -> None:
    """They look at their page; on a `blank` one nothing stands yet."""
    turn.person.opened_home(blank=turn.text("blank") == "yes")


async def show(work: UnitOfWork, turn: Turn) -> Entry:
    """The page as an answer. In a channel it is about the movement there, and leads to no other."""
    home = await _home(work, turn.person, turn.movement.id if turn.movement else None, turn.now)
    return home if turn.place is None else replace(home, elsewhere=())


async def switch(work: UnitOfWork, turn: Turn) -> InPlace:
    """The same page of another movement they belong to."""
    to = MovementId(turn.text("to"))
    if await work.movements.membership(to, turn.person.id) is None:
        raise Refused("not_found")
    if turn.person.home_mark is not None:
        turn.person.turn_home(to)
    return InPlace(entry=await _home(work, turn.person, to, turn.now))


async def compose_home(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """The page as it is now; an empty one for who was just forgotten."""
    person = outgoing.person
    if person is None:
        raise Unwanted("gone")
    if person.account is None:
        return Home(gone=True)
    return await _home(work, person, outgoing.delivery.movement_id, outgoing.now)


async def _home(work: UnitOfWork, person: Person, asked: MovementId | None, now: datetime) -> Home:
    """Their page of the movement asked for, when they belong to it; else of the one they joined last."""
    belongs = await work.movements.of_person(person.id)
    movement, member = next((one for one in belongs if one[0].id == asked), belongs[0] if belongs else (None, None))
    snoozed = person.snoozed_until if person.snoozed_until is not None and person.snoozed_until > now else None
    stopped = person.stopped_at is not None
    if movement is None or member is None:
        return Home(name=person.name, snoozed_until=snoozed, stopped=stopped)
    rhythms = await _rhythms(work, movement, now)
    return Home(
        name=person.name,
        movement=movement.id,
        movement_name=movement.name,
        elsewhere=tuple(Elsewhere(id=one.id, name=one.name) for one, _ in belongs if one.id != movement.id)[
            :ELSEWHERE_SHOWN
        ],
        snoozed_until=snoozed,
        stopped=stopped,
        steps=await _steps(work, person, movement, now),
        stories=await _stories(work, person, movement),
        initiatives=await _initiatives(work, person, movement),
        moments=_coming(rhythms),
        purpose=await _purpose(work, movement, member),
        sent=await _sent(work, person, now, quiet=stopped or snoozed is not None),
        rhythms=_described(rhythms, now) if member.coordinates else None,
        trouble=await _trouble(work, movement, now) if member.coordinates else None,
    )


async def _steps(work: UnitOfWork, person: Person, movement: Movement, now: datetime) -> HomeSteps:
    planned = await work.steps.planned_of(person.id, movement.id)
    planned = sorted(planned, key=lambda step: (step.follow_up_at, step.chosen_at, step.id))
    return HomeSteps(
        steps=tuple(
            HomeStep(
                step=step.id,
                round=step.not_yet,
                cue=step.cue,
                action=step.action,
                with_whom=step.with_whom,
                at=step.follow_up_at,
                due=step.follow_up_at <= now,
            )
            for step in planned[:STEPS_SHOWN]
        ),
        more=max(0, len(planned) - STEPS_SHOWN),
    )


async def _stories(work: UnitOfWork, person: Person, movement: Movement) -> HomeStories:
    told = await work.stories.of_teller(person.id, STORIES_KNOWN)
    here = [(number, story) for number, story in enumerate(told, 1) if story.movement_id == movement.id]
    shown = []
    for number, story in here[:STORIES_SHOWN]:
        place = await work.movements.place(story.place_id) if story.place_id else None
        shown.append(
            HomeStory(
                story=story.id,
                text=shorten(story.text, BEGINNING) if len(story.text) > BEGINNING else story.text,
                told_at=story.told_at,
                place=(place.name or place.channel) if place is not None else "",
                named=story.named,
                readers=story.readers,
                in_thread=story.message is not None,
                ripples=await work.stories.ripples(story.id, story.movement_id),
                number=number,
                cut=len(story.text) > BEGINNING,
            )
        )
    return HomeStories(stories=tuple(shown), older=here[STORIES_SHOWN][0] if len(here) > STORIES_SHOWN else 0)


async def _initiatives(work: UnitOfWork, person: Person, movement: Movement) -> HomeInitiatives:
    mine = await work.initiatives.of_person(person.id, movement.id)
    shown = []
    for one in mine[:INITIATIVES_SHOWN]:
        part = await work.initiatives.participant(one.id, person.id)
        shown.append(Joined(id=one.id, name=one.name, carried=part is not None and part.initiator))
    return HomeInitiatives(initiatives=tuple(shown), more=max(0, len(mine) - INITIATIVES_SHOWN))


async def _purpose(work: UnitOfWork, movement: Movement, member: Member) -> HomePurpose:
    purpose = await work.movements.purpose(movement.id)
    if purpose is None:
        return HomePurpose(may_write=member.coordinates)
    return HomePurpose(
        vision=purpose.vision,
        core_messages=tuple(purpose.core_messages[:CORE_MESSAGES_SHOWN]),
        may_write=member.coordinates,
    )


async def _sent(work: UnitOfWork, person: Person, now: datetime, *, quiet: bool) -> HomeSent:
    recent = await work.deliveries.of_person(person.id, now - 2 * WEEK)
    sent = sorted(
        (one.sent_at, one.kind)
        for one in recent
        if one.is_nudge and one.sent_at is not None and one.sent_at > now - WEEK
    )
    return HomeSent(sent=tuple(Told(kind=kind, at=at) for at, kind in sent), quiet=quiet)


_Rhythms = Sequence[tuple[Rhythm, str, Sequence[Moment]]]
"""Every rhythm, what its place is called, and its next moments."""


async def _rhythms(work: UnitOfWork, movement: Movement, now: datetime) -> _Rhythms:
    found = []
    for rhythm in await work.rhythms.of_movement(movement.id):
        place = await work.movements.place(rhythm.place_id)
        changes = await work.rhythms.changes(rhythm, now)
        coming = list(islice(moments(rhythm.timing, changes, holidays_of(movement), after=now), MOMENTS_SHOWN))
        found.append((rhythm, (place.name or place.channel) if place is not None else "", coming))
    return found


def _coming(rhythms: _Rhythms) -> HomeMoments:
    found = [
        Coming(kind=rhythm.kind, place=place, at=moment.at) for rhythm, place, coming in rhythms for moment in coming
    ]
    return HomeMoments(moments=tuple(sorted(found, key=lambda one: one.at)[:COMING_SHOWN]))


def _described(rhythms: _Rhythms, now: datetime) -> HomeRhythms:
    shown = [Described.of(one, place, [moment.at for moment in coming], now) for one, place, coming in rhythms]
    return HomeRhythms(rhythms=tuple(shown[:RHYTHMS_SHOWN]), more=max(0, len(rhythms) - RHYTHMS_SHOWN))


async def _trouble(work: UnitOfWork, movement: Movement, now: datetime) -> HomeTrouble | None:
    held = await work.deliveries.of_movement(movement.id, now - TROUBLE_SINCE, TROUBLE_SHOWN, not_posted=True)
    if not held:
        return None
    return HomeTrouble(held=tuple(HeldBack(kind=one.kind, at=one.due_at, reason=one.reason) for one in held))
