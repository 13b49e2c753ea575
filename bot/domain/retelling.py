"""Retellings: planning the changes to our messages that hold a story when it is edited or withdrawn, and telling where
it stands by now."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from bot.domain.delivery import Act, Delivery, DeliveryState, new_delivery_id, to_place
from bot.domain.movement import Place, PlaceId, PlaceState
from bot.domain.story import Readers, Story

POSTED, SHARED, HARVEST = "story_posted", "story_shared", "rhythm_harvest"
"""Kinds of deliveries that hold stories."""
SINGLE_STORY_KINDS = (POSTED, SHARED)
"""Kinds that hold nothing but one story: deleted when it is withdrawn. Others are worded again without it."""

MARK_REACTION = "seedling"
MARK_KIND = "story_mark"
ARRIVED_STATES = (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.UNKNOWN)
"""States of messages that arrived, or may have: only those are to be changed."""

RECHECK_COMING, RECHECK_HELD = timedelta(minutes=1), timedelta(hours=1)
"""How long the news of a post waits for it, each time that is on its way or waits for its place."""


class StoryStanding(StrEnum):
    """The outcome, so far, of posting a story in its place: it STANDS there, is COMING, is HELD until the place can be
    reached again, or is not there: it never arrived, or was removed (LOST)."""

    STANDS = "stands"
    COMING = "coming"
    HELD = "held"
    LOST = "lost"


def standing_of(post: Delivery | None, place: Place) -> StoryStanding:
    """Return what became of a story's post in its place."""
    if post is None or post.state in (DeliveryState.FAILED, DeliveryState.DROPPED):
        return StoryStanding.LOST
    if post.state is DeliveryState.SENT:
        return StoryStanding.STANDS
    return StoryStanding.HELD if place.state is PlaceState.UNREACHABLE else StoryStanding.COMING


def find_out_of_reach(
    retold_in: Iterable[Delivery], places: Iterable[Place], labels: Mapping[PlaceId, str]
) -> tuple[str, ...]:
    """Return the names (see `labels`) of the places where a story stands, but where nothing can be changed now."""
    unreachable = {place.id for place in places if place.state is PlaceState.UNREACHABLE}
    arrived_in = {one.place_id for one in retold_in if one.state in ARRIVED_STATES}
    return tuple(sorted(labels.get(place, "") for place in unreachable & arrived_in))


def plan_mark(story: Story, place: Place, now: datetime, *, off: bool = False) -> Delivery:
    """Make the reaction on a message which shows that it was kept as a story; with `off`, the removal of it."""
    key = f"story_unmark:{story.id}:{now.isoformat()}" if off else f"{MARK_KIND}:{story.id}:{story.told_at.isoformat()}"
    return to_place(
        place,
        MARK_KIND,
        key=key,
        now=now,
        subject=story.id,
        act=Act.UNREACT if off else Act.REACT,
        target=story.message,
        reaction=MARK_REACTION,
    )


def plan_changes(story: Story, retold_in: Iterable[Delivery], *, occasion: str, now: datetime) -> list[Delivery]:
    """Make the changes to the messages that hold a story. `occasion` is the idempotency key of the edit or withdrawal,
    so that handling it twice changes each message once.

    A message that still waits is worded when it is sent, so it needs no change. One that is being sent has no receipt
    yet: the change finds it by its argument `of` once it has arrived.
    """
    digest = sha256(occasion.encode()).hexdigest()[:16]
    return [_change(one, _choose_act(story, one), digest, now) for one in retold_in if one.state in ARRIVED_STATES]


def _choose_act(story: Story, retelling: Delivery) -> Act:
    if retelling.kind not in SINGLE_STORY_KINDS:
        return Act.UPDATE
    # A copy shared with another place goes too when its teller keeps the story to the thread.
    elsewhere = retelling.kind == SHARED and story.readers is Readers.THREAD
    return Act.DELETE if elsewhere or not story.is_told else Act.UPDATE


def _change(retelling: Delivery, act: Act, digest: str, now: datetime) -> Delivery:
    return Delivery(
        id=new_delivery_id(),
        workspace_id=retelling.workspace_id,
        movement_id=retelling.movement_id,
        place_id=retelling.place_id,
        person_id=retelling.person_id,
        kind=retelling.kind,
        subject=retelling.subject,
        args={**retelling.args, "of": retelling.id},
        act=act,
        thread=retelling.thread,
        target=retelling.receipt,
        # A personal chat has no place to find its channel by.
        target_channel=retelling.receipt_channel if retelling.person_id is not None else None,
        key=f"{act.value}:{retelling.id}:{digest}",
        due_at=now,
        created_at=now,
    )
