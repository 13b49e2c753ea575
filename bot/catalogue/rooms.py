"""Messages about room: asking a leader to let something be tried, the answer, and its end."""

from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press

MAX_REQUEST_CHARS = 500
_UNTIL = datetime(2027, 4, 1, 21, 59, tzinfo=UTC)
_TRYING = "Na de warme maaltijd samen een stuk lopen."
_ASKING = "Mogen we dit uitproberen, ook waar een afspraak nu iets anders zegt?"


class RoomForm(FormEntry):
    """The form with a drafted request: of whom, for room or for support alone, what is tried, what is asked, until
    when. Support is for an initiative, with which it can stand."""

    intent: ClassVar[str] = "room.send"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="person", kind="people", max_items=1),
        Ask(name="wanted", kind="choice", required=False, options=("room", "support")),
        Ask(name="trying", kind="long_text", max_length=MAX_REQUEST_CHARS),
        Ask(name="asking", kind="long_text", max_length=MAX_REQUEST_CHARS),
        Ask(name="until", kind="date"),
    )

    def visible_asks(self) -> tuple[Ask, ...]:
        return self.asks if self.hidden.get("initiative") else tuple(one for one in self.asks if one.name != "wanted")

    @classmethod
    def example(cls) -> Self:
        return cls(
            hidden={"initiative": "i1"},
            values={"wanted": "room", "trying": _TRYING, "asking": _ASKING, "until": "2027-04-01"},
        )


class RoomDraft(Entry):
    """The draft of what is asked, to make one's own."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class RoomSent(Entry):
    """Confirmation to who asked: `name` gets the request in their own chat. `told`: the asker hears the answer."""

    room: str
    name: str
    told: bool = True

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="take_back", intent="room.take_back", args={"room": self.room}),)

    @classmethod
    def example(cls) -> Self:
        return cls(room="r1", name="Karin")


class RoomWithdrawn(Entry):
    """The reply to who takes a request back. `answered`: that came first, so it stands; `arrived`: it may have been
    read, and is replaced."""

    name: str
    answered: bool = False
    arrived: bool = True

    @classmethod
    def example(cls) -> Self:
        return cls(name="Karin")


class RoomTakenBack(Entry):
    """The words that replace a request which was taken back, in the chat of whom it was asked of."""

    asker: str

    @classmethod
    def example(cls) -> Self:
        return cls(asker="Fatima")


def _yes_buttons(room: str, wanted: str) -> tuple[Press, ...]:
    """Return the buttons that say yes to a request."""
    about = {"room": room}
    if wanted == "support":
        return (Press(name="support", intent="support.give", args=about, style="primary", form=True),)
    return (
        Press(name="grant", intent="room.grant", args=about, style="primary"),
        Press(name="limit", intent="room.limit", args=about),
    )


class RoomAsked(Entry):
    """The request, for whom it is asked of; `wanted` is of `Wanted`."""

    room: str
    asker: str
    initiative: str
    trying: str
    asking: str
    until: datetime
    wanted: str = "room"

    def buttons(self) -> tuple[Press, ...]:
        about = {"room": self.room}
        return (
            *_yes_buttons(self.room, self.wanted),
            Press(name="talk", intent="room.talk", args=about),
            Press(name="decline", intent="room.decline", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            room="r1",
            asker="Fatima",
            initiative="Wandelen na het eten",
            trying=_TRYING,
            asking=_ASKING,
            until=_UNTIL,
        )


class RoomLimitForm(FormEntry):
    """The form to give room within a limit, one line; `shown`: it stands with an initiative."""

    intent: ClassVar[str] = "room.limit.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="limit", max_length=150),)

    shown: bool = True

    @classmethod
    def example(cls) -> Self:
        return cls()


class RoomAnswered(Entry):
    """The reply to who answered. `state` is of `RoomState`, `wanted` of `Wanted`; `gone`: there is nothing to answer
    any more; `told`: the asker hears it from Ritme; `supportable`: they can say a few words of support, too; `given`:
    they can take the room back that they gave; `supported`: the support that they said, too."""

    room: str
    asker: str
    state: str
    limit: str = ""
    until: datetime
    gone: bool = False
    told: bool = True
    wanted: str = "room"
    supportable: bool = False
    given: bool = False
    supported: bool = False

    def buttons(self) -> tuple[Press, ...]:
        if self.gone:
            return ()
        about = {"room": self.room}
        if self.state == "talk":
            return (*_yes_buttons(self.room, self.wanted), Press(name="decline", intent="room.decline", args=about))
        support = Press(name="support", intent="support.give", args=about, form=True)
        end = Press(name="end", intent="room.end", args=about, confirm=True)
        undo = Press(name="undo", intent="support.undo", args=about)
        offered = ((support, self.supportable), (end, self.given), (undo, self.supported))
        return tuple(button for button, may in offered if may)

    @classmethod
    def example(cls) -> Self:
        return cls(room="r1", asker="Fatima", state="talk", until=_UNTIL)


class RoomNews(Entry):
    """The answer, for who asked; `state` is of `RoomState`: "asked" when nobody answered for a week. `wanted` is of
    `Wanted`. `ended`: the room was given before, and taken back."""

    giver: str
    initiative: str
    initiative_name: str
    state: str
    limit: str = ""
    until: datetime
    wanted: str = "room"
    ended: bool = False

    def buttons(self) -> tuple[Press, ...]:
        again = Press(name="again", intent="room.ask", args={"initiative": self.initiative})
        return (again,) if self.state in ("asked", "declined") else ()

    @classmethod
    def example(cls) -> Self:
        return cls(
            giver="Karin",
            initiative="i1",
            initiative_name="Wandelen na het eten",
            state="granted",
            limit="Niet in het weekend",
            until=_UNTIL,
        )


class RoomEnding(Entry):
    """For who asked: the room that was given ends in a few days."""

    giver: str
    initiative: str
    initiative_name: str
    trying: str
    until: datetime

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="again", intent="room.ask", args={"initiative": self.initiative}),
            Press(name="tell", intent="story"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(giver="Karin", initiative="i1", initiative_name="Wandelen na het eten", trying=_TRYING, until=_UNTIL)


class SupportForm(FormEntry):
    """The form to say support for an initiative, a few words, shown until a day."""

    intent: ClassVar[str] = "support.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="words", max_length=150),)

    until: datetime | None = None

    @classmethod
    def example(cls) -> Self:
        return cls(until=_UNTIL)


class SupportGiven(Entry):
    """The reply to who said support: where it stands and until when. Without `words` they took it back; `gone`: there
    was nothing to support any more; `given`: they can take back the room that they gave."""

    room: str
    initiative: str
    words: str
    until: datetime
    gone: bool = False
    given: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"room": self.room}
        undo = Press(name="undo", intent="support.undo", args=about)
        end = Press(name="end", intent="room.end", args=about, confirm=True)
        return (*((undo,) if self.words else ()), *((end,) if self.given else ()))

    @classmethod
    def example(cls) -> Self:
        return cls(room="r1", initiative="Wandelen na het eten", words="Mooi dat jullie dit proberen.", until=_UNTIL)


class SupportNews(Entry):
    """The support, for who asked; without `words`, that it was taken back."""

    giver: str
    initiative: str
    initiative_name: str
    words: str
    until: datetime

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="look", intent="initiative.look", args={"initiative": self.initiative}),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            giver="Karin",
            initiative="i1",
            initiative_name="Wandelen na het eten",
            words="Mooi dat jullie dit proberen.",
            until=_UNTIL,
        )
