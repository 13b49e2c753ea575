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
from bot.domain.welcome import plan_welcome
from bot.errors import Invalid, Problems, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.shifts import join_group


async def nominate(work: UnitOfWork, turn: Turn) -> Entry:
    """Return the form: who connects, who knows a lot, who inspires."""
    turn.require_council()
    return NominateForm()


async def save_nominations(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep who was named as what, and ask each of them whether they may be suggested. Raises `Invalid`.

    The answer is the same whatever they were asked or chose before: that is theirs.
    """
    movement = turn.require_council()
    filled = read_form(NominateForm, turn.intent.args)
    named = {figure: filled.many(figure.value) for figure in KeyFigure}
    accounts = _check_accounts(turn, named, filled.problems)
    people = {
        account: await work.people.get_or_create(turn.person.workspace_id, account, turn.now) for account in accounts
    }
    already = {(one.nominee_id, one.figure) for one in await work.connecting.named_by(turn.person.id, movement.id)}
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
            await work.flush()
            await _ask_consent(work, turn, nominee, nomination, movement)
    return NominationsKept(names=tuple(people[account].name or account for account in accounts))


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
) -> None:
    """Ask a nominee whether they may be suggested: once. When they were asked enough this month, it is later.

    Who said yes before is not asked about another figure: `personal_data.show` does, when they look.
    """
    if nominee.guest or nominee.deactivated_at is not None:
        return
    member = await work.movements.membership(movement.id, nominee.id)
    if not _is_open(member, await work.connecting.naming(nominee.id, movement.id)):
        return
    await work.deliveries.add_ask(
        to_person(
            nominee,
            "nominated",
            key=f"nominated:{movement.id}:{nominee.id}",
            now=turn.now,
            movement=movement.id,
            subject=nomination.id,
            priority=Priority.FROM_A_PERSON,
        ),
        turn.now,
        postpone=True,
    )


def _is_open(member: Member | None, named: Sequence[Nomination]) -> bool:
    """Return whether somebody did not say yet whether they may be suggested in a movement."""
    return (member is None or member.suggestible is None) and not any(one.refused for one in named)


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question to a nominee whether they may be suggested, as all that they were named so far; not by whom.
    Raises `Unwanted` when they answered already."""
    movement = outgoing.require_council()
    if outgoing.person is None:
        raise Unwanted("taken_back")
    named = await work.connecting.naming(outgoing.person.id, movement.id)
    if not named:
        raise Unwanted("taken_back")
    if not _is_open(await work.movements.membership(movement.id, outgoing.person.id), named):
        raise Unwanted("already_chosen")
    figures = {one.figure for one in named}
    return Nominated(
        movement=movement.id, name=movement.name, figures=tuple(one for one in KeyFigure if one in figures)
    )


async def say_yes(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the actor may be suggested, as the `figures` given, in the movement of the question; one who was
    named from outside it becomes a member."""
    movement, _ = await _require_question(work, turn)
    member = await work.movements.membership(movement.id, turn.person.id)
    if member is None:
        member = Member(movement_id=movement.id, person_id=turn.person.id, joined_at=turn.now)
        work.movements.add(member)
        await join_group(work, turn.person, turn.now)
        await work.deliveries.add(plan_welcome(turn.person, movement.id, turn.now))
    member.agree(*_figures(turn))
    return InPlace(entry=MayBeSuggested(yes=True, movement=movement.name, movement_id=movement.id))


async def say_no(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that the actor does not want to be suggested in the movement of the question; with `more`, only not as
    these `figures` beside those they agreed to before."""
    movement, named = await _require_question(work, turn)
    member = await work.movements.membership(movement.id, turn.person.id)
    figures = _figures(turn) if turn.text("more") else list(KeyFigure)
    for one in named:
        one.refused = one.refused or one.figure in figures
    if member is not None and not turn.text("more"):
        member.decline()
    more = bool(turn.text("more"))
    return InPlace(entry=MayBeSuggested(yes=more, movement=movement.name, movement_id=movement.id if more else ""))


def _figures(turn: Turn) -> list[KeyFigure]:
    return [one for one in KeyFigure if one in turn.text("figures").split()]


async def _require_question(work: UnitOfWork, turn: Turn) -> tuple[Movement, Sequence[Nomination]]:
    """Return the movement an intent names, and the nominations of the actor there. Raises `Refused` unless they belong
    to it or were named there."""
    movement = await work.movements.get(MovementId(turn.text("movement")))
    if movement is None:
        raise Refused("not_found")
    named = await work.connecting.naming(turn.person.id, movement.id)
    if not named and await work.movements.membership(movement.id, turn.person.id) is None:
        raise Refused("not_found")
    return movement, named
