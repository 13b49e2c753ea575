"""What every catalogue entry is: a frozen dataclass with an example, its buttons, and a template of the same name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import ClassVar, Literal, Self

from pydantic import TypeAdapter

from bot.chat import FieldKind, Value

CATALOGUE: dict[str, type["Entry"]] = {}
"""Every concrete entry by class name."""


@dataclass(frozen=True, kw_only=True)
class Press:
    """A button of an entry. Its label is the template block `name`; with `confirm`, the blocks
    `name_confirm`, `name_yes` and `name_no` ask first."""

    name: str
    intent: str
    args: Mapping[str, str] = field(default_factory=dict)
    style: Literal["normal", "primary", "danger"] = "normal"
    confirm: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing the bot says. Template: `prompts/<language>/<family>/<snake_case_name>.md.j2`, block `body`
    (or `body_1` … `body_n`: forms of the same message, of which `variant`, counted from 0, picks one)."""

    family: ClassVar[str] = ""
    snake: ClassVar[str] = ""
    variant: int = 0

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        cls.family = cls.__module__.rpartition(".")[2]
        cls.snake = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        if cls.family != "base":
            CATALOGUE[cls.__name__] = cls

    @property
    def template(self) -> str:
        return f"{self.family}/{self.snake}.md.j2"

    @property
    def body(self) -> str:
        """The block that is the message; its numbered forms are tried when it does not exist."""
        return "body"

    def buttons(self) -> tuple[Press, ...]:
        return ()

    @classmethod
    def example(cls) -> Self:
        """A believable instance, for the gallery and the tests."""
        raise NotImplementedError(f"{cls.__name__} has no example")


@dataclass(frozen=True, kw_only=True)
class Pick:
    """An option. Without a `label` its words are the template block `<field>_<value>`."""

    value: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One field of a form: its limits. Words: block `<name>` (the label), and if there are any `<name>_example` and
    `<name>_hint`. `options` are fixed values; when empty, the instance brings them."""

    name: str
    kind: FieldKind = "text"
    required: bool = True
    max_length: int = 300
    max_items: int = 25
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FormEntry(Entry):
    """A form. Template blocks: `title`, `submit`, optionally `note` (who reads this), and the words of its fields.
    `values` prefill, `options` offer choices that depend on the moment, `hidden` comes back with the submission."""

    intent: ClassVar[str] = ""
    asks: ClassVar[tuple[Ask, ...]] = ()

    values: Mapping[str, Value] = field(default_factory=dict)
    options: Mapping[str, tuple[Pick, ...]] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    earliest: date | None = None
    latest: date | None = None

    def shown(self) -> tuple[Ask, ...]:
        """The fields this instance shows; all by default."""
        return self.asks


@dataclass(frozen=True, kw_only=True)
class PageEntry(Entry):
    """A page: this entry, and the sections after it. A section with a template block `title` begins under that heading;
    one without is an item of the section before it."""

    def sections(self) -> tuple[Entry, ...]:
        return ()


@dataclass(frozen=True, kw_only=True)
class InPlace:
    """An answer that takes the place of the private message whose button was pressed."""

    entry: Entry


def dump(entry: Entry) -> dict[str, object]:
    """An entry as JSON values, to be sent later."""
    name = type(entry).__name__
    return {"entry": name, "values": _adapter(name).dump_python(entry, mode="json")}


def load(dumped: Mapping[str, object]) -> Entry:
    """The entry that `dump` wrote."""
    return _adapter(str(dumped["entry"])).validate_python(dumped["values"])


@cache
def _adapter(name: str) -> TypeAdapter[Entry]:
    return TypeAdapter(CATALOGUE[name])
