"""The outbox row: anything Ritme sends outside the answer to a request."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType

from bot.domain.ids import new_id
from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import Person, PersonId, WorkspaceId

DeliveryId = NewType("DeliveryId", str)

ANSWER = "answer"
"""The kind of a delivery that carries the answer to a request."""
INITIAL_BACKOFF = timedelta(seconds=10)
MAX_BACKOFF = timedelta(minutes=10)
MAX_BLOCKING_ATTEMPTS = 6
"""Attempts, over some ten minutes, during which a delivery holds up what is behind it."""
RETRY_DEADLINE = timedelta(days=1)
"""How long a delivery is retried, or looked up, before it is given up."""
RETRY_REASONS = ("pace", "behind_unknown", "not_arrived")
"""Reasons of deliveries that were due before and wait for a retry: they keep their place in the queue, ahead of later
ones for the same place or person."""
UNCONFIRMED_REASONS = ("never_answered", "never_known")
"""Reasons of failed deliveries that may have arrived all the same."""
PROMISED_IN = "promised_in"
"""The argument of a delivery whose moment a person chose themselves: the time zone they chose it in."""
MAX_HOLD = timedelta(days=3)
"""How long a delivery without `expires_at` waits for a place that is out of reach."""
MAX_HOLD_WHILE_QUIET = timedelta(days=90)
"""How long what a person asked for waits for them to come back, while Ritme is quiet towards them."""


class Act(StrEnum):
    """The operation that a delivery performs on its platform."""

    POST = "post"
    UPDATE = "update"
    DELETE = "delete"
    REACT = "react"
    UNREACT = "unreact"
    HOME = "home"
    """Updates a person's own page to what it should show now; idempotent."""


class DeliveryState(StrEnum):
    """The life of a delivery: WAITING to be sent, SENDING, then settled as SENT, FAILED or DROPPED (no longer wanted).
    UNKNOWN: it may or may not have arrived, and is looked up."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"


class Priority(IntEnum):
    """The order in which due deliveries are sent and draw on the attention budget, lowest first. ANSWER is no nudge and
    draws on nothing."""

    ANSWER = 0
    ASKED_FOR = 1
    FROM_A_PERSON = 2
    RHYTHM = 3
    NEWS = 4


class BulkRow(NamedTuple):
    """The values in which one row of a bulk insert differs from the others."""

    place_id: PlaceId
    subject: str
    key: str


@dataclass(kw_only=True, eq=False)
class Delivery:
    """A row of the outbox: something to be sent once. `key` is its idempotency key: planning it twice adds one row.

    `kind` selects the composer that words it (see `bot.commands`), `subject` is the id of what it is about (a story, a
    step, a rhythm), `args` holds the rest. `place_id` alone: a post in that place. `person_id` alone: their personal
    chat. Both: a message in that place only this person sees. With `act` HOME: their own page.

    `target` is the message it changes, in `target_channel` where that is another than its place or chat. `receipt` is
    the platform's message id, by which replies and reactions find it again. `queued_at` orders deliveries for the same
    place or person, and stays while one is retried. `correlation` is the id of the request that caused it, as the log
    has it.
    """

    id: DeliveryId
    workspace_id: WorkspaceId
    movement_id: MovementId | None = None
    place_id: PlaceId | None = None
    person_id: PersonId | None = None
    kind: str
    subject: str = ""
    args: dict[str, object] = field(default_factory=dict)
    act: Act = Act.POST
    thread: str | None = None
    target: str | None = None
    target_channel: str | None = None
    reaction: str = ""
    priority: Priority = Priority.ANSWER
    key: str
    due_at: datetime
    queued_at: datetime | None = None
    expires_at: datetime | None = None
    state: DeliveryState = DeliveryState.WAITING
    reason: str = ""
    attempts: int = 0
    receipt: str | None = None
    receipt_channel: str | None = None
    correlation: str = ""
    created_at: datetime
    attempted_at: datetime | None = None
    sent_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.queued_at is None:
            self.queued_at = self.due_at

    @property
    def may_have_arrived(self) -> bool:
        """True when it was sent, or may have been."""
        return self.state in (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)

    @property
    def is_nudge(self) -> bool:
        """True when it draws on the attention budget: a new message with a priority other than ANSWER."""
        return self.priority is not Priority.ANSWER and self.act is Act.POST

    @property
    def is_promised(self) -> bool:
        """True when a person chose its moment themselves: it comes then, whatever else they got that week."""
        return PROMISED_IN in self.args

    @property
    def was_not_posted(self) -> bool:
        """True for a nudge in a place that was not sent, or not yet, for a reason. Never for a message to one person:
        that is nobody else's business."""
        goes_out = self.state in (DeliveryState.SENDING, DeliveryState.SENT)
        return self.person_id is None and self.is_nudge and bool(self.reason) and not goes_out

    def add_args(self, **more: object) -> None:
        """Add to `args`."""
        # A new dict: a change within the old one would not be noticed, and not be written.
        self.args = {**self.args, **more}

    def start(self, now: datetime) -> None:
        """Begin an attempt to send."""
        self.state, self.attempted_at = DeliveryState.SENDING, now
        self.attempts += 1

    def record_receipt(self, now: datetime, channel: str, message: str) -> None:
        """Settle as sent, with the platform's channel and message id."""
        self.state, self.reason, self.sent_at = DeliveryState.SENT, "", now
        self.receipt, self.receipt_channel = message, channel
        self._redact()

    def may_be_confirmed(self, person: PersonId) -> bool:
        """Return whether a person who presses a button of this message, of which nobody knew whether it arrived, shows
        that it did."""
        is_unconfirmed = self.state is DeliveryState.UNKNOWN or (
            self.state is DeliveryState.FAILED and self.reason in UNCONFIRMED_REASONS
        )
        return is_unconfirmed and self.act is Act.POST and self.person_id == person and self.place_id is None

    def reschedule(self, moment: datetime, reason: str) -> None:
        """Wait until a moment. Only a retry (see `RETRY_REASONS`) keeps its place in the queue."""
        self.state, self.due_at, self.reason = DeliveryState.WAITING, moment, reason
        if reason not in RETRY_REASONS:
            self.queued_at = moment

    def release(self, moment: datetime, reason: str) -> None:
        """Wait until a moment without counting the attempt that was begun: it was not made."""
        self.attempts = max(0, self.attempts - 1)
        self.reschedule(moment, reason)

    def hold(self, reason: str, now: datetime, longest: timedelta = MAX_HOLD) -> None:
        """Wait until its place can be reached again, or its reader is back, at most until it expires; drop it when it
        has."""
        if self.expires_at is None:
            self.expires_at = now + longest
        if now < self.expires_at:
            # Due when it expires, to be dropped then; `requeue` makes it due earlier.
            self.reschedule(self.expires_at, reason)
        else:
            self.drop(reason)

    def requeue(self, now: datetime) -> None:
        """Make a delivery due that was held: the reason for it is gone."""
        self.reschedule(now, "")

    def try_again(self, now: datetime) -> None:
        """Make a settled delivery due once more, because a coordinator asked for it. It expires after a day."""
        self.reschedule(now, "")
        self.expires_at = now + RETRY_DEADLINE
        self.add_args(tried_again=True)

    def drop(self, reason: str) -> None:
        """Settle as no longer wanted."""
        self.state, self.reason = DeliveryState.DROPPED, reason
        self._redact()

    def fail(self, reason: str) -> None:
        """Settle as failed."""
        self.state, self.reason = DeliveryState.FAILED, reason
        self._redact()

    def _redact(self) -> None:
        """Clear what is of no use once it is settled.

        The words of an answer are in the chat by then. The target of a page or a new message is the account of someone
        who was forgotten; what is sent in nobody's place and under nobody's name is in such a person's chat.
        """
        if self.kind == ANSWER:
            self.args = {}
        if self.act in (Act.HOME, Act.POST):
            self.target = None
        if self.place_id is None and self.person_id is None:
            self.target = self.target_channel = self.receipt = self.receipt_channel = None

    def retry_with_backoff(self, now: datetime) -> None:
        """Wait for a retry of a delivery that surely did not arrive: at once, then with exponential backoff, for a day.

        After `MAX_BLOCKING_ATTEMPTS` it loses its place in the queue, and no longer holds up what is behind it.
        """
        # 0 s, 10 s, 30 s, 70 s …; the exponent is capped because attempts go on for a day.
        pause = min(INITIAL_BACKOFF * (2 ** min(self.attempts - 1, 10) - 1), MAX_BACKOFF)
        self.expires_at = self.expires_at or now + RETRY_DEADLINE
        self.reschedule(now + pause, "not_arrived" if self.attempts <= MAX_BLOCKING_ATTEMPTS else "still_not_arrived")

    def mark_unknown(self, now: datetime) -> None:
        """Record that nobody knows whether it arrived. It is looked up soon, then ever less often, and fails after a
        day."""
        lost_at = self.attempted_at or now
        if now - lost_at > RETRY_DEADLINE:
            self.fail("never_answered")
            return
        self.state, self.reason = DeliveryState.UNKNOWN, "no_answer"
        # As far ahead as the attempt lies back: the time since the attempt doubles from look-up to look-up.
        self.due_at = now + max(INITIAL_BACKOFF, now - lost_at)


def reopen_place(place: Place, held: Sequence[Delivery], now: datetime) -> None:
    """Mark a place reachable and make due what is held for it; what expired meanwhile is dropped when it is sent."""
    place.mark_reachable()
    for delivery in held:
        delivery.requeue(now)


def new_delivery_id() -> DeliveryId:
    """Return a new id for a delivery."""
    return DeliveryId(new_id())


def to_person(
    person: Person,
    kind: str,
    *,
    key: str,
    now: datetime,
    movement: MovementId | None,
    subject: str = "",
    priority: Priority = Priority.ANSWER,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    place: PlaceId | None = None,
    thread: str | None = None,
    args: dict[str, object] | None = None,
) -> Delivery:
    """Make a message to one person: in their personal chat, or with `place` (of their workspace) there, visible only to
    them."""
    return Delivery(
        id=new_delivery_id(),
        workspace_id=person.workspace_id,
        movement_id=movement,
        person_id=person.id,
        place_id=place,
        thread=thread,
        kind=kind,
        subject=subject,
        args=args or {},
        key=key,
        priority=priority,
        due_at=due_at or now,
        expires_at=expires_at,
        created_at=now,
    )


def to_home(
    person: Person, *, key: str, now: datetime, movement: MovementId | None, account: str | None = None
) -> Delivery:
    """Make an update of a person's own page, to what it shows by the time it is sent: the movement it showed last, or
    else `movement`. With `account`: the page of someone just forgotten, to empty it."""
    shown = MovementId(person.home_movement) if person.home_movement else movement
    delivery = to_person(person, "home", key=f"home:{person.id}:{key}", now=now, movement=shown)
    delivery.act, delivery.target = Act.HOME, account
    return delivery


def to_place(
    place: Place,
    kind: str,
    *,
    key: str,
    now: datetime,
    subject: str = "",
    priority: Priority = Priority.ANSWER,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    thread: str | None = None,
    act: Act = Act.POST,
    target: str | None = None,
    reaction: str = "",
    args: dict[str, object] | None = None,
) -> Delivery:
    """Make a delivery for everyone in a place: a post, in `thread` if given, or the change `act` to post `target`."""
    return Delivery(
        id=new_delivery_id(),
        workspace_id=place.workspace_id,
        movement_id=place.movement_id,
        place_id=place.id,
        thread=thread,
        kind=kind,
        subject=subject,
        args=args or {},
        act=act,
        target=target,
        reaction=reaction,
        key=key,
        priority=priority,
        due_at=due_at or now,
        expires_at=expires_at,
        created_at=now,
    )
