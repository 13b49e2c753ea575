"""What coordinators hear of sending: what waits, what failed, and what can still be done about it."""

from datetime import timedelta

from bot.domain.delivery import Act, Delivery, DeliveryState

SINCE = timedelta(days=7)
OUT_OF_REACH = frozenset({"place_gone", "not_in_place", "place_archived", "place_deleted", "place_closed"})
"""Why a place can be out of reach: blocks of `errors/reasons.md.j2` and `reach/cures.md.j2`."""
MISSED = OUT_OF_REACH | {"too_late", "budget", "quiet_hours"}
"""Why something may be dropped that people would have wanted. What was answered, taken back or let go is no trouble."""


def is_trouble(delivery: Delivery) -> bool:
    """Whether it belongs among what coordinators see. Of what was for one person only a failure of the machinery does:
    that they are silent, gone or busy is nobody else's business."""
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
    """Whether it may still go out by itself."""
    waits = delivery.state is DeliveryState.WAITING and delivery.reason not in ("", "pace")
    return waits or delivery.state is DeliveryState.UNKNOWN


def may_try_again(delivery: Delivery) -> bool:
    """What ended can be tried once more, once."""
    return not is_held(delivery) and not delivery.args.get("tried_again")
