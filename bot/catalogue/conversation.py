"""Answers to plain sentences: to thanks and small talk, to what may mean several things, and to somebody in need."""

from typing import Self

from bot.catalogue.base import Entry, Press

MAX_ASKED_CHARS = 1_500
"""Characters of somebody's words that travel in a button; platforms take about 2,000 bytes."""
GUESSES = {
    "stuck": "stuck",
    "story": "story",
    "step": "step",
    "chance": "chance",
    "connect": "connect",
    "nominate": "nominate",
    "search": "search",
    "reach": "reach",
    "why": "connect.why",
    "rest": "connect.not_now",
    "lookback": "lookback",
    "purpose": "purpose",
    "initiative": "initiative",
    "rhythm": "rhythm",
    "year": "rhythm.year",
    "groups": "groups",
    "snooze": "me.snooze",
    "stop": "stop",
    "forget": "me",
    "export": "me",
    "me": "me",
    "home": "home",
    "board": "board",
    "code": "code",
    "calendar": "calendar",
    "country": "country",
    "join": "start.join",
    "trouble": "trouble",
    "door": "door",
    "magazine": "magazine",
    "map": "map",
    "cloud": "cloud",
    "significant": "choice",
    "changes": "changes",
    "effect": "effect",
    "takeaway": "takeaway",
    "quilt": "quilt.draw",
}
"""The intent behind the button of each meaning that can be guessed; the button's label is the block of that name."""
COORDINATORS_CHOOSE = frozenset({"groups", "code", "country", "trouble", "significant", "takeaway"})
"""Meanings that are offered to coordinators only: anybody else would be refused."""


class ThanksReturned(Entry):
    """The answer to thanks."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class SmallTalkReturned(Entry):
    """The answer to small talk."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class MeaningAsked(Entry):
    """A question back about `text`, with a button for each of at most two `guesses` (see GUESSES) and one for anything
    else. The words go on with the button; where they are too long for one, it says so."""

    text: str
    guesses: tuple[str, ...] = ("story", "stuck")

    @property
    def body(self) -> str:
        return "body" if self._fits else "too_long"

    @property
    def _fits(self) -> bool:
        return len(self.text) <= MAX_ASKED_CHARS

    def buttons(self) -> tuple[Press, ...]:
        presses = (
            Press(
                name=guess,
                intent=GUESSES[guess],
                args={"prefill" if guess == "story" else "text": self.text} if self._fits else {},
            )
            for guess in self.guesses
            if guess in GUESSES  # they come back from outside
        )
        return (*presses, Press(name="else", intent="help"))

    @classmethod
    def example(cls) -> Self:
        return cls(text="de overdracht ging vandaag anders")


class CrisisAnswered(Entry):
    """The fixed answer to despair or danger; it holds nothing of what was written.

    Unless `sure`, it says that something else may have been meant. `written`: in a form, which was not handled. `kept`:
    in a form that may well have meant something else, and was handled as usual.
    """

    sure: bool = True
    written: bool = False
    kept: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(sure=False)
