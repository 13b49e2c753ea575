"""Look back together: who takes part in an initiative is asked for one moment and what came of it, and gets all of them
back."""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain

from bot.catalogue.base import Entry
from bot.catalogue.forms import parse_form
from bot.catalogue.histories import (
    HistoryAnswered,
    HistoryAsked,
    HistoryBegun,
    HistoryForm,
    HistoryVoice,
    LearningHistory,
)
from bot.domain.delivery import Act, Delivery, Priority, new_delivery_id, to_person, to_place
from bot.domain.history import (
    ANSWERS_FOR,
    MIN_ANSWERS,
    HistoryAnswer,
    HistoryRound,
    HistoryRoundId,
    can_begin_round,
)
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import Place
from bot.domain.person import Person
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.use_cases.movements.look_backs.timeline import load_timeline

GIVEN_BACK = ("history_posted", "history_given")
"""Kinds of deliveries that hold the answers of a round: in the place of the initiative, and to who takes part."""


async def begin(work: UnitOfWork, turn: Turn) -> Entry:
    """Begin to look back together: everyone who takes part is asked, and gets the answers back a week later. Raises
    `Refused` for one who does not carry the initiative, soon after the last time, and when nobody else takes part."""
    movement = turn.require_movement()
    initiative = await work.initiatives.get(InitiativeId(turn.text("initiative")), movement.id)
    if initiative is None:
        raise Refused("not_found")
    mine = await work.initiatives.participant(initiative.id, turn.person.id)
    if not (turn.member is not None and turn.member.coordinates) and (mine is None or not mine.initiator):
        raise Refused("initiators_only")
    last = await work.initiatives.last_history(initiative.id, movement.id)
    people = [person for person, _ in await work.initiatives.participants(initiative.id, movement.id)]
    others = [person for person in people if person.id != turn.person.id]
    place = await _find_place(work, initiative)
    if last is not None and turn.now < last.told_at:
        return _confirm(last, initiative, place, len(others), again=True)
    if not can_begin_round(last, turn.now):
        raise Refused("looked_back_lately")
    if not others:
        raise Refused("nobody_to_look_back_with")
    fresh = HistoryRound(
        id=HistoryRoundId(new_id()),
        movement_id=movement.id,
        initiative_id=initiative.id,
        asked_at=turn.now,
        told_at=turn.now + ANSWERS_FOR,
    )
    work.initiatives.add(fresh)
    asked = await work.deliveries.add_asks([_as_question(fresh, one, turn.now) for one in others], turn.now)
    await work.deliveries.add_all(_plan_history(fresh, people, place, turn.now))
    return _confirm(fresh, initiative, place, asked)


def _confirm(
    history: HistoryRound, initiative: Initiative, place: Place | None, asked: int, *, again: bool = False
) -> HistoryBegun:
    return HistoryBegun(
        round=history.id,
        name=initiative.name,
        asked=asked,
        until=history.told_at,
        place=place.name if place is not None else "",
        again=again,
    )


def _as_question(history: HistoryRound, person: Person, now: datetime) -> Delivery:
    return to_person(
        person,
        "history_asked",
        key=f"history_asked:{history.id}:{person.id}",
        now=now,
        movement=history.movement_id,
        subject=history.id,
        priority=Priority.FROM_A_PERSON,
        expires_at=history.told_at,
    )


def _plan_history(
    history: HistoryRound, people: Sequence[Person], place: Place | None, now: datetime
) -> list[Delivery]:
    """Make the messages that give the answers back: in the place of the initiative, and to each who takes part."""
    given = [
        to_person(
            person,
            "history_given",
            key=f"history_given:{history.id}:{person.id}",
            now=now,
            movement=history.movement_id,
            subject=history.id,
            priority=Priority.NEWS,
            due_at=history.told_at,
        )
        for person in people
    ]
    if place is None:
        return given
    posted = to_place(
        place,
        "history_posted",
        key=f"history_posted:{history.id}",
        now=now,
        subject=history.id,
        priority=Priority.ASKED_FOR,
        due_at=history.told_at,
    )
    return [posted, *given]


async def _find_place(work: UnitOfWork, initiative: Initiative) -> Place | None:
    """Return where an initiative is; None when that is nowhere, or in no place of the movement any more."""
    place = await work.movements.place(initiative.place_id) if initiative.place_id else None
    return place if place is not None and place.movement_id == initiative.movement_id else None


async def answer(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form for one moment and what came of it, with what the actor answered before."""
    history, initiative, before = await _load(work, turn)
    place = await _find_place(work, initiative)
    named = before.named if before is not None else turn.person.story_named
    return HistoryForm(
        place=place.name if place is not None else "",
        values={
            "moment": before.moment if before is not None else "",
            "result": before.result if before is not None else "",
            "named": "with" if named else "without",
        },
        hidden={"round": history.id},
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep what somebody looks back on, until it is given back; an answer that comes later, or another one, is added to
    what stands already."""
    history, _, found = await _load(work, turn)
    filled = parse_form(HistoryForm, turn.intent.args)
    if found is None:
        found = HistoryAnswer(
            round_id=history.id,
            person_id=turn.person.id,
            movement_id=history.movement_id,
            moment="",
            answered_at=turn.now,
        )
        work.initiatives.add(found)
    found.moment, found.result = filled.text("moment"), filled.text("result")
    found.named = filled.text("named") == "with"
    asks = (work.deliveries.about(kind, history.id, history.movement_id) for kind in GIVEN_BACK)
    for given in chain.from_iterable(await work.together(*asks)):
        if given.act is Act.POST and given.may_have_arrived:
            await work.deliveries.add(_as_change(given, turn))
    is_late = turn.now >= history.told_at
    return HistoryAnswered(round=history.id, named=found.named, until=None if is_late else history.told_at)


def _as_change(given: Delivery, turn: Turn) -> Delivery:
    """Make the change of what was given back to what it says now."""
    is_personal = given.person_id is not None
    return Delivery(
        id=new_delivery_id(),
        workspace_id=given.workspace_id,
        movement_id=given.movement_id,
        place_id=given.place_id,
        person_id=given.person_id,
        kind=given.kind,
        subject=given.subject,
        args={"of": given.id},
        act=Act.UPDATE,
        target=given.receipt,
        target_channel=given.receipt_channel if is_personal else None,
        key=f"history:{given.id}:{turn.person.id}:{turn.intent.key}",
        due_at=turn.now,
        created_at=turn.now,
    )


async def _load(work: UnitOfWork, turn: Turn) -> tuple[HistoryRound, Initiative, HistoryAnswer | None]:
    """Return the round of an intent, its initiative, and what the actor answered. Raises `Refused` for one who never
    took part in that."""
    movement = turn.require_movement()
    history = await work.initiatives.history(HistoryRoundId(turn.text("round")), movement.id)
    if history is None:
        raise Refused("not_found")
    initiative, participant, answered = await work.together(
        work.initiatives.get(history.initiative_id, movement.id),
        work.initiatives.participant(history.initiative_id, turn.person.id),
        work.initiatives.history_answer(history.id, turn.person.id),
    )
    if initiative is None:
        raise Refused("not_found")
    if participant is None:
        raise Refused("participants_only")
    return history, initiative, answered


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question for one moment. Raises `Unwanted` when it was answered, or they left the initiative."""
    history, initiative = await _load_round(work, outgoing)
    if outgoing.person is None or not await _takes_part(work, initiative, outgoing.person):
        raise Unwanted("taken_back")
    if await work.initiatives.history_answer(history.id, outgoing.person.id) is not None:
        raise Unwanted("already_chosen")
    place = await _find_place(work, initiative)
    return HistoryAsked(
        round=history.id,
        name=initiative.name,
        until=history.told_at,
        place=place.name if place is not None else "",
    )


async def compose_history(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose what everyone looks back on, or, with too few answers, the usual look-back on the initiative. Raises
    `Unwanted` for one who left it."""
    history, initiative = await _load_round(work, outgoing)
    delivery, person = outgoing.delivery, outgoing.person
    if delivery.act is Act.POST and person is not None and not await _takes_part(work, initiative, person):
        raise Unwanted("taken_back")
    answers = await work.initiatives.history_answers(history.id, history.movement_id)
    if len(answers) < MIN_ANSWERS:
        return await load_timeline(
            work,
            outgoing.require_movement(),
            initiative,
            delivery.workspace_id,
            round=history.id,
            shared=person is None,
        )
    return LearningHistory(
        round=history.id,
        name=initiative.name,
        voices=tuple(
            HistoryVoice(
                who=one.name_in(delivery.workspace_id) if said.named else "", moment=said.moment, result=said.result
            )
            for said, one in answers
        ),
        shared=person is None,
    )


async def _takes_part(work: UnitOfWork, initiative: Initiative, person: Person) -> bool:
    found = await work.initiatives.participant(initiative.id, person.id)
    return found is not None and found.left_at is None


async def _load_round(work: UnitOfWork, outgoing: Outgoing) -> tuple[HistoryRound, Initiative]:
    movement = outgoing.require_movement()
    history = await work.initiatives.history(HistoryRoundId(outgoing.delivery.subject), movement.id)
    initiative = await work.initiatives.get(history.initiative_id, movement.id) if history is not None else None
    if history is None or initiative is None:
        raise Unwanted("gone")
    return history, initiative
