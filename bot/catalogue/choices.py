"""Messages of rounds in which people choose the most significant of a few stories. Nobody counts who chose what."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Pick, Press
from bot.catalogue.stories import EXAMPLE_STORY, read_on_button
from bot.domain.choosing import MAX_WHY_CHARS
from bot.domain.story import SHORT_EXCERPT_CHARS

EXAMPLE_WHY = "Hier zie je dat één kleine vraag een hele avond anders maakt."


class ChoiceForm(FormEntry):
    """The form that begins a round: in which places, and from which stories."""

    intent: ClassVar[str] = "choice.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="places", kind="choices", channels=True),
        Ask(name="period", kind="choice", options=("month", "quarter", "year")),
        Ask(name="initiative", kind="choice", required=False),
    )

    def visible_asks(self) -> tuple[Ask, ...]:
        return tuple(ask for ask in self.asks if ask.options or self.options.get(ask.name))

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={"places": ("p1",), "period": "quarter"},
            options={"places": (Pick(value="p1", label="nachtdienst"),)},
        )


class ChoiceBegun(Entry):
    """Confirmation to the coordinator: where the stories come, and until when people can choose."""

    occasion: str
    places: tuple[str, ...]
    until: datetime

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="end", intent="choice.end", args={"occasion": self.occasion}, style="danger"),)

    @classmethod
    def example(cls) -> Self:
        return cls(occasion="r1", places=("nachtdienst", "wijkteam-zuid"), until=datetime(2027, 3, 15, 9, tzinfo=UTC))


class ChoiceEnded(Entry):
    """Confirmation to the coordinator that nobody chooses in this round any more."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class OfferedStory:
    """A story to choose. Not whose: people choose a story, nobody who told one."""

    story: str
    text: str


class ChoiceRound(Entry):
    """The stories from which people of a place choose one together, in the thread below. `chosen` is the number of the
    one they chose, 0 as long as they did not; `why` is empty until its teller agreed."""

    round: str
    stories: tuple[OfferedStory, ...]
    until: datetime
    chosen: int = 0
    why: str = ""

    def buttons(self) -> tuple[Press, ...]:
        picks = tuple(
            Press(name=f"pick_{number}", intent="choice.pick", args={"round": self.round, "story": one.story})
            for number, one in enumerate(self.stories, 1)
        )
        return (*picks, *read_on_button(*((one.story, one.text) for one in self.stories), most=SHORT_EXCERPT_CHARS))

    @classmethod
    def example(cls) -> Self:
        second = "Ik vroeg de familie wat ze zelf al deden. Er kwam een heel schema uit een keukenla."
        third = "Vannacht belde ik de wijk in plaats van te mailen. Binnen vijf minuten was het geregeld."
        return cls(
            round="d1",
            stories=(
                OfferedStory(story="s1", text=EXAMPLE_STORY),
                OfferedStory(story="s2", text=second),
                OfferedStory(story="s3", text=third),
            ),
            until=datetime(2027, 3, 15, 9, tzinfo=UTC),
        )


class WhyForm(FormEntry):
    """The form in which somebody writes down which story they chose together, and why."""

    intent: ClassVar[str] = "choice.tell"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="why", kind="long_text", max_length=MAX_WHY_CHARS),)

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"round": "d1", "story": "s1"})


class ChoiceNoted(Entry):
    """Confirmation to who wrote it down."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class ChoiceTold(Entry):
    """News for a teller: their story was chosen in a place, and why; and whether that may stand beside it."""

    significance: str
    text: str
    why: str
    place: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"significance": self.significance}
        return (
            Press(name="beside", intent="choice.agree", args=about, style="primary"),
            Press(name="mine_only", intent="choice.decline", args=about),
            Press(name="settings", intent="me"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(significance="c1", text=EXAMPLE_STORY, why=EXAMPLE_WHY, place="nachtdienst")


class ChoiceSettled(Entry):
    """Confirmation to the teller: the why stands beside their story, or it is gone."""

    stands: bool

    @classmethod
    def example(cls) -> Self:
        return cls(stands=True)
