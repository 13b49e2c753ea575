"""Open a door for people without an account, close it, and let in what they tell, or not.

Who carries the initiative reads what is told, or else the coordinators. One message about what waits at a door is
enough: what is decided about one story shows the next in its place. A story that was taken back, or decided about by
somebody else, leaves the messages of all.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, InPlace, Pick
from bot.catalogue.doors import (
    DOORS_SHOWN,
    DoorCard,
    DoorCardComing,
    DoorForm,
    DoorOff,
    DoorRead,
    DoorShown,
    DoorsListed,
    DoorSummary,
    DoorTold,
)
from bot.catalogue.forms import read_form
from bot.changes import record_change
from bot.chat import CARD
from bot.domain.carrying import carriers
from bot.domain.change import CoordinatorAct
from bot.domain.delivery import Act, Priority, to_person
from bot.domain.door import (
    DOOR_CARD,
    DOOR_TOLD,
    LONGEST_OPEN,
    TELL_AGAIN_AFTER,
    UNREAD_FOR,
    USUALLY_OPEN,
    DoorState,
    DoorStory,
    DoorStoryId,
    StoryDoor,
    StoryDoorId,
    digest_words,
)
from bot.domain.forgetting import replace_message
from bot.domain.ids import new_id
from bot.domain.initiative import InitiativeId
from bot.domain.movement import Member, Movement, MovementId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.retelling import plan_changes
from bot.domain.story import Readers, Story, StoryId
from bot.errors import Refused, Unwanted
from bot.pictures import AFTER_ANSWER, PICTURE_DEADLINE
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.qr import qr_rows

NO_WORKSPACE = WorkspaceId("")
"""The workspace of who has no account."""
WAITING_COUNTED = 100
"""Stories that wait at a door are counted up to so many."""
LOOKED_THROUGH = 50
"""Doors of a movement, those opened last, of which the open ones are shown."""


async def show_all(work: UnitOfWork, turn: Turn) -> Entry:
    """Show the doors of the movement, or those of the initiatives that the actor carries; without a public address,
    what would turn them on."""
    movement, opens = turn.require_movement(), turn.member is not None and turn.member.coordinates
    found = await work.doors.of_movement(movement.id, LOOKED_THROUGH)
    if not opens:
        decides = await work.together(*(_may_decide(work, one, turn.person, turn.member) for one in found))
        found = [one for one, may in zip(found, decides, strict=True) if may]
    if not found:
        turn.require_coordinator()
    if turn.syntax.pages is None:
        return DoorOff()
    shown = sorted(found, key=lambda one: not one.is_open(turn.now))[:DOORS_SHOWN]
    return DoorsListed(
        doors=tuple(
            [
                DoorSummary(
                    id=one.id,
                    initiative=await work.initiatives.name(one.initiative_id, movement.id),
                    until=_until(one),
                    is_open=one.is_open(turn.now),
                    waiting=len(await work.doors.waiting(one.id, movement.id, WAITING_COUNTED)),
                )
                for one in shown
            ]
        ),
        opens=opens,
    )


async def open_form(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form of a new door. Raises `Refused` without any initiative that it could be of."""
    movement = turn.require_coordinator()
    if turn.syntax.pages is None:
        return DoorOff()
    found = await work.initiatives.of_movement(movement.id, most=MAX_FORM_OPTIONS)
    if not found:
        raise Refused("no_initiatives")
    today = turn.now.astimezone(ZoneInfo(turn.timezone)).date()
    picks = tuple(Pick(value=one.id, label=one.name) for one in found)
    return DoorForm(
        values={
            "initiative": picks[0].value if len(picks) == 1 else "",
            "day": (today + USUALLY_OPEN).isoformat(),
            "question": "",
        },
        options={"initiative": picks},
        earliest=today,
        latest=today + LONGEST_OPEN,
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the door that was filled in, and show its address. Raises `Invalid`."""
    movement = turn.require_coordinator()
    filled = read_form(DoorForm, turn.intent.args)
    initiative = await work.initiatives.get(InitiativeId(filled.text("initiative")), movement.id)
    if filled.text("initiative") and (initiative is None or initiative.closed_at is not None):
        filled.problems.add("initiative", "unknown_choice")
    zone = ZoneInfo(turn.timezone)
    today, day = turn.now.astimezone(zone).date(), filled.day("day")
    if day is not None and day < today:
        filled.problems.add("day", "too_early", earliest=today)
    if day is not None and day > today + LONGEST_OPEN:
        filled.problems.add("day", "too_late", latest=today + LONGEST_OPEN)
    if filled.problems or initiative is None or day is None:
        raise filled.problems.to_invalid()
    if turn.syntax.pages is None:
        return DoorOff()
    door = StoryDoor(
        id=StoryDoorId(new_id()),
        movement_id=movement.id,
        initiative_id=initiative.id,
        question=filled.text("question"),
        opened_by=turn.person.id,
        opened_at=turn.now,
        ends_at=datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC),
    )
    work.doors.add(door)
    record_change(work, turn, CoordinatorAct.DOOR_OPENED, initiative.name)
    await work.flush()
    return await _show(work, turn, door, "opened")


async def show_one(work: UnitOfWork, turn: Turn) -> Entry:
    """Show one door of the movement."""
    return await _show(work, turn, await _load(work, turn), "")


async def close(work: UnitOfWork, turn: Turn) -> InPlace:
    """Close a door at once; what waits there can still be read."""
    door = await _load(work, turn)
    if door.closed_at is None:
        door.close(turn.now)
        if turn.member is not None and turn.member.coordinates:
            name = await work.initiatives.name(door.initiative_id, door.movement_id)
            record_change(work, turn, CoordinatorAct.DOOR_CLOSED, name)
    await work.flush()
    return InPlace(entry=await _show(work, turn, door, "closed"))


async def ask_card(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the card of an open door for the actor."""
    door = await _load(work, turn)
    if not door.is_open(turn.now):
        raise Refused("not_found")
    await _plan_for_actor(work, turn, DOOR_CARD, door)
    return DoorCardComing()


async def ask_waiting(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the message about what waits at a door for the actor, who asks for it."""
    door = await _load(work, turn)
    if not await work.doors.waiting(door.id, door.movement_id, 1):
        return DoorRead(initiative=await work.initiatives.name(door.initiative_id, door.movement_id))
    await _plan_for_actor(work, turn, DOOR_TOLD, door)
    return DoorCardComing(what="told")


async def _plan_for_actor(work: UnitOfWork, turn: Turn, kind: str, door: StoryDoor) -> None:
    await work.deliveries.add(
        to_person(
            turn.person,
            kind,
            key=f"{kind}:{turn.person.id}:{door.id}:{turn.now:%Y%m%dT%H%M}",
            now=turn.now,
            movement=door.movement_id,
            subject=door.id,
            due_at=turn.now if turn.intent.answerable else turn.now + AFTER_ANSWER,
            expires_at=turn.now + PICTURE_DEADLINE,
        )
    )


async def let_in(work: UnitOfWork, turn: Turn) -> InPlace:
    """Make what was told at a door a story of its initiative, that everyone in the movement may read."""
    door, told = await _load_waiting(work, turn)
    if not _has_read(turn, told):
        return await _show_new_words(work, door, told)
    story = await work.stories.get(told.story_id, door.movement_id) if told.story_id is not None else None
    if story is None:
        # Nobody: it has no account, so nothing can be sent to it, and nothing is known of it.
        nobody = Person(id=PersonId(new_id()), workspace_id=turn.person.workspace_id, account=None, created_at=turn.now)
        work.people.add(nobody)
        story = Story(
            id=StoryId(new_id()),
            movement_id=door.movement_id,
            place_id=None,
            teller_id=nobody.id,
            text=told.text,
            named=False,
            called=told.called,
            readers=Readers.MOVEMENT,
            initiative_id=door.initiative_id,
            told_at=turn.now,
        )
        work.stories.add(story)
    else:
        story.tell_again(told.text, Readers.MOVEMENT, turn.now)
        story.called = told.called
    told.let_in(story.id)
    return await _go_on(work, turn, door, told, "let_in")


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Leave what was told at a door outside, and erase it. Why is kept nowhere."""
    door, told = await _load_waiting(work, turn)
    if not _has_read(turn, told):
        return await _show_new_words(work, door, told)
    told.end(DoorState.DECLINED, turn.now)
    return await _go_on(work, turn, door, told, "not_this")


async def _go_on(work: UnitOfWork, turn: Turn, door: StoryDoor, told: DoorStory, news: str) -> InPlace:
    """Show the next story that waits in place of the one decided about, here and to others who read the door."""
    pressed = {turn.text(CARD), turn.intent.message, turn.intent.answer_to}
    _, entry = await work.together(
        refresh_cards(work, door, f"{told.id}:{news}:{turn.now.isoformat()}", turn.now, but=pressed),
        _word(work, door, news),
    )
    return InPlace(entry=entry, on_page=True)


def _has_read(turn: Turn, told: DoorStory) -> bool:
    """Return whether the actor saw the words that they decide about: they may have been changed since."""
    return turn.text("words") == digest_words(told.text, told.called)


async def _show_new_words(work: UnitOfWork, door: StoryDoor, told: DoorStory) -> InPlace:
    """Show the words as they are now, in place of those that were decided about; nothing is decided."""
    name, waiting = await work.together(
        work.initiatives.name(door.initiative_id, door.movement_id),
        work.doors.waiting(door.id, door.movement_id, WAITING_COUNTED),
    )
    return InPlace(entry=_word_one(told, name, len(waiting) - 1, "changed"), on_page=True)


async def _load_waiting(work: UnitOfWork, turn: Turn) -> tuple[StoryDoor, DoorStory]:
    """Return a door, and what waits there. Raises `Refused` for who may not decide, and when it was decided."""
    movement = turn.require_movement()
    door = await work.doors.get(StoryDoorId(turn.text("door")), movement.id)
    told = await work.doors.get_story(DoorStoryId(turn.text("told")), movement.id)
    if door is None or told is None or told.door_id != door.id:
        raise Refused("not_found")
    if not await _may_decide(work, door, turn.person, turn.member):
        raise Refused("initiators_only")
    if not told.waits:
        raise Refused("already_answered")
    return door, told


async def _may_decide(work: UnitOfWork, door: StoryDoor, person: Person, member: Member | None) -> bool:
    """Return whether a person carries the initiative of a door, or coordinates its movement, by their membership of
    that."""
    if member is not None and member.coordinates:
        return True
    taking_part = await work.initiatives.participants(door.initiative_id, door.movement_id)
    return person.id in {one.id for one in carriers(taking_part)}


async def _reads(work: UnitOfWork, door: StoryDoor, reader: Person) -> bool:
    """Return whether who is to read a message about a door still decides about it."""
    return await _may_decide(work, door, reader, await work.movements.membership(door.movement_id, reader.id))


async def _load(work: UnitOfWork, turn: Turn) -> StoryDoor:
    movement = turn.require_movement()
    door = await work.doors.get(StoryDoorId(turn.text("door")), movement.id)
    if door is None:
        raise Refused("not_found")
    if not await _may_decide(work, door, turn.person, turn.member):
        raise Refused("initiators_only")
    return door


async def _show(work: UnitOfWork, turn: Turn, door: StoryDoor, news: str) -> DoorShown:
    pages = turn.syntax.pages
    return DoorShown(
        id=door.id,
        initiative=await work.initiatives.name(door.initiative_id, door.movement_id),
        question=door.question,
        link=pages.make_door(door.id) if pages is not None else "",
        until=_until(door),
        is_open=door.is_open(turn.now),
        waiting=len(await work.doors.waiting(door.id, door.movement_id, WAITING_COUNTED)),
        news=news,  # type: ignore[arg-type]  # one of its literals
    )


def _until(door: StoryDoor) -> datetime:
    """Return a moment on the last day that a door is, or was, open."""
    return (door.closed_at or door.ends_at) - timedelta(seconds=1)


async def compose_card(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the card of a door for who asked. Raises `Unwanted` when it is closed, or they do not coordinate the
    movement or carry its initiative any more."""
    movement, pages, reader = outgoing.require_movement(), outgoing.syntax.pages, outgoing.person
    door = await work.doors.get(StoryDoorId(outgoing.delivery.subject), movement.id)
    if door is None or pages is None or not door.is_open(outgoing.now):
        raise Unwanted("gone")
    if reader is None or not await _reads(work, door, reader):
        raise Unwanted("gone")
    link = pages.make_door(door.id)
    return DoorCard(
        initiative=await work.initiatives.name(door.initiative_id, movement.id),
        movement=movement.name,
        question=door.question,
        link=link,
        until=_until(door),
        modules=qr_rows(link),
    )


async def compose_waiting(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose what waits at a door for who decides about it. Raises `Unwanted` when nothing does any more (a message
    that stands says so), or they do not decide now."""
    movement, reader = outgoing.require_movement(), outgoing.person
    door = await work.doors.get(StoryDoorId(outgoing.delivery.subject), movement.id)
    if door is None or reader is None or not await _reads(work, door, reader):
        raise Unwanted("gone")
    entry = await _word(work, door, "")
    if isinstance(entry, DoorRead) and outgoing.delivery.act is Act.POST:
        raise Unwanted("answered")
    if isinstance(entry, DoorTold) and await _is_first(work, door, reader):
        return replace(entry, opened=True, opener=await _name_opener(work, door, reader))
    return entry


async def _is_first(work: UnitOfWork, door: StoryDoor, reader: Person) -> bool:
    """Return whether somebody who did not open a door reads for the first time that it is there."""
    cards = await work.deliveries.about(DOOR_TOLD, door.id, door.movement_id)
    mine = [one for one in cards if one.act is Act.POST and one.person_id == reader.id]
    return len(mine) <= 1 and door.opened_by != reader.id


async def _name_opener(work: UnitOfWork, door: StoryDoor, reader: Person) -> str:
    """Return who opened a door, as the reader may see it; "" when they are gone, or not to be named there."""
    opener = await work.people.get(door.opened_by, door.movement_id) if door.opened_by is not None else None
    return opener.name_in(reader.workspace_id) if opener is not None else ""


async def _word(work: UnitOfWork, door: StoryDoor, news: str) -> DoorTold | DoorRead:
    """Word the story that waits at a door the longest, or that none does."""
    name, waiting = await work.together(
        work.initiatives.name(door.initiative_id, door.movement_id),
        work.doors.waiting(door.id, door.movement_id, WAITING_COUNTED),
    )
    if not waiting:
        return DoorRead(initiative=name, news=news)  # type: ignore[arg-type]  # one of its literals
    return _word_one(waiting[0], name, len(waiting) - 1, news)


def _word_one(told: DoorStory, initiative: str, more: int, news: str) -> DoorTold:
    return DoorTold(
        door=told.door_id,
        story=told.id,
        initiative=initiative,
        text=told.text,
        called=told.called,
        more=more,
        news=news,  # type: ignore[arg-type]  # one of its literals
    )


async def refresh_cards(
    work: UnitOfWork, door: StoryDoor, occasion: str, now: datetime, *, but: Collection[str | None] = ()
) -> None:
    """Change the messages about what waits at a door to what waits there now, except one, of which `but` holds the id
    or that of its message."""
    for card in await work.deliveries.about(DOOR_TOLD, door.id, door.movement_id):
        if card.act is Act.POST and card.may_have_arrived and card.id not in but and (card.receipt or "-") not in but:
            change = replace_message(card, DOOR_TOLD, now)
            change.key = f"{DOOR_TOLD}:{card.id}:{occasion}"
            await work.deliveries.add(change)


async def tell_readers(
    work: UnitOfWork, door: StoryDoor, told: DoorStory, now: datetime, *, waited: bool = False
) -> None:
    """Plan the message to who decides about what was told at a door; to none of those who got one about others that
    still wait, or about this one that `waited` already with other words, unless that was a week ago."""
    waiting = await work.doors.waiting(door.id, door.movement_id, 2)
    cards = await work.deliveries.about(DOOR_TOLD, door.id, door.movement_id)
    shown_since = now - TELL_AGAIN_AFTER
    has_card = {
        card.person_id
        for card in cards
        if card.act is Act.POST and card.created_at > shown_since and card.state.value not in ("failed", "dropped")
    }
    knows = waited or len(waiting) > 1
    if knows or told.changes:
        # Its words are others now, or so many more wait.
        await refresh_cards(work, door, f"{told.id}:came:{told.changes}:{now.isoformat()}", now)
    for person in await find_readers(work, door):
        if knows and person.id in has_card:
            continue
        await work.deliveries.add(
            to_person(
                person,
                DOOR_TOLD,
                key=f"{DOOR_TOLD}:{told.id}:{person.id}:{now.isoformat()}",
                now=now,
                movement=door.movement_id,
                subject=door.id,
                priority=Priority.FROM_A_PERSON,
                expires_at=now + UNREAD_FOR,
            )
        )


async def find_readers(work: UnitOfWork, door: StoryDoor) -> Sequence[Person]:
    """Return who is asked about what is told at a door: who carries its initiative, or else the coordinators."""
    taking_part = await work.initiatives.participants(door.initiative_id, door.movement_id)
    return carriers(taking_part) or await work.people.coordinators(door.movement_id)


@dataclass(frozen=True)
class LeftBehind:
    """Says what is still to be taken back of a story: what else was said of its teller, `but` for these messages."""

    teller: PersonId
    but: frozenset[str]


async def take_back(work: UnitOfWork, door: StoryDoor, told: DoorStory, now: datetime) -> LeftBehind | None:
    """Take back what was told at a door, wherever it was told again. Returns what else is to be taken back."""
    left = await _withdraw_story(work, told, now)
    told.end(DoorState.TAKEN_BACK, now)
    await work.flush()
    await refresh_cards(work, door, f"{told.id}:back", now)
    return left


async def tell_otherwise(
    work: UnitOfWork, door: StoryDoor, told: DoorStory, text: str, called: str, now: datetime
) -> LeftBehind | None:
    """Replace what was told at a door: where it stands it is taken back, until somebody read the new words. Returns
    what else is to be taken back."""
    left, waited = await _withdraw_story(work, told, now), told.waits
    told.tell_again(text, called, now)
    await work.flush()
    await tell_readers(work, door, told, now, waited=waited)
    return left


async def _withdraw_story(work: UnitOfWork, told: DoorStory, now: datetime) -> LeftBehind | None:
    story = await work.stories.get(told.story_id, told.movement_id) if told.story_id is not None else None
    if story is None or not story.is_told:
        return None
    story.withdraw(now)
    await work.stories.remove_choices_of(story)
    retold = await work.stories.retold_in(story.id, story.movement_id)
    for change in plan_changes(story, retold, occasion=f"door:{told.id}:{now.isoformat()}", now=now):
        await work.deliveries.add(change)
    return LeftBehind(story.teller_id, frozenset(one.id for one in retold))


async def expire_unread(work: UnitOfWork, now: datetime) -> None:
    """Erase what nobody read within `UNREAD_FOR`; at most two hundred at a time."""
    for told in await work.doors.unread_before(now - UNREAD_FOR, 200):
        told.end(DoorState.UNREAD, now)
        door = await work.doors.get(told.door_id, told.movement_id)
        if door is not None:
            await work.flush()
            await refresh_cards(work, door, f"{told.id}:unread", now)


async def is_reachable(work: UnitOfWork, movement: MovementId) -> Movement | None:
    """Return the movement of a door; None when Ritme was removed from everywhere it lives: nobody would read."""
    found = await work.movements.get(movement)
    lanes = {one.workspace_id for one in await work.movements.places(movement)}
    spaces = [await work.people.workspace(one) for one in sorted(lanes)]
    return found if any(one is None or not one.is_removed for one in spaces) else None
