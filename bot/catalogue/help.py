"""The help message: words that can be typed, and the nearest one to a word that is not known."""

from dataclasses import dataclass
from typing import Self

from bot.catalogue.base import Entry, Press

TYPED_SHOWN = 40
"""Characters shown of what was typed."""


@dataclass(frozen=True, kw_only=True)
class Help(Entry):
    """The words that people can type. `typed` is a word Ritme does not know, `meant` the nearest intent, if any, and
    `word` the word for that."""

    typed: str = ""
    meant: str = ""
    word: str = ""

    @classmethod
    def about(cls, text: str, meant: str, word: str) -> Self:
        """Return the help for a text of which the first word was not understood."""
        return cls(typed=text.partition(" ")[0][:TYPED_SHOWN], meant=meant, word=word)

    def buttons(self) -> tuple[Press, ...]:
        meant = (Press(name="do_it", intent=self.meant, style="primary"),) if self.meant else ()
        return (*meant, Press(name="stuck", intent="stuck"), Press(name="story", intent="story"))

    @classmethod
    def example(cls) -> Self:
        return cls(typed="bedoling", meant="purpose", word="bedoeling")
