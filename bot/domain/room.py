"""Room: what a leader lets an initiative try, until when, and within which limit; and their support for it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import PersonId

RoomId = NewType("RoomId", str)

MAX_ROOM_DAYS = 366
"""How far ahead the end of asked room may lie."""
DEFAULT_ROOM_DAYS = 28
"""How far ahead it is proposed."""
ENDING_TOLD_BEFORE = timedelta(days=3)
ROOM_TAKEN_BACK = "room_taken_back"
UNANSWERED_AFTER = timedelta(days=7)
"""When who asked hears that it stayed quiet."""
_AT_NINE = time(9)


class Wanted(StrEnum):
    """The two things a request may ask for: room to try something, or a short word of support alone."""

    ROOM = "room"
    SUPPORT = "support"


class RoomState(StrEnum):
    """The answer to a request for room; only ASKED and TALK can still change, and GRANTED room can be taken back, which
    is DECLINED. TAKEN_BACK by who asked."""

    ASKED = "asked"
    TALK = "talk"
    GRANTED = "granted"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"


@dataclass(kw_only=True, eq=False)
class Room:
    """A request for room or support, from `asker_id` to `giver_id`, and the answer. It ends by itself at `ends_at`.

    Whoever was asked can say `support` for the initiative once, short. Without words but with `supported_at`, they took
    it back.
    """

    id: RoomId
    movement_id: MovementId
    initiative_id: InitiativeId | None
    asker_id: PersonId
    giver_id: PersonId
    trying: str
    asking: str
    limit: str = ""
    ends_at: datetime
    state: RoomState = RoomState.ASKED
    asked_at: datetime
    answered_at: datetime | None = None
    wanted: Wanted = Wanted.ROOM
    support: str = ""
    supported_at: datetime | None = None

    def may_be_answered(self, now: datetime) -> bool:
        """Return whether an answer still changes something: nobody gave a last one, and it did not end."""
        return self.state in (RoomState.ASKED, RoomState.TALK) and now < self.ends_at

    def answer(self, state: RoomState, now: datetime, limit: str = "") -> None:
        """Record an answer."""
        self.state, self.limit, self.answered_at = state, limit, now

    def may_be_ended(self, now: datetime) -> bool:
        """Return whether whoever gave it can take it back: it was given, and did not end by itself yet."""
        return self.wanted is Wanted.ROOM and self.state is RoomState.GRANTED and now < self.ends_at

    def take_back(self, now: datetime) -> None:
        """Take the request back: what it said is kept no longer."""
        self.state, self.trying, self.asking, self.answered_at = RoomState.TAKEN_BACK, "", "", now

    def may_be_supported(self, now: datetime) -> bool:
        """Return whether whoever was asked can say their support: once, when they gave the room, or were asked for
        support alone; never without an initiative that it can stand with."""
        if self.initiative_id is None or self.supported_at is not None or now >= self.ends_at:
            return False
        return self.state is RoomState.GRANTED or (self.wanted is Wanted.SUPPORT and self.may_be_answered(now))

    def give_support(self, words: str, now: datetime) -> None:
        """Record the support. Where that was all that was asked for, it is the answer, too."""
        self.support, self.supported_at = words, now
        if self.wanted is Wanted.SUPPORT:
            self.answer(RoomState.GRANTED, now)

    def take_back_support(self) -> None:
        """Empty the words of the support; that there was some is kept, as it is said once."""
        self.support = ""

    @property
    def last_day(self) -> datetime:
        """A moment within the last day for which it was asked."""
        return self.ends_at - timedelta(minutes=1)


def end_of(day: date, timezone: str) -> datetime:
    """Return the moment at which a local day ends."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))


def ending_told_at(room: Room, timezone: str, now: datetime) -> datetime | None:
    """Return when to tell that given room ends soon; None when that is too soon to tell apart from the answer."""
    last = room.last_day.astimezone(ZoneInfo(timezone)).date()
    at = datetime.combine(last, _AT_NINE, ZoneInfo(timezone)) - ENDING_TOLD_BEFORE
    return at if at > now + timedelta(days=1) else None
