"""The base classes of everything the bot says: frozen dataclasses with buttons, an example and a template.

The names of a module and a class give the path of the template, and `dump` stores the class name and the field names
of answers in the outbox: renaming one needs a look at both.
"""

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, ClassVar, Literal, Protocol, Self, dataclass_transform

from pydantic import TypeAdapter

from bot.chat import FieldKind, Value
from bot.domain.api_token import Scope
from bot.domain.webhook import MovementEvent

CATALOGUE: dict[str, type["Entry"]] = {}
"""Every concrete entry by class name; `Entry` registers its subclasses."""
YES, NO = "yes", "no"
"""Values of a choice between yes and no."""
MAX_FORM_OPTIONS = 100
"""Options that a choice in a form offers at most: the most that every platform shows."""


@dataclass(frozen=True, kw_only=True)
class ToPages:
    """Where a button to someone's pages leads: the session it opens, until when, and which movement it shows."""

    session: str
    until: datetime
    movement: str = ""


@dataclass(frozen=True)
class ToPrivacy:
    """Where a button leads to the page that says what is kept here about people."""


@dataclass(frozen=True, kw_only=True)
class Press:
    """A button of an entry. Its label is the template block `<name>`; with `confirm`, the blocks `<name>_confirm`,
    `<name>_yes` and `<name>_no` are the question asked first and its answers. `form`: it opens a form, whatever its
    intent does elsewhere. `leads`: it is a link to a page of ours, and no press. `words`: the template that has its
    label, where several messages share it."""

    name: str
    intent: str
    args: Mapping[str, str] = field(default_factory=dict)
    style: Literal["normal", "primary", "danger"] = "normal"
    confirm: bool = False
    form: bool = False
    leads: ToPages | ToPrivacy | None = None
    words: str = ""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class Frozen:
    """Makes each class below it what `@dataclass(frozen=True, kw_only=True)` makes of one.

    That compiles six methods for a class, for hundreds of them a tenth of a start. Here they share one of each.
    """

    _names: ClassVar[Set[str]] = frozenset()
    """The fields, in their order."""
    _defaults: ClassVar[dict[str, Any]] = {}
    _factories: ClassVar[dict[str, Callable[[], Any]]] = {}

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(init=False, repr=False, eq=False, kw_only=True)(cls)
        known = {one.name: one for one in fields(cls)}  # type: ignore[arg-type]  # it is one now
        cls._names = known.keys()
        cls._defaults = {name: one.default for name, one in known.items() if one.default is not MISSING}
        cls._factories = {
            name: one.default_factory for name, one in known.items() if one.default_factory is not MISSING
        }

    def __init__(self, **values: object) -> None:
        made = {name: make() for name, make in self._factories.items() if name not in values}
        whole = {**self._defaults, **made, **values}
        if whole.keys() != self._names:
            raise TypeError(f"{type(self).__name__} has {sorted(self._names)}, and was given {sorted(whole)}")
        vars(self).update(whole)

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple([getattr(self, name) for name in self._names]))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Entry(Frozen):
    """One thing the bot says: the values for its template, `prompts/<language>/<family>/<snake_case_name>.md.j2`.

    The message is the block `body`, or one of `body_1` … `body_n`: `variant`, counted from 0, picks one, modulo n.
    """

    secrets: ClassVar[tuple[str, ...]] = ()
    """Fields that are sealed while they are stored."""
    family: ClassVar[str] = ""
    snake: ClassVar[str] = ""
    variant: int = 0

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        cls.family = cls.__module__.rpartition(".")[2]
        # CamelCase to snake_case, for the path of the template.
        cls.snake = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        if cls.family != "base":  # the base classes of this module are no entries themselves
            CATALOGUE[cls.__name__] = cls

    @property
    def template(self) -> str:
        return f"{self.family}/{self.snake}.md.j2"

    @property
    def body(self) -> str:
        """The block that is the message; when the template lacks it, the numbered variants are used."""
        return "body"

    def buttons(self) -> tuple[Press, ...]:
        """Return the buttons under the message, in order."""
        return ()

    @classmethod
    def example(cls) -> Self:
        """Return a believable instance, for the gallery and the tests."""
        raise NotImplementedError(f"{cls.__name__} has no example")


@dataclass(frozen=True, kw_only=True)
class Pick:
    """An option of a choice. Without a `label` its words are the template block `<field>_<value>`."""

    value: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One field of a form and its limits. Its words are the blocks `<name>` (the label) and, where they exist,
    `<name>_example` and `<name>_hint`. `options` are fixed values; when empty, the form's instance brings them.
    `channels`: they are channels, and shown as such."""

    name: str
    kind: FieldKind = "text"
    required: bool = True
    channels: bool = False
    max_length: int = 300
    max_items: int = 25
    options: tuple[str, ...] = ()


class FormEntry(Entry):
    """A form. Template blocks: `title`, `submit`, optionally `note` (who reads this), and the words of its fields.
    `values` prefill, `options` offer choices that depend on the moment, `hidden` comes back with the submission."""

    intent: ClassVar[str] = ""
    opener: ClassVar[str] = ""
    """The intent of the button that opens the form where it cannot open at once; by default the one that led to it."""
    asks: ClassVar[tuple[Ask, ...]] = ()

    values: Mapping[str, Value] = field(default_factory=dict)
    options: Mapping[str, tuple[Pick, ...]] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    earliest: date | None = None
    latest: date | None = None

    def visible_asks(self) -> tuple[Ask, ...]:
        """Return the fields that this instance shows; all by default."""
        return self.asks


class OutsideEntry(Entry):
    """An entry by which something is written, or decided, that programs outside may read or hear of, or that says who
    reads it: `read_by`, with what tells most first. `outside` is the one of these that is so now; "" when no program
    does. `bot.outside` fills it in."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = ()
    of_every_movement: ClassVar[bool] = False
    """True when it holds for every movement that its reader is in."""

    outside: str = ""

    @property
    def can_decide(self) -> bool:
        """True when its reader can write or decide something by it."""
        return True

    @property
    def said_outside(self) -> str:
        """The block of `outside/readers.md.j2` that says `outside`; "" for nothing."""
        return self.outside


class PageEntry(Entry):
    """A page: this entry, and the sections after it. A section with a template block `title` begins under that heading;
    one without is an item of the section before it."""

    def sections(self) -> tuple[Entry, ...]:
        """Return the sections after the page's own message, in order."""
        return ()


class FileEntry(Entry):
    """A message that gives someone a file, whose id is `file`. Template blocks besides `body`: `title` and `name` of
    the file, `open` for a link that lives until `until`, `linked` to be said with that link, and `refused` where
    neither the file nor a link can be given."""

    file: str
    until: datetime


class Tell(Protocol):
    """Renders a block of the words of a picture."""

    def __call__(self, block: str, **values: object) -> str:
        """Return the block as one line."""


class PictureEntry(Entry):
    """A message with a picture that says the same. Its template is `prompts/print/<snake_case_name>.typ`, its words are
    the blocks of `prompts/<language>/print/<snake_case_name>.md.j2`: `title` and `name` of the file, and those that
    `draw` asks for."""

    def draw(self, tell: "Tell") -> Mapping[str, object]:
        """Return all that is in the picture, as JSON values. `tell` renders a block of its words with values."""
        raise NotImplementedError(f"{type(self).__name__} draws nothing")


class ThreadEntry(Entry):
    """A message about a thread: `channel` and the id of its first message, `thread`; both empty where the reader cannot
    go there. Where the platform gives links, the template block `open` is the label of one to it."""

    channel: str = ""
    thread: str = ""


@dataclass(frozen=True, kw_only=True)
class InPlace:
    """An answer that replaces the private message whose button was pressed. On someone's own page, which shows what
    happened, it is left out, unless it tells something the page cannot show: `on_page`."""

    entry: Entry
    on_page: bool = False


def list_texts(entry: object) -> frozenset[str]:
    """Return every text within an entry, its names among them."""
    texts: set[str] = set()
    open_ones: list[Any] = [entry]
    while open_ones:
        one = open_ones.pop()
        kind: type = type(one)
        if isinstance(one, str):
            texts.add(str(one))
        elif isinstance(one, tuple | list):
            open_ones += one
        elif isinstance(one, Mapping):
            open_ones += one.values()
        else:
            open_ones += [getattr(one, name) for name in _field_names(kind)]
    return frozenset(texts)


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    """Return the names of what a dataclass holds; none of another class."""
    return tuple(one.name for one in fields(kind)) if is_dataclass(kind) else ()


def dump(entry: Entry) -> dict[str, object]:
    """Return an entry as JSON values, to be stored and sent later."""
    name = type(entry).__name__
    return {"entry": name, "values": _adapter(name).dump_python(entry, mode="json")}


def load(dumped: Mapping[str, object]) -> Entry:
    """Return the entry that `dump` stored. Raises `KeyError` for a class this version does not have."""
    return _adapter(str(dumped["entry"])).validate_python(dumped["values"])


@cache
def _adapter(name: str) -> TypeAdapter[Entry]:
    return TypeAdapter(CATALOGUE[name])
