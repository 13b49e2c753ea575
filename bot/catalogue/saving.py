"""Messages about keeping a message from the chat as a story, with its author's consent."""

from typing import ClassVar, Self

from bot.catalogue.base import Entry, FormEntry, Press
from bot.catalogue.meanings import meaning_buttons
from bot.catalogue.stories import EXAMPLE_STORY
from bot.domain.story import Readers


class MessageKept(Entry):
    """News for the author: their message is a story, and who may read it. The story changes as the message does.
    `asks`: as of `StoryTold`."""

    story: str
    place: str
    readers: Readers
    named: bool = True
    asks: str = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        travels = self.readers is not Readers.THREAD
        other = Readers.THREAD if travels else Readers.MOVEMENT
        return (
            *meaning_buttons(self.asks, self.story),
            Press(
                name="here" if travels else "keep",
                intent="saving.readers",
                args={**about, "readers": other.value},
                style="normal" if travels else "primary",
            ),
            Press(name="take_back", intent="story.take_back", args=about, style="danger", confirm=True),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", place="wijkteam-zuid", readers=Readers.THREAD)


class SaveElsewhere(Entry):
    """The reply to the author when a message cannot be kept from where it is; it can still be told as a story."""

    text: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="tell", intent="story", args={"prefill": self.text}, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(text=EXAMPLE_STORY)


class AskAuthorForm(FormEntry):
    """The form that asks the reader to confirm that the author is asked in their name. It says what the author will see
    and what will become of it."""

    intent: ClassVar[str] = "saving.ask"

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"author": "fatima", "text": EXAMPLE_STORY})


class AuthorAsked(Entry):
    """The reply to the person who asked; it is the same whatever becomes of the request: an answer is its giver's.
    `told`: they hear of a yes; not when they stopped Ritme."""

    told: bool = True

    @classmethod
    def example(cls) -> Self:
        return cls()


class StoryAsked(Entry):
    """The question to the author of a message: may it be kept as a story?"""

    request: str
    text: str
    by: str
    movement: str
    place: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"request": self.request}
        return (
            Press(name="keep", intent="saving.keep", args=about, style="primary"),
            Press(name="here", intent="saving.here", args=about),
            Press(name="no", intent="saving.no", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(request="q1", text=EXAMPLE_STORY, by="Jan", movement="Samen op pad", place="wijkteam-zuid")


class NotKept(Entry):
    """The reply to an author who declined."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class AskedStoryKept(Entry):
    """News for the person who asked: the author said yes."""

    story: str
    text: str
    travels: bool

    def buttons(self) -> tuple[Press, ...]:
        share = (Press(name="share", intent="share", args={"story": self.story}),) if self.travels else ()
        return (*share, Press(name="settings", intent="me"))

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", text=EXAMPLE_STORY, travels=True)
