"""Messages and open forms of the playground's chat, as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapters.playground.personas import RITME, is_personal_chat, personal_chat
from bot.chat import Form, Message


@dataclass(frozen=True, kw_only=True)
class AttachedFile:
    """A file that hangs under a message: its id in the core, the name it is saved under, and the label of its link."""

    id: str
    name: str
    label: str


@dataclass(frozen=True, kw_only=True)
class ShownPicture:
    """A picture under a message: the name it is saved under, the text that says the same, and the PNG in Base64."""

    name: str
    text: str
    png: str


@dataclass(frozen=True, kw_only=True)
class ChatMessage:
    """A message in the chat.

    `said` is the content when Ritme wrote it, `text` when a persona did. `only` is the one persona who can see it
    (empty: everyone in the channel), `thread` the id of the root message it replies to. `delivery` is the outbox row
    it was sent for, or another key under which it is posted once.

    The field names are stored as JSON keys: a renamed field would not be read back.
    """

    id: str
    channel: str
    author: str
    at: datetime
    text: str = ""
    said: Message | None = None
    only: str = ""
    thread: str = ""
    delivery: str = ""
    edited: bool = False
    deleted: bool = False
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file: AttachedFile | None = None
    picture: ShownPicture | None = None
    revision: int = 0
    """Number of changes so far. A page that receives two updates out of order keeps the higher revision."""

    @property
    def number(self) -> int:
        """Position in the order of posting."""
        return int(self.id[1:])

    def visible_to(self, persona: str) -> bool:
        """Return whether a persona may see this message: theirs alone, in their personal chat, or in a channel."""
        if is_personal_chat(self.channel):
            return self.channel == personal_chat(persona)
        return self.only in ("", persona)


@dataclass(frozen=True, kw_only=True)
class OpenForm:
    """A form that a persona has open, and where: `pressed` is the message whose button opened it, if any."""

    id: str
    persona: str
    channel: str
    thread: str = ""
    pressed: str = ""
    form: Form


def is_by_ritme(message: ChatMessage) -> bool:
    """Return whether Ritme wrote a message."""
    return message.author == RITME


def is_answer_to(persona: str, message: ChatMessage) -> bool:
    """Return whether Ritme said this to one persona alone in answer to an act of theirs, and it still stands."""
    alone = message.only == persona or message.channel == personal_chat(persona)
    return alone and is_by_ritme(message) and not message.delivery and not message.deleted
