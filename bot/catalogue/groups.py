"""Messages about user groups of a platform that stand for a group of the movement."""

from typing import ClassVar, Self

from bot.catalogue.base import MAX_FORM_OPTIONS, Ask, Entry, FormEntry, OutsideEntry, Press
from bot.domain.api_token import Scope
from bot.domain.webhook import MovementEvent


class GroupsAsked(Entry):
    """Confirmation that the platform is being asked for its user groups; a message with the answer follows."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class GroupsOffered(Entry):
    """The user groups of the platform, to choose from. `list` is the delivery that holds them; `told` is False when the
    platform did not answer."""

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


class GroupsForm(OutsideEntry, FormEntry):
    """The form to choose which user groups stand for a group of the movement."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = (Scope.FIGURES,)
    intent: ClassVar[str] = "groups.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="groups", kind="choices", required=False, max_items=MAX_FORM_OPTIONS),)

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"list": "d1"})


class GroupsSaved(Entry):
    """Confirmation, with the user groups that stand for a group from now on."""

    names: tuple[str, ...] = ()

    @classmethod
    def example(cls) -> Self:
        return cls(names=("Nachtdienst", "Wijkteam Noord"))
