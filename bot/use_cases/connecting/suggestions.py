"""Whom to invite, and why: naming key figures, asking them first, suggesting who bridges."""

from collections import Counter
from collections.abc import Mapping

from bot.catalogue.base import Entry, InPlace, Pick
from bot.catalogue.connecting import (
    ConnectForm,
    MayBeSuggested,
    Nominated,
    NominateForm,
    NominationsKept,
    Someone,
    Suggested,
    TooFewTies,
)
from bot.catalogue.forms import read
from bot.domain.connectors import (
    FEWEST_SHOWN_AS_GROUP,
    FITS,
    MONTH,
    MOST_ASKED_A_MONTH,
    MOST_NOMINEES,
    Candidate,
    KeyFigure,
    Nomination,
    NominationId,
    suggest,
)
from bot.domain.delivery import Priority, to_person
from bot.domain.ids import new_id
from bot.domain.initiative import EpisodeId, Initiative, InitiativeId
from bot.domain.movement import Member, Movement, MovementId
from bot.domain.person import Person, PersonId
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def nominate(work: UnitOfWork, turn: Turn) -> Entry:
    turn.the_movement()
    return NominateForm()


async def save_nominations(work: UnitOfWork, turn: Turn) -> Entry:
    """Who was named as what. Each is asked once whether they may be suggested; only their yes counts."""
    movement = turn.the_movement()
    filled = read(NominateForm, turn.intent.args)
    named = {figure: filled.many(figure.value) for figure in KeyFigure}
    own = [figure.value for figure, accounts in named.items() if turn.intent.actor.id in accounts]
    if own:
        raise Invalid(dict.fromkeys(own, "not_yourself"))
    accounts = list(dict.fromkeys(account for accounts in named.values() for account in accounts))
    if not accounts:
        raise Invalid({KeyFigure.CONNECTOR.value: "missing"})
    if len(accounts) > MOST_NOMINEES:
        last = [figure.value for figure, some in named.items() if some][-1]
        raise Invalid({last: "too_many"}, {last: {"most": str(MOST_NOMINEES)}})
    people = {account: await work.people.known(turn.person.workspace_id, account, turn.now) for account in accounts}
    before = {(one.nominee_id, one.figure) for one in await work.connecting.named_by(turn.person.id, movement.id)}
    asked = 0
    for figure, some in named.items():
        for account in some:
            nominee = people[account]
            if (nominee.id, figure) in before:
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
            asked += await _ask(work, turn, nominee, nomination, movement)
    return NominationsKept(names=tuple(people[account].name or account for account in accounts), asked=asked)


async def _ask(work: UnitOfWork, turn: Turn, nominee: Person, nomination: Nomination, movement: Movement) -> bool:
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


async def compose_nominated(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    movement = outgoing.the_movement()
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
    """Yes to being suggested. Whoever was named from outside belongs from now on."""
    movement = await _where_named(work, turn)
    turn.person.suggestible = True
    if await work.movements.membership(movement, turn.person.id) is None:
        work.movements.add(Member(movement_id=movement, person_id=turn.person.id, joined_at=turn.now))
    return InPlace(entry=MayBeSuggested(yes=True))


async def say_no(work: UnitOfWork, turn: Turn) -> InPlace:
    await _where_named(work, turn)
    turn.person.suggestible = False
    return InPlace(entry=MayBeSuggested(yes=False))


async def _where_named(work: UnitOfWork, turn: Turn) -> MovementId:
    movement = MovementId(turn.text("movement"))
    if not await work.connecting.was_named(turn.person.id, movement):
        raise Refused("not_found")
    return movement


async def connect(work: UnitOfWork, turn: Turn) -> Entry:
    """Under a stuck episode: suggestions at once. Otherwise, for which initiative and what is needed."""
    movement = turn.the_movement()
    if turn.text("episode"):
        episode = await work.stuck.episode(EpisodeId(turn.text("episode")), movement.id)
        if episode is None or episode.person_id != turn.person.id:
            raise Refused("not_found")
        about = await work.initiatives.get(episode.initiative_id, movement.id) if episode.initiative_id else None
        return await _suggestions(work, turn, about, FITS[episode.kind])
    initiatives = await work.initiatives.of_person(turn.person.id, movement.id) or await work.initiatives.of_movement(
        movement.id
    )
    if not initiatives:
        raise Refused("no_initiatives")
    wanted = turn.text("initiative")
    chosen = wanted if wanted in {one.id for one in initiatives} else initiatives[0].id
    return ConnectForm(
        options={"initiative": tuple(Pick(value=one.id, label=one.name) for one in initiatives[:100])},
        values={"initiative": chosen, "figure": KeyFigure.CONNECTOR.value},
    )


async def look(work: UnitOfWork, turn: Turn) -> Entry:
    """The submitted question."""
    movement = turn.the_movement()
    filled = read(ConnectForm, turn.intent.args)
    initiative = await work.initiatives.get(InitiativeId(filled.text("initiative")), movement.id)
    if initiative is None:
        raise Invalid({"initiative": "unknown_choice"})
    return await _suggestions(work, turn, initiative, KeyFigure(filled.text("figure")))


async def _suggestions(work: UnitOfWork, turn: Turn, initiative: Initiative | None, figure: KeyFigure) -> Entry:
    movement = turn.the_movement()
    people = {
        person.id: person
        for person, _ in await work.people.of_movement(movement.id)
        if person.deactivated_at is None and person.may_be_named_in(turn.person.workspace_id)
    }
    inside = [turn.person.id]
    if initiative is not None:
        inside += [
            person.id
            for person, _ in await work.initiatives.participants(initiative.id, movement.id)
            if person.id != turn.person.id and person.deactivated_at is None
        ]
    candidates = await _candidates(work, turn, people, initiative)
    groups = frozenset(people[one].group for one in inside if one in people and people[one].group)
    found = suggest(candidates, wanted=figure, inside=inside, groups=groups)
    if not found:
        return TooFewTies(figure=figure)
    sizes = Counter(person.group for person in people.values())
    return Suggested(
        initiative=initiative.id if initiative else "",
        initiative_name=initiative.name if initiative else "",
        people=tuple(
            Someone(
                id=one.id,
                name=people[one.id].name,
                figure=one.figure,
                known_by=people[one.known_by].name if one.known_by and one.known_by != turn.person.id else "",
                known_by_you=one.known_by == turn.person.id,
                group=one.new_group if sizes[one.new_group] >= FEWEST_SHOWN_AS_GROUP else "",
            )
            for one in found
        ),
    )


async def _candidates(
    work: UnitOfWork, turn: Turn, people: Mapping[PersonId, Person], initiative: Initiative | None
) -> list[Candidate]:
    """Who said yes, is there to be asked, and was not asked too often."""
    movement = turn.the_movement()
    asked: dict[PersonId, int] = {}
    for invitation in await work.connecting.invitations(movement.id, turn.now - MONTH):
        again = initiative is not None and invitation.initiative_id == initiative.id
        asked[invitation.invitee_id] = asked.get(invitation.invitee_id, 0) + (MOST_ASKED_A_MONTH if again else 1)
    named: dict[PersonId, dict[KeyFigure, set[PersonId]]] = {}
    for nomination in await work.connecting.nominations(movement.id):
        if nomination.nominator_id in people:
            figures = named.setdefault(nomination.nominee_id, {})
            figures.setdefault(nomination.figure, set()).add(nomination.nominator_id)
    knows: dict[PersonId, set[PersonId]] = {}
    for tie in await work.connecting.ties(movement.id):
        if tie.one_id in people and tie.other_id in people:
            knows.setdefault(tie.one_id, set()).add(tie.other_id)
            knows.setdefault(tie.other_id, set()).add(tie.one_id)
    return [
        Candidate(
            id=person.id,
            group=person.group,
            named_as={figure: len(by) for figure, by in named.get(person.id, {}).items()},
            knows=frozenset(knows.get(person.id, ())),
        )
        for person in people.values()
        if person.suggestible and person.can_be_suggested(turn.now) and asked.get(person.id, 0) < MOST_ASKED_A_MONTH
    ]
