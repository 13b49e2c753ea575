"""Messages about how stories spread between the groups of a movement: rounded figures of groups, never persons."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bot.catalogue.base import Entry, PictureEntry, Press, Tell


@dataclass(frozen=True, kw_only=True)
class SpreadGroup:
    """A group on the map: its stories, a rounded figure for each period, the earliest first; `within`: how often its
    own people did something with them, rounded."""

    group: str
    stories: tuple[int, ...]
    within: int = 0


@dataclass(frozen=True, kw_only=True)
class SpreadArrow:
    """How often people of the group with the number `target` did something with stories of that with the number
    `source`, rounded. Groups are counted from 1."""

    source: int
    target: int
    times: int


class SpreadEmpty(Entry):
    """The answer instead of a map: there is no group of five people or more yet."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class SpreadDrawn(PictureEntry):
    """How stories spread between groups of five or more, for who asked: counted `at` a moment, and `again` from another
    on. `more_groups` and `more_arrows` have no room."""

    name: str
    at: datetime
    again: datetime
    groups: tuple[SpreadGroup, ...] = ()
    arrows: tuple[SpreadArrow, ...] = ()
    more_groups: int = 0
    more_arrows: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="tell", intent="story"),)

    def draw(self, tell: Tell) -> Mapping[str, object]:
        return {
            "title": tell("title"),
            "groups": [
                {
                    "name": one.group,
                    "stories": sum(one.stories),
                    "figures": tell("figures", one=one),
                    "within": tell("within", one=one) if one.within else "",
                }
                for one in self.groups
            ],
            "arrows": [{"source": one.source - 1, "target": one.target - 1, "times": one.times} for one in self.arrows],
            "note": tell("note"),
        }

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Samen vooruit",
            at=datetime(2027, 3, 1, 9, tzinfo=UTC),
            again=datetime(2027, 3, 8, 9, tzinfo=UTC),
            groups=(
                SpreadGroup(group="Familie", stories=(0, 0, 5)),
                SpreadGroup(group="Nachtdienst", stories=(5, 5, 10), within=5),
                SpreadGroup(group="Staf", stories=(0, 5, 0)),
                SpreadGroup(group="Wijkteam Zuid", stories=(10, 15, 25), within=10),
            ),
            arrows=(
                SpreadArrow(source=4, target=2, times=15),
                SpreadArrow(source=2, target=4, times=5),
                SpreadArrow(source=4, target=1, times=5),
            ),
        )
