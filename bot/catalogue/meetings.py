"""Messages by which a few people of different groups are brought together."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FileEntry, FormEntry, PictureEntry, Press, Tell

_AT = datetime(2027, 3, 11, 11, 30, tzinfo=UTC)


class MeetingRound(Entry):
    """For everyone in a place: how many (`invited`) were asked to meet this time, and the way to take part."""

    question: int
    invited: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="take_part", intent="meeting.join", style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(question=1, invited=4)


class MeetingJoined(Entry):
    """Confirmation that somebody is brought together with others; `already`: they were in before."""

    already: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="leave", intent="meeting.leave"),)

    @classmethod
    def example(cls) -> Self:
        return cls()


class MeetingLeft(Entry):
    """Confirmation that somebody is not brought together with others any more."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class MeetingProposed(Entry):
    """The proposal to meet: with whom, when and about what."""

    meeting: str
    names: tuple[str, ...]
    question: int
    at: datetime
    timezone: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"meeting": self.meeting}
        return (
            Press(name="come", intent="meeting.come", args=about, style="primary"),
            Press(name="cannot", intent="meeting.decline", args=about),
            Press(name="leave", intent="meeting.leave", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(meeting="m1", names=("Noor", "Kwame"), question=1, at=_AT, timezone="Europe/Amsterdam")


class MeetingAnswered(Entry):
    """The reply to whether somebody comes. `names` are the others who said yes so far; `told`: they hear the day before
    who comes; `over`: the moment is past. With its `meeting` an invitation card can be made."""

    coming: bool
    names: tuple[str, ...] = ()
    told: bool = True
    over: bool = False
    meeting: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if not self.coming or self.over or not self.meeting:
            return ()
        return (Press(name="card", intent="meeting.card", args={"meeting": self.meeting}),)

    @classmethod
    def example(cls) -> Self:
        return cls(coming=True, names=("Noor",))


class MeetingSet(Entry):
    """For who said yes, the day before: who else comes. Without `names` the meeting does not go on."""

    meeting: str
    names: tuple[str, ...]
    question: int
    at: datetime
    timezone: str

    def buttons(self) -> tuple[Press, ...]:
        if not self.names:
            return ()
        about = {"meeting": self.meeting}
        return (
            Press(name="card", intent="meeting.card", args=about),
            Press(name="cannot", intent="meeting.decline", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(meeting="m1", names=("Noor", "Kwame"), question=1, at=_AT, timezone="Europe/Amsterdam")


class MeetingAfter(Entry):
    """The question to who said yes whether they met the others."""

    meeting: str
    names: tuple[str, ...]

    def buttons(self) -> tuple[Press, ...]:
        about = {"meeting": self.meeting}
        return (
            Press(name="met", intent="meeting.met", args=about, style="primary"),
            Press(name="not_met", intent="meeting.not_met", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(meeting="m1", names=("Noor", "Kwame"))


class MeetingRemembered(Entry):
    """Thanks for telling whether they met; after a meeting a story is welcome."""

    met: bool

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="tell", intent="story", style="primary"),) if self.met else ()

    @classmethod
    def example(cls) -> Self:
        return cls(met=True)


MAX_WHERE_CHARS, MAX_CARD_CHARS = 80, 200
"""Characters of where a meeting is, and of the words on its card."""


class CardForm(FormEntry):
    """The form of an invitation card: where the meeting is, and a few words."""

    intent: ClassVar[str] = "meeting.card.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="where", max_length=MAX_WHERE_CHARS),
        Ask(name="words", kind="long_text", required=False, max_length=MAX_CARD_CHARS),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"meeting": "m1"})


class CardDrawn(PictureEntry):
    """An invitation card for a meeting, for who made it: when, where, about what, and what the movement is for. `code`
    has the rows of the QR code that leads to the movement, where Ritme has an address. No guest stands on it."""

    meeting: str
    movement: str
    purpose: str = ""
    question: int
    at: datetime
    timezone: str
    where: str
    words: str = ""
    code: tuple[str, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        about = {"meeting": self.meeting, "where": self.where, "words": self.words}
        return (Press(name="pdf", intent="meeting.card.print", args=about),)

    def draw(self, tell: Tell) -> Mapping[str, object]:
        return {
            "title": tell("title"),
            "movement": self.movement,
            "purpose": self.purpose,
            "when": tell("when"),
            "where": self.where,
            "words": self.words,
            "asked": tell("asked"),
            "question": tell("question"),
            "qr": self.code,
            "qr_said": tell("qr_said"),
        }

    @classmethod
    def example(cls) -> Self:
        return cls(
            meeting="m1",
            movement="Samen op pad",
            purpose="Iedereen komt elke dag buiten.",
            question=1,
            at=_AT,
            timezone="Europe/Amsterdam",
            where="Bij de grote tafel in de tuin",
            words="Neem iets lekkers mee.",
            code=("101", "010", "101"),
        )


class CardFile(FileEntry):
    """An invitation card as a PDF."""

    @classmethod
    def example(cls) -> Self:
        return cls(file="f1", until=_AT)
