"""The door by which people without an account tell a story: opening it, its card, and what is told there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar, Literal, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Pick, PictureEntry, Press, Tell
from bot.catalogue.guard import HELD
from bot.domain.door import MAX_QUESTION_CHARS, digest_words

DOORS_SHOWN = 5
"""Doors with a button of their own: the template has words for so many."""
_ENDS = datetime(2027, 3, 29, 21, 59, tzinfo=UTC)
_LINK = "https://ritme.example.org/pages/door/d1.0f"
_QUESTION = "Wanneer ging het deze week net even anders?"


class DoorOff(Entry):
    """Tells that no door can be opened here, and what would make that possible."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class DoorForm(FormEntry):
    """The form of a new door."""

    intent: ClassVar[str] = "door.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="initiative", kind="choice"),
        Ask(name="day", kind="date"),
        Ask(name="question", max_length=MAX_QUESTION_CHARS),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={"day": "2027-03-29"},
            options={"initiative": (Pick(value="i1", label="Wandelen na het eten"),)},
            earliest=date(2027, 3, 1),
            latest=date(2027, 6, 1),
        )


@dataclass(frozen=True, kw_only=True)
class DoorSummary:
    """A door in a list: of which initiative, until when, whether it is open, and how many stories wait there."""

    id: str
    initiative: str
    until: datetime
    is_open: bool = True
    waiting: int = 0


class DoorsListed(Entry):
    """The doors of a movement, the open ones first, with the way to a new one. `opens` is False for who carries an
    initiative, and sees its doors."""

    doors: tuple[DoorSummary, ...] = ()
    opens: bool = True

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{number}", intent="door.look", args={"door": one.id})
            for number, one in enumerate(self.doors, 1)
        )
        return (*looks, *((Press(name="open", intent="door.open", style="primary"),) if self.opens else ()))

    @classmethod
    def example(cls) -> Self:
        one = DoorSummary(id="d1", initiative="Wandelen na het eten", until=_ENDS, waiting=2)
        return cls(doors=(one,) * DOORS_SHOWN)


class DoorShown(Entry):
    """One door, with its address. `news`: it was just opened, or closed, or is being shown."""

    secrets: ClassVar[tuple[str, ...]] = ("link",)
    id: str
    initiative: str
    question: str
    link: str
    until: datetime
    is_open: bool = True
    waiting: int = 0
    news: Literal["", "opened", "closed"] = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"door": self.id}
        card = (Press(name="card", intent="door.card", args=about, style="primary"),) if self.is_open else ()
        read = (Press(name="read", intent="door.read", args=about),) if self.waiting else ()
        close = (Press(name="close", intent="door.close", args=about, style="danger"),) if self.is_open else ()
        return (*card, *read, *close)

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="d1",
            initiative="Wandelen na het eten",
            question=_QUESTION,
            link=_LINK,
            until=_ENDS,
            waiting=1,
            news="opened",
        )


class DoorCardComing(Entry):
    """Announcement of the card of a door, or of what waits there: it comes in the reader's own chat."""

    what: Literal["card", "told"] = "card"

    @classmethod
    def example(cls) -> Self:
        return cls()


class DoorCard(PictureEntry):
    """The card of a door, to be printed: its address as a QR code (`modules`: a row each, "1" is dark), the question,
    and whose door it is."""

    initiative: str
    movement: str
    question: str
    link: str
    until: datetime
    modules: tuple[str, ...] = ()

    def draw(self, tell: Tell) -> Mapping[str, object]:
        return {
            "title": tell("title"),
            "question": self.question,
            "whose": tell("whose"),
            "how": tell("how"),
            "readers": tell("readers"),
            "until": tell("until"),
            "link": self.link,
            "modules": list(self.modules),
        }

    @classmethod
    def example(cls) -> Self:
        # The corners of a code, by which a telephone finds it.
        rows = ("1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111")
        return cls(
            initiative="Wandelen na het eten",
            movement="Samen vooruit",
            question=_QUESTION,
            link=_LINK.removeprefix("https://"),
            until=_ENDS,
            modules=tuple(f"{row}0101010{row}" for row in rows),
        )


class DoorTold(Entry):
    """A story told at a door, for who decides about it: by whom, as they want to be called, and how many `more` wait.
    `news`: the one before it was just let in, or not; or this one was `changed` since it was read. The buttons say
    which words they are about: others are not decided about by them. `opened`: the reader hears for the first time that
    the door is there, and who (`opener`) opened it, where they may be named."""

    door: str
    story: str
    initiative: str
    text: str
    called: str
    more: int = 0
    news: Literal["", "let_in", "not_this", "changed"] = ""
    opened: bool = False
    opener: str = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"door": self.door, "told": self.story, "words": digest_words(self.text, self.called)}
        return (
            Press(name="let_in", intent="door.let_in", args=about, style="primary"),
            Press(name="not_this", intent="door.not_this", args=about, confirm=True),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            door="d1",
            story="s1",
            initiative="Wandelen na het eten",
            text="Mijn moeder liep voor het eerst weer mee naar de vijver.",
            called="een buur",
            more=2,
            news="let_in",
        )


class DoorWordsAsked(Entry):
    """The question whether a story told at a door comes in with `words` that may give somebody away. Who decides
    changes nothing: the words are of who told them. `seen` says which words it is about; it waits until `until`."""

    held: str
    door: str
    story: str
    seen: str
    words: tuple[str, ...]
    text: str
    until: datetime

    def buttons(self) -> tuple[Press, ...]:
        held = {HELD: self.held}
        return (
            Press(name="fine", intent="guard.fine", args=held),
            Press(
                name="not_this",
                intent="door.not_this",
                args={"door": self.door, "told": self.story, "words": self.seen, **held},
                confirm=True,
                style="primary",
            ),
        )

    @classmethod
    def example(cls) -> Self:
        text = "Mevrouw Bos liep voor het eerst weer mee naar de vijver."
        return cls(held="h1", door="d1", story="s1", seen="0f", words=("Mevrouw Bos",), text=text, until=_ENDS)


class DoorRead(Entry):
    """Tells that nothing waits at a door (any more). `news`: what was just decided about the last."""

    initiative: str
    news: Literal["", "let_in", "not_this"] = ""

    @classmethod
    def example(cls) -> Self:
        return cls(initiative="Wandelen na het eten", news="let_in")
