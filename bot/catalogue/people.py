"""What Ritme says about someone's own settings and what it keeps."""

from dataclasses import dataclass
from typing import Self

from bot.catalogue.base import Entry, Press


@dataclass(frozen=True, kw_only=True)
class WentQuiet(Entry):
    """Three messages without an answer: Ritme says once that it goes quiet."""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="settings", intent="me"),)

    @classmethod
    def example(cls) -> Self:
        return cls()
