"""Suggest whom to invite, and why: people who agreed to it, and who together reach furthest.

Who reaches furthest is computed while no transaction is open (`NeedsNetwork`). Whatever is shown is read again here:
who agreed and is free now, who knows whom, and which groups are large enough to name.
"""

from collections.abc import Awaitable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from bot.catalogue.base import MAX_FORM_OPTIONS, Entry, InPlace, Pick
from bot.catalogue.connecting import (
    ConnectForm,
    GroupInPicture,
    Suggested,
    SuggestedPerson,
    SuggestionsRest,
    TooFewTies,
    WhyThese,
)
from bot.catalogue.forms import read_form
from bot.domain.asks import MONTH
from bot.domain.connectors import (
    FIGURE_FOR,
    MAX_SUGGESTIONS,
    MIN_GROUP_SIZE,
    Acquaintance,
    Candidate,
    Invitation,
    InvitationId,
    KeyFigure,
    Suggestion,
    SuggestionId,
    find_reach,
    give_reason,
)
from bot.domain.ids import new_id
from bot.domain.initiative import EpisodeId, Initiative, InitiativeId
from bot.domain.movement import Member
from bot.domain.network_question import MOST_ROUNDS, NetworkAdvice, NetworkQuestion
from bot.domain.person import Person, PersonId
from bot.errors import Refused
from bot.ports import NeedsNetwork, Turn, UnitOfWork

MOST_GROUPS = 8
"""Groups in the picture."""


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """For which initiative somebody is wanted, as what, and who takes part in it already, with their groups: the actor
    first. `left_out` are not suggested for it now; `suggested` are those who were before, to who asks."""

    initiative: Initiative | None
    figure: KeyFigure
    inside: Mapping[PersonId, str]
    left_out: frozenset[PersonId]
    suggested: Mapping[PersonId, Suggestion]
    more: bool = False

    @property
    def initiative_id(self) -> str:
        return self.initiative.id if self.initiative is not None else ""


async def connect(work: UnitOfWork, turn: Turn) -> Entry:
    """Suggest people at once under a stuck episode (`episode`); else return the form: for which initiative, and what
    kind of key figure. With `invitation`, one that led to nothing, whoever it was for is left out. Raises `Refused` for
    another's episode, when there are no initiatives, or where the works council has to agree first."""
    movement = turn.require_council()
    before = await _load_invitation(work, turn)
    if turn.text("episode"):
        episode = await work.stuck.episode(EpisodeId(turn.text("episode")), movement.id)
        if episode is None or episode.person_id != turn.person.id:
            raise Refused("not_found")
        about = await work.initiatives.get(episode.initiative_id, movement.id) if episode.initiative_id else None
        return await _make_suggestions(work, turn, await _make_wish(work, turn, about, FIGURE_FOR[episode.kind]))
    initiatives = await work.initiatives.of_person(turn.person.id, movement.id) or await work.initiatives.of_movement(
        movement.id
    )
    if not initiatives and before is not None:
        wish = await _make_wish(work, turn, None, KeyFigure.CONNECTOR, before)
        return await _make_suggestions(work, turn, wish)
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
    movement = turn.require_council()
    filled = read_form(ConnectForm, turn.intent.args)
    initiative = await work.initiatives.get(InitiativeId(filled.text("initiative")), movement.id)
    if initiative is None:
        filled.problems.add("initiative", "unknown_choice")
    if initiative is None or filled.problems:
        raise filled.problems.to_invalid()
    before = await _load_invitation(work, turn)
    wish = await _make_wish(work, turn, initiative, KeyFigure(filled.text("figure")), before)
    return await _make_suggestions(work, turn, wish)


async def look_further(work: UnitOfWork, turn: Turn) -> Entry:
    """Leave those who were suggested out for a while, and suggest others."""
    turn.require_council()
    await _let_rest(work, turn)
    figure = turn.text("figure")
    wanted = KeyFigure(figure) if figure in set(KeyFigure) else KeyFigure.CONNECTOR
    wish = await _make_wish(work, turn, await _load_initiative(work, turn), wanted)
    return await _make_suggestions(work, turn, replace(wish, more=True))


async def set_aside(work: UnitOfWork, turn: Turn) -> InPlace:
    """Leave those who were suggested out for a while."""
    turn = await _fill_in_last(work, turn)
    names = tuple(person.name for person in await _load_nameable(work, turn, await _let_rest(work, turn)))
    return InPlace(entry=SuggestionsRest(names=names, initiative=turn.text("initiative")))


async def _fill_in_last(work: UnitOfWork, turn: Turn) -> Turn:
    """Return a turn about those who were suggested to the actor last, when it names nobody: it was said in a sentence,
    and not pressed under them. Raises `Refused` when there are none."""
    if turn.text("people"):
        return turn
    found = await work.connecting.suggestions_to(turn.person.id, turn.require_movement().id)
    if not found:
        raise Refused("nobody_suggested")
    together = [one for one in found if one.at == found[-1].at]
    args = {"people": " ".join(one.person_id for one in together), "initiative": found[-1].initiative_id or ""}
    return replace(turn, intent=replace(turn.intent, args={**turn.intent.args, **args}))


async def _let_rest(work: UnitOfWork, turn: Turn) -> list[Suggestion]:
    """Let those who were suggested to the actor rest, for the initiative they were suggested for, and return them.
    Raises `Refused` for those of another."""
    found = await _load_suggestions(work, turn)
    for suggestion in found:
        suggestion.rest(turn.now)
    return found


async def _load_suggestions(work: UnitOfWork, turn: Turn) -> list[Suggestion]:
    """Return the suggestions of the `people` of an intent to the actor, for its initiative, in that order. Raises
    `Refused` when there are none."""
    asked, about = turn.text("people").split()[:MAX_SUGGESTIONS], turn.text("initiative")
    found = [
        one
        for one in await work.connecting.suggestions_to(turn.person.id, turn.require_movement().id)
        if one.person_id in asked and (one.initiative_id or "") == about
    ]
    if not found:
        raise Refused("not_found")
    return sorted(found, key=lambda one: asked.index(one.person_id))


async def _load_nameable(work: UnitOfWork, turn: Turn, suggested: Sequence[Suggestion]) -> list[Person]:
    """Return those who were suggested that still agree to it, and whose names the actor may read."""
    members = await work.connecting.members_among([one.person_id for one in suggested], turn.require_movement().id)
    found = [members[one.person_id] for one in suggested if one.person_id in members]
    return [
        person
        for person, member in found
        if member.suggestible and person.account and person.may_be_named_in(turn.person.workspace_id)
    ]


async def _load_initiative(work: UnitOfWork, turn: Turn) -> Initiative | None:
    if not turn.text("initiative"):
        return None
    return await work.initiatives.get(InitiativeId(turn.text("initiative")), turn.require_movement().id)


async def _make_wish(
    work: UnitOfWork, turn: Turn, initiative: Initiative | None, figure: KeyFigure, before: Invitation | None = None
) -> _Wish:
    """Load who takes part, and who is left out: whoever an invitation that led to nothing was for, was invited for the
    initiative within a month, or rests for the actor."""
    movement = turn.require_movement().id
    inside = {turn.person.id: turn.person.group}
    left_out = {before.invitee_id} if before is not None else set()
    about = initiative.id if initiative is not None else None
    asks: list[Awaitable[Any]] = [work.connecting.suggestions_to(turn.person.id, movement)]
    if about is not None:
        asks.append(work.initiatives.groups_in(about, movement))
        asks.append(work.connecting.invited_for(about, movement, turn.now - MONTH))
    found, *of_initiative = await work.together(*asks)
    if of_initiative:
        inside |= of_initiative[0]
        left_out |= of_initiative[1]
    suggested = {one.person_id: one for one in found if one.initiative_id == about}
    left_out |= {one.person_id for one in suggested.values() if one.rests(turn.now)}
    return _Wish(initiative=initiative, figure=figure, inside=inside, left_out=frozenset(left_out), suggested=suggested)


async def _make_suggestions(work: UnitOfWork, turn: Turn, wish: _Wish) -> Entry:
    """Suggest who the network says reach furthest together, once it was asked. Raises `NeedsNetwork`."""
    advice = turn.advice
    if advice is None:
        raise NeedsNetwork(_ask(turn, wish, frozenset()), work.networks, None)
    free, known = await _load_free(work, turn, wish, advice)
    gone = frozenset(advice.chosen) - free.keys()
    if gone and advice.rounds < MOST_ROUNDS:
        raise NeedsNetwork(_ask(turn, wish, advice.left_out | gone), work.networks, advice)
    if not free:
        return TooFewTies(figure=wish.figure, more=wish.more)
    new_groups = _find_new_groups(wish, advice.sizes)
    hosts = await _load_hosts(work, turn, wish, {one.other_id for one in known})
    people = [_describe(turn, wish, one, known, advice, new_groups, hosts) for one in free.values()]
    _record(work, turn, wish, free)
    know_each_other = any(one.other_id in free for one in known)
    return Suggested(
        initiative=wish.initiative_id,
        initiative_name=wish.initiative.name if wish.initiative is not None else "",
        figure=wish.figure.value,
        people=tuple(people),
        together=_list_together(people),
        strangers=len(people) > 1 and not know_each_other,
    )


def _ask(turn: Turn, wish: _Wish, gone: frozenset[PersonId]) -> NetworkQuestion:
    return NetworkQuestion(
        movement=turn.require_movement().id,
        asker=turn.person.id,
        workspace=turn.person.workspace_id,
        now=turn.now,
        wanted=wish.figure,
        active=frozenset(wish.inside),
        left_out=wish.left_out | gone,
        most=MAX_SUGGESTIONS,
    )


async def _load_free(
    work: UnitOfWork, turn: Turn, wish: _Wish, advice: NetworkAdvice
) -> tuple[dict[PersonId, tuple[Person, Member]], list[Acquaintance]]:
    """Return those chosen who agreed, may be named to the actor and can be asked, now, and whom they know."""
    movement = turn.require_movement().id
    members, asked_enough, known = await work.together(
        work.connecting.members_among(advice.chosen, movement),
        work.deliveries.asked_enough(advice.chosen, turn.now),
        work.connecting.acquaintances(advice.chosen, movement, turn.person.id),
    )
    taken = wish.left_out | wish.inside.keys() | asked_enough
    free = {}
    for one in advice.chosen:
        if one not in members or one in taken:
            continue
        person, member = members[one]
        is_nameable = bool(person.name) and person.may_be_named_in(turn.person.workspace_id)
        if member.suggestible and is_nameable and person.can_be_suggested(turn.now):
            free[one] = (person, member)
    return free, [one for one in known if one.person_id in free]


def _describe(
    turn: Turn,
    wish: _Wish,
    whom: tuple[Person, Member],
    known: Sequence[Acquaintance],
    advice: NetworkAdvice,
    new_groups: frozenset[str],
    hosts: Mapping[PersonId, Person],
) -> SuggestedPerson:
    """Say why somebody is suggested, and who of the initiative knows them."""
    person, member = whom
    theirs = [one for one in known if one.person_id == person.id]
    candidate = Candidate(
        id=person.id,
        group=person.group,
        says=frozenset(map(KeyFigure, member.figures)),
        is_named=person.id in advice.named,
        reaches=find_reach([one for one in theirs if one.other_id != turn.person.id], advice.sizes),
    )
    knowing = {one.other_id for one in theirs}
    host = next((hosts[one] for one in wish.inside if one in knowing and one in hosts), None)
    return SuggestedPerson(
        id=person.id,
        name=person.name,
        figure=wish.figure,
        known_by=host.name if host is not None and host.id != turn.person.id else "",
        known_by_you=host is not None and host.id == turn.person.id,
        group=person.group if person.group in new_groups else "",
        reason=give_reason(candidate, wish.figure, new_groups).value,
        reaches=tuple(group for group in candidate.reaches if group in new_groups),
    )


def _find_new_groups(wish: _Wish, sizes: Mapping[str, int]) -> frozenset[str]:
    """Return the groups, large enough to be named, of whom nobody takes part yet."""
    inside = set(wish.inside.values())
    return frozenset(group for group, size in sizes.items() if size >= MIN_GROUP_SIZE and group not in inside)


async def _load_hosts(work: UnitOfWork, turn: Turn, wish: _Wish, known: Set[PersonId]) -> dict[PersonId, Person]:
    """Return who takes part and is known to somebody: the actor, and those whose names the actor may read."""
    movement, actor = turn.require_movement().id, turn.person
    others = wish.inside.keys() & known - {actor.id}
    found = (await work.connecting.members_among(others, movement)).values()
    nameable = {one.id: one for one, _ in found if one.name and one.may_be_named_in(actor.workspace_id)}
    return {actor.id: actor, **nameable}


def _list_together(people: Sequence[SuggestedPerson]) -> tuple[str, ...]:
    """Return the new groups that several people reach together; none for one person, whose reason says it."""
    found = [group for one in people for group in (one.group, *one.reaches[:1]) if group]
    return tuple(dict.fromkeys(found)) if len(people) > 1 else ()


def _record(work: UnitOfWork, turn: Turn, wish: _Wish, people: Mapping[PersonId, tuple[Person, Member]]) -> None:
    """Record who was suggested to the actor, for them and for those who were."""
    for one, (_, member) in people.items():
        member.record_suggestion(turn.now)
        if one in wish.suggested:
            wish.suggested[one].at = turn.now
        else:
            work.connecting.add(
                Suggestion(
                    id=SuggestionId(new_id()),
                    movement_id=member.movement_id,
                    initiative_id=wish.initiative.id if wish.initiative is not None else None,
                    asker_id=turn.person.id,
                    person_id=one,
                    at=turn.now,
                )
            )


async def explain(work: UnitOfWork, turn: Turn) -> Entry:
    """Show a picture of the groups, with nobody in it but those who were suggested, and how Ritme chooses. Raises
    `Refused` when none of them may be named any more."""
    turn.require_council()
    turn = await _fill_in_last(work, turn)
    suggested, initiative = await _load_suggestions(work, turn), await _load_initiative(work, turn)
    found, wish = await work.together(
        _load_nameable(work, turn, suggested), _make_wish(work, turn, initiative, KeyFigure.CONNECTOR)
    )
    if not found:
        raise Refused("not_found")
    if turn.advice is None:
        raise NeedsNetwork(replace(_ask(turn, wish, frozenset()), most=0), work.networks, None)
    sizes, movement = turn.advice.sizes, turn.require_movement().id
    known = await work.connecting.acquaintances([person.id for person in found], movement, turn.person.id)
    by: dict[str, list[str]] = {}
    for person in found:
        theirs = [one for one in known if one.person_id == person.id and one.other_id != turn.person.id]
        for group in dict.fromkeys((person.group, *find_reach(theirs, sizes))):
            by.setdefault(group, []).append(person.name)
    inside = set(wish.inside.values())
    large = [group for group, size in sizes.items() if size >= MIN_GROUP_SIZE]
    # First those that these people open, then those that take part already, then the others; large ones first in each.
    large.sort(key=lambda one: (one not in by, one not in inside, -sizes[one], one))
    return WhyThese(
        names=tuple(person.name for person in found),
        groups=tuple(
            GroupInPicture(name=one, inside=one in inside, by=tuple(by.get(one, ()))) for one in large[:MOST_GROUPS]
        ),
        more=len(large) > MOST_GROUPS,
    )
