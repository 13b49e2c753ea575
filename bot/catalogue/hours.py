"""Messages about the quiet hours of groups, such as a night shift."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import ClassVar, Literal, Self

from bot.catalogue.base import NO, YES, Ask, Entry, FormEntry, Press
from bot.catalogue.people import MovedPromise
from bot.domain.group_hours import MAX_GROUP_CHARS

HOURS_SHOWN = 5
"""Groups with a button of their own: the template has words for so many."""


@dataclass(frozen=True, kw_only=True)
class GroupQuiet:
    """A group, and when it is quiet: from `start` until `end`, never when these are equal, and at `weekends`."""

    name: str
    start: time
    end: time
    weekends: bool


_NIGHT = GroupQuiet(name="Nachtdienst", start=time(8), end=time(16), weekends=False)


class HoursShown(Entry):
    """The groups of a movement that have quiet hours of their own. `news`: what was just done, about a `group`."""

    name: str
    groups: tuple[GroupQuiet, ...] = ()
    news: Literal["", "saved", "cleared"] = ""
    group: str = ""

    def buttons(self) -> tuple[Press, ...]:
        changes = tuple(
            Press(name=f"change_{number}", intent="hours.set", args={"group": one.name})
            for number, one in enumerate(self.groups[:HOURS_SHOWN], 1)
        )
        return (Press(name="set", intent="hours.set", style="primary"), *changes)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit", groups=(_NIGHT,) * HOURS_SHOWN, news="saved", group="Nachtdienst")


class HoursForm(FormEntry):
    """The form for the quiet hours of a group; without times the group has none of its own. `known`: groups that have
    people, or hours, by name."""

    intent: ClassVar[str] = "hours.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="group", max_length=MAX_GROUP_CHARS),
        Ask(name="quiet_from", kind="time", required=False),
        Ask(name="quiet_until", kind="time", required=False),
        Ask(name="quiet_weekends", kind="choice", options=(YES, NO)),
    )

    known: tuple[str, ...] = ()

    @classmethod
    def example(cls) -> Self:
        values = {"group": "Nachtdienst", "quiet_from": "08:00", "quiet_until": "16:00", "quiet_weekends": NO}
        return cls(values=values, known=("Nachtdienst", "Wijkteam Noord"))


class HoursTold(Entry):
    """News for somebody: they follow the quiet hours of their `group` (empty: of none any more), set by a
    coordinator of the `movement`. `moved`: what was promised for moments that are quiet now. `were` is what a button
    says to keep them as they were."""

    group: str
    start: time
    end: time
    weekends: bool
    movement: str = ""
    moved: tuple[MovedPromise, ...] = ()
    were: str = ""

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="keep", intent="hours.keep", args={"were": self.were}),
            Press(name="settings", intent="me.settings"),
        )

    @classmethod
    def example(cls) -> Self:
        was, comes = datetime(2027, 3, 2, 8, tzinfo=UTC), datetime(2027, 3, 2, 15, tzinfo=UTC)
        return cls(
            group="Nachtdienst",
            start=time(8),
            end=time(16),
            weekends=True,
            movement="Samen vooruit",
            moved=(MovedPromise(was=was, comes=comes),),
            were="18:00:00 08:00:00 yes",
        )


class HoursKept(Entry):
    """Confirmation that somebody's own quiet hours hold, whatever those of their group: those they had, or others that
    they had `chosen_since`."""

    start: time
    end: time
    weekends: bool
    chosen_since: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="settings", intent="me.settings"),)

    @classmethod
    def example(cls) -> Self:
        return cls(start=time(18), end=time(8), weekends=True)
