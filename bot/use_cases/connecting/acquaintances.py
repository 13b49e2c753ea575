"""Keep what people answer alone in a round of ties; it becomes a tie only when the other says so too."""

from collections.abc import Mapping

from bot.catalogue.base import NO, YES, Entry, InPlace
from bot.catalogue.coverage import TieSettled, TiesForm, TiesKept, TiesTakenBack
from bot.catalogue.forms import read_form
from bot.domain.connectors import TieAnswer, TieAnswerId
from bot.domain.ids import new_id
from bot.domain.movement import Movement, MovementId
from bot.domain.person import Person, PersonId
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork
from bot.tying import note_tie


async def answer(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form: whom the actor last asked something, and whether these may read that."""
    turn.require_council()
    return TiesForm(values={"shown": NO})


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep whom the actor named; who named the actor before is tied to them from now on. Raises `Invalid`.

    The answer is the same whatever the named said: that is theirs.
    """
    movement = turn.require_council()
    filled = read_form(TiesForm, turn.intent.args)
    accounts = tuple(dict.fromkeys(filled.many("people")))
    if turn.intent.actor.id in accounts:
        filled.problems.add("people", "not_yourself")
    filled.problems.raise_if_any()
    named = [await work.people.get_or_create(turn.person.workspace_id, one, turn.now) for one in accounts]
    await work.flush()
    before = await _load_answers(work, turn.person.id, movement.id)
    for other in named:
        await _keep_answer(work, turn, movement, other, before)
    names = tuple(one.name or account for one, account in zip(named, accounts, strict=True))
    return TiesKept(names=names, shown=filled.text("shown") == YES)


_Pair = tuple[PersonId, PersonId]
"""The one who answered, and the one they named."""


async def _load_answers(work: UnitOfWork, person: PersonId, movement: MovementId) -> Mapping[_Pair, TieAnswer]:
    return {(one.person_id, one.other_id): one for one in await work.connecting.tie_answers(person, movement)}


async def _keep_answer(
    work: UnitOfWork, turn: Turn, movement: Movement, other: Person, before: Mapping[_Pair, TieAnswer]
) -> None:
    """Keep one answer; two that name each other become a tie."""
    own, theirs = before.get((turn.person.id, other.id)), before.get((other.id, turn.person.id))
    if theirs is not None:
        await _make_tie(work, turn, movement, other.id, before)
    elif own is not None:
        own.at, own.shown = turn.now, turn.text("shown") == YES
    else:
        work.connecting.add(
            TieAnswer(
                id=TieAnswerId(new_id()),
                movement_id=movement.id,
                person_id=turn.person.id,
                other_id=other.id,
                shown=turn.text("shown") == YES,
                at=turn.now,
            )
        )


async def _make_tie(
    work: UnitOfWork, turn: Turn, movement: Movement, other: PersonId, answers: Mapping[_Pair, TieAnswer]
) -> None:
    await note_tie(work, turn, other, movement)
    await _drop_answers(work, turn.person.id, other, answers)


async def _drop_answers(work: UnitOfWork, one: PersonId, other: PersonId, answers: Mapping[_Pair, TieAnswer]) -> None:
    for pair in ((one, other), (other, one)):
        if pair in answers:
            await work.delete(answers[pair])


async def take_back(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take back all that the actor answered in this movement; what the other said too, stays a tie."""
    movement = turn.require_movement()
    for (who, _), given in (await _load_answers(work, turn.person.id, movement.id)).items():
        if who == turn.person.id:
            await work.delete(given)
    return InPlace(entry=TiesTakenBack())


async def confirm(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the actor and the one who said so know each other: it is a tie from now on. Raises `Refused` where
    the works council has to agree first: what the other answered stays until then."""
    movement, other, answers = await _load_question(work, turn)
    if not movement.may_name_people(turn.works_council):
        raise Refused("council_first")
    await _make_tie(work, turn, movement, other.id, answers)
    return InPlace(entry=TieSettled(yes=True, name=other.name))


async def deny(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that they do not: what the other answered is gone."""
    _, other, answers = await _load_question(work, turn)
    await _drop_answers(work, turn.person.id, other.id, answers)
    return InPlace(entry=TieSettled(yes=False, name=other.name))


async def _load_question(work: UnitOfWork, turn: Turn) -> tuple[Movement, Person, Mapping[_Pair, TieAnswer]]:
    """Return the movement and the person of a question whether two know each other, and the answers of the actor there.
    Raises `Refused` when nobody asks it, or who did took it back."""
    movement = await work.movements.get(MovementId(turn.text("movement")))
    other = await work.people.in_workspace(PersonId(turn.text("person")), turn.person.workspace_id)
    answers = await _load_answers(work, turn.person.id, movement.id) if movement is not None else {}
    asked = answers.get((other.id, turn.person.id)) if other is not None else None
    if movement is None or other is None or asked is None or not asked.shown:
        raise Refused("not_found")
    return movement, other, answers
