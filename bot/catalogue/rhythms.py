"""Messages about rhythms, and the messages of the recurring moments themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from bot.catalogue.base import NO, YES, Ask, Entry, FormEntry, Press
from bot.catalogue.stories import read_on_button
from bot.domain.person import Language
from bot.domain.rhythm import WEEKDAYS, OnHoliday, Rhythm, RhythmKind
from bot.domain.story import SHORT_EXCERPT_CHARS

EVERY = ("1", "2", "3", "4", "monthly")
"""Choices for how often: every so many weeks, or monthly."""
NTH = ("none", "1", "2", "3", "4", "last")
"""Choices for which weekday of the month; "none" for a rhythm of weeks: not every platform lets a choice be undone."""
UNSENT_WINDOW = timedelta(days=14)
"""How far back coordinators see messages that were not sent."""
LOOKS_SHOWN = 8
"""Rhythms with a button of their own in a list: the template has words for so many."""
MOMENT_ACTS = ("skip", "move", "now")
"""Choices for what to do with one moment."""


@dataclass(frozen=True, kw_only=True)
class RhythmSummary:
    """One rhythm as lists show it: kind, place, how often (`every` so many weeks, or on the `nth` weekday of the month;
    -1 is the last), and its next moments. `at` is the local time in `timezone`."""

    id: str
    kind: RhythmKind
    place: str
    every: int
    nth: int
    days: tuple[int, ...]
    at: time
    moments: tuple[datetime, ...] = ()
    paused_until: date | None = None
    timezone: str = ""

    @classmethod
    def of(cls, rhythm: Rhythm, place: str, coming: Sequence[datetime], now: datetime) -> Self:
        """Return the summary of a rhythm. `place` is the name of its place, `coming` its next moments."""
        pattern, today = rhythm.pattern, now.astimezone(ZoneInfo(rhythm.timezone)).date()
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
            timezone=rhythm.timezone,
        )


@dataclass(frozen=True, kw_only=True)
class ComingMoment:
    """A date of a rhythm and what becomes of it: posted at `at`, or skipped (None), and for which reason other than its
    rule. `holiday` is the name of the holiday, where it is known."""

    on: date
    at: datetime | None
    because: Literal["", "holiday", "changed", "quiet"] = ""
    holiday: str = ""


_EXAMPLE = RhythmSummary(
    id="r1",
    kind=RhythmKind.PURPOSE,
    place="samen-vooruit",
    every=1,
    nth=0,
    days=(0,),
    at=time(9),
    moments=tuple(datetime(2027, 3, day, 8, tzinfo=UTC) for day in (8, 15, 22)),
    timezone="Europe/Amsterdam",
)


@dataclass(frozen=True, kw_only=True)
class UnsentMessage:
    """A message that was not sent, or not yet. `reason` is a block of `errors/reasons.md.j2`."""

    kind: str
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class RhythmsShown(Entry):
    """The rhythms of a movement, each with its next moment; for coordinators also what was not sent lately. `missed`:
    words typed with the command that asked for nothing we know."""

    name: str
    rhythms: tuple[RhythmSummary, ...]
    held: tuple[UnsentMessage, ...] = ()
    may_change: bool = False
    missed: str = ""

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{number}", intent="rhythm.look", args={"rhythm": one.id})
            for number, one in enumerate(self.rhythms[:LOOKS_SHOWN], 1)
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
            held=(UnsentMessage(kind="rhythm_purpose", at=datetime(2027, 2, 22, 8, tzinfo=UTC), reason="too_late"),),
            may_change=True,
        )


@dataclass(frozen=True, kw_only=True)
class RhythmShown(Entry):
    """One rhythm with its next five moments, and the dates between them that are skipped. `news` tells what was just
    done: "", "saved", "changed", "sent", "paused", "resumed", "ended" or "slower".

    What keeps those moments from coming: there is no purpose yet (`purpose_missing`), the place has more than its
    budget for a week (`crowded`), or it is out of reach (`lost`, a block of `errors/reasons.md.j2`).
    """

    rhythm: RhythmSummary
    coming: tuple[ComingMoment, ...] = ()
    purpose_missing: bool = False
    crowded: bool = False
    lost: str = ""
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
        monday, kings_day = date(2027, 4, 19), date(2027, 4, 27)
        return cls(
            rhythm=_EXAMPLE,
            coming=(
                ComingMoment(on=date(2027, 3, 29), at=None, because="holiday", holiday="Tweede paasdag"),
                ComingMoment(on=date(2027, 4, 5), at=datetime(2027, 4, 5, 7, tzinfo=UTC)),
                ComingMoment(on=date(2027, 4, 12), at=None, because="changed"),
                ComingMoment(on=monday, at=datetime(2027, 4, 20, 7, tzinfo=UTC), because="changed"),
                ComingMoment(
                    on=kings_day,
                    at=datetime(2027, 4, 28, 7, tzinfo=UTC),
                    because="holiday",
                    holiday="Koningsdag",
                ),
                ComingMoment(on=date(2027, 5, 3), at=None, because="quiet"),
                ComingMoment(on=date(2027, 5, 10), at=datetime(2027, 5, 10, 8, tzinfo=UTC), because="quiet"),
            ),
            purpose_missing=True,
            crowded=True,
            lost="not_in_place",
            may_change=True,
            news="saved",
        )


@dataclass(frozen=True, kw_only=True)
class RhythmDoubled(Entry):
    """The question whether a rhythm is meant although there is one alike: the `same`, or one at the same moments.
    `args` are the values of its form."""

    rhythm: RhythmSummary
    same: bool
    args: Mapping[str, str] = field(default_factory=dict)

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="keep", intent="rhythm.keep", args={"rhythm": self.rhythm.id}, style="primary"),
            Press(name="make", intent="rhythm.double", args=self.args),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(rhythm=_EXAMPLE, same=True)


@dataclass(frozen=True, kw_only=True)
class RhythmForm(FormEntry):
    """The form to make a rhythm. `missed`: words of a sentence that were not understood."""

    intent: ClassVar[str] = "rhythm.save"
    opener: ClassVar[str] = "rhythm.new"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="kind", kind="choice", options=tuple(RhythmKind)),
        Ask(name="place", kind="choice", channels=True),
        Ask(name="every", kind="choice", options=EVERY),
        Ask(name="weekdays", kind="choices", options=WEEKDAYS, max_items=7),
        Ask(name="nth", kind="choice", required=False, options=NTH),
        Ask(name="at", kind="time"),
        Ask(name="timezone", required=False, max_length=64),
        Ask(name="on_holiday", kind="choice", options=tuple(OnHoliday)),
    )

    missed: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(values={"kind": "purpose", "every": "1", "weekdays": ("MO",), "at": "09:00", "on_holiday": "skip"})


@dataclass(frozen=True, kw_only=True)
class MomentForm(FormEntry):
    """The form to skip one moment, move it or send it now."""

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
    """The label of a moment in a choice, in the zone of its rhythm."""

    at: datetime
    timezone: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(at=datetime(2027, 3, 8, 8, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True)
class PauseForm(FormEntry):
    """The form for the day until which a rhythm is paused."""

    intent: ClassVar[str] = "rhythm.pause.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="until", kind="date"),)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"until": "2027-04-05"})


@dataclass(frozen=True, kw_only=True)
class PlaceForm(FormEntry):
    """The form for the language, the quiet hours and the time zone of a place, and (`asks_good_friday`) where most
    people work on Good Friday, whether these do."""

    intent: ClassVar[str] = "rhythm.place.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="place", kind="choice", channels=True),
        Ask(name="language", kind="choice", options=tuple(Language)),
        Ask(name="quiet_from", kind="time"),
        Ask(name="quiet_until", kind="time"),
        Ask(name="quiet_weekends", kind="choice", options=(YES, NO)),
        Ask(name="timezone", max_length=64),
        Ask(name="good_friday", kind="choice", options=(YES, NO)),
    )

    asks_good_friday: bool = True

    def visible_asks(self) -> tuple[Ask, ...]:
        return tuple(ask for ask in self.asks if ask.name != "good_friday" or self.asks_good_friday)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"quiet_from": "18:00", "quiet_until": "08:00", "timezone": "Europe/Amsterdam"})


@dataclass(frozen=True, kw_only=True)
class PlaceSaved(Entry):
    """Confirmation that the settings of a place were saved: quiet from `start` until `end`, never when these are equal,
    and at weekends. `silenced` are the rhythms there with a moment that is quiet now."""

    place: str
    start: time | None = None
    end: time | None = None
    weekends: bool = False
    timezone: str = ""
    silenced: tuple[RhythmSummary, ...] = ()

    @classmethod
    def example(cls) -> Self:
        return cls(place="samen-vooruit", start=time(18), end=time(10), weekends=True, silenced=(_EXAMPLE,))


@dataclass(frozen=True, kw_only=True)
class PurposeReminder(Entry):
    """A purpose reminder: one part of the purpose, a recent story that shows it if there is one, and the number of a
    question (1 to 8). Where the part is a small behaviour, `behaviour` is its id, and `people` do it already, in
    `places` (0: nothing to tell): said where no story shows it."""

    text: str
    question: int
    story: str = ""
    story_id: str = ""
    teller: str = ""
    behaviour: str = ""
    people: int = 0
    places: int = 0

    def buttons(self) -> tuple[Press, ...]:
        too = (Press(name="too", intent="behaviour", args={"behaviour": self.behaviour}),) if self.behaviour else ()
        if not self.story_id:
            return too
        rest = read_on_button((self.story_id, self.story), most=SHORT_EXCERPT_CHARS)
        return (*too, *rest, Press(name="ripple", intent="ripple", args={"story": self.story_id}))

    @classmethod
    def example(cls) -> Self:
        return cls(
            text="Vraag eerst: wat wil je vandaag zelf doen?",
            question=1,
            story="De buurman dekte zelf de tafel.",
            story_id="s1",
            teller="Agnieszka",
            behaviour="b1",
            people=7,
            places=4,
        )


@dataclass(frozen=True, kw_only=True)
class StoryRound(Entry):
    """An invitation to tell stories."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class CheckIn(Entry):
    """The question what was tried and learned, and what it is a step towards."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class PaceAsked(Entry):
    """The question to a coordinator, once, after three reminders without an answer: other words, slower, or as now?"""

    rhythm: str
    place: str
    may_slow: bool = True
    every: int = 0
    slower_every: int = 0
    kind: RhythmKind = RhythmKind.PURPOSE

    def buttons(self) -> tuple[Press, ...]:
        about = {"rhythm": self.rhythm}
        now = {"every": str(self.every)} if self.every else {}
        slow = Press(name="slower", intent="rhythm.slower", args={**about, **now}, confirm=True)
        slower = (slow,) if self.may_slow else ()
        words = Press(name="words", intent="purpose.change", style="primary")
        return (
            *((words,) if self.kind is RhythmKind.PURPOSE else ()),
            *slower,
            Press(name="keep", intent="rhythm.keep", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(rhythm="r1", place="samen-vooruit", every=1, slower_every=2)


@dataclass(frozen=True, kw_only=True)
class PaceKept(Entry):
    """Confirmation that a rhythm keeps its pace."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class MomentDropped(Entry):
    """News for a coordinator: a moment passed while the service was down, and `more` before it. `next_at`: when the
    next comes, in the zone of the rhythm."""

    kind: RhythmKind
    place: str
    at: datetime
    more: int = 0
    next_at: datetime | None = None
    timezone: str = ""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="rhythm", intent="rhythm"),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            kind=RhythmKind.PURPOSE,
            place="samen-vooruit",
            at=datetime(2027, 3, 1, 8, tzinfo=UTC),
            more=1,
            next_at=datetime(2027, 3, 8, 8, tzinfo=UTC),
        )
