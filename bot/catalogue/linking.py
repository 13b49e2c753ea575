"""Messages about invite codes, by which other workspaces join a movement."""

from datetime import UTC, date, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.catalogue.countries import HolidayAhead, KeptDays

MAX_CODE_CHARS = 40
"""Characters that may be typed as a code; a code itself is shorter."""
NEXT_WEEK = datetime(2027, 3, 8, 8, 0, tzinfo=UTC)


class CodeShown(Entry):
    """The explanation of invite codes. `until` is set when a code is valid already; the code itself is never shown
    again."""

    name: str
    until: datetime | None = None

    def buttons(self) -> tuple[Press, ...]:
        revoke = (Press(name="revoke", intent="code.revoke", style="danger", confirm=True),) if self.until else ()
        return (Press(name="make", intent="code.make", style="primary"), *revoke)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", until=NEXT_WEEK)


class CodeMade(Entry):
    """A new code, shown this once."""

    secrets: ClassVar[tuple[str, ...]] = ("code",)
    name: str
    code: str
    until: datetime

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="revoke", intent="code.revoke", style="danger", confirm=True),)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", code="K7QM-4TXD-9RFW", until=NEXT_WEEK)


class CodeRevoked(Entry):
    """Confirmation that no code is valid any more."""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="make", intent="code.make"),)

    @classmethod
    def example(cls) -> Self:
        return cls()


class JoinForm(FormEntry):
    """The form for the code that a coordinator of the movement gave."""

    intent: ClassVar[str] = "start.join.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="code", max_length=MAX_CODE_CHARS),)

    @classmethod
    def example(cls) -> Self:
        return cls()


class Joined(Entry):
    """Confirmation that this place belongs to a movement now, and that its reader coordinates it too. `told`: another
    coordinator hears of it; `readers`: those of them whose names may be said here."""

    name: str
    place: str
    vision: str
    told: bool = True
    readers: tuple[str, ...] = ()
    kept: KeptDays | None = None
    """The days off of this place, where it is in another country."""

    def buttons(self) -> tuple[Press, ...]:
        country = (Press(name="country", intent="country"),) if self.kept is not None else ()
        return (
            Press(name="rhythm", intent="rhythm", style="primary"),
            Press(name="purpose", intent="purpose"),
            *country,
        )

    @classmethod
    def example(cls) -> Self:
        vision = "Wie thuis zorg krijgt, doet zelf wat zelf kan"
        kept = KeptDays(
            country="België", weekend=(5, 6), ahead=(HolidayAhead(on=date(2027, 3, 28), name="Eerste paasdag"),)
        )
        return cls(name="Samen op pad", place="nachtdienst", vision=vision, readers=("Iris",), kept=kept)


class PlaceJoined(Entry):
    """News for the coordinators: another place joined with their code."""

    name: str
    place: str
    by: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="code", intent="code"),)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", place="nachtdienst (Zorggroep West)", by="Noor")


class PlaceLeft(Entry):
    """Confirmation that this place no longer belongs to the movement; `last`: it had no other."""

    name: str
    last: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad")
