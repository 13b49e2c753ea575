"""Replacements for what a platform cannot show in its answer."""

from collections.abc import Mapping
from dataclasses import field
from typing import Self

from bot.catalogue.base import Entry, Press


class FormOffered(Entry):
    """A button that opens a form, for answers to plain messages: no platform lets a form open there."""

    title: str
    intent: str
    args: Mapping[str, str] = field(default_factory=dict)
    heard: str = ""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="open", intent=self.intent, args=self.args, style="primary", form=True),)

    @classmethod
    def example(cls) -> Self:
        return cls(title="Even vast", intent="stuck")


class FormLate(Entry):
    """A form that did not open in time, as where the platform was slow: a button opens it after all. Without an
    `intent` it has to be asked for again, in the way it was. `heard` is what they typed, whole."""

    title: str
    intent: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    heard: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if not self.intent:
            return ()
        return (Press(name="open", intent=self.intent, args=self.args, style="primary", form=True),)

    @classmethod
    def example(cls) -> Self:
        return cls(title="Even vast", intent="stuck", heard="Niemand komt")
