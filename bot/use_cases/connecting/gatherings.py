"""Bring a few people of different groups together who agreed to it, and ask afterwards whether they met."""

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.meetings import (
    MeetingAfter,
    MeetingAnswered,
    MeetingJoined,
    MeetingLeft,
    MeetingProposed,
    MeetingRemembered,
    MeetingRound,
    MeetingSet,
)
from bot.domain import quiet_hours
from bot.domain.calendar import holidays_of
from bot.domain.delivery import PROMISED_IN, Act, Delivery, Priority, to_person
from bot.domain.ids import new_id
from bot.domain.meeting import (
    ASKED_AFTER,
    MAX_WAITING,
    MEETING_QUESTIONS,
    TOLD_BEFORE,
    Guest,
    GuestAnswer,
    Meeting,
    MeetingCandidate,
    MeetingId,
    Pair,
    choose_guests,
    propose_meeting,
)
from bot.domain.movement import Place
from bot.domain.person import Person
from bot.domain.quiet_hours import FreeMoments
from bot.domain.rhythm import RhythmId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.tying import note_tie

Guests = Sequence[tuple[Guest, Person]]


async def join(work: UnitOfWork, turn: Turn) -> Entry:
    """Record that the actor agrees to be brought together with others in this movement."""
    member = await work.movements.membership(turn.require_movement().id, turn.person.id)
    if member is None:
        raise Refused("no_movement")
    already, member.meets = bool(member.meets), True
    return MeetingJoined(already=already)


async def leave(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the actor does not want to be brought together any more, here or (`all`) in any of their movements.
    The proposal where it was pressed is declined; one they did not answer names them no more."""
    here = None if turn.text("all") else turn.require_movement().id
    for movement, member in await work.movements.of_person(turn.person.id):
        if member.meets and here in (None, movement.id):
            member.meets = False
    if turn.text("meeting"):
        _, guest, _ = await _load(work, turn)
        guest.reply(GuestAnswer.DECLINED, turn.now)
    return InPlace(entry=MeetingLeft())


async def come(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the actor comes."""
    return await _answer(work, turn, GuestAnswer.COMING)


async def decline(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the actor cannot come."""
    return await _answer(work, turn, GuestAnswer.DECLINED)


async def _answer(work: UnitOfWork, turn: Turn, answer: GuestAnswer) -> InPlace:
    meeting, guest, others = await _load(work, turn)
    if turn.now >= meeting.at:
        return InPlace(entry=MeetingAnswered(coming=guest.answer is GuestAnswer.COMING, over=True))
    guest.reply(answer, turn.now)
    return InPlace(
        entry=MeetingAnswered(
            coming=answer is GuestAnswer.COMING,
            names=_names(_coming(others)),
            meeting=meeting.id if answer is GuestAnswer.COMING else "",
            told=turn.now < meeting.at - TOLD_BEFORE,
        )
    )


async def tell_met(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that they met: it ties those who both say so, and a story is welcome."""
    _, guest, others = await _load(work, turn)
    if not guest.met:
        guest.met = True
        for other, _ in others:
            if other.met:
                await note_tie(work, turn, other.person_id)
    return InPlace(entry=MeetingRemembered(met=True))


async def tell_not_met(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that they did not meet; that they did, said before, stands."""
    _, guest, _ = await _load(work, turn)
    guest.met = bool(guest.met)
    return InPlace(entry=MeetingRemembered(met=guest.met))


async def _load(work: UnitOfWork, turn: Turn) -> tuple[Meeting, Guest, Guests]:
    """Return a meeting, the actor's part in it, and the others. Raises `Refused` for another's."""
    meeting = await work.connecting.meeting(MeetingId(turn.text("meeting")), turn.require_movement().id)
    guests = await work.connecting.guests(meeting.id, meeting.movement_id) if meeting is not None else []
    mine = next((guest for guest, person in guests if person.id == turn.person.id), None)
    if meeting is None or mine is None:
        raise Refused("not_found")
    return meeting, mine, [(guest, person) for guest, person in guests if guest is not mine]


async def compose_round(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the round for everyone in a place. The first time it chooses who is brought together, and plans what they
    get; the post names none of them."""
    movement, delivery, place = outgoing.require_movement(), outgoing.delivery, outgoing.place
    rhythm = await work.rhythms.get(RhythmId(delivery.subject), movement.id)
    if place is None or (delivery.act is Act.POST and (rhythm is None or rhythm.ended_at is not None)):
        raise Unwanted("rhythm_ended")
    if "invited" not in delivery.args:
        question = outgoing.next_number() % MEETING_QUESTIONS + 1
        delivery.add_args(question=question, invited=await _bring_together(work, outgoing, place, question))
    return MeetingRound(question=int(str(delivery.args["question"])), invited=int(str(delivery.args["invited"])))


async def _bring_together(work: UnitOfWork, outgoing: Outgoing, place: Place, question: int) -> int:
    """Choose who meets, and plan their messages. Returns how many they are; 0 when nobody fits."""
    movement, now = outgoing.require_movement(), outgoing.now
    free = FreeMoments(quiet=quiet_hours.of_place(place, movement), calendar=holidays_of(movement, place))
    waiting = [
        person
        for person in await work.connecting.waiting_to_meet(movement.id, place.workspace_id, MAX_WAITING)
        if person.suppression_reason(now) is None and person.name
    ]
    together = await work.connecting.together_last([one.id for one in waiting], movement.id)
    last_round = await _load_last_round(work, outgoing)
    chosen = choose_guests([MeetingCandidate(one.id, one.group) for one in waiting], last_round, together)
    guests = [one for one in waiting if one.id in chosen]
    zone = free.quiet.timezone
    at = propose_meeting(now, free, [quiet_hours.of_person(one, one.timezone or zone, movement) for one in guests])
    if at is None or not chosen:
        return 0
    meeting = Meeting(
        id=MeetingId(new_id()),
        movement_id=movement.id,
        place_id=place.id,
        question=question,
        at=at,
        timezone=zone,
        proposed_at=now,
    )
    work.connecting.add(meeting)
    outgoing.delivery.add_args(meeting=meeting.id)
    for person in guests:
        work.connecting.add(Guest(meeting_id=meeting.id, movement_id=movement.id, person_id=person.id))
        for message in _plan_messages(meeting, person, now):
            await work.deliveries.add(message)
    return len(chosen)


async def _load_last_round(work: UnitOfWork, outgoing: Outgoing) -> set[Pair]:
    """Return the pairs who were brought together in the round before this one, if anybody was."""
    movement, delivery = outgoing.require_movement(), outgoing.delivery
    rounds = await work.deliveries.about(delivery.kind, delivery.subject, movement.id)
    before = [one for one in rounds if one.due_at < delivery.due_at and one.act is Act.POST]
    meeting = str(before[-1].args.get("meeting", "")) if before else ""
    guests = await work.connecting.guests(MeetingId(meeting), movement.id) if meeting else []
    return {Pair(two) for two in combinations([person.id for _, person in guests], 2)}


def _plan_messages(meeting: Meeting, person: Person, now: datetime) -> Sequence[Delivery]:
    """Make what one of them gets: the proposal, the day before who comes, and afterwards the question."""
    moments = (
        ("meeting_proposed", now, Priority.FROM_A_PERSON, meeting.at - TOLD_BEFORE),
        ("meeting_set", meeting.at - TOLD_BEFORE, Priority.ASKED_FOR, meeting.at),
        ("meeting_after", meeting.at + ASKED_AFTER, Priority.ASKED_FOR, meeting.at + 7 * ASKED_AFTER),
    )
    return [
        to_person(
            person,
            kind,
            key=f"{kind}:{meeting.id}:{person.id}",
            now=now,
            movement=meeting.movement_id,
            subject=meeting.id,
            priority=priority,
            due_at=due_at,
            expires_at=until,
            # Who says yes is told that they will hear the day before: that comes whatever else they got that week.
            args={PROMISED_IN: meeting.timezone} if kind == "meeting_set" else {},
        )
        for kind, due_at, priority, until in moments
    ]


async def compose_proposal(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the proposal to meet. Raises `Unwanted` when they answered, want no more of it, or too few others are
    left."""
    meeting, guest, others = await _load_for(work, outgoing)
    able = [one for one in others if await _may_come(work, one[0])]
    if guest.answer is not GuestAnswer.ASKED:
        raise Unwanted("answered")
    if not await _may_come(work, guest):
        raise Unwanted("withdrawn")
    if not able:
        raise Unwanted("person_gone")
    return MeetingProposed(
        meeting=meeting.id, names=_names(able), question=meeting.question, at=meeting.at, timezone=meeting.timezone
    )


async def _may_come(work: UnitOfWork, guest: Guest) -> bool:
    """Return whether somebody who was chosen comes, or may still want to."""
    if guest.answer is not GuestAnswer.ASKED:
        return guest.answer is GuestAnswer.COMING
    member = await work.movements.membership(guest.movement_id, guest.person_id)
    return member is not None and bool(member.meets)


async def compose_news(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose for who said yes who else comes. Raises `Unwanted` for anybody else."""
    meeting, guest, others = await _load_for(work, outgoing)
    if guest.answer is not GuestAnswer.COMING:
        raise Unwanted("answered")
    return MeetingSet(
        meeting=meeting.id,
        names=_names(_coming(others)),
        question=meeting.question,
        at=meeting.at,
        timezone=meeting.timezone,
    )


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question whether they met. Raises `Unwanted` when they said so, or nobody came together."""
    meeting, guest, others = await _load_for(work, outgoing)
    coming = _coming(others)
    if guest.answer is not GuestAnswer.COMING or guest.met is not None or not coming:
        raise Unwanted("answered")
    return MeetingAfter(meeting=meeting.id, names=_names(coming))


async def _load_for(work: UnitOfWork, outgoing: Outgoing) -> tuple[Meeting, Guest, Guests]:
    meeting = await work.connecting.meeting(MeetingId(outgoing.delivery.subject), outgoing.require_movement().id)
    guests = await work.connecting.guests(meeting.id, meeting.movement_id) if meeting is not None else []
    mine = next((guest for guest, person in guests if person.id == outgoing.delivery.person_id), None)
    if meeting is None or mine is None:
        raise Unwanted("gone")
    return meeting, mine, [(guest, person) for guest, person in guests if guest is not mine]


def _coming(guests: Guests) -> Guests:
    return [(guest, person) for guest, person in guests if guest.answer is GuestAnswer.COMING]


def _names(guests: Guests) -> tuple[str, ...]:
    return tuple(person.name for _, person in guests if person.name)
