"""Add the addresses outside that hear what happens in a movement, try them, turn them on again and remove them."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import read_form
from bot.catalogue.outside import (
    CalledAddress,
    WebhookEnded,
    WebhookForm,
    WebhookMade,
    WebhooksShown,
    WebhookUnserved,
)
from bot.changes import record_change
from bot.domain.change import CoordinatorAct
from bot.domain.movement import Movement
from bot.domain.webhook import (
    MAX_WEBHOOKS,
    TEST_EVENT,
    MovementEvent,
    Webhook,
    WebhookId,
    is_outside_address,
    new_webhook_secret,
)
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork


async def show_webhooks(work: UnitOfWork, turn: Turn) -> Entry:
    """Show a coordinator which addresses are called."""
    movement = turn.require_coordinator()
    if turn.lasting_vault is None:
        return WebhookUnserved(name=movement.name)
    return await _list(work, movement)


async def open_webhook_form(work: UnitOfWork, turn: Turn) -> Entry:
    """Ask for an address and what it hears. Raises `Refused` when there are as many as there may be."""
    movement = turn.require_coordinator()
    if turn.lasting_vault is None:
        return WebhookUnserved(name=movement.name)
    await _require_room(work, movement)
    return WebhookForm(values={"events": (MovementEvent.STORY_TOLD.value,)})


async def save_webhook(work: UnitOfWork, turn: Turn) -> Entry:
    """Keep an address; the secret is shown this once, and kept encrypted."""
    movement = turn.require_coordinator()
    if turn.lasting_vault is None:
        return WebhookUnserved(name=movement.name)
    filled = read_form(WebhookForm, turn.intent.args)
    if filled.text("address") and not is_outside_address(filled.text("address")):
        filled.problems.add("address", "not_outside")
    filled.problems.raise_if_any()
    await _require_room(work, movement)
    secret = new_webhook_secret()
    events = [MovementEvent(one) for one in filled.many("events")]
    sealed = turn.lasting_vault.seal(secret)
    made = Webhook.make(movement.id, filled.text("address"), events, sealed, turn.person.id, turn.now)
    work.people.add(made.make_lane())
    work.outside.add(made)
    record_change(work, turn, CoordinatorAct.WEBHOOK_MADE, made.host)
    return WebhookMade(id=made.id, host=made.host, secret=secret)


async def try_webhook(work: UnitOfWork, turn: Turn) -> InPlace:
    """Call an address to see whether it answers."""
    movement, webhook = await _load(work, turn)
    await work.deliveries.add(webhook.plan_call(TEST_EVENT, "", turn.intent.key, turn.now))
    return InPlace(entry=await _list(work, movement, news="tested"))


async def turn_on(work: UnitOfWork, turn: Turn) -> InPlace:
    """Call an address again, beginning with a test."""
    movement, webhook = await _load(work, turn)
    webhook.turn_on()
    record_change(work, turn, CoordinatorAct.WEBHOOK_MADE, webhook.host)
    await work.deliveries.add(webhook.plan_call(TEST_EVENT, "", turn.intent.key, turn.now))
    return InPlace(entry=await _list(work, movement, news="on"))


async def remove(work: UnitOfWork, turn: Turn) -> InPlace:
    """Call an address no more; what waits for it is dropped. Pressed again, it says the same."""
    movement = turn.require_coordinator()
    webhook = await work.outside.webhook(WebhookId(turn.text("webhook")), movement.id)
    if webhook is not None:
        record_change(work, turn, CoordinatorAct.WEBHOOK_ENDED, webhook.host)
        await work.delete(webhook)
        await work.flush()  # the list has to see it
    return InPlace(entry=await _list(work, movement, news="removed"))


async def compose_webhook_end(work: UnitOfWork, outgoing: Outgoing) -> WebhookEnded:
    """Word the news that an address is not called any more. Raises `Unwanted` when it is called again, or removed."""
    movement = outgoing.require_movement()
    webhook = await work.outside.webhook(WebhookId(outgoing.delivery.subject), movement.id)
    if webhook is None or webhook.ended_at is None:
        raise Unwanted("gone")
    return WebhookEnded(id=webhook.id, host=webhook.host, since=webhook.failing_since or webhook.ended_at)


async def _load(work: UnitOfWork, turn: Turn) -> tuple[Movement, Webhook]:
    movement = turn.require_coordinator()
    webhook = await work.outside.webhook(WebhookId(turn.text("webhook")), movement.id)
    if webhook is None:
        raise Refused("not_found")
    return movement, webhook


async def _require_room(work: UnitOfWork, movement: Movement) -> None:
    if len(await work.outside.webhooks(movement.id)) >= MAX_WEBHOOKS:
        raise Refused("webhooks_full")


async def _list(work: UnitOfWork, movement: Movement, news: str = "") -> WebhooksShown:
    found = await work.outside.webhooks(movement.id)
    shown = tuple(
        CalledAddress(
            id=one.id,
            host=one.host,
            events=tuple(one.events),
            failing_since=one.failing_since,
            ended=one.ended_at is not None,
        )
        for one in found
    )
    return WebhooksShown(name=movement.name, addresses=shown, news=news)
