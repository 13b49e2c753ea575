"""Messages about a learning history that is made together."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.domain.history import MAX_HISTORY_CHARS


class HistoryBegun(Entry):
    """Confirmation to who begins a look-back together: how many others are `asked`, and until when (`until`, the day)
    answers are gathered. `place` is empty where the initiative has no channel. `again`: it was under way."""

    round: str
    name: str
    asked: int
    until: datetime
    place: str = ""
    again: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="answer", intent="history.answer", args={"round": self.round}, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            round="h1",
            name="Wandelen na het eten",
            asked=4,
            until=datetime(2027, 3, 8, 9, tzinfo=UTC),
            place="wijkteam-zuid",
        )


class HistoryAsked(Entry):
    """The question to somebody who takes part in an initiative: one moment, and what came of it."""

    round: str
    name: str
    until: datetime
    place: str = ""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="answer", intent="history.answer", args={"round": self.round}, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        until = datetime(2027, 3, 8, 9, tzinfo=UTC)
        return cls(round="h1", name="Wandelen na het eten", until=until, place="wijkteam-zuid")


class HistoryForm(FormEntry):
    """The form for one moment and what came of it, with or without one's name."""

    intent: ClassVar[str] = "history.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="moment", kind="long_text", max_length=MAX_HISTORY_CHARS),
        Ask(name="result", kind="long_text", required=False, max_length=MAX_HISTORY_CHARS),
        Ask(name="named", kind="choice", options=("with", "without")),
    )

    place: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(place="wijkteam-zuid", values={"named": "with"}, hidden={"round": "h1"})


class HistoryAnswered(Entry):
    """Thanks for an answer. `until`: the day until which answers are gathered; None when it is added to what was given
    back already."""

    round: str
    named: bool
    until: datetime | None = None

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="change", intent="history.answer", args={"round": self.round}),)

    @classmethod
    def example(cls) -> Self:
        return cls(round="h1", named=True, until=datetime(2027, 3, 8, 9, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True)
class HistoryVoice:
    """One answer in a learning history; `who` is empty for a nameless one."""

    who: str
    moment: str
    result: str


class LearningHistory(Entry):
    """The moments that those who take part in an initiative look back on, in their own words. `shared`: everyone in
    a place reads it; otherwise only one who takes part."""

    round: str
    name: str
    voices: tuple[HistoryVoice, ...]
    shared: bool = True

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="choose_step", intent="step", style="primary"),
            Press(name="answer", intent="history.answer", args={"round": self.round}),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            round="h1",
            name="Wandelen na het eten",
            voices=(
                HistoryVoice(who="Fatima", moment="De eerste avond dat we met z'n drieën liepen.", result="Meer rust."),
                HistoryVoice(who="", moment="Dat de nachtdienst vanzelf meeging.", result=""),
            ),
        )
