"""Suggest whom to invite, and why: people who agreed to it, and who together bridge to those not reached yet."""

from collections import Counter
from collections.abc import Container, Mapping

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, Pick
from bot.catalogue.connecting import (
    ConnectForm,
    Suggested,
    SuggestedPerson,
    TooFewTies,
)
from bot.catalogue.forms import read_form
from bot.domain.asks import MONTH
from bot.domain.connectors import (
    FIGURE_FOR,
    MIN_GROUP_SIZE,
    Candidate,
    Invitation,
    InvitationId,
    KeyFigure,
    Suggestion,
    suggest,
)
from bot.domain.initiative import EpisodeId, Initiative, InitiativeId
from bot.domain.movement import Member, MovementId
from bot.domain.person import Person, PersonId
from bot.errors import Refused
from bot.ports import Turn, UnitOfWork

_Belonging = tuple[Person, Member]
"""A person of the movement, with their membership."""


async def connect(work: UnitOfWork, turn: Turn) -> Entry:
    """Suggest people at once under a stuck episode (`episode`); else return the form: for which initiative, and what
    kind of key figure. With `invitation`, one that led to nothing, whoever it was for is left out. Raises `Refused` for
    another's episode, or when there are no initiatives."""
    movement = turn.require_movement()
    before = await _load_invitation(work, turn)
    if turn.text("episode"):
        episode = await work.stuck.episode(EpisodeId(turn.text("episode")), movement.id)
        if episode is None or episode.person_id != turn.person.id:
            raise Refused("not_found")
        about = await work.initiatives.get(episode.initiative_id, movement.id) if episode.initiative_id else None
        return await _make_suggestions(work, turn, about, FIGURE_FOR[episode.kind])
    initiatives = await work.initiatives.of_person(turn.person.id, movement.id) or await work.initiatives.of_movement(
        movement.id
    )
    if not initiatives and before is not None:
        return await _make_suggestions(work, turn, None, KeyFigure.CONNECTOR, before)
    if not initiatives:
        raise Refused("no_initiatives")
    wanted = turn.text("initiative") or (before.initiative_id if before is not None else "")
    chosen = wanted if wanted in {one.id for one in initiatives} else initiatives[0].id
    return ConnectForm(
        options={"initiative": tuple(Pick(value=one.id, label=one.name) for one in initiatives[:MAX_FORM_OPTIONS])},
        values={"initiative": chosen, "figure": KeyFigure.CONNECTOR.value},
        hidden={"invitation": before.id} if before is not None else {},
    )


async def _load_invitation(work: UnitOfWork, turn: Turn) -> Invitation | None:
    """Return the actor's invitation that led to nothing; None when they look without one, or it is not kept any
    more."""
    if not turn.text("invitation"):
        return None
    found = await work.connecting.invitation(InvitationId(turn.text("invitation")), turn.require_movement().id)
    return found if found is not None and found.inviter_id == turn.person.id else None


async def search(work: UnitOfWork, turn: Turn) -> Entry:
    """Suggest people for the initiative and the key figure that were filled in."""
    movement = turn.require_movement()
    filled = read_form(ConnectForm, turn.intent.args)
    initiative = await work.initiatives.get(InitiativeId(filled.text("initiative")), movement.id)
    if initiative is None:
        filled.problems.add("initiative", "unknown_choice")
    if initiative is None or filled.problems:
        raise filled.problems.to_invalid()
    before = await _load_invitation(work, turn)
    return await _make_suggestions(work, turn, initiative, KeyFigure(filled.text("figure")), before)


async def _make_suggestions(
    work: UnitOfWork,
    turn: Turn,
    initiative: Initiative | None,
    figure: KeyFigure,
    before: Invitation | None = None,
) -> Entry:
    people = await _load_people(work, turn)
    if before is not None:
        people.pop(before.invitee_id, None)
    inside = await _load_insiders(work, turn, initiative)
    candidates = await _load_candidates(work, turn, people, initiative)
    groups = frozenset(people[one][0].group for one in inside if one in people and people[one][0].group)
    # That two people know each other is told about those who both agreed to be suggested; the actor knows their own.
    nameable = {turn.person.id, *(one for one, (_, member) in people.items() if member.suggestible)}
    found = suggest(candidates, wanted=figure, inside=inside, groups=groups, nameable=nameable)
    if not found:
        return TooFewTies(figure=figure)
    for one in found:
        people[one.id][1].record_suggestion(turn.now)
    sizes = Counter(person.group for person, _ in people.values())
    return Suggested(
        initiative=initiative.id if initiative else "",
        initiative_name=initiative.name if initiative else "",
        people=tuple(_describe(one, people, sizes, turn.person.id) for one in found),
    )


def _describe(
    one: Suggestion, people: Mapping[PersonId, _Belonging], sizes: Counter[str], asker: PersonId
) -> SuggestedPerson:
    """Say why somebody is suggested. A group is named only when it is large enough to be shown as a group."""
    return SuggestedPerson(
        id=one.id,
        name=people[one.id][0].name,
        figure=one.figure,
        known_by=people[one.known_by][0].name if one.known_by and one.known_by != asker else "",
        known_by_you=one.known_by == asker,
        group=one.new_group if sizes[one.new_group] >= MIN_GROUP_SIZE else "",
    )


async def _load_people(work: UnitOfWork, turn: Turn) -> dict[PersonId, _Belonging]:
    """Return the active people of the movement whose names the actor's workspace may see."""
    return {
        person.id: (person, member)
        for person, member in await work.people.of_movement(turn.require_movement().id)
        if person.deactivated_at is None and person.may_be_named_in(turn.person.workspace_id)
    }


async def _load_insiders(work: UnitOfWork, turn: Turn, initiative: Initiative | None) -> list[PersonId]:
    """Return the actor, first, and the others who take part in the initiative."""
    if initiative is None:
        return [turn.person.id]
    others = [
        person.id
        for person, _ in await work.initiatives.participants(initiative.id, turn.require_movement().id)
        if person.id != turn.person.id and person.deactivated_at is None
    ]
    return [turn.person.id, *others]


async def _load_candidates(
    work: UnitOfWork, turn: Turn, people: Mapping[PersonId, _Belonging], initiative: Initiative | None
) -> list[Candidate]:
    """Return those of `people` who agreed to be suggested, can be asked now, were not asked too much, in whichever
    movement, and were not invited for this initiative within a month. Nominations play no part: a suggestion would
    show that somebody was named."""
    movement = turn.require_movement().id
    tired = await work.deliveries.asked_enough(people, turn.now)
    if initiative is not None:
        tired |= await work.connecting.invited_for(initiative.id, movement, turn.now - MONTH)
    knows = await _load_acquaintances(work, movement, people)
    return [
        Candidate(
            id=person.id,
            group=person.group,
            figures=frozenset(KeyFigure(figure) for figure in member.figures),
            knows=frozenset(knows.get(person.id, ())),
        )
        for person, member in people.values()
        if member.suggestible and person.name and person.can_be_suggested(turn.now) and person.id not in tired
    ]


async def _load_acquaintances(
    work: UnitOfWork, movement: MovementId, people: Container[PersonId]
) -> dict[PersonId, set[PersonId]]:
    """Return the ties between `people`, in both directions: person → those they know."""
    found: dict[PersonId, set[PersonId]] = {}
    for tie in await work.connecting.ties(movement):
        if tie.one_id in people and tie.other_id in people:
            found.setdefault(tie.one_id, set()).add(tie.other_id)
            found.setdefault(tie.other_id, set()).add(tie.one_id)
    return found
