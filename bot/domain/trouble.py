"""Trouble with sending that coordinators see: deliveries that wait or failed, and whether they may be retried."""

from datetime import timedelta

from bot.domain.delivery import ANSWER, Act, Delivery, DeliveryState

TROUBLE_WINDOW = timedelta(days=7)
"""How far back coordinators see it."""
OUT_OF_REACH = frozenset({"place_gone", "not_in_place", "place_archived", "place_deleted", "place_closed"})
"""Reasons for a place to be unreachable: blocks of `errors/reasons.md.j2` and `reach/cures.md.j2`."""
UNPLANNABLE = "unplannable"
"""The reason of a moment whose rhythm cannot be planned: its moments cannot be computed."""
MISSED = OUT_OF_REACH | {"too_late", "budget", "quiet_hours", UNPLANNABLE}
"""Reasons of dropped deliveries that people would have wanted. Those answered, taken back or let go are no trouble."""


def is_trouble(delivery: Delivery) -> bool:
    """Return whether coordinators see a delivery. One for a single person only when it failed: that they are silent,
    gone or busy is nobody else's business."""
    if delivery.act not in (Act.POST, Act.DELETE):
        return False
    if delivery.state is DeliveryState.FAILED:
        return True
    if delivery.person_id is not None:
        return False
    if delivery.state is DeliveryState.DROPPED:
        return delivery.reason in MISSED
    return is_held(delivery)


def is_held(delivery: Delivery) -> bool:
    """Return whether a delivery is held up but may still be sent without anyone's help."""
    # Waiting for a rate limit ("pace") is normal, and no trouble.
    waits = delivery.state is DeliveryState.WAITING and delivery.reason not in ("", "pace")
    return waits or delivery.state is DeliveryState.UNKNOWN


def may_try_again(delivery: Delivery) -> bool:
    """Return whether a coordinator may have a delivery sent once more: only when it ended, only once, and not an
    answer, whose words are gone by then."""
    has_words = delivery.kind != ANSWER or bool(delivery.args)
    may_come = not is_held(delivery) and delivery.reason != UNPLANNABLE
    return has_words and may_come and not delivery.args.get("tried_again")
