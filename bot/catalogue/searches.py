"""The answer to a search among stories, and its form. Only who searches reads it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Pick, Press
from bot.catalogue.stories import EXAMPLE_STORY, StoryWhy
from bot.domain.story import Dimension
from bot.domain.story_search import FoundBy, Period, SnippetPart, make_snippet


@dataclass(frozen=True, kw_only=True)
class SearchFilters:
    """Narrows a search, as it goes on with a button; empty where nothing does."""

    initiative: str = ""
    initiative_name: str = ""
    dimension: str = ""
    group: str = ""
    period: str = ""

    @property
    def narrows(self) -> bool:
        return bool(self.initiative or self.dimension or self.group or self.period)

    def args(self) -> dict[str, str]:
        """Return what a button takes along."""
        told = {"initiative": self.initiative, "dimension": self.dimension, "group": self.group, "period": self.period}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, kw_only=True)
class FoundStory:
    """A story that was found, whole. `teller` is empty for a nameless one, `place` for one that stands nowhere."""

    story: str
    text: str
    teller: str
    mine: bool
    place: str
    told_at: datetime
    words: tuple[str, ...]
    by: FoundBy
    whys: tuple[StoryWhy, ...] = ()

    @property
    def snippet(self) -> tuple[SnippetPart, ...]:
        """The part of it around what was found, with those words apart."""
        return make_snippet(self.text, self.words, self.by)

    @property
    def is_cut(self) -> bool:
        """True when its snippet is not the whole of it."""
        return "".join(part.text for part in self.snippet) != " ".join(self.text.split())


class StoriesFound(Entry):
    """A page of the stories that were found for `typed`; without any, what to try.

    `after` is where the next page begins, empty at the end; `goes_on`: this is not the first one.
    """

    typed: str
    filters: SearchFilters
    found: tuple[FoundStory, ...] = ()
    after: str = ""
    goes_on: bool = False

    def buttons(self) -> tuple[Press, ...]:
        searched = {"text": self.typed, **self.filters.args()}
        reads = tuple(
            Press(name=f"read_{number}", intent="story.read", args={"stories": one.story})
            for number, one in enumerate(self.found, 1)
            if one.is_cut
        )
        more = (Press(name="more", intent="search", args={**searched, "after": self.after}),) if self.after else ()
        widen = self.filters.narrows and not self.found and bool(self.typed)
        without = (Press(name="widen", intent="search", args={"text": self.typed}),) if widen else ()
        return (*reads, *more, *without, Press(name="narrow", intent="search.narrow", args=searched))

    @classmethod
    def example(cls) -> Self:
        found = FoundStory(
            story="s1",
            text=EXAMPLE_STORY,
            teller="Fatima",
            mine=False,
            place="wijkteam-zuid",
            told_at=datetime(2026, 9, 3, 12, tzinfo=UTC),
            words=("overdracht",),
            by=FoundBy.ALL,
        )
        return cls(typed="overdracht", filters=SearchFilters(), found=(found,), after="all:1")


class StorySearchForm(FormEntry):
    """The form of a search: words, and what narrows it. Choices that there are none of are left out."""

    intent: ClassVar[str] = "search.filled"
    opener: ClassVar[str] = "search.narrow"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="text", required=False, max_length=120),
        Ask(name="initiative", kind="choice", required=False),
        Ask(name="dimension", kind="choice", required=False, options=tuple(Dimension)),
        Ask(name="group", kind="choice", required=False),
        Ask(name="period", kind="choice", required=False, options=tuple(Period)),
    )

    def visible_asks(self) -> tuple[Ask, ...]:
        return tuple(ask for ask in self.asks if ask.kind == "text" or ask.options or self.options.get(ask.name))

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={"text": "nachtdienst", "period": Period.MONTH.value},
            options={
                "initiative": (Pick(value="i1", label="Wandelen na het eten"),),
                "group": (Pick(value="nachtdienst", label="nachtdienst"),),
            },
        )
