"""Messages about the purpose of a movement: its text, the form to change it, and its earlier versions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, OutsideEntry, Press
from bot.domain.api_token import Scope
from bot.domain.movement import PARTS
from bot.domain.webhook import MovementEvent

MAX_LIST_CHARS = 1600
"""Characters of a field that holds one item a line."""


class PurposeForm(OutsideEntry, FormEntry):
    """The form for every part of the purpose; core messages and small behaviours one a line."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = (Scope.PURPOSE,)
    intent: ClassVar[str] = "purpose.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        *(Ask(name=part, kind="long_text", required=part == "vision", max_length=500) for part in PARTS),
        Ask(name="core_messages", kind="long_text", max_length=MAX_LIST_CHARS),
        Ask(name="behaviours", kind="long_text", required=False, max_length=MAX_LIST_CHARS),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={
                "vision": "Wie thuis zorg krijgt, doet zelf wat zelf nog kan.",
                "core_messages": "Vraag eerst: wat wil je vandaag zelf doen?\nEen kleine stap telt.",
            }
        )


class PurposeShown(OutsideEntry):
    """The purpose, part by part. `saved`: it was just changed.

    Of each behaviour, `marks` is its id, and `people` do it in `places` (0: nothing to tell).
    """

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = (Scope.PURPOSE,)

    name: str
    version: int
    vision: str
    mission: str = ""
    identity: str = ""
    norms: str = ""
    values: str = ""
    core_messages: tuple[str, ...] = ()
    behaviours: tuple[str, ...] = ()
    may_change: bool = False
    saved: bool = False
    marks: tuple[str, ...] = ()
    people: tuple[int, ...] = ()
    places: tuple[int, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        too = tuple(
            Press(name=f"too_{number}", intent="behaviour", args={"behaviour": mark})
            for number, mark in enumerate(self.marks, 1)
        )
        if not self.may_change:
            return too
        earlier = (Press(name="earlier", intent="purpose.earlier"),) if self.version > 1 else ()
        return (Press(name="change", intent="purpose.change", style="primary"), *earlier, *too)

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Samen vooruit",
            version=2,
            vision="Wie thuis zorg krijgt, doet zelf wat zelf nog kan, en wij doen mee.",
            mission="Elke dag één ding samen doen dat we gewend waren over te nemen.",
            core_messages=("Vraag eerst.", "Een kleine stap telt."),
            behaviours=("Handen op je rug", "Eén vraag stellen", "Aan het eind van je dienst iets doorgeven"),
            may_change=True,
            marks=tuple("1234567"),
            people=(7, 0, 5),
            places=(4, 0, 0),
        )


class BehaviourNoted(Entry):
    """Confirmation to somebody who does a small behaviour too."""

    text: str

    @classmethod
    def example(cls) -> Self:
        return cls(text="Handen op je rug")


class BehaviourTaken(Entry):
    """Confirmation to somebody who took that back."""

    text: str

    @classmethod
    def example(cls) -> Self:
        return cls(text="Handen op je rug")


@dataclass(frozen=True, kw_only=True)
class PurposeVersion:
    """An earlier version of the purpose: when it was written, by whom ("" when not known), and its vision."""

    number: int
    at: datetime
    by: str
    vision: str


class PurposeVersions(Entry):
    """The list of earlier versions, the latest first; each can be restored."""

    versions: tuple[PurposeVersion, ...]

    def buttons(self) -> tuple[Press, ...]:
        return tuple(
            Press(name=f"take_{place}", intent="purpose.take_back", args={"version": str(one.number)}, confirm=True)
            for place, one in enumerate(self.versions, 1)
        )

    @classmethod
    def example(cls) -> Self:
        newer = PurposeVersion(
            number=3, at=datetime(2027, 2, 8, 9, tzinfo=UTC), by="Iris", vision="Samen doen wat kan."
        )
        older = PurposeVersion(number=2, at=datetime(2027, 2, 1, 9, tzinfo=UTC), by="", vision="Samen doen wat kan.")
        return cls(versions=(newer, older, older, older, older))
