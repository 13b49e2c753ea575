"""Messages about the private link by which somebody's own calendar follows a movement."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Entry, FileEntry, Press

NEW = Press(name="renew", intent="calendar.make")
FIRST_LINK = Press(name="make", intent="calendar.make", args={"first": "yes"}, style="primary")
FILE = Press(name="file", intent="calendar.file", style="primary")
OFF = Press(name="off", intent="calendar.revoke", style="danger", confirm=True)


class CalendarOffered(Entry):
    """Offer of a link to somebody's calendar, or of a file: what would stand in it, who could read it, and how it
    ends."""

    name: str

    def buttons(self) -> tuple[Press, ...]:
        return (FIRST_LINK, replace(FILE, style="normal"))

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad")


class CalendarLinked(Entry):
    """The link to somebody's calendar, shown this once. `renewed`: one before it stopped working."""

    secrets: ClassVar[tuple[str, ...]] = ("link",)
    name: str
    link: str
    renewed: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (OFF,)

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Samen op pad",
            link="https://ritme.example.org/slack/calendar/Yb3q0vQx7mJt5cWn2LkR8sAeUdZf1hGoPiT4uXwB6yM.ics",
            renewed=True,
        )


class CalendarOn(Entry):
    """That there is a link already, made at a moment; the link itself is never shown again."""

    name: str
    since: datetime

    def buttons(self) -> tuple[Press, ...]:
        return (NEW, OFF)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", since=datetime(2027, 3, 1, 8, tzinfo=UTC))


class CalendarOff(Entry):
    """Confirmation that no link works any more."""

    name: str

    def buttons(self) -> tuple[Press, ...]:
        return (NEW,)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad")


class CalendarUnserved(Entry):
    """That no calendar can follow the movement here, and what would make it possible; a file can be taken in."""

    name: str

    def buttons(self) -> tuple[Press, ...]:
        return (FILE,)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad")


class CalendarComing(Entry):
    """Announcement of a file for somebody's calendar, which comes in their own chat."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class CalendarFile(FileEntry):
    """A file for somebody's calendar: what comes of a movement of this name, or of one rhythm of it, of this `kind`."""

    name: str
    kind: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(file="f1", until=datetime(2027, 3, 1, 9, tzinfo=UTC), name="Samen op pad", kind="stories")
