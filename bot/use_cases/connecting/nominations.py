"""Nominate colleagues as key figures, and ask them first: nobody is suggested who has not agreed to it."""

from collections.abc import Mapping, Sequence

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.connecting import (
    MayBeSuggested,
    Nominated,
    NominateForm,
    NominationsKept,
)
from bot.catalogue.forms import read_form
from bot.domain.connectors import (
    MAX_NOMINEES,
    KeyFigure,
    Nomination,
    NominationId,
)
from bot.domain.delivery import Priority, to_person
from bot.domain.ids import new_id
from bot.domain.movement import Member, Movement, MovementId
from bot.domain.person import Person
from bot.errors import Invalid, Problems, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def nominate(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form: who connects, who knows a lot, who inspires."""
    turn.require_movement()
    return NominateForm()


async def save_nominations(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep who was named as what, and ask each of them once whether they may be suggested. Raises `Invalid`."""
    movement = turn.require_movement()
    filled = read_form(NominateForm, turn.intent.args)
    named = {figure: filled.many(figure.value) for figure in KeyFigure}
    accounts = _check_accounts(turn, named, filled.problems)
    people = {
        account: await work.people.get_or_create(turn.person.workspace_id, account, turn.now) for account in accounts
    }
    already = {(one.nominee_id, one.figure) for one in await work.connecting.named_by(turn.person.id, movement.id)}
    asked = 0
    for figure, some in named.items():
        for account in some:
            nominee = people[account]
            if (nominee.id, figure) in already:
                continue
            nomination = Nomination(
                id=NominationId(new_id()),
                movement_id=movement.id,
                nominator_id=turn.person.id,
                nominee_id=nominee.id,
                figure=figure,
                at=turn.now,
            )
            work.connecting.add(nomination)
            await work.connecting.strengthen(movement.id, turn.person.id, nominee.id, turn.now)
            asked += await _ask_consent(work, turn, nominee, nomination, movement)
    return NominationsKept(names=tuple(people[account].name or account for account in accounts), asked=asked)


def _check_accounts(turn: Turn, named: Mapping[KeyFigure, Sequence[str]], problems: Problems) -> list[str]:
    """Return the accounts that were named, each once. Raises `Invalid` for oneself, for nobody, and for too many."""
    for figure, some in named.items():
        if turn.intent.actor.id in some:
            problems.add(figure.value, "not_yourself")
    accounts = list(dict.fromkeys(account for some in named.values() for account in some))
    if len(accounts) > MAX_NOMINEES:
        last = [figure.value for figure, some in named.items() if some][-1]
        problems.add(last, "too_many", most=str(MAX_NOMINEES))
    problems.raise_if_any()
    if not accounts:
        raise Invalid({KeyFigure.CONNECTOR.value: "missing_person"})
    return accounts


async def _ask_consent(
    work: UnitOfWork, turn: Turn, nominee: Person, nomination: Nomination, movement: Movement
) -> bool:
    """Ask a nominee whether they may be suggested. Returns False when they were asked before or cannot be asked."""
    if nominee.suggestible is not None or nominee.guest or nominee.deactivated_at is not None:
        return False
    return await work.deliveries.add(
        to_person(
            nominee,
            "nominated",
            key=f"nominated:{movement.id}:{nominee.id}",
            now=turn.now,
            movement=movement.id,
            subject=nomination.id,
            priority=Priority.FROM_A_PERSON,
        )
    )


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question to a nominee whether they may be suggested. Raises `Unwanted` when they answered already."""
    movement = outgoing.require_movement()
    nomination = await work.connecting.nomination(NominationId(outgoing.delivery.subject), movement.id)
    if nomination is None or outgoing.person is None:
        raise Unwanted("taken_back")
    if outgoing.person.suggestible is not None:
        raise Unwanted("already_chosen")
    nominator = await work.people.get(nomination.nominator_id, movement.id)
    if nominator is None or nominator.account is None:
        raise Unwanted("taken_back")
    return Nominated(movement=movement.id, name=movement.name, by=nominator.name, figure=nomination.figure)


async def say_yes(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the actor may be suggested; one who was named from outside the movement becomes a member."""
    movement = await _require_nomination(work, turn)
    turn.person.suggestible = True
    if await work.movements.membership(movement, turn.person.id) is None:
        work.movements.add(Member(movement_id=movement, person_id=turn.person.id, joined_at=turn.now))
    return InPlace(entry=MayBeSuggested(yes=True))


async def say_no(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the actor does not want to be suggested."""
    await _require_nomination(work, turn)
    turn.person.suggestible = False
    return InPlace(entry=MayBeSuggested(yes=False))


async def _require_nomination(work: UnitOfWork, turn: Turn) -> MovementId:
    """Return the movement an intent names. Raises `Refused` unless the actor was nominated there."""
    movement = MovementId(turn.text("movement"))
    if not await work.connecting.was_named(turn.person.id, movement):
        raise Refused("not_found")
    return movement
