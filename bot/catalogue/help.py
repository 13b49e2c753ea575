"""What can be done, and what was probably meant."""

from dataclasses import dataclass
from typing import Self

from bot.catalogue.base import Entry, Press


@dataclass(frozen=True, kw_only=True)
class Help(Entry):
    """What people can type. `typed` is a word Ritme does not know, `meant` the nearest intent, if any."""

    typed: str = ""
    meant: str = ""

    def buttons(self) -> tuple[Press, ...]:
        meant = (Press(name="do_it", intent=self.meant, style="primary"),) if self.meant else ()
        return (*meant, Press(name="stuck", intent="stuck"), Press(name="story", intent="story"))

    @classmethod
    def example(cls) -> Self:
        return cls(typed="bedoelin", meant="purpose")
