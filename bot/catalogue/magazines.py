"""Messages, forms and the page of a magazine: what is chosen for it, and whether it may be printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import (
    NO,
    YES,
    Ask,
    Entry,
    FileEntry,
    FormEntry,
    PageEntry,
    Pick,
    PictureEntry,
    Press,
    Tell,
)
from bot.domain.magazine import MAX_PRINTED, MAX_TITLE_CHARS, MAX_WORDS_CHARS, PaperSize, PrintName, first_name
from bot.domain.story import Dimension
from bot.domain.story_search import Period

PRINTABLE_LISTED = 8
"""Stories that are listed on the desk."""
MAGAZINES_LISTED = 3
"""Other magazines with a button of their own."""
OWN_LISTED = 5
"""Stories of the reader's own that are listed at a time, each with a button to take it back."""
EXAMPLE_TEXT = "De buurvrouw liep mee, en toen wilde de hele gang."


class MagazineForm(FormEntry):
    """The form of a magazine: how it is called, how it begins, and which stories it can hold. `stands`: the title and
    the words are what tellers were asked about, and change no more."""

    stands: bool = False

    intent: ClassVar[str] = "magazine.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="name", max_length=MAX_TITLE_CHARS),
        Ask(name="words", kind="long_text", required=False, max_length=MAX_WORDS_CHARS),
        Ask(name="initiative", kind="choice", required=False),
        Ask(name="dimension", kind="choice", required=False, options=tuple(Dimension)),
        Ask(name="period", kind="choice", required=False, options=tuple(Period)),
        Ask(name="history", kind="choice", options=(YES, NO)),
    )

    def visible_asks(self) -> tuple[Ask, ...]:
        shown = [ask for ask in self.asks if ask.kind != "choice" or ask.options or self.options.get(ask.name)]
        return tuple(ask for ask in shown if not self.stands or ask.name not in ("name", "words"))

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={"history": YES},
            options={"initiative": (Pick(value="i1", label="Wandelen na het eten"),)},
        )


class MagazineChoiceForm(FormEntry):
    """The form to choose stories; sending it asks their tellers."""

    intent: ClassVar[str] = "magazine.chosen"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="stories", kind="choices", required=False, max_items=MAX_PRINTED),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            options={"stories": (Pick(value="v1", label="Fatima: De buurvrouw liep mee"),)}, hidden={"magazine": "z1"}
        )


@dataclass(frozen=True, kw_only=True)
class PrintableStory:
    """A story that may be printed, with the name that stands under it; "" for none."""

    text: str
    teller: str = ""


@dataclass(frozen=True, kw_only=True)
class OtherMagazine:
    """Another magazine that the reader can open. `draft`: not everyone in the movement can read it yet."""

    magazine: str
    title: str
    draft: bool = False


class MagazineDesk(Entry):
    """A magazine for who makes it: how many stories were `chosen`, and those that may be printed; `more` of these are
    not listed. Of the others nothing is said: who said no, and who did not answer, look alike. `shown`: everyone in the
    movement can read it; `asked`: tellers were asked just now."""

    magazine: str
    title: str
    words: str = ""
    initiative: str = ""
    chosen: int = 0
    printable: tuple[PrintableStory, ...] = ()
    more: int = 0
    shown: bool = False
    asked: bool = False
    others: tuple[OtherMagazine, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        about = {"magazine": self.magazine}
        choose = Press(
            name="choose", intent="magazine.choose", args=about, style="normal" if self.printable else "primary"
        )
        edit = Press(name="edit", intent="magazine.edit", args=about)
        if not self.printable:
            return (choose, edit, *self._elsewhere())
        name, on = ("hide", NO) if self.shown else ("show", YES)
        show = Press(name=name, intent="magazine.show", args={**about, "on": on})
        return (*_papers(self.magazine, "primary"), choose, edit, show, *self._elsewhere())

    def _elsewhere(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{number}", intent="magazine.look", args={"magazine": one.magazine})
            for number, one in enumerate(self.others, 1)
        )
        return (*looks, Press(name="begin", intent="magazine.begin"))

    @classmethod
    def example(cls) -> Self:
        return cls(
            magazine="z1",
            title="Een jaar samen op pad",
            words="Dit hebben we samen meegemaakt.",
            chosen=3,
            printable=(PrintableStory(text=EXAMPLE_TEXT, teller="Fatima"), PrintableStory(text="We zongen.")),
            others=(OtherMagazine(magazine="z2", title="Wandelen"),) * MAGAZINES_LISTED,
        )


def _papers(magazine: str, style: str = "normal") -> tuple[Press, ...]:
    first = Press(
        name="a4",
        intent="magazine.print",
        args={"magazine": magazine, "paper": PaperSize.A4.value},
        style="primary" if style == "primary" else "normal",
    )
    phone = Press(name="phone", intent="magazine.print", args={"magazine": magazine, "paper": PaperSize.PHONE.value})
    return (first, phone)


class MagazineList(Entry):
    """The magazines that a reader can read, the newest first. `makes`: they can begin one."""

    magazines: tuple[OtherMagazine, ...] = ()
    makes: bool = False

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{number}", intent="magazine.look", args={"magazine": one.magazine})
            for number, one in enumerate(self.magazines, 1)
        )
        begin = (Press(name="begin", intent="magazine.begin", style="primary"),) if self.makes else ()
        return (*looks, *begin)

    @classmethod
    def example(cls) -> Self:
        return cls(
            magazines=(
                OtherMagazine(magazine="z1", title="Een jaar samen op pad"),
                OtherMagazine(magazine="z2", title="Wandelen", draft=True),
                OtherMagazine(magazine="z3", title="De tuin open", draft=True),
            ),
            makes=True,
        )


class PrintedStory(Entry):
    """A story as it stands in a magazine, with the name as agreed; "" for none. `mine`: the reader told it."""

    magazine: str
    story: str
    text: str
    teller: str = ""
    about: str = ""
    mine: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"magazine": self.magazine, "story": self.story}
        return (Press(name="take_back", intent="magazine.take_back", args=about),) if self.mine else ()

    @classmethod
    def example(cls) -> Self:
        return cls(magazine="z1", story="v1", text=EXAMPLE_TEXT, teller="Fatima", about="Wandelen", mine=True)


class MagazineHistory(Entry):
    """The end of a magazine: the learning history line by line, and where it can be had on paper (`printable`)."""

    magazine: str
    lines: tuple[str, ...] = ()
    printable: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return _papers(self.magazine) if self.printable else ()

    @classmethod
    def example(cls) -> Self:
        return cls(magazine="z1", lines=("4 januari 2027: het begin",), printable=True)


class MagazinePage(PageEntry):
    """A magazine for everyone in the movement: its words, its stories, and the learning history line by line. `making`:
    the reader may change it."""

    magazine: str
    title: str
    words: str = ""
    history: tuple[str, ...] = ()
    stories: tuple[PrintedStory, ...] = ()
    making: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="desk", intent="magazine", args={"magazine": self.magazine}),) if self.making else ()

    def sections(self) -> tuple[Entry, ...]:
        printable = bool(self.stories)
        end = MagazineHistory(magazine=self.magazine, lines=self.history, printable=printable)
        return (*self.stories, *((end,) if self.history or printable else ()))

    @classmethod
    def example(cls) -> Self:
        return cls(
            magazine="z1",
            title="Een jaar samen op pad",
            words="Dit hebben we samen meegemaakt.",
            history=("4 januari 2027: het begin",),
            stories=(PrintedStory.example(),),
            making=True,
        )


@dataclass(frozen=True, kw_only=True)
class OwnPrinted:
    """A story of the reader's own in a magazine."""

    story: str
    text: str


class MagazineShown(Entry):
    """A magazine for who asked for it in chat: how many stories are in it, and which of these the reader told, a page
    at a time: `more` of theirs come after these."""

    magazine: str
    title: str
    words: str = ""
    count: int = 0
    own: tuple[OwnPrinted, ...] = ()
    page: int = 0
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        back = tuple(
            Press(
                name=f"take_back_{number}",
                intent="magazine.take_back",
                args={"magazine": self.magazine, "story": one.story},
            )
            for number, one in enumerate(self.own, 1)
        )
        onward = Press(
            name="onward", intent="magazine.look", args={"magazine": self.magazine, "page": str(self.page + 1)}
        )
        papers = _papers(self.magazine, "primary") if self.count else ()
        return (*papers, *back, *((onward,) if self.more else ()))

    @classmethod
    def example(cls) -> Self:
        return cls(
            magazine="z1",
            title="Een jaar samen op pad",
            words="Dit hebben we samen meegemaakt.",
            count=12,
            own=(OwnPrinted(story="v1", text=EXAMPLE_TEXT),) * OWN_LISTED,
            more=1,
        )


class PrintAsked(PictureEntry):
    """The question to a teller whether a story may be printed, with the page on which it stands, and the `words` with
    which the magazine begins. `by` asks; `name` is the teller's, "" where the story is told without one; `more` stories
    of theirs are asked about after this one."""

    magazine: str
    title: str
    story: str
    text: str
    words: str = ""
    name: str = ""
    by: str = ""
    movement: str = ""
    about: str = ""
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        about = {"magazine": self.magazine, "story": self.story}

        def agree(name: PrintName, *, first: bool = False) -> Press:
            return Press(
                name=f"yes_{name.value}",
                intent="magazine.agree",
                args={**about, "name": name.value},
                style="primary" if first else "normal",
            )

        no = Press(name="no", intent="magazine.decline", args=about)
        if not self.name:
            return (agree(PrintName.NONE, first=True), no)
        short = (agree(PrintName.FIRST),) if first_name(self.name) != self.name else ()
        return (agree(PrintName.FULL, first=True), *short, agree(PrintName.NONE), no)

    def draw(self, tell: Tell) -> Mapping[str, object]:
        return {
            "title": self.title,
            "movement": self.movement,
            "story": tell("story"),
            "text": [line for line in self.text.splitlines() if line.strip()],
            "teller": tell("teller"),
            "about": self.about,
        }

    @classmethod
    def example(cls) -> Self:
        return cls(
            magazine="z1",
            title="Een jaar samen op pad",
            story="v1",
            text=EXAMPLE_TEXT,
            words="Dit hebben we samen meegemaakt.",
            name="Fatima de Wit",
            by="Iris",
            movement="Samen op pad",
            about="Wandelen na het eten",
            more=1,
        )


class PrintAgreed(Entry):
    """Confirmation of a yes: how the name stands ("" for none), and that it can be taken back."""

    magazine: str
    story: str
    title: str
    name: str = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"magazine": self.magazine, "story": self.story}
        return (Press(name="take_back", intent="magazine.take_back", args=about),)

    @classmethod
    def example(cls) -> Self:
        return cls(magazine="z1", story="v1", title="Een jaar samen op pad", name="Fatima")


class PrintDeclined(Entry):
    """Confirmation of a no, of which nobody hears."""

    title: str

    @classmethod
    def example(cls) -> Self:
        return cls(title="Een jaar samen op pad")


class PrintTakenBack(Entry):
    """Confirmation that a story is out of a magazine: of its page now, and of later prints."""

    title: str

    @classmethod
    def example(cls) -> Self:
        return cls(title="Een jaar samen op pad")


class MagazineComing(Entry):
    """Announcement of the file, which comes in the reader's own chat."""

    title: str

    @classmethod
    def example(cls) -> Self:
        return cls(title="Een jaar samen op pad")


class MagazineFile(FileEntry):
    """A magazine as a PDF, on A4 or for a phone (`paper`), with as many stories as may be printed now."""

    magazine: str
    name: str
    paper: str = PaperSize.A4.value
    count: int = 0

    @classmethod
    def example(cls) -> Self:
        return cls(
            file="f1",
            until=datetime(2027, 3, 1, 9, tzinfo=UTC),
            magazine="z1",
            name="Een jaar samen op pad",
            count=12,
        )
