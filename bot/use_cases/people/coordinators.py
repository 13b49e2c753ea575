"""Tell who coordinates, and pass on to them what somebody else wants done."""

from collections.abc import Sequence
from dataclasses import replace

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.coordinators import CoordinationWanted, CoordinatorsAsked, topic_of
from bot.catalogue.errors import Declined
from bot.domain.delivery import Priority, to_person
from bot.domain.movement import MovementId
from bot.domain.person import Person, PersonId
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def name_coordinators(work: UnitOfWork, turn: Turn, declined: Declined) -> Declined:
    """Add to a refusal who can do it, with a button that asks them."""
    if turn.movement is None or not declined.is_for_coordinators:
        return declined
    found = [one for one in await _reachable(work, turn, turn.movement.id) if one.name]
    return replace(
        declined,
        coordinators=tuple(one.name for one in found),
        asked=tuple(one.name for one in found if one.will_read(turn.now)),
        intent=turn.intent.name,
        topic=topic_of(turn.intent.name),
    )


async def ask(work: UnitOfWork, turn: Turn) -> InPlace:
    """Tell the coordinators what the actor wants done; once a day for a topic, however often it is pressed."""
    movement, topic = turn.require_movement(), topic_of(turn.text("about"))
    coordinators = await _reachable(work, turn, movement.id)
    if not coordinators:
        raise Refused("no_coordinators")
    day = turn.now.date().isoformat()
    readers = [one for one in coordinators if one.will_read(turn.now)]
    for one in readers:
        await work.deliveries.add(
            to_person(
                one,
                "coordinator_asked",
                key=f"coordinator_asked:{movement.id}:{turn.person.id}:{topic}:{day}:{one.id}",
                now=turn.now,
                movement=movement.id,
                subject=turn.person.id,
                priority=Priority.FROM_A_PERSON,
                args={"topic": topic},
            )
        )
    names = tuple(one.name for one in readers or coordinators if one.name)
    stoppable = bool(turn.text("stoppable")) and turn.person.stopped_at is None
    return InPlace(entry=CoordinatorsAsked(names=names, topic=topic, told=bool(readers), stoppable=stoppable))


async def compose_question(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose what a coordinator reads. Raises `Unwanted` when the one who asked was forgotten."""
    movement = outgoing.require_movement()
    asker = await work.people.get(PersonId(outgoing.delivery.subject), movement.id)
    if asker is None or asker.account is None:
        raise Unwanted("forgotten")
    return CoordinationWanted(name=asker.name, topic=topic_of(str(outgoing.delivery.args.get("topic", ""))))


async def _reachable(work: UnitOfWork, turn: Turn, movement: MovementId) -> Sequence[Person]:
    """Return the coordinators in the actor's own workspace; where there are none, all of them."""
    found = await work.people.coordinators(movement)
    return [one for one in found if one.workspace_id == turn.person.workspace_id] or found
