"""Initiatives: begun, described, joined, left, closed and opened again."""

from collections.abc import Sequence
from dataclasses import replace

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import read
from bot.catalogue.initiatives import InitiativeForm, InitiativeShown, InitiativesListed, Patch
from bot.domain.ids import new_id
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.person import Person
from bot.errors import Invalid, Refused
from bot.ports import Turn, UnitOfWork

A_PAGE = 5
NAMES_SHOWN = 3


async def show_all(work: UnitOfWork, turn: Turn) -> Entry:
    """What is going on; with a name typed, that one, closed or not."""
    movement = turn.the_movement()
    typed = turn.text("text").casefold()
    if typed:
        for one in await work.initiatives.of_movement(movement.id, closed=True):
            if one.name.casefold().startswith(typed):
                return await _shown(work, turn, one)
    going_on = await work.initiatives.of_movement(movement.id)
    pages = max(1, -(-len(going_on) // A_PAGE))
    page = min(_number(turn.text("page")), pages - 1)
    patches = []
    for one in going_on[page * A_PAGE : (page + 1) * A_PAGE]:
        people = [person for person, _ in await work.initiatives.participants(one.id, movement.id)]
        patches.append(
            Patch(
                id=one.id,
                name=one.name,
                people=_names(people, turn),
                more=len(people) - len(_names(people, turn)),
                mine=turn.person.id in {person.id for person in people},
            )
        )
    return InitiativesListed(name=movement.name, patches=tuple(patches), page=page, pages=pages)


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else 0


async def look(work: UnitOfWork, turn: Turn) -> Entry:
    return await _shown(work, turn, await _initiative(work, turn))


async def make(work: UnitOfWork, turn: Turn) -> Entry:
    turn.the_movement()
    return InitiativeForm(values={"name": turn.text("text")})


async def describe(work: UnitOfWork, turn: Turn) -> Entry:
    initiative = await _carried(work, turn)
    return InitiativeForm(
        values={"name": initiative.name, "description": initiative.description}, hidden={"initiative": initiative.id}
    )


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """A new one, carried by its maker; or (with `initiative`) other words for one."""
    movement = turn.the_movement()
    filled = read(InitiativeForm, turn.intent.args)
    name = " ".join(filled.text("name").split())
    initiative = await _carried(work, turn) if turn.text("initiative") else None
    for other in await work.initiatives.of_movement(movement.id):
        if other.name.casefold() == name.casefold() and (initiative is None or other.id != initiative.id):
            raise Invalid({"name": "name_taken"}, {"name": {"name": other.name}})
    if initiative is not None:
        initiative.name, initiative.description = name, filled.text("description")
        return replace(await _shown(work, turn, initiative), news="described")
    initiative = Initiative(
        id=InitiativeId(new_id()),
        movement_id=movement.id,
        name=name,
        description=filled.text("description"),
        place_id=turn.place.id if turn.place else None,
        started_by=turn.person.id,
        started_at=turn.now,
    )
    work.initiatives.add(initiative)
    work.initiatives.add(
        Participant(
            initiative_id=initiative.id,
            movement_id=movement.id,
            person_id=turn.person.id,
            initiator=True,
            joined_at=turn.now,
        )
    )
    await work.flush()
    return replace(await _shown(work, turn, initiative), news="made")


async def join(work: UnitOfWork, turn: Turn) -> InPlace:
    initiative = await _initiative(work, turn)
    if initiative.closed_at is not None:
        raise Refused("initiative_closed")
    participant = await work.initiatives.participant(initiative.id, turn.person.id)
    if participant is None:
        work.initiatives.add(
            Participant(
                initiative_id=initiative.id,
                movement_id=initiative.movement_id,
                person_id=turn.person.id,
                joined_at=turn.now,
            )
        )
    elif participant.left_at is not None:
        participant.left_at, participant.joined_at = None, turn.now
    await work.flush()
    return InPlace(entry=replace(await _shown(work, turn, initiative), news="joined"))


async def leave(work: UnitOfWork, turn: Turn) -> InPlace:
    initiative = await _initiative(work, turn)
    participant = await work.initiatives.participant(initiative.id, turn.person.id)
    if participant is not None and participant.left_at is None:
        participant.left_at = turn.now
    await work.flush()
    return InPlace(entry=replace(await _shown(work, turn, initiative), news="left"))


async def close(work: UnitOfWork, turn: Turn) -> InPlace:
    """An ending is as welcome as a success; what was told stays."""
    initiative = await _carried(work, turn)
    initiative.closed_at = initiative.closed_at or turn.now
    return InPlace(entry=replace(await _shown(work, turn, initiative), news="closed"))


async def reopen(work: UnitOfWork, turn: Turn) -> InPlace:
    initiative = await _carried(work, turn)
    initiative.closed_at = None
    return InPlace(entry=replace(await _shown(work, turn, initiative), news="reopened"))


async def _initiative(work: UnitOfWork, turn: Turn) -> Initiative:
    found = await work.initiatives.get(InitiativeId(turn.text("initiative")), turn.the_movement().id)
    if found is None:
        raise Refused("not_found")
    return found


async def _carried(work: UnitOfWork, turn: Turn) -> Initiative:
    """One that the actor carries, or coordinates; refuses otherwise."""
    initiative = await _initiative(work, turn)
    if not await _carries(work, turn, initiative):
        raise Refused("initiators_only")
    return initiative


async def _carries(work: UnitOfWork, turn: Turn, initiative: Initiative) -> bool:
    if turn.member is not None and turn.member.coordinates:
        return True
    participant = await work.initiatives.participant(initiative.id, turn.person.id)
    return participant is not None and participant.initiator


def _names(people: Sequence[Person], turn: Turn) -> tuple[str, ...]:
    """Whom the actor may see by name, as many as are shown."""
    known = [person.name for person in people if person.may_be_named_in(turn.person.workspace_id)]
    return tuple(known[:NAMES_SHOWN])


async def _shown(work: UnitOfWork, turn: Turn, initiative: Initiative) -> InitiativeShown:
    people = [person for person, _ in await work.initiatives.participants(initiative.id, initiative.movement_id)]
    return InitiativeShown(
        id=initiative.id,
        name=initiative.name,
        description=initiative.description,
        people=_names(people, turn),
        more=len(people) - len(_names(people, turn)),
        mine=turn.person.id in {person.id for person in people},
        carried=await _carries(work, turn, initiative),
        closed=initiative.closed_at is not None,
    )
