"""What Ritme says around a message that someone wants to keep as a story."""

from dataclasses import dataclass
from typing import ClassVar, Self

from bot.catalogue.base import Entry, FormEntry, Press
from bot.catalogue.stories import TOLD
from bot.domain.story import Readers


@dataclass(frozen=True, kw_only=True)
class MessageKept(Entry):
    """To its author: their message is a story, and who may read it. It changes as the message does."""

    story: str
    place: str
    readers: Readers
    named: bool = True

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        travels = self.readers is not Readers.THREAD
        other = Readers.THREAD if travels else Readers.MOVEMENT
        return (
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


@dataclass(frozen=True, kw_only=True)
class SaveElsewhere(Entry):
    """To its author: from there a message cannot be kept as it stands, but it can be told."""

    text: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="tell", intent="story", args={"prefill": self.text}, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(text=TOLD)


@dataclass(frozen=True, kw_only=True)
class AskAuthorForm(FormEntry):
    """Before someone is asked in the reader's name: what they will see, and what becomes of it."""

    intent: ClassVar[str] = "saving.ask"

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"author": "fatima", "text": TOLD})


@dataclass(frozen=True, kw_only=True)
class AuthorAsked(Entry):
    """To who asked. The same words whatever becomes of it: an answer is its giver's."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class StoryAsked(Entry):
    """To the author of a message: may it be kept as a story?"""

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
        return cls(request="q1", text=TOLD, by="Jan", movement="Samen op pad", place="wijkteam-zuid")


@dataclass(frozen=True, kw_only=True)
class NotKept(Entry):
    """To the author who would rather not."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class AskedStoryKept(Entry):
    """To who asked: its author said yes."""

    story: str
    text: str
    travels: bool

    def buttons(self) -> tuple[Press, ...]:
        share = (Press(name="share", intent="share", args={"story": self.story}),) if self.travels else ()
        return (*share, Press(name="settings", intent="me"))

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", text=TOLD, travels=True)
