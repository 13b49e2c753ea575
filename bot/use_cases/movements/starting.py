"""Movements begin, and places are linked to them."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import read
from bot.catalogue.movements import AlreadyHere, LinkOrBegin, MovementStarted, PlaceLinked, StartForm, TakenOn, Welcome
from bot.domain.delivery import resume, to_place
from bot.domain.ids import new_id
from bot.domain.movement import Member, Movement, MovementId, Place, PlaceState, Purpose, PurposeId, Role
from bot.domain.person import Language
from bot.errors import Invalid, Refused
from bot.ports import Outgoing, Turn, UnitOfWork


async def start(work: UnitOfWork, turn: Turn) -> Entry:
    """A form in a new channel; a choice for who coordinates already; and where a movement lives, its name."""
    place = _here(turn)
    if place.movement_id is not None:
        movement = turn.the_movement()
        return AlreadyHere(
            name=movement.name,
            orphaned=not await work.people.coordinators(movement.id),
            leavable=turn.member is not None and turn.member.coordinates,
        )
    if turn.movement is not None and turn.member is not None and turn.member.coordinates:
        return LinkOrBegin(name=turn.movement.name)
    return await begin(work, turn)


async def begin(work: UnitOfWork, turn: Turn) -> Entry:
    if _here(turn).movement_id is not None:
        return AlreadyHere(name=turn.the_movement().name)
    return StartForm(values={"language": turn.language.value})


async def save(work: UnitOfWork, turn: Turn) -> Entry:
    """The one who starts coordinates, with whom they named; the place is linked; the vision begins the purpose."""
    place = _here(turn)
    if place.movement_id is not None:
        return AlreadyHere(name=turn.the_movement().name)
    filled = read(StartForm, turn.intent.args)
    lane = turn.person.workspace_id
    others = [await work.people.known(lane, account, turn.now) for account in filled.many("coordinators")]
    if any(other.id == turn.person.id for other in others):
        raise Invalid({"coordinators": "not_yourself"})
    movement = Movement(
        id=MovementId(new_id()),
        name=filled.text("name"),
        language=Language(filled.text("language")),
        timezone=place.timezone,
        started_at=turn.now,
    )
    work.movements.add(movement)
    place.movement_id = movement.id
    work.movements.add(
        Purpose(
            id=PurposeId(new_id()),
            movement_id=movement.id,
            version=1,
            vision=filled.text("vision"),
            written_by=turn.person.id,
            written_at=turn.now,
        )
    )
    for person in (turn.person, *others):
        work.movements.add(
            Member(movement_id=movement.id, person_id=person.id, role=Role.COORDINATOR, joined_at=turn.now)
        )
    return MovementStarted(name=movement.name, place=place.name)


async def take_on(work: UnitOfWork, turn: Turn) -> InPlace:
    """Whoever is there may coordinate a movement whose coordinators are all gone."""
    movement = turn.the_movement()
    if turn.member is None or turn.place is None or await work.people.coordinators(movement.id):
        raise Refused("coordinated_already")
    turn.member.role = Role.COORDINATOR
    return InPlace(entry=TakenOn(name=movement.name))


async def link(work: UnitOfWork, turn: Turn) -> InPlace:
    """A further channel of a movement one coordinates."""
    place = _here(turn)
    movement = turn.as_coordinator()
    if place.movement_id is not None:
        return InPlace(entry=AlreadyHere(name=movement.name))
    place.movement_id = movement.id
    return InPlace(entry=PlaceLinked(name=movement.name, place=place.name))


async def joined(work: UnitOfWork, turn: Turn) -> None:
    """Ritme came into a channel: a short welcome. In one of a movement that was out of reach it goes on instead."""
    place = _here(turn)
    if place.movement_id is not None and place.state is PlaceState.UNREACHABLE:
        resume(place, await work.deliveries.held_for(place), turn.now)
        work.woken.add(place.workspace_id)
        return
    resume(place, await work.deliveries.held_for(place), turn.now)
    about: dict[str, object] = {} if place.movement_id else {"invited_by": turn.person.id}
    await work.deliveries.add(
        to_place(place, "welcome", key=f"welcome:{place.id}:{turn.now.isoformat()}", now=turn.now, args=about)
    )


async def compose_welcome(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    return Welcome(variant=outgoing.number())


def _here(turn: Turn) -> Place:
    if turn.place is None:
        raise Refused("start_in_channel")
    return turn.place
