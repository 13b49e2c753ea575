"""Whether a planned message should still go out, and what becomes of one that should not."""

from datetime import datetime, timedelta

from bot.catalogue.base import Entry
from bot.catalogue.base import load as load_entry
from bot.catalogue.people import WentQuiet
from bot.domain import quiet_hours
from bot.domain.attention import Attention
from bot.domain.delivery import Act, Delivery, DeliveryId, DeliveryState, Priority, to_home, to_person
from bot.domain.movement import PlaceState
from bot.domain.person import UNANSWERED_BEFORE_QUIET, PersonId
from bot.ports import Outgoing, UnitOfWork
from bot.ports.turn import lives

LOOK_AGAIN = timedelta(minutes=1)
"""After how long a change looks again for the message it is for, while that is under way."""


async def prepare(work: UnitOfWork, delivery: Delivery, attention: Attention, now: datetime) -> Outgoing | None:
    """What is needed to word this delivery now; None when it was dropped or put off, with the reason on the row."""
    outgoing = await load(work, delivery, now)
    place, person = outgoing.place, outgoing.person
    if place is not None and person is None and place.state is PlaceState.UNREACHABLE:
        delivery.hold(place.state_reason or "place_gone", now)
    elif delivery.expires_at is not None and now > delivery.expires_at:
        delivery.drop("too_late")
    elif person is not None and person.account is None and not _empties_home(delivery):
        delivery.drop("forgotten")
    elif person is not None and person.deactivated_at is not None and delivery.act is not Act.DELETE:
        delivery.drop("deactivated")
    elif not await _has_target(work, delivery, now):
        pass
    elif not delivery.is_nudge:
        return outgoing
    else:
        put_off = _put_off(outgoing, attention)
        if put_off is None:
            return outgoing
        until, reason = put_off
        if until is None or (delivery.expires_at is not None and until > delivery.expires_at):
            delivery.drop(reason)
        else:
            delivery.wait_until(until, reason)
    return None


def _empties_home(delivery: Delivery) -> bool:
    """The last thing done for someone who was forgotten: nothing of them stays on their page."""
    return delivery.act is Act.HOME and delivery.target is not None


async def _has_target(work: UnitOfWork, delivery: Delivery, now: datetime) -> bool:
    """Whether a change knows the message to change. One that was under way when the change was made (`of`) has a
    receipt by now, is waited for, or never came."""
    if delivery.act not in (Act.UPDATE, Act.DELETE) or delivery.target is not None:
        return True
    original = await work.deliveries.get(DeliveryId(str(delivery.args.get("of", ""))), delivery.workspace_id)
    if original is not None and original.receipt is not None:
        delivery.target = original.receipt
        return True
    if original is not None and original.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN):
        delivery.wait_until(now + LOOK_AGAIN, "under_way")
    else:
        delivery.drop("never_sent")
    return False


async def load(work: UnitOfWork, delivery: Delivery, now: datetime) -> Outgoing:
    """The place, person and movement a delivery is for."""
    inviter = delivery.args.get("invited_by")
    return Outgoing(
        delivery=delivery,
        now=now,
        place=await work.movements.place(delivery.place_id) if delivery.place_id else None,
        person=await work.people.in_workspace(delivery.person_id, delivery.workspace_id)
        if delivery.person_id
        else None,
        movement=await work.movements.get(delivery.movement_id) if delivery.movement_id else None,
        invited_by=await work.people.in_workspace(PersonId(str(inviter)), delivery.workspace_id) if inviter else None,
    )


def _put_off(outgoing: Outgoing, attention: Attention) -> tuple[datetime | None, str] | None:
    """Until when (None: for good) and why a nudge has to wait; None when it can go."""
    now, person, place = outgoing.now, outgoing.person, outgoing.place
    if person is not None:
        reason = person.wants_nothing(now)
        if reason is None and person.guest and outgoing.delivery.priority is not Priority.ASKED_FOR:
            reason = "guest"
        if reason:
            return (person.snoozed_until if reason == "snoozed" else None), reason
        quiet = quiet_hours.of_person(person, lives(person, place, outgoing.movement))
    elif place is not None:
        quiet = quiet_hours.of_place(place)
    else:
        return None
    if quiet.covers(now):
        return quiet.over_at(now), "quiet_hours"
    free = attention.free_at(outgoing.delivery, now)
    return (free, "budget") if free > now else None


async def arrived(work: UnitOfWork, delivery: Delivery, now: datetime) -> None:
    """After a page was shown, what it shows is known. After a nudge reached someone: three without an answer, and Ritme
    goes quiet towards them, saying so once."""
    if delivery.person_id is None or not (delivery.is_nudge or delivery.act is Act.HOME):
        return
    person = await work.people.in_workspace(delivery.person_id, delivery.workspace_id)
    if person is None or person.account is None:
        return
    if delivery.act is Act.HOME:
        person.home_mark = str(delivery.args.get("mark", "")) or person.home_mark
        return
    person.nudged()
    if person.home_mark is not None:
        await work.deliveries.add(to_home(person, key=delivery.id, now=now, movement=delivery.movement_id))
    if person.unanswered >= UNANSWERED_BEFORE_QUIET and person.went_quiet_at is None:
        person.went_quiet_at = now
        await work.deliveries.add(
            to_person(
                person,
                "went_quiet",
                key=f"went_quiet:{person.id}:{now.isoformat()}",
                now=now,
                movement=delivery.movement_id,
            )
        )


async def compose_answer(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    """An answer that could not be shown at once."""
    return load_entry(outgoing.delivery.args)


async def compose_went_quiet(work: UnitOfWork, outgoing: Outgoing) -> Entry:
    return WentQuiet()
