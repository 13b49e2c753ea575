"""What an edit or a withdrawal of a story means for every message of ours that holds it."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from bot.domain.delivery import Act, Delivery, DeliveryState, new_delivery_id, to_place
from bot.domain.movement import Place
from bot.domain.story import Readers, Story

POSTED, SHARED, HARVEST = "story_posted", "story_shared", "rhythm_harvest"
ALONE = (POSTED, SHARED)
"""Messages that hold nothing but one story: gone when it goes. Others are worded again without it."""

MARK = "seedling"
MARKED = "story_mark"
THERE = (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.UNKNOWN)


def mark(story: Story, place: Place, now: datetime, *, off: bool = False) -> Delivery:
    """The sign on a message that it was kept as a story; or (`off`) that sign taken away."""
    return to_place(
        place,
        MARKED,
        key=f"story_unmark:{story.id}:{now.isoformat()}" if off else f"{MARKED}:{story.id}:{story.told_at.isoformat()}",
        now=now,
        subject=story.id,
        act=Act.UNREACT if off else Act.REACT,
        target=story.message,
        reaction=MARK,
    )


def follow(story: Story, retold_in: Iterable[Delivery], *, occasion: str, now: datetime) -> list[Delivery]:
    """The changes to send. `occasion` is the key of what the teller did, so that doing it once changes things once.

    What still waits to be sent is worded afresh when it goes, so it needs nothing. What is under way has no receipt
    yet: its change finds it by `of` when it has arrived.
    """
    mark = sha256(occasion.encode()).hexdigest()[:16]
    return [_change(one, _act(story, one), mark, now) for one in retold_in if one.state in THERE]


def _act(story: Story, retelling: Delivery) -> Act:
    if retelling.kind not in ALONE:
        return Act.UPDATE
    elsewhere = retelling.kind == SHARED and story.readers is Readers.THREAD
    return Act.DELETE if elsewhere or not story.is_told else Act.UPDATE


def _change(retelling: Delivery, act: Act, mark: str, now: datetime) -> Delivery:
    return Delivery(
        id=new_delivery_id(),
        workspace_id=retelling.workspace_id,
        movement_id=retelling.movement_id,
        place_id=retelling.place_id,
        kind=retelling.kind,
        subject=retelling.subject,
        args={**retelling.args, "of": retelling.id},
        act=act,
        thread=retelling.thread,
        target=retelling.receipt,
        key=f"{act.value}:{retelling.id}:{mark}",
        due_at=now,
        created_at=now,
    )
