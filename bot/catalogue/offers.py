"""What Ritme offers where it cannot show at once what it wants to show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from bot.catalogue.base import Entry, Press


@dataclass(frozen=True, kw_only=True)
class FormOffered(Entry):
    """A button that opens a form: for an answer to a plain message, in which no platform lets a form open."""

    title: str
    intent: str
    args: Mapping[str, str] = field(default_factory=dict)

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="open", intent=self.intent, args=self.args, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(title="Even vast", intent="stuck")
