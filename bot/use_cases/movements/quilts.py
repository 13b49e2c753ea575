"""Show the quilt of a movement: what is being tried side by side, and who is busy with the same question."""

from collections.abc import Collection, Sequence
from itertools import combinations

from bot.catalogue.base import Entry
from bot.catalogue.pictures import QuiltDrawn, StitchedPatch
from bot.catalogue.quilts import AlikeInitiatives, Quilt, QuiltPatch
from bot.domain.delivery import Act, Priority, to_person
from bot.domain.initiative import Initiative, InitiativeId
from bot.domain.movement import Movement
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.domain.rhythm import RhythmId
from bot.errors import Refused, Unwanted
from bot.pictures import plan_picture
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.understanding.likeness import find_alike

SHOWN = 8
"""Initiatives in the post; the others are counted."""
COMPARED = 200
"""Initiatives, the newest, that are compared with each other."""
ALIKE_SHOWN = 3
DRAWN = 9
"""Initiatives that have a patch in the picture."""

Carried = Sequence[tuple[Initiative, Person | None]]
"""Initiatives, each with who carries it."""


async def compose_quilt(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the quilt for everyone in a place, and plan a message to each initiator of that workspace about what is
    alike. Raises `Unwanted` when fewer than two things are being tried."""
    movement, delivery = outgoing.require_movement(), outgoing.delivery
    rhythm = await work.rhythms.get(RhythmId(delivery.subject), movement.id)
    if delivery.act is Act.POST and (rhythm is None or rhythm.ended_at is not None):
        raise Unwanted("rhythm_ended")
    carried = await work.initiatives.initiators(movement.id, COMPARED)
    if len(carried) < 2:
        raise Unwanted("nothing_to_give")
    if delivery.act is Act.POST:
        # One message each, however many initiatives they carry.
        carriers = {
            person.id: person
            for _, person in carried
            if person is not None and person.workspace_id == delivery.workspace_id
        }
        await work.deliveries.add_all(
            [
                to_person(
                    person,
                    "initiatives_alike",
                    key=f"initiatives_alike:{delivery.id}:{person.id}",
                    now=outgoing.now,
                    movement=movement.id,
                    priority=Priority.RHYTHM,
                )
                for person in carriers.values()
            ]
        )
    resting = await work.initiatives.resting(movement.id)
    return Quilt(
        name=movement.name,
        patches=tuple(_as_patch(initiative, person, resting) for initiative, person in carried[:SHOWN]),
        more=max(0, len(carried) - SHOWN),
    )


async def ask_quilt(work: UnitOfWork, turn: Turn) -> Entry:
    """Plan the picture of the quilt for the actor. Raises `Refused` when fewer than two things are being tried."""
    if len(await work.initiatives.initiators(turn.require_movement().id, 2)) < 2:
        raise Refused("quilt_too_small")
    return await plan_picture(work, turn, "quilt_drawn")


async def compose_drawn_quilt(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the picture of the quilt for who asked. Raises `Unwanted` when fewer than two things are being tried, or
    they do not belong to the movement any more."""
    movement, reader = outgoing.require_movement(), outgoing.person
    if reader is None or await work.movements.membership(movement.id, reader.id) is None:
        raise Unwanted("gone")
    drawn = await load_quilt(work, movement, reader.workspace_id)
    if drawn is None:
        raise Unwanted("nothing_to_give")
    return drawn


async def load_quilt(work: UnitOfWork, movement: Movement, seen_from: WorkspaceId) -> QuiltDrawn | None:
    """Load the quilt of a movement as a picture for readers in a workspace; None when fewer than two things are being
    tried."""
    shown, count, resting = await work.together(
        work.initiatives.initiators(movement.id, DRAWN),
        work.initiatives.count(movement.id),
        work.initiatives.resting(movement.id),
    )
    if len(shown) < 2:
        return None
    ids = [one.id for one, _ in shown]
    taking_part, tellers = await work.together(
        work.initiatives.people_in(ids, movement.id), _load_tellers(work, movement, ids, seen_from)
    )
    stitches = find_stitches([set(taking_part[one]) for one in ids], tellers)
    return QuiltDrawn(
        name=movement.name,
        patches=tuple(
            StitchedPatch(
                name=initiative.name,
                trying=initiative.description,
                seeks=person is None,
                rests=initiative.id in resting,
                stitches=tuple(other + 1 for other in sorted(stitches[number])),
            )
            for number, (initiative, person) in enumerate(shown)
        ),
        more=count - len(shown),
    )


async def _load_tellers(
    work: UnitOfWork, movement: Movement, some: Sequence[InitiativeId], seen_from: WorkspaceId
) -> list[set[PersonId]]:
    """Return, for each initiative, who told a story of it under a name that is shown in a workspace. Of other stories a
    stitch would say who told them."""
    found = await work.together(*(work.stories.told_in(movement.id, one) for one in some))
    told = [{story.teller_id for story in stories if story.may_travel and story.named} for stories in found]
    known = await work.people.among(set().union(*told), movement.id)
    named = {one.id for one in known if one.name_in(seen_from)}
    return [tellers & named for tellers in told]


def find_stitches(people: Sequence[set[PersonId]], tellers: Sequence[set[PersonId]]) -> list[set[int]]:
    """Return, for each patch, those it is stitched to: somebody takes part in both, or told a story of one, as is read
    there, while taking part in the other."""
    found: list[set[int]] = [set() for _ in people]
    for one, other in combinations(range(len(people)), 2):
        if people[one] & people[other] or people[one] & tellers[other] or tellers[one] & people[other]:
            found[one].add(other)
            found[other].add(one)
    return found


async def compose_alike(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose for an initiator what else is being tried on the same question as the newest of theirs that anything is
    alike, and whom they could meet about it. Raises `Unwanted` when there is nothing alike (any more)."""
    movement, reader = outgoing.require_movement(), outgoing.person
    carried = await work.initiatives.initiators(movement.id, COMPARED)
    if reader is None:
        raise Unwanted("gone")
    theirs = {one.id for one in await work.initiatives.of_person(reader.id, movement.id)}
    carries = [one for one, person in carried if person is not None and person.id == reader.id and one.id in theirs]
    if not carries:
        raise Unwanted("gone")
    others = {one.id: (one, person) for one, person in carried if one.id not in theirs}
    texts = {key: _tell(one) for key, (one, _) in others.items()}
    found = ((own, find_alike(_tell(own), texts, most=ALIKE_SHOWN)) for own in carries)
    mine, keys = next(((own, keys) for own, keys in found if keys), (None, []))
    if mine is None:
        raise Unwanted("nothing_to_give")
    alike = [others[key] for key in keys]
    resting = await work.initiatives.resting(movement.id)
    meet = await _find_introduction(work, outgoing, reader, alike)
    return AlikeInitiatives(
        initiative=mine.name,
        initiative_id=mine.id,
        patches=tuple(_as_patch(one, person, resting) for one, person in alike),
        meet=meet[1].name if meet else "",
        meet_id=meet[1].id if meet else "",
        meet_about=meet[0].name if meet else "",
    )


async def _find_introduction(
    work: UnitOfWork, outgoing: Outgoing, reader: Person, alike: Carried
) -> tuple[Initiative, Person] | None:
    """Return the most alike initiative whose initiator may be named to this reader and can be asked now."""
    agreed = await work.people.suggestible_in(outgoing.require_movement().id)
    able = [
        (initiative, person)
        for initiative, person in alike
        if person is not None
        and person.id != reader.id
        and person.id in agreed
        and person.name
        and person.may_be_named_in(reader.workspace_id)
        and person.can_be_suggested(outgoing.now)
    ]
    asked = await work.deliveries.asked_enough([person.id for _, person in able], outgoing.now)
    return next(((initiative, person) for initiative, person in able if person.id not in asked), None)


def _as_patch(initiative: Initiative, carries: Person | None, resting: Collection[str]) -> QuiltPatch:
    return QuiltPatch(
        name=initiative.name,
        trying=initiative.description,
        seeks=carries is None,
        rests=initiative.id in resting,
    )


def _tell(initiative: Initiative) -> str:
    return f"{initiative.name} {initiative.description}"
