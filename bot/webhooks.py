"""Tell addresses outside what happens in a movement, through the outbox. Below the use cases, which announce it.

An event holds the id of what it is about, and nothing else: who wants to know more asks the API, which looks at that
moment whether it may be told.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bot.chat import Post, PostedEvent
from bot.domain.connectors import MIN_GROUP_SIZE
from bot.domain.delivery import Priority, to_person
from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId
from bot.domain.story import Readers, Story, StoryId
from bot.domain.webhook import ENDED_KIND, STEPS_TOLD_AT, MovementEvent, Webhook, WebhookId
from bot.errors import Unwanted
from bot.ports import Outgoing, UnitOfWork

_ABOUT = {
    MovementEvent.STORY_TOLD: "story_id",
    MovementEvent.RHYTHM_POSTED: "rhythm_id",
    MovementEvent.INITIATIVE_BEGUN: "initiative_id",
    MovementEvent.INITIATIVE_ENDED: "initiative_id",
}


async def announce_event(
    work: UnitOfWork, movement: MovementId, event: MovementEvent, about: str, now: datetime, *, occasion: str = ""
) -> None:
    """Plan that every address which hears of such an event is called, once for each `occasion`."""
    await plan_calls(work, await find_hearing(work, movement, event), event, about, occasion or about, now)


async def find_hearing(work: UnitOfWork, movement: MovementId, event: MovementEvent) -> list[Webhook]:
    """Return the addresses of a movement that hear of an event."""
    return [one for one in await work.outside.webhooks(movement) if one.hears(event)]


async def plan_calls(
    work: UnitOfWork, hearing: Iterable[Webhook], event: MovementEvent, about: str, occasion: str, now: datetime
) -> None:
    """Plan that these addresses are called, once for each `occasion`."""
    for one in hearing:
        await work.deliveries.add(one.plan_call(event.value, about, occasion, now))


async def announce_story(work: UnitOfWork, story: Story, now: datetime) -> None:
    """Announce a story, if its teller wants it read outside: once, however often it is changed."""
    if story.is_told and story.readers is Readers.EVERYONE:
        await announce_event(work, story.movement_id, MovementEvent.STORY_TOLD, story.id, now)


async def announce_step(work: UnitOfWork, movement: MovementId, now: datetime) -> None:
    """Announce that steps were done on this day: the day after, once, and not in a movement of under five. So it tells
    neither when, nor in which initiative, nor how many, nor who."""
    people, hearing = await work.together(
        work.people.count_in(movement, MIN_GROUP_SIZE), find_hearing(work, movement, MovementEvent.STEPS_DONE)
    )
    if people < MIN_GROUP_SIZE:
        return
    day = now.astimezone(UTC).date()
    due = datetime.combine(day + timedelta(days=1), STEPS_TOLD_AT, UTC)
    begin = datetime.combine(day, datetime.min.time(), UTC)
    for one in hearing:
        planned = one.plan_call(MovementEvent.STEPS_DONE.value, "", day.isoformat(), begin, due)
        await work.deliveries.add(planned)


async def compose_event(work: UnitOfWork, outgoing: Outgoing) -> Post:
    """Compose a call. Raises `Unwanted` when the address is not called any more, or the event may not be told now."""
    delivery = outgoing.delivery
    webhook = await work.outside.webhook_to_call(WebhookId(delivery.subject))
    event, about = str(delivery.args["event"]), str(delivery.args["about"])
    if webhook is None or webhook.ended_at is not None:
        raise Unwanted("gone")
    known = MovementEvent(event) if event in list(MovementEvent) else None
    if known is not None and not (known.value in webhook.events and await _may_be_told(work, webhook, known, about)):
        raise Unwanted("gone")
    data = {_ABOUT[known]: about} if known in _ABOUT and known is not None else {}
    body = {
        "type": known.wire_name if known is not None else event,
        "timestamp": str(delivery.args["at"]),
        "data": data,
    }
    return Post(
        delivery=delivery.id,
        workspace=delivery.workspace_id,
        event=PostedEvent(
            id=f"msg_{delivery.id}", url=webhook.url, sealed=webhook.sealed, body=json.dumps(body).encode()
        ),
    )


async def note_result(work: UnitOfWork, id: str, now: datetime, *, arrived: bool, for_good: bool) -> None:
    """Record how a call ended; tell the coordinators, once, when the address is not called any more."""
    webhook = await work.outside.webhook_to_call(WebhookId(id))
    if webhook is None:
        return
    if arrived:
        webhook.note_arrival()
    elif webhook.note_failure(now, for_good=for_good):
        for coordinator in await work.people.coordinators(webhook.movement_id):
            await work.deliveries.add(
                to_person(
                    coordinator,
                    ENDED_KIND,
                    key=f"{ENDED_KIND}:{webhook.id}:{now.isoformat()}:{coordinator.id}",
                    now=now,
                    movement=webhook.movement_id,
                    subject=webhook.id,
                    priority=Priority.NEWS,
                )
            )


async def _may_be_told(work: UnitOfWork, webhook: Webhook, event: MovementEvent, about: str) -> bool:
    if event is MovementEvent.STORY_TOLD:
        story = await work.stories.get(StoryId(about), webhook.movement_id)
        return story is not None and story.is_told and story.readers is Readers.EVERYONE
    if event in (MovementEvent.INITIATIVE_BEGUN, MovementEvent.INITIATIVE_ENDED):
        return await work.initiatives.get(InitiativeId(about), webhook.movement_id) is not None
    return True
