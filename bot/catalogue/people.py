"""Messages about someone's own settings, and about the data that Ritme keeps of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import ClassVar, Self

from bot.catalogue.base import NO, YES, Ask, Entry, FileEntry, FormEntry, OutsideEntry, Pick, Press, ToPrivacy
from bot.domain.api_token import Scope
from bot.domain.connectors import KeyFigure
from bot.domain.person import KEEP_CLOSED, Language, StoryChoice
from bot.domain.webhook import MovementEvent


@dataclass(frozen=True, kw_only=True)
class ListedNudge:
    """One nudge that was sent or is planned. `kind` is a block of `people/kinds.md.j2`; `exact`: it comes at that
    moment, while others may have to wait for a week with room."""

    kind: str
    at: datetime
    exact: bool = True


@dataclass(frozen=True, kw_only=True)
class ThoughtOf:
    """A key figure that a colleague thinks someone is who agreed to be suggested, but not as that, in the movement of
    this id and name."""

    movement: str
    name: str
    figure: KeyFigure

    def buttons(self) -> tuple[Press, ...]:
        """Return the two answers to the question whether they may be suggested as this figure too."""
        about = {"movement": self.movement, "figures": self.figure.value, "more": "yes"}
        return (
            Press(name="also_yes", intent="suggest.yes", args=about, style="primary"),
            Press(name="also_no", intent="suggest.no", args=about),
        )


@dataclass(frozen=True, kw_only=True)
class TieAsked:
    """A colleague, by id and `name`, who answered in a round of ties that they asked someone something, in the movement
    of this id and name, and wants them to read that."""

    movement: str
    movement_name: str
    person: str
    name: str

    def buttons(self) -> tuple[Press, ...]:
        """Return the two answers to the question whether that is so."""
        about = {"movement": self.movement, "person": self.person}
        return (
            Press(name="tie_yes", intent="ties.confirm", args=about, style="primary"),
            Press(name="tie_no", intent="ties.deny", args=about),
        )


MAX_WITHDRAWALS = 4


@dataclass(frozen=True, kw_only=True)
class SuggestedIn:
    """A movement, by id and name, in which someone may be suggested."""

    movement: str
    name: str

    def withdraw(self, name: str) -> Press:
        """Return the button of this name that ends it."""
        return Press(name=name, intent="suggest.no", args={"movement": self.movement})


class Me(Entry):
    """The data that Ritme keeps of someone, their nudges of this week and to come, and every way to change that.

    `kept` counts rows by kind (a block of `people/kept.md.j2`), without zeros. Without `counts` (in works-council mode)
    the kinds are named, and no figure is said.
    """

    name: str
    group: str
    kept: Mapping[str, int] = field(default_factory=dict)
    sent: tuple[ListedNudge, ...] = ()
    coming: tuple[ListedNudge, ...] = ()
    suggestible: bool | None = None
    suggested_in: tuple[str, ...] = ()
    """The names of the movements in which they may be suggested."""
    withdrawals: tuple[SuggestedIn, ...] = ()
    """Those of them, at most `MAX_WITHDRAWALS`, in which one press ends it."""
    suggested_times: int = 0
    """How often a colleague was shown their name as somebody to invite, within the last `MONTH`."""
    asked_times: int = 0
    """How often they were asked something within the last `MONTH`."""
    counts: bool = True
    thought_of: ThoughtOf | None = None
    """Asks about one more figure to be suggested as, if any."""
    meets_in: tuple[str, ...] = ()
    """The names of the movements in which they agreed to be brought together with others."""
    tie_asked: TieAsked | None = None
    """Asks about one colleague whether they know each other, if any: never beside `thought_of`."""
    stories: StoryChoice | None = None
    snoozed_until: datetime | None = None
    stopped: bool = False
    keep_days: int = KEEP_CLOSED.days
    """How many days what they told of closed matters is kept."""
    pages: bool = False
    """True when there are pages in a browser: one says what is kept here about people, and why."""

    def buttons(self) -> tuple[Press, ...]:
        snooze, stop = Press(name="snooze", intent="me.snooze"), Press(name="stop", intent="stop.me")
        if self.stopped:
            rest = [Press(name="come_back", intent="me.come_back", style="primary")]
        elif self.snoozed_until is not None:
            rest = [Press(name="wake", intent="me.wake", style="primary"), stop]
        else:
            rest = [snooze, stop]
        return (
            *(self.thought_of.buttons() if self.thought_of is not None else ()),
            *(self.tie_asked.buttons() if self.tie_asked is not None else ()),
            *(one.withdraw(f"withdraw_{number}") for number, one in enumerate(self.withdrawals, 1)),
            Press(name="settings", intent="me.settings"),
            *rest,
            *((Press(name="no_meetings", intent="meeting.leave", args={"all": YES}),) if self.meets_in else ()),
            Press(name="my_stories", intent="story.mine"),
            *((Press(name="privacy", intent="me", leads=ToPrivacy()),) if self.pages else ()),
            Press(name="export", intent="me.export", confirm=True),
            Press(name="forget", intent="me.forget", style="danger", confirm=True),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Fatima",
            group="Wijkteam Noord",
            kept={"stories": 3, "next_steps": 2},
            sent=(ListedNudge(kind="follow_up", at=datetime(2027, 2, 26, 8, 0, tzinfo=UTC)),),
            coming=(ListedNudge(kind="follow_up", at=datetime(2027, 3, 2, 8, 0, tzinfo=UTC)),),
            suggestible=True,
            suggested_in=("Samen vooruit", "Buiten is beter"),
            withdrawals=tuple(
                SuggestedIn(movement=f"m{number}", name=name)
                for number, name in enumerate(("Samen vooruit", "Buurt", "Thuis eten", "Nachtrust"), 1)
            ),
            suggested_times=2,
            asked_times=1,
            thought_of=ThoughtOf(movement="m1", name="Samen vooruit", figure=KeyFigure.MAVEN),
            meets_in=("Samen vooruit",),
            tie_asked=TieAsked(movement="m1", movement_name="Samen vooruit", person="p1", name="Jan"),
            stories=StoryChoice.MOVEMENT,
        )


SUGGESTIBLE = ("suggestible", "suggestible_2", "suggestible_3", "suggestible_4", "suggestible_5")
"""The fields of `SettingsForm` for being suggested, one a movement."""
SUGGESTIBLE_OTHERS, MAX_OTHERS = "suggestible_others", 60
"""The field for all further movements together, and how many it holds: as many as fit what a Slack form may carry."""
DAYS_OFF = "days_off"
"""The field for whose days off somebody keeps, where places of their movements have their own."""
USUAL = "usual"
"""The choice of the days off of the movement itself."""
MEETS = "meets"
"""The field for the movements in which somebody may be brought together with others."""


class SettingsForm(OutsideEntry, FormEntry):
    """The form for language, time zone, group, quiet hours, being suggested, and the use of replies and names.

    `movements`: the names of those for which being suggested is asked, in the order of `SUGGESTIBLE`; their ids are in
    `hidden`, under the names of the fields. Further ones are `options` of `SUGGESTIBLE_OTHERS`; of `MEETS` all are.
    `follows`: the group whose quiet hours hold for them, as they chose none.
    """

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = (Scope.FIGURES,)
    of_every_movement: ClassVar[bool] = True
    intent: ClassVar[str] = "me.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="language", kind="choice", options=tuple(Language)),
        Ask(name="timezone", max_length=64),
        Ask(name=DAYS_OFF, kind="choice", required=False, channels=True),
        Ask(name="group", required=False, max_length=80),
        *(Ask(name=name, kind="choice", required=False, options=(YES, NO)) for name in SUGGESTIBLE),
        Ask(name=SUGGESTIBLE_OTHERS, kind="choices", required=False, max_items=MAX_OTHERS),
        Ask(name="figures", kind="choices", required=False, options=tuple(KeyFigure)),
        Ask(name=MEETS, kind="choices", required=False, max_items=len(SUGGESTIBLE) + MAX_OTHERS),
        Ask(name="stories", kind="choice", required=False, options=tuple(StoryChoice)),
        Ask(name="named", kind="choice", options=(YES, NO)),
        Ask(name="named_beyond", kind="choice", options=(YES, NO)),
        Ask(name="quiet_from", kind="time"),
        Ask(name="quiet_until", kind="time"),
        Ask(name="quiet_weekends", kind="choice", options=(YES, NO)),
    )
    movements: tuple[str, ...] = ()
    follows: str = ""

    def visible_asks(self) -> tuple[Ask, ...]:
        """Return the fields, with one about being suggested for each movement."""
        unused = {*SUGGESTIBLE[len(self.movements) :], *(() if self.movements else ("figures", MEETS))}
        unused |= {one for one in (SUGGESTIBLE_OTHERS, DAYS_OFF) if not self.options.get(one)}
        return tuple(ask for ask in self.asks if ask.name not in unused)

    @classmethod
    def example(cls) -> Self:
        return cls(
            movements=("Samen vooruit", "Buiten is beter"),
            options={
                SUGGESTIBLE_OTHERS: (Pick(value="m6", label="Thuis eten"),),
                DAYS_OFF: (Pick(value=USUAL), Pick(value="p2", label="gent")),
                MEETS: (Pick(value="m1", label="Samen vooruit"), Pick(value="m6", label="Thuis eten")),
            },
            values={
                "language": "nl",
                "timezone": "Europe/Amsterdam",
                DAYS_OFF: USUAL,
                "group": "Wijkteam Noord",
                "suggestible": YES,
                "named": YES,
                "named_beyond": NO,
                "quiet_from": "18:00",
                "quiet_until": "08:00",
                "quiet_weekends": YES,
            },
        )


@dataclass(frozen=True, kw_only=True)
class MovedPromise:
    """A follow-up that was promised for a moment, and comes later now."""

    was: datetime
    comes: datetime


class SettingsSaved(Entry):
    """Confirmation that the settings were saved. `moved`: what was promised for moments that are quiet now. Where those
    of their group hold from now on, quiet from `start` until `end`, and at `weekends`."""

    moved: tuple[MovedPromise, ...] = ()
    start: time | None = None
    end: time | None = None
    weekends: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="me", intent="me"),)

    @classmethod
    def example(cls) -> Self:
        moved = MovedPromise(was=datetime(2027, 3, 2, 8, tzinfo=UTC), comes=datetime(2027, 3, 2, 9, tzinfo=UTC))
        return cls(moved=(moved,))


class SnoozeForm(FormEntry):
    """The form for the day until which Ritme starts nothing by itself."""

    intent: ClassVar[str] = "me.snooze.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="until", kind="date"),)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"until": "2027-03-15"}, earliest=date(2027, 3, 2), latest=date(2028, 3, 1))


class Snoozed(Entry):
    """Confirmation of a snooze, with its end. `moved`: what was promised for moments before that."""

    until: datetime
    moved: tuple[MovedPromise, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="wake", intent="me.wake"),)

    @classmethod
    def example(cls) -> Self:
        until = datetime(2027, 3, 15, 7, tzinfo=UTC)
        return cls(until=until, moved=(MovedPromise(was=datetime(2027, 3, 2, 8, tzinfo=UTC), comes=until),))


class Awake(Entry):
    """The greeting after a snooze or a stop, as after a day. `moved`: what was promised, and comes earlier again."""

    moved: tuple[MovedPromise, ...] = ()

    @classmethod
    def example(cls) -> Self:
        return cls()


class StopOffered(Entry):
    """The answer to *stop* where more people read along: what can stop for the reader alone, and who can stop what is
    posted in the place. `coordinators` are their names, `asked` those who read messages of Ritme; `coordinates`: the
    reader is one of them."""

    place: str
    coordinators: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    coordinates: bool = False

    def buttons(self) -> tuple[Press, ...]:
        here: tuple[Press, ...] = ()
        if self.coordinates:
            here = (Press(name="rhythms", intent="rhythm"),)
        elif self.asked:
            about = {"about": "rhythm", "stoppable": YES}
            here = (Press(name="ask", intent="coordinators.ask", args=about, confirm=True),)
        return (Press(name="stop", intent="stop.me", args={"askable": YES}, style="primary"), *here)

    @classmethod
    def example(cls) -> Self:
        return cls(place="wijkteam-zuid", coordinators=("Iris", "Ahmed"), asked=("Iris", "Ahmed"))


class Stopped(Entry):
    """Confirmation that Ritme starts nothing any more towards this person. `asked`: coordinators who can be asked about
    the rhythm of the place, where that was the other choice."""

    asked: tuple[str, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        ask = Press(name="ask", intent="coordinators.ask", args={"about": "rhythm"}, confirm=True)
        return (
            *((ask,) if self.asked else ()),
            Press(name="come_back", intent="me.come_back"),
            Press(name="forget", intent="me.forget", style="danger", confirm=True),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(asked=("Iris",))


class ExportComing(Entry):
    """Announcement of the file with everything about someone, which comes in their own chat.

    `made_at`: it was made before, within the hour, and is sent `again` unless it only just was; a new one is made from
    `renewable_at` on. `parts` is only in answers that the version before stored.
    """

    parts: int = 1
    made_at: datetime | None = None
    renewable_at: datetime | None = None
    again: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls()


class ExportFile(FileEntry):
    """The file with everything about someone, made at `made_at`."""

    made_at: datetime

    @classmethod
    def example(cls) -> Self:
        made = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
        return cls(file="f1", made_at=made, until=made.replace(hour=9))


class Forgotten(Entry):
    """The last message to someone who asked to be forgotten."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class TakenBack(Entry):
    """The replacement for a message about someone who was forgotten."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class WentQuiet(Entry):
    """The message, sent once, that Ritme goes quiet after three messages without an answer."""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="settings", intent="me"),)

    @classmethod
    def example(cls) -> Self:
        return cls()
