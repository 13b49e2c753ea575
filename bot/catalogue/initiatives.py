"""Messages about initiatives, the local attempts inside a movement."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, OutsideEntry, Press
from bot.catalogue.experiments import ExperimentSummary
from bot.catalogue.welcomes import SHOWN_CHARS
from bot.domain.api_token import Scope
from bot.domain.webhook import MovementEvent

READ_OF_INITIATIVES = (Scope.INITIATIVES, MovementEvent.INITIATIVE_BEGUN, MovementEvent.INITIATIVE_ENDED)
"""The ways in which programs outside read, or hear, of an initiative."""


@dataclass(frozen=True, kw_only=True)
class InitiativeSummary:
    """One initiative in a list: the participants shown by name, and how many `more` there are. `seeks`: nobody carries
    it now; `rests`: who carries it said so."""

    id: str
    name: str
    people: tuple[str, ...] = ()
    more: int = 0
    mine: bool = False
    seeks: bool = False
    rests: bool = False


class InitiativesListed(OutsideEntry):
    """A page of the list of open initiatives. `page` counts from 0; `pages` is how many there are."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = (Scope.INITIATIVES,)

    name: str
    patches: tuple[InitiativeSummary, ...]
    page: int = 0
    pages: int = 1

    @property
    def can_decide(self) -> bool:
        return bool(self.patches)  # of none, programs read nothing

    @property
    def said_outside(self) -> str:
        return f"{self.outside}_listed" if self.outside else ""

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
        draw = (Press(name="draw", intent="quilt.draw"),) if len(self.patches) > 1 else ()
        return (*looks, *onward, Press(name="make", intent="initiative.make", style="primary"), *draw)

    @classmethod
    def example(cls) -> Self:
        walk = InitiativeSummary(id="i1", name="Wandelen na het eten", people=("Fatima", "Jan"), mine=True)
        question = InitiativeSummary(id="i2", name="Eén goede vraag", people=("Kwame", "Sanne", "Iris"), more=2)
        return cls(name="Samen vooruit", patches=(walk, question, walk, question, walk), pages=2)


class InitiativeForm(OutsideEntry, FormEntry):
    """The form to begin an initiative, or to change its name and description."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = READ_OF_INITIATIVES
    intent: ClassVar[str] = "initiative.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="name", max_length=80),
        Ask(name="description", kind="long_text", required=False, max_length=500),
    )

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class GivenRoom:
    """Room that an initiative has until a day, within a limit if there is one, and who gave it."""

    trying: str
    until: datetime
    giver: str = ""
    limit: str = ""


@dataclass(frozen=True, kw_only=True)
class GivenSupport:
    """A leader's few words of support, from the background."""

    words: str
    giver: str = ""


class InitiativeShown(OutsideEntry):
    """One initiative. `news` tells what was just done: "", "made", "described", "joined", "left", "closed" or
    "reopened". `first`: the reader joined for the first time, and is welcomed with one `story`, if there is one.
    `seeks`: nobody carries it now."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = READ_OF_INITIATIVES

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
    first: bool = False
    story: str = ""
    story_id: str = ""
    teller: str = ""
    seeks: bool = False
    rests_since: datetime | None = None
    rooms: tuple[GivenRoom, ...] = ()
    supports: tuple[GivenSupport, ...] = ()

    @property
    def can_decide(self) -> bool:
        return self.carried

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
        seek = (Press(name="carry", intent="initiative.carry", args=about),) if self.seeks else ()
        wake = (Press(name="wake", intent="initiative.going", args=about),) if self.rests_since and self.carried else ()
        carry = (
            (
                Press(name="describe", intent="initiative.describe", args=about),
                *((Press(name="ask_room", intent="room.ask", args=about),) if self.mine else ()),
                Press(name="close", intent="initiative.close", args=about),
            )
            if self.carried
            else ()
        )
        tries = (Press(name="experiment", intent="experiment", args=about),) if self.mine else ()
        look_back = Press(name="look_back", intent="lookback", args=about)
        read = Press(name="read", intent="story.read", args={"stories": self.story_id})
        whole = (read,) if len(self.story) > SHOWN_CHARS else ()
        return (part, *seek, *wake, *carry, look_back, *self._together(), *tries, *looks, *whole)

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


class CarryOffered(Entry):
    """The offer to carry an initiative whose initiators are gone: to who takes part, or to the coordinators when nobody
    does."""

    id: str
    name: str
    taking_part: bool = True

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.id}
        close = () if self.taking_part else (Press(name="close", intent="initiative.close", args=about),)
        return (
            Press(name="carry", intent="initiative.carry", args=about, style="primary"),
            Press(name="look", intent="initiative.look", args=about),
            *close,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(id="i1", name="Wandelen na het eten")


class SilenceAsked(Entry):
    """The question to who carries an initiative in which nothing happened `since` that day: how does it go on?"""

    id: str
    name: str
    since: datetime

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.id}
        return (
            Press(name="going", intent="initiative.going", args=about, style="primary"),
            Press(name="rest", intent="initiative.rest", args=about),
            Press(name="close", intent="initiative.close", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(id="i1", name="Wandelen na het eten", since=datetime(2027, 2, 1, 8, tzinfo=UTC))


class InitiativeSettled(Entry):
    """Tells what became of an initiative that was asked about: `what` is "carried", "going", "resting", "closed" or
    "open", `by` whom ("" for the reader when `mine`, else for somebody who is not named)."""

    id: str
    name: str
    what: str
    by: str = ""
    mine: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.id}
        if self.mine and self.what == "going":
            return (
                Press(name="tell", intent="story"),
                Press(name="step", intent="step"),
                Press(name="stuck", intent="stuck"),
            )
        return (Press(name="look", intent="initiative.look", args=about),)

    @classmethod
    def example(cls) -> Self:
        return cls(id="i1", name="Wandelen na het eten", what="carried", by="Sanne")
