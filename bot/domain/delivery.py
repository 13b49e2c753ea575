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
INITIAL_BACKOFF = timedelta(seconds=10)
MAX_BACKOFF = timedelta(minutes=10)
MAX_BLOCKING_ATTEMPTS = 6
"""How many tries something is worth waiting for: some ten minutes."""
RETRY_DEADLINE = timedelta(days=1)
RETRY_REASONS = ("pace", "behind_unknown", "not_arrived")
"""Why something waits that was to be sent already: whatever is for the same place or person comes after it."""
UNCONFIRMED_REASONS = ("never_answered", "never_known")
"""Why something failed that may have arrived all the same."""
HELD_AT_MOST = timedelta(days=3)
"""How long something without an end of its own waits for a place that is out of reach."""


class Act(StrEnum):
    POST = "post"
    UPDATE = "update"
    DELETE = "delete"
    REACT = "react"
    UNREACT = "unreact"
    HOME = "home"
    """Shows someone their own page, as it is now. Doing it twice does no harm."""


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"


class Priority(IntEnum):
    """Who goes first when the attention budget is tight. ANSWER is no nudge and costs no attention."""

    ANSWER = 0
    ASKED_FOR = 1
    FROM_A_PERSON = 2
    RHYTHM = 3
    NEWS = 4


class BulkRow(NamedTuple):
    """In what one of many deliveries differs from the others."""

    place_id: PlaceId
    subject: str
    key: str


@dataclass(kw_only=True, eq=False)
class Delivery:
    """Something to be sent, once. The row is the truth; `key` makes planning it twice harmless.

    `kind` says which composer words it (see `bot.commands`), `subject` what it is about (a story, a step, a rhythm) and
    `args` the rest (`note` adds to it; nothing is changed within). `place_id` alone: a post in that place. `person_id`
    alone: their personal chat. Both: a message in that place only this person sees; with `act` HOME their own page.
    `receipt` is the platform's message id, by which replies and reactions find it again; `queued_at` its place in the
    line of what is for the same place or person, which it keeps while it is tried again; `correlation` is what the log
    calls the request it came of.
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
    def is_nudge(self) -> bool:
        """Whether it draws on the attention budget: everything the bot starts by itself does."""
        return self.priority is not Priority.ANSWER and self.act is Act.POST

    @property
    def was_not_posted(self) -> bool:
        """Whether a post in a place was not sent, or not yet, which always has a reason. What concerns one person is
        theirs."""
        goes_out = self.state in (DeliveryState.SENDING, DeliveryState.SENT)
        return self.person_id is None and self.is_nudge and bool(self.reason) and not goes_out

    def note(self, **more: object) -> None:
        """Keeps this with it, beside what it was given."""
        self.args = {**self.args, **more}

    def start(self, now: datetime) -> None:
        self.state, self.attempted_at = DeliveryState.SENDING, now
        self.attempts += 1

    def arrived(self, now: datetime, channel: str, message: str) -> None:
        self.state, self.reason, self.sent_at = DeliveryState.SENT, "", now
        self.receipt, self.receipt_channel = message, channel
        self._leave_page()
        self._redact()

    def reschedule(self, moment: datetime, reason: str) -> None:
        self.state, self.due_at, self.reason = DeliveryState.WAITING, moment, reason
        if reason not in RETRY_REASONS:
            self.queued_at = moment

    def release(self, moment: datetime, reason: str) -> None:
        """It was begun and not sent after all: that was no try."""
        self.attempts = max(0, self.attempts - 1)
        self.reschedule(moment, reason)

    def hold(self, reason: str, now: datetime) -> None:
        """Where it is for nothing can be said now: it waits for as long as it makes sense to say it."""
        if self.expires_at is None:
            self.expires_at = now + HELD_AT_MOST
        if now < self.expires_at:
            self.reschedule(self.expires_at, reason)
        else:
            self.drop(reason)

    def requeue(self, now: datetime) -> None:
        """What held it is over."""
        self.reschedule(now, "")

    def try_again(self, now: datetime) -> None:
        """Someone asked for one more try, which is to come soon or not at all."""
        self.reschedule(now, "")
        self.expires_at = now + RETRY_DEADLINE
        self.note(tried_again=True)

    def drop(self, reason: str) -> None:
        self.state, self.reason = DeliveryState.DROPPED, reason
        self._redact()

    def fail(self, reason: str) -> None:
        self.state, self.reason = DeliveryState.FAILED, reason
        self._leave_page()

    def _leave_page(self) -> None:
        """Of someone who was forgotten, whose page it was is not kept either."""
        if self.act is Act.HOME:
            self.target = None

    def _redact(self) -> None:
        """What an answer said is not kept: it stands where it was said, or was never said."""
        if self.kind == ANSWER:
            self.args = {}

    def mark_undelivered(self, now: datetime) -> None:
        """It is certain that it is not there: once more at once, then ever later, for a day. What goes on like that no
        longer holds up what stands behind it."""
        pause = min(INITIAL_BACKOFF * (2 ** min(self.attempts - 1, 10) - 1), MAX_BACKOFF)
        self.expires_at = self.expires_at or now + RETRY_DEADLINE
        self.reschedule(now + pause, "not_arrived" if self.attempts <= MAX_BLOCKING_ATTEMPTS else "still_not_arrived")

    def mark_unknown(self, now: datetime) -> None:
        """No answer came: it may or may not have arrived. To be looked up soon, then ever less often, for a day."""
        lost_at = self.attempted_at or now
        if now - lost_at > RETRY_DEADLINE:
            self.fail("never_answered")
            return
        self.state, self.reason = DeliveryState.UNKNOWN, "no_answer"
        self.due_at = now + max(INITIAL_BACKOFF, now - lost_at)


def resume(place: Place, held: Sequence[Delivery], now: datetime) -> None:
    """A place is there again: what waited for it goes out, if it is still on time."""
    place.come_back()
    for delivery in held:
        delivery.requeue(now)


def new_delivery_id() -> DeliveryId:
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
    """A message to one person: in their own chat, or with `place` (of their workspace) there, for their eyes only."""
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
    """Their own page as it is by then, of the movement it shows, or else of this one. With `account`: of someone just
    forgotten, to leave nothing on it."""
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
    """Something everyone in a place sees: a post (in a thread, if given), or a change (`act`) to one (`target`)."""
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
