"""The question about words that may give a client away, and the form to change them."""

from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press

HELD = "held"
"""The argument that names the words that are held."""


class WordsAsked(Entry):
    """The question what is to happen with `words` that may give a client away: without them it would be `proposal`.
    They are held until `until`. `shown`: others read them in the chat already, where they were written."""

    held: str
    words: tuple[str, ...]
    proposal: str
    until: datetime
    shown: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {HELD: self.held}
        return (
            Press(name="without", intent="guard.without", args=about, style="primary"),
            Press(name="change", intent="guard.change", args=about),
            Press(name="fine", intent="guard.fine", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            held="h1",
            words=("mevrouw Bos", "Kerkstraat 3"),
            proposal="Een cliënt woont op een adres in de buurt en schonk zelf de koffie in.",
            until=datetime(2027, 3, 8, 8, 0, tzinfo=UTC),
        )


class WordsSettled(Entry):
    """Confirmation that a reply in a thread is kept as its writer chose, as `text`. `other`: not as it stands there."""

    text: str
    other: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(text="Een cliënt schonk zelf de koffie in.", other=True)


class WordsForm(FormEntry):
    """The form to change words that came without a form: a reply in a thread, a typed story, a message of one's own."""

    intent: ClassVar[str] = "guard.tell"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="text", kind="long_text", max_length=3000),)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"text": "Mevrouw Bos schonk zelf de koffie in."}, hidden={HELD: "h1"})
