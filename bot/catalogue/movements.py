"""Messages for the beginning of a movement, and for the arrival of Ritme in a channel."""

from datetime import date
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.catalogue.countries import HolidayAhead, KeptDays
from bot.domain.person import Language


class StartForm(FormEntry):
    """The form to begin a movement: its name, language, vision, who else coordinates, and in which country it is."""

    intent: ClassVar[str] = "start.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="name", max_length=80),
        Ask(name="language", kind="choice", options=tuple(Language)),
        Ask(name="vision", kind="long_text", max_length=500),
        Ask(name="coordinators", kind="people", required=False, max_items=5),
        Ask(name="country", max_length=80, required=False),
    )

    ahead: tuple[HolidayAhead, ...] = ()
    """The next holidays of the country that is filled in."""

    @classmethod
    def example(cls) -> Self:
        ahead = (HolidayAhead(on=date(2027, 3, 28), name="Eerste paasdag"),)
        return cls(values={"language": "nl", "country": "Nederland"}, ahead=ahead)


class MovementStarted(Entry):
    """Confirmation that the movement has begun, with the next two things to do, and the holidays that it keeps."""

    name: str
    place: str
    kept: KeptDays | None = None

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="purpose", intent="purpose.change", style="primary"),
            Press(name="rhythm", intent="rhythm"),
            Press(name="country", intent="country"),
        )

    @classmethod
    def example(cls) -> Self:
        kept = KeptDays(
            country="Nederland", weekend=(5, 6), ahead=(HolidayAhead(on=date(2027, 3, 28), name="Eerste paasdag"),)
        )
        return cls(name="Samen vooruit", place="samen-vooruit", kept=kept)


class AlreadyHere(Entry):
    """The reply when this place belongs to a movement already. `orphaned`: nobody coordinates it any more; `leavable`:
    the reader coordinates it, and may take this place out of it; `joining`: they came with a code, which was not
    used."""

    name: str
    orphaned: bool = False
    leavable: bool = False
    joining: bool = False

    def buttons(self) -> tuple[Press, ...]:
        leave = (Press(name="leave", intent="start.leave", style="danger", confirm=True),) if self.leavable else ()
        return (
            *((Press(name="take_on", intent="start.take_on", confirm=True),) if self.orphaned else ()),
            Press(name="purpose", intent="purpose", style="primary"),
            Press(name="initiatives", intent="initiative"),
            Press(name="help", intent="help"),
            *leave,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit", orphaned=True, leavable=True)


class TakenOn(Entry):
    """Confirmation that the reader coordinates an orphaned movement now."""

    name: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="rhythm", intent="rhythm"), Press(name="purpose", intent="purpose"))

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit")


class LinkOrBegin(Entry):
    """The question to a coordinator in a new channel: link it to their movement, begin a new one, or join by code?"""

    name: str

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="link", intent="start.link", style="primary"),
            Press(name="begin", intent="start.begin"),
            Press(name="join", intent="start.join"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit")


class PlaceLinked(Entry):
    """Confirmation that a further place belongs to the movement."""

    name: str
    place: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="rhythm", intent="rhythm"),)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit", place="nachtdienst")


class Welcome(Entry):
    """The welcome when Ritme comes into a channel: what it does, who reads what, how to stop it."""

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="start", intent="start", style="primary"),
            Press(name="join", intent="start.join"),
            Press(name="help", intent="help"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls()
