"""Messages about how far a movement reaches, and the rounds that help where it does not."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import NO, YES, Ask, Entry, FormEntry, Pick, Press
from bot.domain.connectors import MAX_TIES_NAMED
from bot.domain.coverage import GroupReach

MAX_ROUND_BUTTONS = 3
ONCE, QUARTERLY = "once", "quarterly"
"""How often a round comes: once, or again about once in three months."""
_AT = datetime(2027, 3, 1, 8, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RoundRepeated:
    """A round that comes again in a place; of names, in a group."""

    kind: str
    place_id: str
    place: str
    group: str = ""


class ReachShown(Entry):
    """For coordinators: per group how many know who takes part; those out of reach first. `out`: the names of at most
    `MAX_ROUND_BUTTONS` of these, each with a button for a round of names. `at`: when it was counted, `again`: when it
    is once more. `more` counts groups not shown. `repeats`: at most `MAX_ROUND_BUTTONS` rounds that come again, each
    with a button that ends it."""

    groups: tuple[GroupReach, ...]
    at: datetime
    again: datetime
    out: tuple[str, ...] = ()
    more: int = 0
    repeats: tuple[RoundRepeated, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        ties = Press(name="ties", intent="reach.ties")
        ends = tuple(
            Press(name=f"end_{number}", intent="reach.end", args={"kind": one.kind, "place": one.place_id})
            for number, one in enumerate(self.repeats, 1)
        )
        if not self.groups:
            return (Press(name="groups", intent="groups"), ties, *ends)
        names = tuple(
            Press(name=f"names_{number}", intent="reach.names", args={"group": group})
            for number, group in enumerate(self.out, 1)
        )
        return (*names, ties, *ends)

    @classmethod
    def example(cls) -> Self:
        night = GroupReach(group="Nachtdienst", well=0, once=5, unknown=20, out_since=_AT)
        day = GroupReach(group="Dagdienst", well=15, once=10, unknown=5)
        ties = RoundRepeated(kind="ties_round", place_id="c1", place="nachtdienst")
        names = RoundRepeated(kind="names_round", place_id="c2", place="staf", group="Staf")
        return cls(
            groups=(night, day),
            out=("Nachtdienst", "Staf", "Thuiszorg"),
            at=_AT,
            again=_AT.replace(day=8),
            more=1,
            repeats=(ties, names, ties),
        )


class GroupOutOfReach(Entry):
    """For a coordinator, once: a group stays out of reach, and where to ask for names; `place` is empty where no place
    is left to ask in now."""

    group: str
    place_id: str = ""
    place: str = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"group": self.group}
        here = Press(
            name="ask_there", intent="reach.names.here", args={**about, "place": self.place_id}, style="primary"
        )
        elsewhere = Press(name="elsewhere", intent="reach.names", args=about)
        not_now = Press(name="not_now", intent="reach.not_now", args=about)
        return (here, elsewhere, not_now) if self.place_id else (Press(name="look", intent="reach"), not_now)

    @classmethod
    def example(cls) -> Self:
        return cls(group="Nachtdienst", place_id="c1", place="nachtdienst")


class GroupRests(Entry):
    """The answer to a coordinator who wants to hear nothing about a group now: until when Ritme says nothing."""

    group: str
    until: datetime

    @classmethod
    def example(cls) -> Self:
        return cls(group="Nachtdienst", until=_AT)


class NamesRoundForm(FormEntry):
    """The form that asks people in a place, once, who in a group passes things on well."""

    intent: ClassVar[str] = "reach.names.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="place", kind="choice", channels=True),
        Ask(name="again", kind="choice", required=False, options=(ONCE, QUARTERLY)),
    )
    group: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(
            group="Nachtdienst",
            options={"place": (Pick(value="c1", label="nachtdienst"),)},
            values={"place": "c1", "again": ONCE},
            hidden={"group": "Nachtdienst"},
        )


class TiesRoundForm(FormEntry):
    """The form that asks people in a place, once, whom they last asked something outside their team."""

    intent: ClassVar[str] = "reach.ties.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="place", kind="choice", channels=True),
        Ask(name="again", kind="choice", required=False, options=(ONCE, QUARTERLY)),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(options={"place": (Pick(value="c1", label="nachtdienst"),)}, values={"place": "c1", "again": ONCE})


class RoundPlanned(Entry):
    """Confirmation to a coordinator: a round (`kind`) comes in a place, and, with `again`, about once in three months.
    Until it does, it can be taken back."""

    kind: str
    place: str
    delivery: str
    again: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="take_back", intent="reach.take_back", args={"delivery": self.delivery}),)

    @classmethod
    def example(cls) -> Self:
        return cls(kind="names_round", place="nachtdienst", delivery="d1", again=True)


class RoundEnded(Entry):
    """The answer to a coordinator who lets a round (`kind`) come no more in a place."""

    kind: str
    place: str

    @classmethod
    def example(cls) -> Self:
        return cls(kind="ties_round", place="nachtdienst")


class RoundWithdrawn(Entry):
    """The answer to a coordinator who takes a round back; `stands`: it was posted before."""

    place: str
    stands: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(place="nachtdienst")


class NamesRound(Entry):
    """For everyone in a place: who in a group passes things on well?"""

    group: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="nominate", intent="nominate", style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(group="Nachtdienst")


class TiesRound(Entry):
    """For everyone in a place: whom did you last ask something outside your team? It is answered in private."""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="say_who", intent="ties", style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls()


class TiesForm(FormEntry):
    """The form for whom somebody last asked something, and whether these may read that it was them."""

    intent: ClassVar[str] = "ties.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="people", kind="people", max_items=MAX_TIES_NAMED),
        Ask(name="shown", kind="choice", options=(YES, NO)),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(values={"shown": NO})


class TiesKept(Entry):
    """Thanks for an answer in a round of ties. The words are the same whatever the named said before. `shown`: they may
    read whose answer it is. It can be taken back."""

    names: tuple[str, ...]
    shown: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="take_back", intent="ties.take_back"),)

    @classmethod
    def example(cls) -> Self:
        return cls(names=("Sanne", "Wim"), shown=True)


class TiesTakenBack(Entry):
    """The answer to who takes back what they answered in rounds of ties."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class TieSettled(Entry):
    """The answer to who says whether they and `name` know each other."""

    yes: bool
    name: str

    @classmethod
    def example(cls) -> Self:
        return cls(yes=True, name="Fatima")
