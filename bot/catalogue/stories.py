"""What Ritme says around micro-stories. The words of a story are always the teller's own."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.domain.person import StoryChoice
from bot.domain.story import LONGEST_STORY, SHOWN, SHOWN_AMONG, Dimension, Readers

TOLD = "Na de overdracht liepen we met z'n drieën een rondje. Mevrouw Bakker liep een stukje mee en lachte."


def read_on(*stories: tuple[str, str], most: int = SHOWN) -> tuple[Press, ...]:
    """The button to read on, when one of these (story, text) is longer than what is shown of it."""
    cut = [story for story, text in stories if len(text) > most]
    return (Press(name="read", intent="story.read", args={"stories": " ".join(cut)}),) if cut else ()


@dataclass(frozen=True, kw_only=True)
class StoryForm(FormEntry):
    """A story in one's own words, with whose name, and who may read it.

    `place` is where it is told, empty in a personal chat. `too_long` is the length of a text that does not fit: it is
    shown whole, so that nothing is lost.
    """

    intent: ClassVar[str] = "story.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="text", kind="long_text", max_length=LONGEST_STORY),
        Ask(name="initiative", kind="choice", required=False),
        Ask(name="dimension", kind="choice", required=False, options=tuple(Dimension)),
        Ask(name="named", kind="choice", options=("with", "without")),
        Ask(name="readers", kind="choice", options=tuple(Readers)),
    )

    place: str = ""
    too_long: int = 0

    def shown(self) -> tuple[Ask, ...]:
        text, *rest = self.asks
        fitting = replace(text, max_length=max(LONGEST_STORY, self.too_long))
        return (fitting, *(ask for ask in rest if ask.name != "initiative" or self.options.get("initiative")))

    @classmethod
    def example(cls) -> Self:
        return cls(place="wijkteam-zuid", values={"named": "with", "readers": Readers.MOVEMENT.value})


@dataclass(frozen=True, kw_only=True)
class StoryTooLong(Entry):
    """Longer than a form can hold: given back, so that nothing is lost."""

    text: str
    most: int

    @classmethod
    def example(cls) -> Self:
        return cls(text=TOLD, most=LONGEST_STORY)


@dataclass(frozen=True, kw_only=True)
class StoryTold(Entry):
    """To the teller: kept, where it stands and who can read it. `place` is empty when told in a personal chat."""

    story: str
    place: str
    named: bool
    readers: Readers
    changed: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        share = (Press(name="share", intent="share", args=about),) if self.readers is not Readers.THREAD else ()
        return (
            Press(name="change", intent="story.change", args=about),
            *share,
            Press(name="withdraw", intent="story.withdraw", args=about, style="danger", confirm=True),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", place="wijkteam-zuid", named=True, readers=Readers.MOVEMENT)


@dataclass(frozen=True, kw_only=True)
class StoryPosted(Entry):
    """A story in the place it was told. `teller` is empty for a nameless one."""

    story: str
    text: str
    teller: str
    initiative: str
    travels: bool

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        share = (Press(name="share", intent="share", args=about),) if self.travels else ()
        return (*read_on((self.story, self.text)), Press(name="ripple", intent="ripple", args=about), *share)

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", text=TOLD, teller="Fatima", initiative="Wandelen na het eten", travels=True)


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A story in full. `teller` is empty for a nameless one."""

    text: str
    teller: str


@dataclass(frozen=True, kw_only=True)
class StoriesRead(Entry):
    """To who wanted to read on."""

    stories: tuple[Whole, ...]

    @classmethod
    def example(cls) -> Self:
        return cls(stories=(Whole(text=TOLD, teller="Fatima"), Whole(text=TOLD, teller="")))


@dataclass(frozen=True, kw_only=True)
class StoryShared(Entry):
    """A story carried to another place, with where it came from and a line of whoever carried it."""

    story: str
    text: str
    teller: str
    origin: str
    by: str
    line: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        return (
            *read_on((self.story, self.text)),
            Press(name="ripple", intent="ripple", args=about),
            Press(name="share", intent="share", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            story="s1", text=TOLD, teller="Fatima", origin="wijkteam-zuid", by="Jan", line="Zou dit bij ons ook kunnen?"
        )


@dataclass(frozen=True, kw_only=True)
class StoryWithdrawn(Entry):
    """To the teller: it is gone."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class StoryKept(Entry):
    """The first time someone's reply in a thread is kept as a story: what that means, and the choice."""

    story: str

    def buttons(self) -> tuple[Press, ...]:
        return _choices(self.story)

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1")


@dataclass(frozen=True, kw_only=True)
class StoryChosen(Entry):
    """What was chosen for one's replies in threads, now and from now on."""

    story: str
    choice: StoryChoice

    def buttons(self) -> tuple[Press, ...]:
        return tuple(press for press in _choices(self.story) if press.name != _BUTTON[self.choice])

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", choice=StoryChoice.MOVEMENT)


_BUTTON = {StoryChoice.MOVEMENT: "keep", StoryChoice.HERE: "here", StoryChoice.FORGET: "forget"}


def _choices(story: str) -> tuple[Press, ...]:
    about = {"story": story}
    return (
        Press(name="keep", intent="story.keep", args=about, style="primary"),
        Press(name="here", intent="story.here", args=about),
        Press(name="forget", intent="story.forget", args=about),
    )


@dataclass(frozen=True, kw_only=True)
class StoryMine(Entry):
    """One of the reader's own stories, and what can be done with it. `number` counts from 1, the newest first;
    `in_thread` when it is a message of their own, which they change by editing that."""

    story: str
    text: str
    place: str
    named: bool
    readers: Readers
    in_thread: bool
    ripples: int
    number: int
    more: bool

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        if self.in_thread:
            kept = self.readers is not Readers.THREAD
            own: tuple[Press, ...] = tuple(p for p in _choices(self.story) if p.name != ("keep" if kept else "here"))
        else:
            own = (
                Press(name="change", intent="story.change", args=about),
                Press(name="withdraw", intent="story.withdraw", args=about, style="danger", confirm=True),
            )
        older = (Press(name="older", intent="story.mine", args={"number": str(self.number + 1)}),) if self.more else ()
        return (*own, *older)

    @classmethod
    def example(cls) -> Self:
        return cls(
            story="s1",
            text=TOLD,
            place="wijkteam-zuid",
            named=True,
            readers=Readers.MOVEMENT,
            in_thread=False,
            ripples=2,
            number=1,
            more=True,
        )


@dataclass(frozen=True, kw_only=True)
class RippleNoted(Entry):
    """To someone who does this too."""

    story: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        return (
            Press(name="step", intent="step", args=about),
            Press(name="undo", intent="ripple.undo", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1")


@dataclass(frozen=True, kw_only=True)
class RippleTaken(Entry):
    """To someone who took "I do this too" back."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class StoryRippled(Entry):
    """To the teller: what it set in motion. Never who."""

    text: str
    count: int

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="settings", intent="me"),)

    @classmethod
    def example(cls) -> Self:
        return cls(text=TOLD, count=1)


@dataclass(frozen=True, kw_only=True)
class StoryTravelled(Entry):
    """To the teller, once: someone carried it to another place."""

    text: str
    place: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="mine", intent="story.mine"), Press(name="settings", intent="me"))

    @classmethod
    def example(cls) -> Self:
        return cls(text=TOLD, place="nachtdienst")


@dataclass(frozen=True, kw_only=True)
class ShareForm(FormEntry):
    """Where a story should go, with a line of one's own."""

    intent: ClassVar[str] = "share.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="place", kind="choice"),
        Ask(name="line", required=False, max_length=300),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"story": "s1"})


@dataclass(frozen=True, kw_only=True)
class StoryCarried(Entry):
    """To whoever shared: where it stands now."""

    place: str

    @classmethod
    def example(cls) -> Self:
        return cls(place="nachtdienst")


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """One story in a harvest. `ripples` people do this too; `steps` were taken because of it; it was retold in `retold`
    other places."""

    story: str
    text: str
    teller: str
    place: str
    ripples: int
    steps: int
    retold: int


@dataclass(frozen=True, kw_only=True)
class Harvest(Entry):
    """Three to five recent stories given back, with what they set in motion. A `preview` is for one reader only.
    Empty when all were withdrawn since."""

    stories: tuple[Gathered, ...]
    preview: bool = False

    def buttons(self) -> tuple[Press, ...]:
        too = [
            Press(name=f"too_{number}", intent="ripple", args={"story": one.story})
            for number, one in enumerate(self.stories, 1)
        ]
        rest = read_on(*((one.story, one.text) for one in self.stories), most=SHOWN_AMONG)
        return (*([] if self.preview else too), *rest, Press(name="tell", intent="story"))

    @classmethod
    def example(cls) -> Self:
        first = Gathered(story="s1", text=TOLD, teller="Fatima", place="wijkteam-zuid", ripples=2, steps=1, retold=1)
        second = "Ik vroeg de familie wat ze zelf al deden. Er kwam een heel schema uit een keukenla."
        third = "Vannacht belde ik de wijk in plaats van te mailen. Binnen vijf minuten was het geregeld."
        return cls(
            stories=(
                first,
                Gathered(story="s2", text=second, teller="", place="familie", ripples=0, steps=0, retold=0),
                Gathered(story="s3", text=third, teller="Jan", place="nachtdienst", ripples=1, steps=0, retold=0),
            )
        )
