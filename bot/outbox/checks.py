"""Check at send time whether a planned delivery should still go out."""

from datetime import datetime, timedelta

from bot.chat import DEFAULT_SYNTAX, CommandSyntax
from bot.domain import quiet_hours
from bot.domain.attention import Attention
from bot.domain.delivery import MAX_HOLD_WHILE_QUIET, PROMISED_IN, Act, Delivery, DeliveryId, DeliveryState, Priority
from bot.domain.forgetting import FORGETS, REMOVAL
from bot.domain.movement import PlaceState
from bot.domain.person import WENT_QUIET, Person, PersonId
from bot.ports import Outgoing, UnitOfWork, Vault
from bot.ports.turn import timezone_for

RECHECK_TARGET = timedelta(minutes=1)
"""How long an update or deletion waits for the message it changes, while that is being sent."""


async def check_and_load(
    work: UnitOfWork,
    delivery: Delivery,
    attention: Attention,
    now: datetime,
    *,
    syntax: CommandSyntax,
    works_council: bool,
    vault: Vault | None,
) -> Outgoing | None:
    """Load what a due delivery needs to be worded.

    Returns None when it must not go out now: it was dropped, put on hold or rescheduled, with the reason on its row.
    """
    outgoing = await load_outgoing(work, delivery, now, syntax=syntax, works_council=works_council, vault=vault)
    if _is_out_of_reach(outgoing):
        delivery.hold((outgoing.place.state_reason if outgoing.place else "") or "place_gone", now)
        return None
    if _drop_if_pointless(outgoing) or not await _has_target(work, delivery, now):
        return None
    if delivery.is_nudge and not _may_interrupt(outgoing, attention):
        return None
    return outgoing


async def load_outgoing(
    work: UnitOfWork,
    delivery: Delivery,
    now: datetime,
    *,
    syntax: CommandSyntax = DEFAULT_SYNTAX,
    works_council: bool = False,
    vault: Vault | None = None,
) -> Outgoing:
    """Load the place, person and movement a delivery is for."""
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
        syntax=syntax,
        works_council=works_council,
        vault=vault,
    )


def _is_out_of_reach(outgoing: Outgoing) -> bool:
    place = outgoing.place
    return place is not None and outgoing.person is None and place.state is PlaceState.UNREACHABLE


def _drop_if_pointless(outgoing: Outgoing) -> bool:
    """Drop a delivery that is too late, or is for someone who is not there any more. Returns whether it did."""
    delivery, person = outgoing.delivery, outgoing.person
    if delivery.expires_at is not None and outgoing.now > delivery.expires_at:
        delivery.drop("too_late")
    elif person is not None and person.account is None and not _clears_home(delivery):
        delivery.drop("forgotten")
    elif person is not None and person.deactivated_at is not None and not _takes_away(delivery):
        delivery.drop("deactivated")
    return delivery.state is DeliveryState.DROPPED


def _takes_away(delivery: Delivery) -> bool:
    """Return whether this deletes something, or takes somebody out of it: that is done for everyone."""
    return delivery.act is Act.DELETE or bool(delivery.args.get(FORGETS))


def _clears_home(delivery: Delivery) -> bool:
    """Return whether this empties the home page of someone who was forgotten: the last thing sent to them."""
    return delivery.act is Act.HOME and delivery.target is not None


async def _has_target(work: UnitOfWork, delivery: Delivery, now: datetime) -> bool:
    """Find the message that an update or deletion changes; reschedule or drop it where there is none (yet).

    A change made while its message was being sent names that delivery in `of`: by now it has a receipt, or is still
    under way, or never arrived.
    """
    if delivery.act not in (Act.UPDATE, Act.DELETE) or delivery.target is not None:
        return True
    original = await work.deliveries.get(DeliveryId(str(delivery.args.get("of", ""))), delivery.workspace_id)
    if original is not None and original.receipt is not None:
        delivery.target = original.receipt
        if delivery.place_id is None:
            delivery.target_channel = original.receipt_channel
        if delivery.kind == REMOVAL:
            original.receipt = original.receipt_channel = None  # nothing of someone who is forgotten stays
        return True
    if original is not None and original.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN):
        delivery.reschedule(now + RECHECK_TARGET, "under_way")
    else:
        delivery.drop("never_sent")
    return False


def _may_interrupt(outgoing: Outgoing, attention: Attention) -> bool:
    """Return whether a nudge may go out now; reschedule it to when it may, or drop it when that is never or too
    late."""
    delivery = outgoing.delivery
    postponed = _find_postponement(outgoing, attention)
    if postponed is None:
        return True
    until, reason = postponed
    if reason == WENT_QUIET and delivery.priority is Priority.ASKED_FOR:
        delivery.hold(reason, outgoing.now, MAX_HOLD_WHILE_QUIET)
    elif until is None or (delivery.expires_at is not None and until > delivery.expires_at):
        delivery.drop(reason)
    else:
        delivery.reschedule(until, reason)
    return False


def _timezone_of(outgoing: Outgoing, person: Person) -> str:
    """Return the time zone of a person's quiet hours: where none is known, the one in which they chose the moment."""
    promised_in = outgoing.delivery.args.get(PROMISED_IN)
    if not person.timezone and isinstance(promised_in, str):
        return promised_in
    return timezone_for(person, outgoing.place, outgoing.movement)


def _find_postponement(outgoing: Outgoing, attention: Attention) -> tuple[datetime | None, str] | None:
    """Return until when (None: for good) and why a nudge has to wait; None when it can go now."""
    now, person, place = outgoing.now, outgoing.person, outgoing.place
    if person is not None:
        reason = person.suppression_reason(now)
        if reason == WENT_QUIET and outgoing.delivery.is_promised:
            reason = None
        if reason is None and person.guest and outgoing.delivery.priority is not Priority.ASKED_FOR:
            reason = "guest"
        if reason:
            return (person.snoozed_until if reason == "snoozed" else None), reason
        quiet = quiet_hours.of_person(person, _timezone_of(outgoing, person), outgoing.movement)
    elif place is not None:
        quiet = quiet_hours.of_place(place, outgoing.movement)
    else:
        return None
    if quiet.covers(now):
        return quiet.first_allowed_at(now), "quiet_hours"
    free = attention.next_allowed_at(outgoing.delivery, now)
    return (free, "budget") if free > now else None
