"""Messages by which a few people of different groups are brought together."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bot.catalogue.base import Entry, Press

_AT = datetime(2027, 3, 11, 11, 30, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class MeetingRound(Entry):
    """For everyone in a place: how many (`invited`) were asked to meet this time, and the way to take part."""

    question: int
    invited: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="take_part", intent="meeting.join", style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(question=1, invited=4)


@dataclass(frozen=True, kw_only=True)
class MeetingJoined(Entry):
    """Confirmation that somebody is brought together with others; `already`: they were in before."""

    already: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="leave", intent="meeting.leave"),)

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class MeetingLeft(Entry):
    """Confirmation that somebody is not brought together with others any more."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class MeetingAnswered(Entry):
    """The reply to whether somebody comes. `names` are the others who said yes so far; `told`: they hear the day before
    who comes; `over`: the moment is past."""

    coming: bool
    names: tuple[str, ...] = ()
    told: bool = True
    over: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(coming=True, names=("Noor",))


@dataclass(frozen=True, kw_only=True)
class MeetingSet(Entry):
    """For who said yes, the day before: who else comes. Without `names` the meeting does not go on."""

    meeting: str
    names: tuple[str, ...]
    question: int
    at: datetime
    timezone: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="cannot", intent="meeting.decline", args={"meeting": self.meeting}),) if self.names else ()

    @classmethod
    def example(cls) -> Self:
        return cls(meeting="m1", names=("Noor", "Kwame"), question=1, at=_AT, timezone="Europe/Amsterdam")


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class MeetingRemembered(Entry):
    """Thanks for telling whether they met; after a meeting a story is welcome."""

    met: bool

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="tell", intent="story", style="primary"),) if self.met else ()

    @classmethod
    def example(cls) -> Self:
        return cls(met=True)
