"""What Ritme says about invite codes, by which other workspaces join a movement."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press

NEXT_WEEK = datetime(2027, 3, 8, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class CodeShown(Entry):
    """What a code is for; `until` when there is one already, which is never shown again."""

    name: str
    until: datetime | None = None

    def buttons(self) -> tuple[Press, ...]:
        revoke = (Press(name="revoke", intent="code.revoke", style="danger", confirm=True),) if self.until else ()
        return (Press(name="make", intent="code.make", style="primary"), *revoke)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", until=NEXT_WEEK)


@dataclass(frozen=True, kw_only=True)
class CodeMade(Entry):
    """The code, this once."""

    name: str
    code: str
    until: datetime

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="revoke", intent="code.revoke", style="danger", confirm=True),)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", code="K7QM-4TXD-9RFW", until=NEXT_WEEK)


@dataclass(frozen=True, kw_only=True)
class CodeRevoked(Entry):
    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="make", intent="code.make"),)

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class JoinForm(FormEntry):
    """The code that a coordinator of the movement gave."""

    intent: ClassVar[str] = "start.join.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="code", max_length=40),)

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class Joined(Entry):
    """This place belongs to a movement now, and whoever linked it coordinates too."""

    name: str
    place: str
    vision: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="rhythm", intent="rhythm", style="primary"), Press(name="purpose", intent="purpose"))

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", place="nachtdienst", vision="Wie thuis zorg krijgt, doet zelf wat zelf kan")


@dataclass(frozen=True, kw_only=True)
class PlaceJoined(Entry):
    """To the coordinators: another place joined with their code."""

    name: str
    place: str
    by: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="code", intent="code"),)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", place="nachtdienst (Zorggroep West)", by="Noor")


@dataclass(frozen=True, kw_only=True)
class PlaceLeft(Entry):
    """This place no longer belongs to the movement."""

    name: str

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad")
