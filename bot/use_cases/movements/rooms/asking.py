"""Ask a leader for room to try something, answer that, and tell when the room ends."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot import wording
from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import parse_form, read_form
from bot.catalogue.rooms import (
    MAX_REQUEST_CHARS,
    RoomAnswered,
    RoomAsked,
    RoomDraft,
    RoomEnding,
    RoomForm,
    RoomLimitForm,
    RoomNews,
    RoomSent,
    RoomTakenBack,
    RoomWithdrawn,
)
from bot.domain.delivery import Priority, to_person
from bot.domain.forgetting import replace_message
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.person import Person
from bot.domain.room import (
    DEFAULT_ROOM_DAYS,
    MAX_ROOM_DAYS,
    ROOM_TAKEN_BACK,
    UNANSWERED_AFTER,
    Room,
    RoomId,
    RoomState,
    Wanted,
    end_of,
    ending_told_at,
)
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.use_cases.movements.rooms.parts import is_endorsed_by, is_over, load_parts, load_request, tell_asker
from bot.wording import Reader


async def ask(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form with a draft. It holds what everyone can read of the initiative, or how the actor is stuck: they
    see it first, and change what they like."""
    movement = turn.require_movement()
    trying, initiative = "", None
    if turn.text("episode"):
        episode = await work.stuck.own(turn.text("episode"), turn.person.id, movement.id)
        if episode is None:
            raise Refused("not_found")
        trying, about = episode.text, episode.initiative_id
        part = await work.initiatives.participant(about, turn.person.id) if about else None
        initiative = about if part is not None and part.left_at is None else None
    if turn.text("initiative"):
        found = await _load_own(work, turn)
        initiative, trying = found.id, found.description or found.name
    reader = Reader(language=turn.language, timezone=turn.timezone, now=turn.now)
    today = turn.now.astimezone(ZoneInfo(turn.timezone)).date()
    return RoomForm(
        values={
            "wanted": Wanted.ROOM.value,
            "trying": trying[:MAX_REQUEST_CHARS],
            "asking": wording.render_entry(RoomDraft(), reader).text,
            "until": (today + timedelta(days=DEFAULT_ROOM_DAYS)).isoformat(),
        },
        hidden={"initiative": initiative or ""},
        earliest=today + timedelta(days=1),
        latest=today + timedelta(days=MAX_ROOM_DAYS),
    )


async def send(work: UnitOfWork, turn: Turn) -> Entry:
    """Send a request for room, in the name of who asks. Raises `Invalid` for someone who cannot be asked now."""
    movement = turn.require_movement()
    initiative = await _load_own(work, turn) if turn.text("initiative") else None
    filled = read_form(RoomForm, turn.intent.args)
    today = turn.now.astimezone(ZoneInfo(turn.timezone)).date()
    day, earliest, latest = filled.day("until"), today + timedelta(days=1), today + timedelta(days=MAX_ROOM_DAYS)
    if day is not None and day < earliest:
        filled.problems.add("until", "too_early", earliest=earliest)
    elif day is not None and day > latest:
        filled.problems.add("until", "too_late", latest=latest)
    if turn.intent.actor.id in filled.many("person"):
        filled.problems.add("person", "not_yourself")
    # Without an initiative there is nothing that support could stand with.
    wanted = Wanted(filled.text("wanted") or Wanted.ROOM) if initiative is not None else Wanted.ROOM
    filled.problems.raise_if_any()
    if day is None:  # a required field: a form without it raised above
        raise Refused("not_found")
    giver = await work.people.get_or_create(turn.person.workspace_id, filled.many("person")[0], turn.now)
    if not giver.will_read(turn.now) or giver.guest:
        raise _refuse_person(giver)
    room = Room(
        id=RoomId(new_id()),
        movement_id=movement.id,
        initiative_id=initiative.id if initiative is not None else None,
        asker_id=turn.person.id,
        giver_id=giver.id,
        trying=filled.text("trying"),
        asking=filled.text("asking"),
        ends_at=end_of(day, turn.timezone),
        asked_at=turn.now,
        wanted=wanted,
    )
    request = to_person(
        giver,
        "room_asked",
        key=f"room_asked:{room.id}",
        now=turn.now,
        movement=movement.id,
        subject=room.id,
        priority=Priority.FROM_A_PERSON,
        expires_at=room.ends_at,
    )
    if not await work.deliveries.add_ask(request, turn.now):
        raise _refuse_person(giver)
    work.initiatives.add(room)
    await work.flush()
    await tell_asker(work, room, turn.person, "room_unanswered", turn, due_in=UNANSWERED_AFTER)
    return RoomSent(room=room.id, name=giver.name, told=turn.person.will_read(turn.now))


async def take_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take back a request that nobody gave a last answer to: it is not sent any more, and where it stands, it is
    replaced by the words that it was taken back."""
    room = await work.initiatives.room(RoomId(turn.text("room")), turn.require_movement().id)
    if room is None or room.asker_id != turn.person.id:
        raise Refused("not_found")
    giver, asked = await work.together(
        work.people.in_workspace(room.giver_id, turn.person.workspace_id),
        work.deliveries.about("room_asked", room.id, room.movement_id),
    )
    name = giver.name if giver is not None else ""
    arrived = [one for one in asked if one.may_have_arrived]
    if not room.may_be_answered(turn.now):
        answered = room.state is not RoomState.TAKEN_BACK
        return InPlace(entry=RoomWithdrawn(name=name, answered=answered, arrived=bool(arrived)))
    room.take_back(turn.now)
    kinds = ("room_asked", "room_answered", "room_unanswered")
    await work.together(*(work.deliveries.cancel(kind, room.id, "taken_back") for kind in kinds))
    await work.deliveries.add_all([replace_message(one, ROOM_TAKEN_BACK, turn.now) for one in arrived])
    return InPlace(entry=RoomWithdrawn(name=name, arrived=bool(arrived)))


def _refuse_person(giver: Person) -> Invalid:
    """Say beside the field that this person cannot be asked now; what was written stays."""
    return Invalid({"person": "cannot_be_asked"}, {"person": {"names": [giver.name] if giver.name else []}})


async def _load_own(work: UnitOfWork, turn: Turn) -> Initiative:
    """Load an open initiative that the actor takes part in. Raises `Refused` otherwise."""
    movement = turn.require_movement()
    found = await work.initiatives.get(InitiativeId(turn.text("initiative")), movement.id)
    part = await work.initiatives.participant(found.id, turn.person.id) if found is not None else None
    if found is None or part is None or part.left_at is not None:
        raise Refused("not_found")
    if found.closed_at is not None:
        raise Refused("initiative_closed")
    return found


async def grant(work: UnitOfWork, turn: Turn) -> InPlace:
    """Give the room that was asked."""
    return await _answer(work, turn, RoomState.GRANTED)


async def talk_first(work: UnitOfWork, turn: Turn) -> InPlace:
    """Ask to talk first; an answer can still be given after that."""
    return await _answer(work, turn, RoomState.TALK)


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Decline the room that was asked."""
    return await _answer(work, turn, RoomState.DECLINED)


async def open_limit(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to give room within a limit."""
    room = await load_request(work, turn)
    return RoomLimitForm(hidden={"room": room.id}, shown=room.initiative_id is not None)


async def grant_within_limit(work: UnitOfWork, turn: Turn) -> InPlace:
    """Give the room that was asked, within a limit."""
    return await _answer(work, turn, RoomState.GRANTED, parse_form(RoomLimitForm, turn.intent.args).text("limit"))


async def _answer(work: UnitOfWork, turn: Turn, state: RoomState, limit: str = "") -> InPlace:
    """Record an answer, and tell who asked; when given, also a few days before it ends."""
    room = await load_request(work, turn)
    if state is RoomState.GRANTED and room.wanted is Wanted.SUPPORT:
        raise Refused("not_found")  # that is answered with words
    asker = await work.people.get(room.asker_id, room.movement_id)
    name = asker.name_in(turn.person.workspace_id) if asker is not None else ""
    gone = not room.may_be_answered(turn.now) or await is_over(work, room, asker)
    if not gone and asker is not None:
        room.answer(state, turn.now, limit)
        await work.deliveries.cancel("room_unanswered", room.id, "answered")
        await tell_asker(work, room, asker, "room_answered", turn)
        movement = await work.movements.get(room.movement_id)
        timezone = asker.timezone or (movement.timezone if movement is not None else turn.timezone)
        ending = ending_told_at(room, timezone, turn.now) if state is RoomState.GRANTED else None
        if ending is not None:
            await tell_asker(work, room, asker, "room_ending", turn, due_in=ending - turn.now)
    return InPlace(
        entry=RoomAnswered(
            room=room.id,
            asker=name,
            state=room.state.value,
            limit=room.limit,
            until=room.last_day,
            gone=gone,
            told=asker is not None and asker.will_read(turn.now),
            wanted=room.wanted.value,
            supportable=not gone and room.may_be_supported(turn.now) and not await is_endorsed_by(work, room),
            given=not gone and room.may_be_ended(turn.now),
        )
    )


async def end(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take given room back, as who gave it; who asked is told, unless they did not hear yet that it was given."""
    room = await load_request(work, turn)
    asker = await work.people.get(room.asker_id, room.movement_id)
    gone = not room.may_be_ended(turn.now) or await is_over(work, room, asker)
    if not gone and asker is not None:
        room.answer(RoomState.DECLINED, turn.now)
        for kind in ("room_answered", "room_ending"):
            await work.deliveries.cancel(kind, room.id, "newer")
        await tell_asker(work, room, asker, "room_answered", turn)
    return InPlace(
        entry=RoomAnswered(
            room=room.id,
            asker=asker.name_in(turn.person.workspace_id) if asker is not None else "",
            state=room.state.value,
            until=room.last_day,
            gone=gone,
            told=asker is not None and asker.will_read(turn.now),
            supported=not gone and bool(room.support),
        )
    )


async def compose_request(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the request for whom it is asked of. Raises `Unwanted` when it was answered, or who asked is gone."""
    parts = await load_parts(work, outgoing)
    if parts.room.state is not RoomState.ASKED:
        raise Unwanted("answered")
    return RoomAsked(
        room=parts.room.id,
        asker=parts.asker.name_in(outgoing.delivery.workspace_id),
        initiative=parts.initiative.name if parts.initiative else "",
        trying=parts.room.trying,
        asking=parts.room.asking,
        until=parts.room.last_day,
        wanted=parts.room.wanted.value,
    )


async def compose_taken_back(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose what replaces a request that was taken back."""
    parts = await load_parts(work, outgoing)
    return RoomTakenBack(asker=parts.asker.name_in(outgoing.delivery.workspace_id))


async def compose_answer(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the answer for who asked, or that there is none yet."""
    parts = await load_parts(work, outgoing)
    is_quiet = outgoing.delivery.kind == "room_unanswered"
    if is_quiet is not (parts.room.state is RoomState.ASKED):
        raise Unwanted("answered")
    told = await work.deliveries.about("room_answered", parts.room.id, parts.room.movement_id)
    was_given = f"room_answered:{parts.room.id}:{RoomState.GRANTED.value}"
    return RoomNews(
        giver=parts.giver.name_in(outgoing.delivery.workspace_id),
        initiative=parts.initiative.id if parts.initiative else "",
        initiative_name=parts.initiative.name if parts.initiative else "",
        state=parts.room.state.value,
        limit=parts.room.limit,
        until=parts.room.last_day,
        wanted=parts.room.wanted.value,
        ended=parts.room.state is RoomState.DECLINED
        and any(one.key == was_given and one.may_have_arrived for one in told),
    )


async def compose_ending(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news that given room ends soon. Raises `Unwanted` when the initiative is finished."""
    parts = await load_parts(work, outgoing)
    if parts.room.state is not RoomState.GRANTED or outgoing.now >= parts.room.ends_at:
        raise Unwanted("too_late")
    return RoomEnding(
        giver=parts.giver.name_in(outgoing.delivery.workspace_id),
        initiative=parts.initiative.id if parts.initiative else "",
        initiative_name=parts.initiative.name if parts.initiative else "",
        trying=parts.room.trying,
        until=parts.room.last_day,
    )
