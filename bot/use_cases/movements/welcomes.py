"""Compose the welcome to a movement, and the news for who carries an initiative of who joined it."""

from datetime import datetime

from bot.catalogue.base import Entry
from bot.catalogue.welcomes import InitiativeJoined, Welcomed
from bot.domain.initiative import InitiativeId
from bot.domain.person import PersonId
from bot.domain.story import Retelling, Story, StoryId
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork

NEWCOMERS_NAMED = 5
"""People who joined by name; the others are counted."""


async def compose_welcome(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the welcome of somebody new. The first time it chooses a story; later it shows the same, as it stands
    then. Raises `Unwanted` for who stopped, or is no member any more."""
    movement, delivery, person = outgoing.require_movement(), outgoing.delivery, outgoing.person
    if person is None or await work.movements.membership(movement.id, person.id) is None:
        raise Unwanted("gone")
    if person.stopped_at is not None:
        raise Unwanted("stopped")
    if "story" not in delivery.args:
        told = await work.stories.told_in(movement.id, None)
        chosen = next((one.id for one in told if one.may_travel and one.text and one.teller_id != person.id), "")
        delivery.add_args(story=chosen)
        if chosen:
            work.stories.add(Retelling(story_id=StoryId(chosen), delivery_id=delivery.id, movement_id=movement.id))
    story = await _load_story(work, outgoing)
    purpose = await work.movements.purpose(movement.id)
    by = await work.people.get(PersonId(str(delivery.args.get("by", ""))), movement.id)
    return Welcomed(
        name=movement.name,
        vision=purpose.vision if purpose is not None else "",
        story=story.text if story is not None else "",
        story_id=story.id if story is not None else "",
        teller=story.credit(await work.people.get(story.teller_id, movement.id), delivery.workspace_id)
        if story is not None
        else "",
        by=by.name_in(delivery.workspace_id) if by is not None else "",
    )


async def _load_story(work: UnitOfWork, outgoing: Outgoing) -> Story | None:
    story = await work.stories.get(StoryId(str(outgoing.delivery.args["story"])), outgoing.require_movement().id)
    return story if story is not None and story.may_travel else None


async def compose_newcomers(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose for who carries an initiative the news of who joined since this message was planned. Raises `Unwanted`
    when none of them takes part any more, or the reader does not carry it now."""
    movement, delivery = outgoing.require_movement(), outgoing.delivery
    initiative = await work.initiatives.get(InitiativeId(delivery.subject), movement.id)
    if initiative is None or initiative.closed_at is not None:
        raise Unwanted("gone")
    taking_part = await work.initiatives.participants(initiative.id, movement.id)
    if not any(part.initiator and person.id == delivery.person_id for person, part in taking_part):
        raise Unwanted("gone")
    since = datetime.fromisoformat(str(delivery.args["since"]))
    new = [
        person
        for person, part in taking_part
        if part.joined_at >= since and person.id != delivery.person_id and not part.initiator
    ]
    if not new:
        raise Unwanted("nothing_to_give")
    names = [person.name for person in new if person.may_be_named_in(delivery.workspace_id) and person.name]
    return InitiativeJoined(
        id=initiative.id,
        name=initiative.name,
        people=tuple(names[:NEWCOMERS_NAMED]),
        more=len(new) - len(names[:NEWCOMERS_NAMED]),
    )
