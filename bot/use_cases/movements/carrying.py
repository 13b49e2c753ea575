"""Find who carries an initiative whose initiators are gone, and ask how it goes on where nothing was heard for long."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.initiatives import CarryOffered, InitiativeSettled, SilenceAsked
from bot.domain.carrying import CARRY_OFFERED, SILENCE_ASKED, TakingPart, carriers, settle_cards
from bot.domain.delivery import Priority, to_person
from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId, WorkspaceId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork

ASKED_FOR_LONG = timedelta(days=28)
"""How long an offer or a question waits for room in the budget."""


async def offer(work: UnitOfWork, initiative: InitiativeId, movement: MovementId, now: datetime) -> None:
    """Offer an initiative that nobody carries to who takes part, or tell the coordinators that nobody does; once."""
    found, taking_part = await _lock(work, initiative, movement)
    if found is None or found.closed_at is not None or found.seeks_since is not None or carriers(taking_part):
        return
    found.seeks_since = now
    able = [person for person, _ in taking_part if person.deactivated_at is None]
    await _ask(work, CARRY_OFFERED, found, able or await work.people.coordinators(movement), now)


async def ask_about_silence(
    work: UnitOfWork, initiative: InitiativeId, movement: MovementId, now: datetime, silent_after: timedelta
) -> None:
    """Ask who carries a silent initiative, or else the coordinators, how it goes on; once a silence."""
    found, taking_part = await _lock(work, initiative, movement)
    if found is None or found.closed_at is not None:
        return
    if found.silence_asked_at is not None and now - found.silence_asked_at < silent_after:
        return  # another process asked meanwhile
    found.silence_asked_at = now
    await _ask(work, SILENCE_ASKED, found, carriers(taking_part) or await work.people.coordinators(movement), now)


async def _lock(
    work: UnitOfWork, initiative: InitiativeId, movement: MovementId
) -> tuple[Initiative | None, TakingPart]:
    """Lock the movement, as for a request in it, and load one of its initiatives with who takes part."""
    await work.people.lock_movement(WorkspaceId(""), "", None, movement)
    found = await work.initiatives.get(initiative, movement)
    return found, await work.initiatives.participants(initiative, movement)


async def _ask(work: UnitOfWork, kind: str, about: Initiative, people: Sequence[Person], now: datetime) -> None:
    await work.deliveries.add_all(
        [
            to_person(
                person,
                kind,
                key=f"{kind}:{about.id}:{now.isoformat()}:{person.id}",
                now=now,
                movement=about.movement_id,
                subject=about.id,
                priority=Priority.RHYTHM,
                expires_at=now + ASKED_FOR_LONG,
                args={"round": now.isoformat()},
            )
            for person in people
        ]
    )


async def carry(work: UnitOfWork, turn: Turn) -> InPlace:
    """Make the actor the initiator of an initiative that nobody carries; the first who says so. Others read who."""
    initiative = await _load(work, turn)
    taking_part = await work.initiatives.participants(initiative.id, initiative.movement_id)
    now_carry = carriers(taking_part)
    if now_carry:
        mine = turn.person.id in {one.id for one in now_carry}
        return _confirm(initiative, "carried", "" if mine else now_carry[0].name_in(turn.person.workspace_id), mine)
    part = await work.initiatives.participant(initiative.id, turn.person.id)
    if part is None:
        part = Participant(
            initiative_id=initiative.id,
            movement_id=initiative.movement_id,
            person_id=turn.person.id,
            joined_at=turn.now,
        )
        work.initiatives.add(part)
    part.initiator, part.left_at, initiative.seeks_since = True, None, None
    await _settle(work, turn, CARRY_OFFERED, initiative, "carried")
    return _confirm(initiative, "carried", mine=True)


async def go_on(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that an initiative goes on."""
    initiative = await _load_own(work, turn)
    initiative.go_on(turn.now)
    await _settle(work, turn, SILENCE_ASKED, initiative, "going")
    return _confirm(initiative, "going", mine=True)


async def rest(work: UnitOfWork, turn: Turn) -> InPlace:
    """Record that an initiative rests: it is shown so, and left alone for long."""
    initiative = await _load_own(work, turn)
    initiative.rest(turn.now)
    await _settle(work, turn, SILENCE_ASKED, initiative, "resting")
    return _confirm(initiative, "resting", mine=True)


def _confirm(initiative: Initiative, what: str, by: str = "", mine: bool = False) -> InPlace:
    return InPlace(
        entry=InitiativeSettled(id=initiative.id, name=initiative.name, what=what, by=by, mine=mine), on_page=True
    )


async def _settle(work: UnitOfWork, turn: Turn, kind: str, initiative: Initiative, what: str) -> None:
    cards = await work.deliveries.about(kind, initiative.id, initiative.movement_id)
    await work.deliveries.add_all(settle_cards(cards, what, turn.person.id, turn.now))


async def _load(work: UnitOfWork, turn: Turn) -> Initiative:
    found = await work.initiatives.get(InitiativeId(turn.text("initiative")), turn.require_movement().id)
    if found is None:
        raise Refused("not_found")
    if found.closed_at is not None:
        raise Refused("initiative_closed")
    return found


async def _load_own(work: UnitOfWork, turn: Turn) -> Initiative:
    """Load an open initiative that the actor carries, or may care for as a coordinator. Raises `Refused` otherwise."""
    initiative = await _load(work, turn)
    taking_part = await work.initiatives.participants(initiative.id, initiative.movement_id)
    if not await _cares(work, turn.person, initiative, taking_part):
        raise Refused("initiators_only")
    return initiative


async def _cares(work: UnitOfWork, person: Person, initiative: Initiative, taking_part: TakingPart) -> bool:
    """Return whether a person carries an initiative, or coordinates its movement."""
    if person.id in {one.id for one in carriers(taking_part)}:
        return True
    member = await work.movements.membership(initiative.movement_id, person.id)
    return member is not None and member.coordinates


async def compose_offer(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the offer to carry an initiative. Raises `Unwanted` when somebody does, or the reader left it."""
    initiative, reader, taking_part = await _load_for(work, outgoing)
    if carriers(taking_part):
        raise Unwanted("answered")
    takes_part = reader.id in {person.id for person, _ in taking_part}
    if not takes_part and not await _cares(work, reader, initiative, taking_part):
        raise Unwanted("gone")
    return CarryOffered(id=initiative.id, name=initiative.name, taking_part=takes_part)


async def compose_silence(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the question how an initiative goes on. Raises `Unwanted` when something happened in it since, somebody
    answered, or it is not the reader's any more."""
    initiative, reader, taking_part = await _load_for(work, outgoing)
    asked_at = datetime.fromisoformat(str(outgoing.delivery.args["round"]))
    if initiative.silence_asked_at != asked_at:
        raise Unwanted("answered")
    last = await work.initiatives.last_sign(initiative.id, initiative.movement_id)
    if last is None or last > asked_at:
        raise Unwanted("newer")
    if not await _cares(work, reader, initiative, taking_part):
        raise Unwanted("gone")
    return SilenceAsked(id=initiative.id, name=initiative.name, since=last)


async def compose_outcome(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose what replaces somebody's card once another answered it."""
    movement, args = outgoing.require_movement(), outgoing.delivery.args
    initiative = await work.initiatives.get(InitiativeId(outgoing.delivery.subject), movement.id)
    if initiative is None:
        raise Unwanted("gone")
    by = await work.people.get(PersonId(str(args.get("by", ""))), movement.id)
    return InitiativeSettled(
        id=initiative.id,
        name=initiative.name,
        what=str(args["what"]),
        by=by.name_in(outgoing.delivery.workspace_id) if by is not None else "",
    )


async def _load_for(work: UnitOfWork, outgoing: Outgoing) -> tuple[Initiative, Person, TakingPart]:
    movement = outgoing.require_movement()
    initiative = await work.initiatives.get(InitiativeId(outgoing.delivery.subject), movement.id)
    if initiative is None or initiative.closed_at is not None or outgoing.person is None:
        raise Unwanted("gone")
    return initiative, outgoing.person, await work.initiatives.participants(initiative.id, movement.id)
