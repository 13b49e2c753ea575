"""Plan how our messages about someone who is forgotten are taken back, wherever they stand."""

from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

from bot.domain.delivery import ANSWER, Act, Delivery, DeliveryState, Priority, new_delivery_id
from bot.domain.person import WorkspaceId

TAKEN_BACK = "taken_back"
"""The kind of a delivery that replaces a message in someone else's chat by the words that it was taken back."""
REMOVAL = "removal"
"""The kind of a delivery that deletes a message in the chat of someone who is forgotten; stored under nobody's name."""
REWORDED = frozenset(
    {"rhythm_harvest", "rhythm_purpose", "rhythm_look_back", "rhythm_quilt", "initiatives_alike", "story_shared"}
    | {"company_together", "meeting_proposed", "meeting_set", "meeting_after", "history_posted", "history_given"}
    | {"welcomed", "initiative_joined", "choice_round"}
)
"""Kinds that hold what others said too: they are worded again without the person. Where then nothing is left, they are
taken back."""
FORGETS = "forgets"
"""The argument of a change that takes somebody out of a message; one that cannot be worded again is taken back."""
REMOVAL_BURST = 20
REMOVAL_INTERVAL = timedelta(milliseconds=1200)
"""Slack takes some fifty deletions a minute: after a burst one follows the other at this distance."""


def plan_take_back(told: Delivery, now: datetime) -> Delivery:
    """Make the change of a message that tells of someone who is forgotten: worded again without them, taken back in
    someone's own chat, or deleted from a place.

    A message that is being sent has no receipt yet: the change finds it by its argument `of` once it has arrived.
    """
    is_personal = told.person_id is not None
    if told.kind in REWORDED:
        act, kind = Act.UPDATE, told.kind
    elif is_personal:
        act, kind = Act.UPDATE, TAKEN_BACK
    else:
        act, kind = Act.DELETE, told.kind
    return Delivery(
        id=new_delivery_id(),
        workspace_id=told.workspace_id,
        movement_id=told.movement_id,
        place_id=None if is_personal else told.place_id,
        person_id=told.person_id,
        kind=kind,
        subject=told.subject,
        args={**({} if kind == TAKEN_BACK else told.args), "of": told.id, FORGETS: True},
        act=act,
        thread=None if is_personal else told.thread,
        target=told.receipt,
        target_channel=told.receipt_channel if is_personal else None,
        key=f"forget:{told.id}:{now.isoformat()}",
        due_at=now,
        created_at=now,
    )


def replace_message(told: Delivery, kind: str, now: datetime) -> Delivery:
    """Make the change of a message in someone's own chat, that stands or is under way there, to what a kind says; once
    for each message."""
    return Delivery(
        id=new_delivery_id(),
        workspace_id=told.workspace_id,
        movement_id=told.movement_id,
        person_id=told.person_id,
        kind=kind,
        subject=told.subject,
        args={"of": told.id, FORGETS: True},
        act=Act.UPDATE,
        target=told.receipt,
        target_channel=told.receipt_channel,
        key=f"{kind}:{told.id}",
        due_at=now,
        created_at=now,
    )


def remove_message(workspace: WorkspaceId, channel: str, message: str, due_at: datetime, now: datetime) -> Delivery:
    """Make the deletion of a message that stands in a channel."""
    where = sha256(f"{workspace}/{channel}/{message}".encode()).hexdigest()[:32]
    return Delivery(
        id=new_delivery_id(),
        workspace_id=workspace,
        kind=REMOVAL,
        act=Act.DELETE,
        target=message,
        target_channel=channel,
        priority=Priority.NEWS,
        key=f"{REMOVAL}:{where}",
        due_at=due_at,
        created_at=now,
    )


def plan_removal(sent: Delivery, now: datetime) -> Delivery:
    """Make the deletion of a message that is still on its way to someone who is forgotten."""
    return Delivery(
        id=new_delivery_id(),
        workspace_id=sent.workspace_id,
        kind=REMOVAL,
        args={"of": sent.id},
        act=Act.DELETE,
        priority=Priority.NEWS,
        key=f"{REMOVAL}:{sent.id}",
        due_at=now,
        created_at=now,
    )


def removal_due_at(number: int, now: datetime) -> datetime:
    """Return when to delete the message with this number (from 0) of someone's chat: as fast as every platform takes
    it, without holding up what others wait for."""
    return now + max(0, number - REMOVAL_BURST) * REMOVAL_INTERVAL


def drop_mentions(told: Delivery) -> None:
    """Erase the words of an answer to someone else that names a person who is forgotten; one that still waits is not
    sent any more."""
    if told.state is DeliveryState.WAITING:
        told.drop("taken_back")
    if told.kind == ANSWER:
        told.args = {}


def pick_messages(told: Collection[Delivery], channel_of: dict[str, str], *, but: Collection[str]) -> list[Delivery]:
    """Return the rows whose message stands, or may, and can be changed: one for each message, none of those in `but`.

    `channel_of` gives the channel of a place: what was shown there to one person alone (with Slack) cannot be changed,
    and is gone once they look away.
    """
    picked: dict[tuple[str | None, str | None], Delivery] = {}
    for one in told:
        shown_in_place = one.person_id is not None and one.place_id is not None
        if shown_in_place and one.receipt_channel in ("", channel_of.get(one.place_id or "")):
            continue
        if one.id not in but:
            picked.setdefault((one.receipt_channel, one.receipt) if one.receipt else (one.id, None), one)
    return list(picked.values())
