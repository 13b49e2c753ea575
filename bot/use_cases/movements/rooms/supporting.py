"""Say support for an initiative, as the leader it was asked of: once, short, and taken back in one press."""

from bot.catalogue.base import Entry, InPlace
from bot.catalogue.forms import parse_form
from bot.catalogue.rooms import SupportForm, SupportGiven, SupportNews
from bot.domain.delivery import Act, DeliveryState
from bot.domain.forgetting import plan_take_back, replace_message
from bot.domain.room import Room
from bot.errors import Refused, Unwanted
from bot.ports import Outgoing, Turn, UnitOfWork
from bot.use_cases.movements.rooms.parts import is_endorsed_by, load_parts, load_request, tell_asker

SUPPORT_GIVEN = "support_given"
HOLD_SUPPORT = frozenset({"history_posted", "history_given"})
"""Kinds of deliveries that may show support beside other moments: a look-back on an initiative."""


async def open_support(work: UnitOfWork, turn: Turn) -> Entry:
    """Open the form to say support, a few words. Raises `Refused` when there is nothing to support any more."""
    room = await load_request(work, turn)
    if not await _may_support(work, turn, room):
        raise Refused("already_answered")
    return SupportForm(hidden={"room": room.id}, until=room.last_day)


async def give_support(work: UnitOfWork, turn: Turn) -> InPlace:
    """Keep the support, to be shown with the initiative until the day that was asked, and tell who asked."""
    words = parse_form(SupportForm, turn.intent.args).text("words")
    room = await load_request(work, turn)
    if not await _may_support(work, turn, room):
        return await _confirm(work, turn, room, gone=True)
    room.give_support(words, turn.now)
    await work.deliveries.cancel("room_unanswered", room.id, "answered")
    asker = await work.people.get(room.asker_id, room.movement_id)
    if asker is not None:
        await tell_asker(work, room, asker, SUPPORT_GIVEN, turn)
    return await _confirm(work, turn, room)


async def take_back_support(work: UnitOfWork, turn: Turn) -> InPlace:
    """Take the support back, wherever it stands."""
    room = await load_request(work, turn)
    if room.support:
        room.take_back_support()
        await work.flush()
        for card in await work.deliveries.about(SUPPORT_GIVEN, room.id, room.movement_id):
            if card.state is DeliveryState.WAITING:
                card.drop("withdrawn")
            elif card.act is Act.POST and card.may_have_arrived:
                await work.deliveries.add(replace_message(card, SUPPORT_GIVEN, turn.now))
        for told in await work.deliveries.telling_of(room.giver_id):
            if told.kind in HOLD_SUPPORT and told.movement_id == room.movement_id:
                await work.deliveries.add(plan_take_back(told, turn.now))
    return await _confirm(work, turn, room)


async def _may_support(work: UnitOfWork, turn: Turn, room: Room) -> bool:
    if not room.may_be_supported(turn.now) or room.initiative_id is None:
        return False
    initiative = await work.initiatives.get(room.initiative_id, room.movement_id)
    return initiative is not None and initiative.closed_at is None and not await is_endorsed_by(work, room)


async def _confirm(work: UnitOfWork, turn: Turn, room: Room, *, gone: bool = False) -> InPlace:
    initiative = await work.initiatives.get(room.initiative_id, room.movement_id) if room.initiative_id else None
    return InPlace(
        entry=SupportGiven(
            room=room.id,
            initiative=initiative.name if initiative is not None else "",
            words=room.support,
            until=room.last_day,
            gone=gone,
            given=not gone and room.may_be_ended(turn.now),
        )
    )


async def compose_support(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """Compose the news of support for who asked; of a message that stands, that it was taken back. Raises `Unwanted`
    when it was taken back before it went out."""
    parts = await load_parts(work, outgoing)
    if not parts.room.support and outgoing.delivery.act is Act.POST:
        raise Unwanted("withdrawn")
    return SupportNews(
        giver=parts.giver.name_in(outgoing.delivery.workspace_id),
        initiative=parts.initiative.id if parts.initiative else "",
        initiative_name=parts.initiative.name if parts.initiative else "",
        words=parts.room.support,
        until=parts.room.last_day,
    )
