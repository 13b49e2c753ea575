"""The types that adapters and the core exchange: accounts, places and intents come in; messages and forms go out.

Adapters use these types and no deeper ones. Text in a `Span` is plain text as a person should see it:
a renderer escapes it for its platform, so nothing a user typed can ever become markup or a mention.

Words and names that come in are cleaned here (`bot.domain.plain_text`), whichever way they came: a database that
refuses a character is a bug that people would meet as an apology. Ids are not: adapters refuse those that are none.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, Literal, Protocol

from bot.domain.person import platform_of
from bot.domain.plain_text import clean_name, clean_text

Value = str | tuple[str, ...]
"""The value of a form field or button: one text, or several choices."""
PLATFORM_INTENTS = frozenset(
    {
        "thread.replied",
        "message.edited",
        "message.deleted",
        "message.gone",
        "message.restored",
        "reaction.added",
        "reaction.removed",
        "place.joined",
        "place.installed",
        "place.gone",
        "place.back",
        "place.renamed",
        "place.moved",
        "person.changed",
        "group.changed",
        "home.opened",
    }
)
"""Intents that only a platform may cause, never a button or a form, whose content a client sends."""


def _clean_value(value: Value) -> Value:
    return clean_text(value) if isinstance(value, str) else tuple(clean_text(one) for one in value)


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user account on a platform. `workspace` is "<platform>:<id>", e.g. "slack:T0123".

    `guest` is someone whose access is limited to a part of the workspace, or someone of another workspace.
    """

    workspace: str
    id: str
    name: str = ""
    language: str | None = None
    timezone: str | None = None
    guest: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name))

    @property
    def platform(self) -> str:
        return platform_of(self.workspace)


class PageAddresses(Protocol):
    """Makes the addresses by which people open their pages in a browser."""

    def make_link(self, session: str, until: datetime, movement: str, language: str) -> str:
        """Return the link that opens a session until a moment, on the page of a movement ("" for any of theirs)."""

    def make_door(self, door: str) -> str:
        """Return the link to a door, for people without an account."""

    def find_address(self, movement: str) -> str:
        """Return where the page of a movement is, for who has a session; empty where no address is known."""

    def find_privacy(self, platform: str, language: str) -> str:
        """Return where stands what is kept here about the people of a platform."""


@dataclass(frozen=True, kw_only=True)
class CommandSyntax:
    """How people address the app on one platform of this installation.

    `app` is its name there; `command` what its commands begin with, such as "/ritme", or "" where people mention it;
    `shortcuts` the words that are commands of their own, such as "vast" for /vast. `pages` is None where Ritme has no
    address at which browsers reach it.
    """

    platform: str = "playground"
    app: str = "Ritme"
    command: str = "/ritme"
    shortcuts: frozenset[str] = frozenset({"stuck", "story", "vast", "verhaal"})
    pages: PageAddresses | None = None

    def spell(self, word: str, *, personal: bool = False, in_thread: bool = False) -> str:
        """Return what to type for a word: "/ritme stop", "/vast", "@Ritme stop", or "stop" where nothing stands before
        it. `personal`: in the chat with the app; `in_thread`: where no platform offers slash commands."""
        if personal and not self.command:
            return word
        if in_thread or not self.command:
            return f"@{self.app} {word}"
        first, _, rest = word.partition(" ")
        if first in self.shortcuts:
            return f"/{first} {rest}".rstrip()
        return f"{self.command} {word}"


DEFAULT_SYNTAX = CommandSyntax()


@dataclass(frozen=True, kw_only=True)
class ChatPlace:
    """A channel, or (`personal`) the chat between one person and the bot."""

    workspace: str
    channel: str
    name: str = ""
    personal: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name))


CARD = "card"
"""The argument of a button that holds the id of the message it stands under."""
FORM = "form"
"""The hidden value of a form that holds its id."""
WITHIN = "movement"
"""The argument by which a button or form of a personal chat says which movement it is about."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """One act of a person: a command, a pressed button, a submitted form, a reply, a reaction.

    `key` is its idempotency key: it is the same when the platform delivers the act again.
    `message` is the message acted on (the pressed button's message, the reacted-to or edited one, the reply itself);
    `thread` is the root message of the thread it happened in.
    `answerable` says whether the platform can show a message in its answer; if not, answers go through the outbox.
    `opens_forms` says whether a form can be shown in its answer; if not, a button that opens the form is shown.
    `on_page` says that the person acted on their own page, which will show the result.
    `answer_to` is where an answer may replace the pressed private message: a Slack response_url, or a message id in
    `answer_channel`. `at` is when it happened, by the platform's clock; None for what cannot arrive late. `beside`
    keeps what the platform keeps in the transaction of this act, first in it: it is given the `UnitOfWork`, returns
    whether to act at all, and may run again, in another one.
    """

    name: str
    args: Mapping[str, Value] = field(default_factory=dict)
    actor: Account
    place: ChatPlace
    key: str
    message: str | None = None
    thread: str | None = None
    answerable: bool = True
    opens_forms: bool = True
    on_page: bool = False
    answer_to: str | None = None
    answer_channel: str | None = None
    at: datetime | None = None
    beside: Callable[[Any], Awaitable[bool]] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "args", {name: _clean_value(value) for name, value in self.args.items()})

    @property
    def typed_in(self) -> str | None:
        """The root of the thread that a typed message stands in or begins; None for what was pressed or filled in
        outside threads, and for a slash command, of which no message stays."""
        is_typed = not self.text(CARD) and not self.text(FORM)
        return self.thread or (self.message if is_typed else None)

    def text(self, name: str) -> str:
        """Return the trimmed text of one argument; empty when absent or of another shape."""
        value = self.args.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of an argument that has several; none when absent or of another shape."""
        value = self.args.get(name, ())
        return value if isinstance(value, tuple) else ()


@dataclass(frozen=True, kw_only=True)
class Span:
    """A run of plain text in one style."""

    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """A block of text. `small` is for notes on who reads this and how to stop it; `quote` for a person's own words."""

    spans: tuple[Span, ...]
    kind: Literal["text", "item", "quote", "small"] = "text"

    @property
    def text(self) -> str:
        return "".join([span.text for span in self.spans])


@dataclass(frozen=True, kw_only=True)
class Confirm:
    """A confirmation dialog, before something is sent in someone's name or is lost."""

    question: str
    yes: str
    no: str


@dataclass(frozen=True, kw_only=True)
class Button:
    """A button. A press becomes `Intent(name=intent, args=args)`; `name` is unique within its message. `form`: it opens
    a form, whatever its intent does elsewhere. With a `url` it is a link to a page of ours instead."""

    name: str
    label: str
    intent: str
    args: Mapping[str, str] = field(default_factory=dict)
    style: Literal["normal", "primary", "danger"] = "normal"
    confirm: Confirm | None = None
    form: bool = False
    url: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message of the bot: paragraphs and buttons, in one language, for any platform."""

    paragraphs: tuple[Paragraph, ...]
    buttons: tuple[Button, ...] = ()
    language: str = "nl"

    @property
    def text(self) -> str:
        """The whole message as plain text: for notifications and screen readers."""
        return "\n".join([("• " if one.kind == "item" else "") + one.text for one in self.paragraphs])

    def carry(self, args: Mapping[str, str]) -> "Message":
        """Return the message with these arguments in every button, besides its own."""
        if not args or not self.buttons:
            return self
        return replace(self, buttons=tuple(replace(one, args={**one.args, **args}) for one in self.buttons))


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page: a message under a heading. Without a `title` it is an item of the section before it.

    `picture` shows what the message says; `form` is one to fill in right there. Only pages in a browser have room for
    either: no other platform looks at them.
    """

    title: str
    message: Message
    picture: "PostedPicture | None" = field(default=None, repr=False)
    form: "Form | None" = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A person's own page, such as Slack's App Home."""

    sections: tuple[Section, ...]
    language: str = "nl"

    @property
    def message(self) -> Message:
        """The page as one message, for a platform without pages.

        Items are numbered, and so are the labels of their buttons, to say which item a button is for.
        """
        paragraphs: list[Paragraph] = []
        buttons: list[Button] = []
        number = 0
        for position, section in enumerate(self.sections):
            number = 0 if section.title else number + 1
            first, *rest = section.message.paragraphs or (Paragraph(spans=()),)
            if section.title:
                paragraphs.append(Paragraph(spans=(Span(text=section.title, bold=True),)))
            else:
                first = replace(first, spans=(Span(text=f"{number}. ", bold=True), *first.spans))
            paragraphs += [first, *rest] if first.spans else rest
            buttons += [
                replace(
                    button,
                    # Names are unique within a section only; in a message they have to be so as a whole.
                    name=f"{button.name}_{position}" if position else button.name,
                    label=button.label if section.title else f"{button.label} {number}",
                )
                for button in section.message.buttons
            ]
        return Message(paragraphs=tuple(paragraphs), buttons=tuple(buttons), language=self.language)


@dataclass(frozen=True, kw_only=True)
class BrowserPage:
    """One of someone's pages in a browser. `name` says which, `about` of what; `tabs` are the others that they may open
    in this `movement`, and `movements` (id → name) those that they belong to. Empty `movement`: they belong to none."""

    name: str
    title: str
    page: Page
    about: str = ""
    movement: str = ""
    movement_name: str = ""
    movements: Mapping[str, str] = field(default_factory=dict)
    tabs: tuple[str, ...] = ()

    @property
    def language(self) -> str:
        return self.page.language


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Someone with a session of the pages: their account, their name, and what they read in."""

    session: str
    account: Account
    name: str
    language: str
    timezone: str
    syntax: CommandSyntax = DEFAULT_SYNTAX


@dataclass(frozen=True, kw_only=True)
class Option:
    """A choice in a form field: `value` is submitted, `label` is read."""

    value: str
    label: str


FieldKind = Literal["text", "long_text", "choice", "choices", "date", "time", "person", "people", "place"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One question of a form.

    Values travel as text: `date` as YYYY-MM-DD, `time` as HH:MM, `person` as an account id, `place` as a channel id,
    `choices` and `people` as a tuple of them. `max_length` counts characters; `max_items` choices or people.
    """

    name: str
    kind: FieldKind
    label: str
    example: str = ""
    hint: str = ""
    required: bool = True
    value: Value = ""
    options: tuple[Option, ...] = ()
    max_length: int = 300
    max_items: int = 25
    earliest: date | None = None
    latest: date | None = None
    at: time | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """A dialog. Its submission is an Intent named `intent` with `hidden` and the fields' values as args.

    `note` says, before anything is typed, who will read it. `late` is said where it did not open in time: it offers the
    form again.
    """

    intent: str
    title: str
    submit: str
    fields: tuple[Field, ...]
    hidden: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    cancel: str = ""
    language: str = "nl"
    late: Message | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A private answer to the person who acted. `replaces`: it takes the place of the message with the button."""

    message: Message
    replaces: bool = False
    reference: str | None = None
    """Set when handling failed: the reference to find it by in the log. The platform should retry."""
    unavailable: bool = False
    """With a reference: the cause is that storage is unavailable for now, not a bug."""


@dataclass(frozen=True, kw_only=True)
class FieldErrors:
    """Errors in a submitted form: field name → sentence. The dialog stays open, keeping what was typed."""

    errors: Mapping[str, str]


Reply = Answer | Form | FieldErrors | None
"""The result of `Ritme.handle`; None when nothing needs to be said (or it goes through the outbox)."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A person's profile on their platform."""

    name: str
    language: str | None = None
    timezone: str | None = None
    guest: bool = False
    deactivated: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name))


@dataclass(frozen=True, kw_only=True)
class UserGroup:
    """A user group of a platform: `handle` is its id there, `name` what people call it."""

    handle: str
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name))


@dataclass(frozen=True, kw_only=True)
class PostedFile:
    """A file for one person, given with the message of a post: `content` is a page of HTML, whole in itself, or a
    calendar; its `name` tells which.

    A platform takes the file itself, or else a link to it, named `label`, that lives until `until`: then `linked` is
    said instead of the message. Where neither is possible, `refused` says how they get it all the same.
    """

    id: str
    name: str
    title: str
    label: str
    until: datetime
    linked: Message
    refused: Message
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class PostedPicture:
    """A picture that says what its message says, given with it: `drawing` is its template, `data` all that is in it, in
    words. `text` is read in its place; `content` is the PNG, empty until it is drawn. `name` is that of the file."""

    drawing: str
    name: str
    title: str
    text: str
    data: Mapping[str, object] = field(repr=False)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class PostedEvent:
    """An event for an address outside: its id, the same when it is sent again, the encrypted secret to sign it with,
    and the JSON to send."""

    id: str
    url: str = field(repr=False)
    sealed: str = field(repr=False)
    body: bytes


@dataclass(frozen=True, kw_only=True)
class PostedLink:
    """A link to a message, given below another one where a platform has such links: the `label` is what people read."""

    label: str
    channel: str
    message: str


@dataclass(frozen=True, kw_only=True)
class OpenedFile:
    """A file as its person opens it."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class OpenedFeed:
    """A calendar as its reader's program gets it. `mark` is another one when it changed, `changed_at` since when;
    `content` is empty for a program that has what it holds already."""

    content: bytes = field(repr=False)
    mark: str
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Post:
    """One thing for a `Messenger` to send or change.

    `account` without `channel`: the person's own chat. `account` with `channel`: shown in that channel to that person
    only. `message` None with `act` "delete" or "react"; with "home", `page` is the person's own. `target` is the
    message acted on, in `target_channel` where that is another than `channel`; `delivery` an opaque id to find it by.
    `gathers`: replies to it are kept as stories. `anew`: an update for one person is posted again where the message it
    changes is gone. `file`: a file for `account` alone, given in their own chat; `picture`: one that is shown with
    the message, which says as much without it. `event`: for an address outside, and for nobody in a chat.
    """

    delivery: str
    workspace: str
    act: Literal["post", "update", "delete", "react", "unreact", "home"] = "post"
    channel: str | None = None
    account: str | None = None
    thread: str | None = None
    target: str | None = None
    target_channel: str | None = None
    reaction: str = ""
    message: Message | None = None
    page: Page | None = None
    gathers: bool = False
    anew: bool = True
    file: PostedFile | None = None
    link: PostedLink | None = None
    picture: PostedPicture | None = None
    event: PostedEvent | None = None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Proof that a post arrived: the channel and message id the platform gave it."""

    channel: str
    message: str
