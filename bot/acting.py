"""What becomes of an intent: who acts and where, what is done, and the answer in words."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from bot import commands, wording
from bot.catalogue.base import Entry, FormEntry, InPlace, dump
from bot.catalogue.home import Home
from bot.catalogue.offers import FormOffered
from bot.chat import Account, Answer, Intent, Message, Reply
from bot.domain.delivery import ANSWER, Act, to_home, to_person
from bot.domain.ids import new_id
from bot.domain.movement import Member, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.use_cases import introductions
from bot.wording import Reader

WITHIN = "movement"
"""The argument by which a button or form of a personal chat says which movement it is about."""
STALE_AFTER = timedelta(days=1)
"""An answer that could not be given for so long answers nothing any more."""


def mark(key: str) -> str:
    """A request's key as it is kept: the same length whatever the platform sends, and nothing of who sent it."""
    return sha256(key.encode()).hexdigest()[:40]


async def acted(work: UnitOfWork, *, intent: Intent, now: datetime) -> Reply:
    """Does what an intent asks, once per key, and answers; None when there is nothing to say. Raises `Refused`, or
    `Invalid`."""
    if intent.name in commands.OVERHEARD and not await _is_ours(work, intent):
        return None
    if not await work.inbox.claim(WorkspaceId(intent.actor.workspace), mark(intent.key), now):
        return None
    turn = await turn_of(work, intent, now)
    handler = commands.HANDLERS.get(intent.name)
    if handler is None:
        raise Refused("not_found")
    outcome = await handler(work, turn)
    reply = await worded(work, turn, outcome)
    await show_home(work, turn)
    return reply


async def _is_ours(work: UnitOfWork, intent: Intent) -> bool:
    """Whether something overheard touches a message of ours or a story; of anything else nothing is kept."""
    place = await work.movements.place_in(WorkspaceId(intent.place.workspace), intent.place.channel)
    if place is None or place.movement_id is None:
        return False
    for message in filter(None, (intent.thread, intent.message)):
        if await work.deliveries.by_receipt(place.id, message) or await work.stories.by_message(place.id, message):
            return True
    return bool(intent.message and await work.stories.request_about(place.id, intent.message))


async def turn_of(work: UnitOfWork, intent: Intent, now: datetime) -> Turn:
    """Loads (or welcomes) who acts and where. Acting is all it takes to belong; nobody is enrolled otherwise."""
    actor, spot = intent.actor, intent.place
    lane = WorkspaceId(actor.workspace)
    channel = None if spot.personal else spot.channel
    shown = MovementId(intent.text(WITHIN)) if spot.personal else None
    await work.people.take_turns(lane, actor.id, channel, shown)
    person, place, movement, member = await work.people.arriving(lane, actor.id, channel)
    if (person is None or (place is None and channel)) and await work.people.workspace(lane) is None:
        work.people.add(Workspace(id=lane))
    if person is None:
        person = Person(id=PersonId(new_id()), workspace_id=lane, account=actor.id, created_at=now)
        work.people.add(person)
        await introductions.look_in_groups(work, lane)
    if spot.personal and (meant := intent.text(WITHIN)) and (movement is None or movement.id != meant):
        belongs = await work.movements.membership(MovementId(meant), person.id)
        if belongs is not None:
            movement, member = await work.movements.get(belongs.movement_id), belongs
    _take_over(person, actor)
    if place is None and channel:
        place = Place(id=PlaceId(new_id()), workspace_id=lane, channel=channel, name=spot.name, created_at=now)
        work.movements.add(place)
    elif place is not None and spot.name and place.name != spot.name:
        place.name = spot.name
    if movement is not None and member is None:
        member = Member(movement_id=movement.id, person_id=person.id, joined_at=now)
        work.movements.add(member)
    if not person.name or (place is not None and not place.name):
        work.woken.add(lane)  # the next drain asks the platform for it
    person.answered()
    if person.deactivated_at is not None and intent.name not in commands.OVERHEARD:
        person.deactivated_at = None  # who acts is there
    return Turn(intent=intent, now=now, person=person, place=place, movement=movement, member=member)


def _take_over(person: Person, actor: Account) -> None:
    """What a request tells of who acts."""
    if actor.name and person.name != actor.name:
        person.name = actor.name
    if actor.timezone and person.timezone is None:
        person.timezone = actor.timezone
    if actor.language and person.language is None:
        person.language = Language.meant(actor.language, Language.NL)
    if actor.guest:
        person.guest = True


async def worded(work: UnitOfWork, turn: Turn, outcome: Entry | InPlace | None) -> Reply:
    """The outcome in words; through the outbox where the platform cannot show an answer at once."""
    if outcome is None:
        return None
    entry, in_place = (outcome.entry, True) if isinstance(outcome, InPlace) else (outcome, False)
    if in_place and turn.intent.on_page:
        return None  # the page takes its place
    reader = Reader(language=turn.language, timezone=turn.timezone, now=turn.now)
    within = turn.movement.id if turn.movement and turn.place is None else None
    intent = turn.intent
    if isinstance(entry, FormEntry):
        form = wording.form(entry, reader)
        if intent.opens_forms:
            return replace(form, hidden={**form.hidden, WITHIN: within}) if within else form
        args = {name: value for name, value in intent.args.items() if isinstance(value, str)}
        entry = FormOffered(title=form.title, intent=intent.name, args=args)
    if intent.answerable:
        return Answer(message=said(entry, reader, within), replaces=in_place)
    answer = to_person(
        turn.person,
        ANSWER,
        key=f"answer:{mark(f'{intent.actor.workspace}/{intent.key}')}",
        now=turn.now,
        movement=turn.movement.id if turn.movement else None,
        place=turn.place.id if turn.place else None,
        thread=intent.thread,
        args=dump(entry),
        expires_at=turn.now + STALE_AFTER,
    )
    if in_place and intent.answer_to:
        answer.act, answer.target = Act.UPDATE, intent.answer_to
    if turn.person.account is None:
        # Just forgotten: the last word goes to the message they pressed, and to nobody's name.
        answer.person_id = answer.place_id = None
    await work.deliveries.add(answer)
    return None


async def show_home(work: UnitOfWork, turn: Turn) -> None:
    """Whoever once opened their own page sees there what they did; others it costs nothing."""
    person, intent = turn.person, turn.intent
    if intent.on_page and person.account is not None:
        person.opened_home(blank=False)
    if person.home_mark is not None:
        key = mark(f"{intent.actor.workspace}/{intent.key}")
        movement = turn.movement.id if turn.movement else None
        await work.deliveries.add(to_home(person, key=key, now=turn.now, movement=movement))


def said(entry: Entry, reader: Reader, within: str | None) -> Message:
    """An entry in words, `within` a movement; a page says itself which one it is about."""
    about = entry.movement if isinstance(entry, Home) and within else within
    return within_movement(wording.message(entry, reader), about)


def within_movement(message: Message, movement: str | None) -> Message:
    """In a personal chat nothing but its buttons says which of someone's movements a message is about."""
    if not movement:
        return message
    return replace(
        message,
        buttons=tuple(replace(button, args={**button.args, WITHIN: movement}) for button in message.buttons),
    )
