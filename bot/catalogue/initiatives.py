"""Messages about initiatives, the local attempts inside a movement."""

from dataclasses import dataclass
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.catalogue.experiments import ExperimentSummary


@dataclass(frozen=True, kw_only=True)
class InitiativeSummary:
    """One initiative in a list: the participants shown by name, and how many `more` there are."""

    id: str
    name: str
    people: tuple[str, ...] = ()
    more: int = 0
    mine: bool = False


@dataclass(frozen=True, kw_only=True)
class InitiativesListed(Entry):
    """A page of the list of open initiatives. `page` counts from 0; `pages` is how many there are."""

    name: str
    patches: tuple[InitiativeSummary, ...]
    page: int = 0
    pages: int = 1

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{place}", intent="initiative.look", args={"initiative": one.id})
            for place, one in enumerate(self.patches, 1)
        )
        onward = (
            (Press(name="onward", intent="initiative", args={"page": str(self.page + 1)}),)
            if self.page + 1 < self.pages
            else ()
        )
        return (*looks, *onward, Press(name="make", intent="initiative.make", style="primary"))

    @classmethod
    def example(cls) -> Self:
        walk = InitiativeSummary(id="i1", name="Wandelen na het eten", people=("Fatima", "Jan"), mine=True)
        question = InitiativeSummary(id="i2", name="Eén goede vraag", people=("Kwame", "Sanne", "Iris"), more=2)
        return cls(name="Samen vooruit", patches=(walk, question, walk, question, walk), pages=2)


@dataclass(frozen=True, kw_only=True)
class InitiativeForm(FormEntry):
    """The form to begin an initiative, or to change its name and description."""

    intent: ClassVar[str] = "initiative.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="name", max_length=80),
        Ask(name="description", kind="long_text", required=False, max_length=500),
    )

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class InitiativeShown(Entry):
    """One initiative. `news` tells what was just done: "", "made", "described", "joined", "left", "closed" or
    "reopened"."""

    id: str
    name: str
    description: str
    people: tuple[str, ...]
    more: int = 0
    mine: bool = False
    carried: bool = False
    closed: bool = False
    news: str = ""
    experiments: tuple[ExperimentSummary, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.id}
        looks = tuple(
            Press(name=f"look_{place}", intent="experiment.look", args={"experiment": one.id})
            for place, one in enumerate(self.experiments, 1)
        )
        if self.closed:
            reopen = Press(name="reopen", intent="initiative.reopen", args=about)
            return (reopen, *self._together()) if self.carried else ()
        part = (
            Press(name="leave", intent="initiative.leave", args=about)
            if self.mine
            else Press(name="join", intent="initiative.join", args=about, style="primary")
        )
        carry = (
            (
                Press(name="describe", intent="initiative.describe", args=about),
                Press(name="close", intent="initiative.close", args=about),
            )
            if self.carried
            else ()
        )
        tries = (Press(name="experiment", intent="experiment", args=about),) if self.mine else ()
        look_back = Press(name="look_back", intent="lookback", args=about)
        return (part, *carry, look_back, *self._together(), *tries, *looks)

    def _together(self) -> tuple[Press, ...]:
        """Return the button to look back together, for who carries it, where there are others."""
        others = len(self.people) + self.more > 1
        return (
            (Press(name="together", intent="history.begin", args={"initiative": self.id}),)
            if self.carried and others
            else ()
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="i1",
            name="Wandelen na het eten",
            description="Na de warme maaltijd samen een stukje lopen.",
            people=("Fatima", "Jan"),
            mine=True,
            carried=True,
            news="made",
        )
