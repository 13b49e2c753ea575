"""What Ritme says about user groups that stand for a group."""

from dataclasses import dataclass
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press


@dataclass(frozen=True, kw_only=True)
class GroupsAsked(Entry):
    """The platform is being asked; the answer comes as a message."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class GroupsOffered(Entry):
    """Which groups the platform has, to choose from; `told` is whether it answered. `list` holds them."""

    list: str
    names: tuple[str, ...] = ()
    told: bool = True

    def buttons(self) -> tuple[Press, ...]:
        if not self.told:
            return (Press(name="again", intent="groups", style="primary"),)
        if not self.names:
            return ()
        return (Press(name="choose", intent="groups.choose", args={"list": self.list}, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(list="d1", names=("Nachtdienst", "Wijkteam Noord"))


@dataclass(frozen=True, kw_only=True)
class GroupsForm(FormEntry):
    """Which of them stand for a group."""

    intent: ClassVar[str] = "groups.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="groups", kind="choices", required=False, max_items=100),)

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"list": "d1"})


@dataclass(frozen=True, kw_only=True)
class GroupsSaved(Entry):
    names: tuple[str, ...] = ()

    @classmethod
    def example(cls) -> Self:
        return cls(names=("Nachtdienst", "Wijkteam Noord"))
