"""What Ritme says about rhythms, and what the recurring moments say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.catalogue.stories import read_on
from bot.domain.rhythm import OnHoliday, Pattern, Rhythm, RhythmKind
from bot.domain.story import SHOWN_AMONG

EVERY = ("1", "2", "3", "4", "monthly")
NTH = ("1", "2", "3", "4", "last")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOMENT_ACTS = ("skip", "move", "now")


@dataclass(frozen=True, kw_only=True)
class Described:
    """One rhythm in words: what, where, how often (`every` weeks, or `nth` weekday of the month), its next moments."""

    id: str
    kind: RhythmKind
    place: str
    every: int
    nth: int
    days: tuple[int, ...]
    at: time
    moments: tuple[datetime, ...] = ()
    paused_until: date | None = None

    @classmethod
    def of(cls, rhythm: Rhythm, place: str, coming: Sequence[datetime], now: datetime) -> Self:
        """A rhythm in the `place` called so, with its coming moments."""
        pattern, today = Pattern.of(rhythm.rule), now.astimezone(ZoneInfo(rhythm.timezone)).date()
        return cls(
            id=rhythm.id,
            kind=rhythm.kind,
            place=place,
            every=pattern.every,
            nth=pattern.nth,
            days=pattern.days,
            at=rhythm.at,
            moments=tuple(coming),
            paused_until=rhythm.paused_until if rhythm.paused_until and rhythm.paused_until > today else None,
        )


_EXAMPLE = Described(
    id="r1",
    kind=RhythmKind.PURPOSE,
    place="samen-vooruit",
    every=1,
    nth=0,
    days=(0,),
    at=time(9),
    moments=tuple(datetime(2027, 3, day, 8, tzinfo=UTC) for day in (8, 15, 22)),
)


@dataclass(frozen=True, kw_only=True)
class HeldBack:
    """Something that was not sent, or not yet, and why: `reason` is a block of `errors/reasons.md.j2`."""

    kind: str
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class RhythmsShown(Entry):
    """Every rhythm of a movement with its next moment; for coordinators also what was held back lately."""

    name: str
    rhythms: tuple[Described, ...]
    held: tuple[HeldBack, ...] = ()
    may_change: bool = False

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{number}", intent="rhythm.look", args={"rhythm": one.id})
            for number, one in enumerate(self.rhythms[:8], 1)
        )
        if not self.may_change:
            return looks
        return (
            Press(name="new", intent="rhythm.new", style="primary"),
            *looks,
            Press(name="place", intent="rhythm.place"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Samen vooruit",
            rhythms=(_EXAMPLE,) * 8,
            held=(HeldBack(kind="rhythm_purpose", at=datetime(2027, 2, 22, 8, tzinfo=UTC), reason="too_late"),),
            may_change=True,
        )


@dataclass(frozen=True, kw_only=True)
class RhythmShown(Entry):
    """One rhythm with its next five moments. `news`: "", saved, changed, paused, resumed, ended or slower."""

    rhythm: Described
    may_change: bool = False
    news: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if not self.may_change or self.news == "ended":
            return ()
        about = {"rhythm": self.rhythm.id}
        pause = (
            Press(name="resume", intent="rhythm.resume", args=about, style="primary")
            if self.rhythm.paused_until is not None
            else Press(name="pause", intent="rhythm.pause", args=about)
        )
        return (
            Press(name="moment", intent="rhythm.moment", args=about, style="primary"),
            pause,
            Press(name="end", intent="rhythm.end", args=about, style="danger", confirm=True),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(rhythm=_EXAMPLE, may_change=True, news="saved")


@dataclass(frozen=True, kw_only=True)
class RhythmForm(FormEntry):
    intent: ClassVar[str] = "rhythm.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="kind", kind="choice", options=tuple(RhythmKind)),
        Ask(name="place", kind="choice"),
        Ask(name="every", kind="choice", options=EVERY),
        Ask(name="weekdays", kind="choices", options=DAYS, max_items=7),
        Ask(name="nth", kind="choice", required=False, options=NTH),
        Ask(name="at", kind="time"),
        Ask(name="timezone", required=False, max_length=64),
        Ask(name="on_holiday", kind="choice", options=tuple(OnHoliday)),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(values={"kind": "purpose", "every": "1", "weekdays": ("MO",), "at": "09:00", "on_holiday": "skip"})


@dataclass(frozen=True, kw_only=True)
class MomentForm(FormEntry):
    """One moment to skip, move or send now."""

    intent: ClassVar[str] = "rhythm.moment.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="on", kind="choice"),
        Ask(name="what", kind="choice", options=MOMENT_ACTS),
        Ask(name="day", kind="date", required=False),
        Ask(name="at", kind="time", required=False),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(values={"what": "skip"})


@dataclass(frozen=True, kw_only=True)
class MomentLabel(Entry):
    """A moment as a choice."""

    at: datetime

    @classmethod
    def example(cls) -> Self:
        return cls(at=datetime(2027, 3, 8, 8, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True)
class PauseForm(FormEntry):
    intent: ClassVar[str] = "rhythm.pause.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="until", kind="date"),)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"until": "2027-04-05"})


@dataclass(frozen=True, kw_only=True)
class PlaceForm(FormEntry):
    """When it is quiet in a place, and in which zone it lives."""

    intent: ClassVar[str] = "rhythm.place.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="place", kind="choice"),
        Ask(name="quiet_from", kind="time"),
        Ask(name="quiet_until", kind="time"),
        Ask(name="quiet_weekends", kind="choice", options=("yes", "no")),
        Ask(name="timezone", max_length=64),
        Ask(name="good_friday", kind="choice", options=("yes", "no")),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(values={"quiet_from": "18:00", "quiet_until": "08:00", "timezone": "Europe/Amsterdam"})


@dataclass(frozen=True, kw_only=True)
class PlaceSaved(Entry):
    place: str

    @classmethod
    def example(cls) -> Self:
        return cls(place="samen-vooruit")


@dataclass(frozen=True, kw_only=True)
class PurposeReminder(Entry):
    """One part of the purpose, a recent story that shows it if there is one, and one question (1 to 8)."""

    text: str
    question: int
    story: str = ""
    story_id: str = ""
    teller: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if not self.story_id:
            return ()
        rest = read_on((self.story_id, self.story), most=SHOWN_AMONG)
        return (*rest, Press(name="ripple", intent="ripple", args={"story": self.story_id}))

    @classmethod
    def example(cls) -> Self:
        return cls(
            text="Vraag eerst: wat wil je vandaag zelf doen?",
            question=1,
            story="Meneer Smit dekte zelf de tafel.",
            story_id="s1",
            teller="Agnieszka",
        )


@dataclass(frozen=True, kw_only=True)
class StoryRound(Entry):
    """An invitation to tell."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class CheckIn(Entry):
    """What was tried and learned, and what it is a step towards."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class PaceAsked(Entry):
    """Three reminders without an answer: to a coordinator, once."""

    rhythm: str
    place: str
    may_slow: bool = True

    def buttons(self) -> tuple[Press, ...]:
        about = {"rhythm": self.rhythm}
        slower = (Press(name="slower", intent="rhythm.slower", args=about, confirm=True),) if self.may_slow else ()
        return (
            Press(name="words", intent="purpose.change", style="primary"),
            *slower,
            Press(name="keep", intent="rhythm.keep", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(rhythm="r1", place="samen-vooruit")


@dataclass(frozen=True, kw_only=True)
class PaceKept(Entry):
    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class MomentDropped(Entry):
    """To a coordinator: a moment passed while the service was down."""

    kind: RhythmKind
    place: str
    at: datetime
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="rhythm", intent="rhythm"),)

    @classmethod
    def example(cls) -> Self:
        return cls(kind=RhythmKind.PURPOSE, place="samen-vooruit", at=datetime(2027, 3, 1, 8, tzinfo=UTC), more=1)
