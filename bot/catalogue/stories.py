"""Messages about micro-stories. The words of a story are always the teller's own."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, OutsideEntry, Pick, Press, ThreadEntry
from bot.catalogue.conversation import MAX_ASKED_CHARS
from bot.catalogue.meanings import meaning_buttons
from bot.domain.api_token import Scope
from bot.domain.person import StoryChoice
from bot.domain.retelling import StoryStanding
from bot.domain.story import EXCERPT_CHARS, MAX_STORY_CHARS, NO_PART, SHORT_EXCERPT_CHARS, Dimension, Readers
from bot.domain.webhook import MovementEvent

EXAMPLE_STORY = "Na de overdracht liepen we met z'n drieën een rondje. De buurvrouw liep een stukje mee en lachte."

NOWHERE = "nowhere"
"""The choice of a teller who wants their story posted in no place."""


def read_on_button(*stories: tuple[str, str], most: int = EXCERPT_CHARS) -> tuple[Press, ...]:
    """Return the button to read on, or nothing when `most` characters show all of these (story id, text) whole."""
    cut = [story for story, text in stories if len(text) > most]
    return (Press(name="read", intent="story.read", args={"stories": " ".join(cut)}),) if cut else ()


class StoryForm(OutsideEntry, FormEntry):
    """The form for a story in one's own words, with or without one's name, and who may read it.

    `place` is where it is told, empty in a personal chat and where the teller chooses the place (`where`). `part` asks
    what of the purpose it shows. `too_long` is the length of a text that does not fit: it is shown whole, so that
    nothing is lost.
    """

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = (Scope.STORIES, MovementEvent.STORY_TOLD)
    intent: ClassVar[str] = "story.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="text", kind="long_text", max_length=MAX_STORY_CHARS),
        Ask(name="where", kind="choice", required=False, channels=True),
        Ask(name="initiative", kind="choice", required=False),
        Ask(name="part", kind="choice", required=False),
        Ask(name="dimension", kind="choice", required=False, options=tuple(Dimension)),
        Ask(name="named", kind="choice", options=("with", "without")),
        Ask(name="readers", kind="choice", options=tuple(Readers)),
    )

    place: str = ""
    too_long: int = 0

    def visible_asks(self) -> tuple[Ask, ...]:
        text, *rest = self.asks
        fitting = replace(text, max_length=max(MAX_STORY_CHARS, self.too_long))
        return (fitting, *(ask for ask in rest if ask.options or self.options.get(ask.name)))

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={"where": "p1", "part": "behaviour:0", "named": "with", "readers": Readers.MOVEMENT.value},
            options={
                "where": (Pick(value="p1", label="wijkteam-zuid"), Pick(value=NOWHERE)),
                "part": (Pick(value="behaviour:0", label="Vraag eerst wat iemand zelf al doet"), Pick(value=NO_PART)),
            },
        )


class StoryTooLong(Entry):
    """A story longer than a form can hold, given back so that nothing is lost."""

    text: str
    most: int

    @classmethod
    def example(cls) -> Self:
        return cls(text=EXAMPLE_STORY, most=MAX_STORY_CHARS)


class StoryTold(Entry):
    """Confirmation to the teller: where the story comes or stands and who can read it. `place` is empty when it stands
    nowhere; `standing` says what became of the post there. `shows` is the part of the purpose that the teller says it
    shows, in its own words. `asks`: the scale on which they may say how they meant it; empty: they are not asked."""

    story: str
    place: str
    named: bool
    readers: Readers
    changed: bool = False
    standing: StoryStanding = StoryStanding.COMING
    shows: str = ""
    asks: str = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        share = (Press(name="share", intent="share", args=about),) if self.readers is not Readers.THREAD else ()
        return (
            *meaning_buttons(self.asks, self.story),
            Press(name="change", intent="story.change", args=about),
            *share,
            Press(name="withdraw", intent="story.withdraw", args=about, style="danger", confirm=True),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            story="s1",
            place="wijkteam-zuid",
            named=True,
            readers=Readers.MOVEMENT,
            shows="Vraag eerst wat iemand zelf al doet",
            asks="triangle",
        )


class StoryPosted(Entry):
    """The post of a story in the place where it was told. `teller` is empty for a nameless one."""

    story: str
    text: str
    teller: str
    initiative: str
    travels: bool

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        share = (Press(name="share", intent="share", args=about),) if self.travels else ()
        return (*read_on_button((self.story, self.text)), Press(name="ripple", intent="ripple", args=about), *share)

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", text=EXAMPLE_STORY, teller="Fatima", initiative="Wandelen na het eten", travels=True)


@dataclass(frozen=True, kw_only=True)
class StoryWhy:
    """Why people of a place chose a story as the most significant, in their own words."""

    place: str
    why: str


@dataclass(frozen=True, kw_only=True)
class FullStory:
    """A story in full, with what stands beside it. `teller` is empty for a nameless one."""

    text: str
    teller: str
    whys: tuple[StoryWhy, ...] = ()


class StoriesRead(Entry):
    """The full text of stories, for a reader who wanted to read on."""

    stories: tuple[FullStory, ...]

    @classmethod
    def example(cls) -> Self:
        why = StoryWhy(place="nachtdienst", why="Eén kleine vraag maakte de hele avond anders.")
        named = FullStory(text=EXAMPLE_STORY, teller="Fatima", whys=(why,))
        return cls(stories=(named, FullStory(text=EXAMPLE_STORY, teller="")))


class StoryShared(Entry):
    """The post of a story in another place, with its origin and a line of the person who shared it."""

    story: str
    text: str
    teller: str
    origin: str
    by: str
    line: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        return (
            *read_on_button((self.story, self.text)),
            Press(name="ripple", intent="ripple", args=about),
            Press(name="share", intent="share", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            story="s1",
            text=EXAMPLE_STORY,
            teller="Fatima",
            origin="wijkteam-zuid",
            by="Jan",
            line="Zou dit bij ons ook kunnen?",
        )


class StoryWithdrawn(Entry):
    """Confirmation to the teller that the story is gone. `message_stays`: it was told in a message of their own, which
    stays. `out_of_reach` are the places where it still stands, because nothing can be changed there now."""

    message_stays: bool = False
    out_of_reach: tuple[str, ...] = ()

    @classmethod
    def example(cls) -> Self:
        return cls()


class StoryKept(Entry):
    """The explanation, once, that someone's reply in a thread is kept as a story, with the choices they have."""

    story: str

    def buttons(self) -> tuple[Press, ...]:
        return _choices(self.story)

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1")


class StoryChosen(Entry):
    """Confirmation of the choice for one's replies in threads, now and from now on.

    `gone`: this reply was forgotten before, so that the choice is about later ones alone. `several`: it applied to more
    replies than this one. `left`: replies in other threads are still kept. `asks`: as of `StoryTold`.
    """

    story: str
    choice: StoryChoice
    gone: bool = False
    several: bool = False
    left: bool = False
    asks: str = ""

    def buttons(self) -> tuple[Press, ...]:
        mine = (Press(name="mine", intent="story.mine"),) if self.left else ()
        others = (press for press in _choices(self.story) if press.name != _BUTTON[self.choice])
        return (*meaning_buttons(self.asks, self.story), *others, *mine)

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", choice=StoryChoice.FORGET, several=True, left=True)


_BUTTON = {StoryChoice.MOVEMENT: "keep", StoryChoice.HERE: "here", StoryChoice.FORGET: "forget"}


def _choices(story: str) -> tuple[Press, ...]:
    about = {"story": story}
    return (
        Press(name="keep", intent="story.keep", args=about, style="primary"),
        Press(name="here", intent="story.here", args=about),
        Press(name="forget", intent="story.forget", args=about),
    )


class StoryMine(Entry):
    """One of the reader's own stories, and what they can do with it. `number` counts from 1, the newest first.

    `in_thread`: it is a message of their own, which they change by editing that; `is_reply`: it was told in a thread,
    so they may want to forget all they told there. Of any other story, `standing` says what became of its post.
    `scale`: on which they can say how they meant it, and `meant` the point at which they did.
    """

    story: str
    text: str
    place: str
    named: bool
    readers: Readers
    in_thread: bool
    ripples: int
    number: int
    more: bool
    is_reply: bool = False
    standing: StoryStanding = StoryStanding.STANDS
    scale: str = ""
    meant: str = ""
    whys: tuple[StoryWhy, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        meaning = (Press(name="meaning", intent="meaning.other", args=about),) if self.scale else ()
        if self.whys:
            meaning = (*meaning, Press(name="no_whys", intent="choice.forget", args=about))
        older = (Press(name="older", intent="story.mine", args={"number": str(self.number + 1)}),) if self.more else ()
        if not self.in_thread:
            change = Press(name="change", intent="story.change", args=about)
            withdraw = Press(name="withdraw", intent="story.withdraw", args=about, style="danger", confirm=True)
            return (change, withdraw, *meaning, *older)
        this = Press(name="forget_this", intent="story.take_back", args=about, style="danger", confirm=True)
        every = Press(name="forget_all", intent="story.forget", args=about, style="danger", confirm=True)
        return (self._other_readers(), this, *((every,) if self.is_reply else ()), *meaning, *older)

    def _other_readers(self) -> Press:
        """Return the button that lets more people read it, or fewer."""
        travels = self.readers is not Readers.THREAD
        name, readers = ("here", Readers.THREAD) if travels else ("keep", Readers.MOVEMENT)
        return Press(name=name, intent="saving.readers", args={"story": self.story, "readers": readers.value})

    @classmethod
    def example(cls) -> Self:
        return cls(
            story="s1",
            text=EXAMPLE_STORY,
            place="wijkteam-zuid",
            named=True,
            readers=Readers.MOVEMENT,
            in_thread=True,
            is_reply=True,
            ripples=2,
            number=1,
            more=True,
            scale="triangle",
            meant="broaden",
        )


class RippleNoted(Entry):
    """Confirmation to someone who does this too. `may_tell`: they may let the teller know who they are, and be
    introduced if both want it; `told`: they did. `teller` is empty for a nameless story."""

    story: str
    teller: str = ""
    may_tell: bool = False
    told: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        return (
            *((Press(name="introduce", intent="ripple.introduce", args=about),) if self.may_tell else ()),
            Press(name="step", intent="step", args=about),
            Press(name="undo", intent="ripple.undo", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", teller="Fatima", may_tell=True)


class RippleTaken(Entry):
    """Confirmation to someone who took "I do this too" back."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class StoryRippled(Entry):
    """News for the teller: how many people do this too, never who."""

    text: str
    count: int

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="settings", intent="me"),)

    @classmethod
    def example(cls) -> Self:
        return cls(text=EXAMPLE_STORY, count=1)


class StoryTravelled(Entry):
    """News for the teller, once: someone shared the story in another place."""

    text: str
    place: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="mine", intent="story.mine"), Press(name="settings", intent="me"))

    @classmethod
    def example(cls) -> Self:
        return cls(text=EXAMPLE_STORY, place="nachtdienst")


class StoryHarvested(Entry):
    """News for a teller: stories of theirs were given back in another place."""

    texts: tuple[str, ...]
    place: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="mine", intent="story.mine"), Press(name="settings", intent="me"))

    @classmethod
    def example(cls) -> Self:
        return cls(texts=(EXAMPLE_STORY,), place="nachtdienst")


class StoryAnswered(ThreadEntry):
    """News for a teller: how many answers stand under their story, never whose."""

    text: str
    count: int
    place: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="settings", intent="me"),)

    @classmethod
    def example(cls) -> Self:
        return cls(text=EXAMPLE_STORY, count=2, place="wijkteam-zuid", channel="C1", thread="1.1")


class StoryQuestioned(ThreadEntry):
    """News for a teller, once: a question under their story waits for an answer."""

    text: str
    place: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="settings", intent="me"),)

    @classmethod
    def example(cls) -> Self:
        return cls(text=EXAMPLE_STORY, place="wijkteam-zuid", channel="C1", thread="1.1")


class CheckInAnswered(Entry):
    """The offer to who answered a check-in to go on with it: as a story for the movement, unless it is `told` to all
    already, as a step, or as being stuck. Their words go on with the button, as far as they fit in one."""

    story: str
    text: str
    told: bool = False

    def buttons(self) -> tuple[Press, ...]:
        words = {"text": self.text} if len(self.text) <= MAX_ASKED_CHARS else {}
        about = {"story": self.story, "readers": Readers.MOVEMENT.value}
        tell = () if self.told else (Press(name="tell", intent="saving.readers", args=about),)
        return (
            *tell,
            Press(name="step", intent="step", args=words),
            # The form: what they tried is not yet what they are stuck with.
            Press(name="stuck", intent="stuck.new", args={"prefill": words["text"]} if words else {}),
            Press(name="settings", intent="me"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", text=EXAMPLE_STORY)


class ShareForm(FormEntry):
    """The form to share a story: in which place, with a line of one's own. `nameless`: the reader told it without their
    name, and so shares it without."""

    intent: ClassVar[str] = "share.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="place", kind="choice", channels=True),
        Ask(name="line", required=False, max_length=300),
    )

    nameless: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"story": "s1"})


class StoryCarried(Entry):
    """Confirmation to the person who shared a story, with the place where it comes. `told`: its teller hears of it."""

    place: str
    told: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(place="nachtdienst", told=True)


@dataclass(frozen=True, kw_only=True)
class HarvestedStory:
    """One story in a harvest: `ripples` people do this too, `steps` were taken because of it, and it was retold in
    `retold` other places."""

    story: str
    text: str
    teller: str
    place: str
    ripples: int
    steps: int
    retold: int


@dataclass(frozen=True, kw_only=True)
class ComingHarvest:
    """Where and when the next harvest of a rhythm is posted."""

    place: str
    at: datetime
    timezone: str


class Harvest(Entry):
    """At most five recent stories given back, with their ripples. A `preview` is for one reader only, and says in
    `coming` where they will be posted; `waits`: they are too few yet. Empty when all were withdrawn since."""

    stories: tuple[HarvestedStory, ...]
    preview: bool = False
    coming: tuple[ComingHarvest, ...] = ()
    waits: bool = False

    def buttons(self) -> tuple[Press, ...]:
        too = [
            Press(name=f"too_{number}", intent="ripple", args={"story": one.story})
            for number, one in enumerate(self.stories, 1)
        ]
        rest = read_on_button(*((one.story, one.text) for one in self.stories), most=SHORT_EXCERPT_CHARS)
        return (*([] if self.preview else too), *rest, Press(name="tell", intent="story"))

    @classmethod
    def example(cls) -> Self:
        first = HarvestedStory(
            story="s1", text=EXAMPLE_STORY, teller="Fatima", place="wijkteam-zuid", ripples=2, steps=1, retold=1
        )
        second = "Ik vroeg de familie wat ze zelf al deden. Er kwam een heel schema uit een keukenla."
        third = "Vannacht belde ik de wijk in plaats van te mailen. Binnen vijf minuten was het geregeld."
        return cls(
            stories=(
                first,
                HarvestedStory(story="s2", text=second, teller="", place="familie", ripples=0, steps=0, retold=0),
                HarvestedStory(story="s3", text=third, teller="Jan", place="nachtdienst", ripples=1, steps=0, retold=0),
            )
        )
