"""The help message: what this person can do here now, or the nearest meaning of a word that is not known."""

from typing import Literal, Self

from bot.catalogue.base import Entry, Press

TYPED_SHOWN = 40
"""Characters shown of what was typed."""
_PRESSES = {
    "stuck": "stuck",
    "go_on": "stuck",
    "story": "story",
    "home": "home",
    "board": "board",
    "rhythm": "rhythm",
    "start": "start",
    "join": "start.join",
}
"""Button → its intent."""
_OFFERS = {
    "member": ("stuck", "story", "home"),
    "stuck": ("go_on", "story", "home"),
    "coordinator": ("stuck", "story", "rhythm", "home"),
    "newcomer_here": ("start", "join"),
    "newcomer": (),
}
"""Standing → the buttons offered."""

Standing = Literal["member", "stuck", "coordinator", "newcomer_here", "newcomer"]
"""The one who asks for help: a member, one with an open stuck episode, a coordinator, or someone without a movement, in
a channel that has none or in their own chat."""


class Help(Entry):
    """Three lines and a few buttons for somebody of this `standing`. After a word Ritme does not know (`typed`): one
    line, with the nearest intent (`meant`) and the `word` for that, if there is one. `pages`: there are pages in a
    browser too."""

    typed: str = ""
    meant: str = ""
    word: str = ""
    standing: Standing = "member"
    pages: bool = False

    @property
    def body(self) -> str:
        if not self.typed:
            return "body"
        return "nearest" if self.meant else "unknown"

    @classmethod
    def about(cls, text: str, meant: str, word: str, standing: Standing = "member", *, pages: bool = False) -> Self:
        """Return the help for a text of which the first word was not understood."""
        return cls(typed=text.partition(" ")[0][:TYPED_SHOWN], meant=meant, word=word, standing=standing, pages=pages)

    def buttons(self) -> tuple[Press, ...]:
        if self.typed and self.meant:
            return (Press(name="do_it", intent=self.meant, style="primary"), Press(name="else", intent="help"))
        offered = _OFFERS.get(self.standing, ())
        # One line about a word that is not known has no more buttons than it needs; four are the most.
        if self.pages and "home" in offered and not self.typed:
            offered = (*(one for one in offered if one != "rhythm"), "board")  # which shows the rhythms as well
        return tuple(Press(name=name, intent=_PRESSES[name]) for name in offered)

    @classmethod
    def example(cls) -> Self:
        return cls(standing="coordinator", pages=True)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one of every kind, for the gallery and the tests."""
        return (
            cls.example(),
            *(cls(standing=one) for one in ("member", "stuck", "coordinator", "newcomer_here", "newcomer")),
            cls(typed="bedoling", meant="purpose", word="bedoeling"),
            cls(typed="xyzzy"),
        )
