"""Messages about rhythms, and the messages of the recurring moments themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from bot.catalogue.base import NO, YES, Ask, Entry, FormEntry, OutsideEntry, Press
from bot.catalogue.stories import read_on_button
from bot.domain.api_token import Scope
from bot.domain.person import Language
from bot.domain.recurrence import WEEKDAYS, WORKING_DAY, Freq, Pattern
from bot.domain.rhythm import OnHoliday, Rhythm, RhythmKind
from bot.domain.story import SHORT_EXCERPT_CHARS
from bot.domain.webhook import MovementEvent

EVERY = ("1", "2", "3", "4", "monthly")
"""Choices for how often: every so many weeks, or monthly."""
PERIODS = {"monthly": 1, "two_monthly": 2, "quarterly": 3, "half_yearly": 6, "yearly": 12}
"""The choices for how often that are months → how many."""
EVERY_MORE = (*EVERY, *list(PERIODS)[1:], "days", "before", "after", "once")
"""The choices for how often of the whole form: also every so many days, around holidays, or once."""
NTH = ("none", "1", "2", "3", "4", "last")
"""Choices for which weekday of the month; "none" for a rhythm of weeks: not every platform lets a choice be undone."""
UNSENT_WINDOW = timedelta(days=14)
"""How far back coordinators see messages that were not sent."""
LOOKS_SHOWN = 8
"""Rhythms with a button of their own in a list: the template has words for so many."""
STRETCHES_SHOWN = 5
"""Planned pauses, or days off, with a button of their own: the template has words for so many."""
MAX_CHOSEN_ABOUT = 30
"""Rhythms that buttons of the page of a place remember as still to be chosen about."""
UNDOABLE = ("changed", "paused", "planned", "resumed", "ended", "slower")
"""News about a rhythm that can be taken back."""
MOMENT_ACTS = ("skip", "move", "now")
"""Choices for what to do with one moment."""
READ_OF_RHYTHMS = (Scope.RHYTHMS, MovementEvent.RHYTHM_POSTED)
"""The ways in which programs outside read, or hear, of a rhythm."""
MAX_MISSED_CHARS = 100
"""Of words that were not understood, so many go along in a button to the form."""


@dataclass(frozen=True, kw_only=True)
class RhythmSummary:
    """One rhythm as lists show it: kind, place, how often (as a `Pattern`, from `starts_on`), and its next moments.

    `at` and `also_at` are the local times in `timezone`. `over`: its last moment has been. `nth` is what `which` holds,
    in answers stored before that was there.
    """

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
    freq: Freq = Freq.WEEKS
    which: tuple[int, ...] = ()
    on: int = 1
    off: int = 0
    also_at: tuple[time, ...] = ()
    starts_on: date | None = None
    until: date | None = None
    over: bool = False
    moves: bool = False
    """True when it moves to the next working day on a holiday, rather than being skipped."""

    @classmethod
    def of(cls, rhythm: Rhythm, place: str, coming: Sequence[datetime], now: datetime) -> Self:
        """Return the summary of a rhythm. `place` is the name of its place, `coming` its next moments."""
        pattern, today = rhythm.pattern, now.astimezone(ZoneInfo(rhythm.timezone)).date()
        return cls(
            id=rhythm.id,
            kind=rhythm.kind,
            place=place,
            every=pattern.every,
            nth=pattern.nth[0] if pattern.freq is Freq.NTH else 0,
            days=pattern.days,
            at=rhythm.at,
            moments=tuple(coming),
            paused_until=rhythm.find_rest(today),
            timezone=rhythm.timezone,
            freq=pattern.freq,
            which=pattern.nth,
            on=pattern.on,
            off=pattern.off,
            also_at=pattern.also_at,
            starts_on=rhythm.starts_on,
            until=pattern.until,
            over=_is_over(rhythm, pattern, today),
            moves=rhythm.on_holiday is OnHoliday.MOVE,
        )


def _is_over(rhythm: Rhythm, pattern: Pattern, today: date) -> bool:
    last = rhythm.starts_on if pattern.freq is Freq.ONCE else pattern.until
    return rhythm.next_at is None and last is not None and last <= today


@dataclass(frozen=True, kw_only=True)
class ComingMoment:
    """A date of a rhythm and what becomes of it: posted at `at`, or skipped (None), and for which reason other than its
    rule. `holiday` is the name of the holiday, where it is known; `given` the moment that is skipped, where its date
    does not tell which."""

    on: date
    at: datetime | None
    because: Literal["", "holiday", "closed", "weekend", "changed", "quiet"] = ""
    holiday: str = ""
    given: datetime | None = None


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
class NearMoment:
    """A moment of a rhythm that comes within an hour of another in the same place."""

    kind: RhythmKind
    at: datetime


@dataclass(frozen=True, kw_only=True)
class DaysOff:
    """Days in a row: a planned pause, or days on which the movement is closed. `end` is the first day after them, and
    `value` what a button says to name them."""

    begin: date
    end: date
    value: str = ""

    @property
    def last(self) -> date:
        return self.end - timedelta(days=1)


_SUMMER = DaysOff(begin=date(2027, 7, 10), end=date(2027, 8, 23), value="2027-07-10/2027-08-23")
_NEAR = (NearMoment(kind=RhythmKind.HARVEST, at=datetime(2027, 4, 5, 7, 30, tzinfo=UTC)),)


@dataclass(frozen=True, kw_only=True)
class UnsentMessage:
    """A message that was not sent, or not yet. `reason` is a block of `errors/reasons.md.j2`."""

    kind: str
    at: datetime
    reason: str


class RhythmsShown(Entry):
    """The rhythms of a movement, each with its next moment; for coordinators also what was not sent lately. `missed`:
    words typed with the command that asked for nothing we know. `more`: rhythms that are not listed."""

    name: str
    rhythms: tuple[RhythmSummary, ...]
    held: tuple[UnsentMessage, ...] = ()
    more: int = 0
    may_change: bool = False
    missed: str = ""

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{number}", intent="rhythm.look", args={"rhythm": one.id})
            for number, one in enumerate(self.rhythms[:LOOKS_SHOWN], 1)
        )
        calendar = (Press(name="calendar", intent="calendar"),) if self.rhythms else ()
        if not self.may_change:
            return (*looks, *calendar)
        return (
            Press(name="new", intent="rhythm.new", style="primary"),
            Press(name="more", intent="rhythm.more"),
            *looks,
            Press(name="place", intent="rhythm.place"),
            Press(name="hours", intent="hours"),
            Press(name="closed", intent="rhythm.closed"),
            *calendar,
            *((Press(name="year", intent="rhythm.year"),) if self.rhythms else ()),
            Press(name="country", intent="country"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Samen vooruit",
            rhythms=(_EXAMPLE,) * 8,
            held=(UnsentMessage(kind="rhythm_purpose", at=datetime(2027, 2, 22, 8, tzinfo=UTC), reason="too_late"),),
            may_change=True,
        )


class RhythmsLeft(Entry):
    """How many rhythms a page has no room for."""

    more: int

    @classmethod
    def example(cls) -> Self:
        return cls(more=12)


class RhythmShown(Entry):
    """One rhythm with its next five moments, and the dates between them that are skipped. `news` tells what was just
    done: "", "saved", "changed", "sent", "paused", "planned", "resumed", "ended", "slower" or "undone"; `undo` is the
    change that can be taken back.

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
    near: tuple[NearMoment, ...] = ()
    undo: str = ""
    pauses: tuple[DaysOff, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        about = {"rhythm": self.rhythm.id}
        undo = (Press(name="revert", intent="rhythm.undo", args={**about, "change": self.undo}),) if self.undo else ()
        calendar = (Press(name="calendar", intent="calendar.file", args=about),) if self.coming else ()
        if self.news == "ended":
            return undo if self.may_change else ()
        if not self.may_change:
            return calendar
        rests = self.rhythm.paused_until is not None
        resume = (Press(name="resume", intent="rhythm.resume", args=about, style="primary"),) if rests else ()
        planned = tuple(
            Press(name=f"drop_{number}", intent="rhythm.resume", args={**about, "pause": one.value})
            for number, one in enumerate(self.pauses[:STRETCHES_SHOWN], 1)
        )
        return (
            *undo,
            Press(name="moment", intent="rhythm.moment", args=about, style="primary"),
            Press(name="edit", intent="rhythm.edit", args=about),
            *resume,
            Press(name="pause", intent="rhythm.pause", args=about),
            *planned,
            Press(name="copy", intent="rhythm.copy", args=about),
            *calendar,
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
            near=_NEAR,
            undo="2027-03-01T08:00:00+00:00",
            pauses=(_SUMMER,) * 5,
        )


class RhythmPreviewed(OutsideEntry):
    """A rhythm that somebody asked for in a sentence, before it is saved: how it was read, and its next five moments.
    `args` are the values of its form."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = READ_OF_RHYTHMS

    rhythm: RhythmSummary
    coming: tuple[ComingMoment, ...] = ()
    near: tuple[NearMoment, ...] = ()
    purpose_missing: bool = False
    lost: str = ""
    args: Mapping[str, str] = field(default_factory=dict)

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="save", intent="rhythm.heard.save", args=self.args, style="primary"),
            Press(name="change", intent="rhythm.new", args=self.args),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            rhythm=_EXAMPLE,
            coming=RhythmShown.example().coming,
            near=_NEAR,
            lost="not_in_place",
            args={"kind": "purpose"},
        )


class RhythmChanged(OutsideEntry):
    """A preview of an edit of a rhythm, before it is saved: how it was, how it becomes, its next five moments. Of
    moments that were skipped or moved, `kept` stay so, and those of the dates `gone` are no more."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = READ_OF_RHYTHMS

    before: RhythmSummary
    rhythm: RhythmSummary
    coming: tuple[ComingMoment, ...] = ()
    kept: int = 0
    gone: tuple[date, ...] = ()
    near: tuple[NearMoment, ...] = ()
    purpose_missing: bool = False
    lost: str = ""
    args: Mapping[str, str] = field(default_factory=dict)

    def buttons(self) -> tuple[Press, ...]:
        about = {"rhythm": self.rhythm.id}
        return (
            Press(name="apply", intent="rhythm.apply", args=self.args, style="primary"),
            Press(name="edit", intent="rhythm.edit", args=self.args),
            Press(name="leave", intent="rhythm.look", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            before=_EXAMPLE,
            rhythm=_EXAMPLE,
            coming=RhythmShown.example().coming,
            kept=1,
            gone=(date(2027, 4, 12), date(2027, 4, 19)),
            near=_NEAR,
            purpose_missing=True,
            args={"kind": "purpose", "rhythm": "r1"},
        )


class RhythmUnclear(Entry):
    """The answer to a `text`, or a button, that asks for no rhythm as it stands: words of it were not understood
    (`missed`), or what it asks for cannot be (`problems`, in words that say the cure). `args` are the values of the
    form that were."""

    text: str = ""
    missed: str = ""
    problems: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)

    def buttons(self) -> tuple[Press, ...]:
        opens = "rhythm.edit" if "rhythm" in self.args else "rhythm.new"
        # The form says again what was not understood: nobody remembers what they typed.
        missed = {"missed": self.missed[:MAX_MISSED_CHARS]} if self.missed else {}
        return (Press(name="change", intent=opens, args={**self.args, **missed}, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(text="elke maandag om 9 uur taart", missed="taart", problems=("Kies een doordeweekse dag.",))


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


class RhythmForm(OutsideEntry, FormEntry):
    """The form to make a rhythm: what most need, or (`whole`) all there is to choose. `missed`: words of a sentence
    that were not understood."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = READ_OF_RHYTHMS
    intent: ClassVar[str] = "rhythm.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="kind", kind="choice", options=tuple(RhythmKind)),
        Ask(name="place", kind="choice", channels=True),
        Ask(name="every", kind="choice", options=EVERY_MORE),
        Ask(name="weekdays", kind="choices", required=False, options=(*WEEKDAYS, WORKING_DAY), max_items=7),
        Ask(name="nth", kind="choices", required=False, options=NTH, max_items=5),
        Ask(name="dates", required=False, max_length=40),
        Ask(name="cycle", required=False, max_length=20),
        Ask(name="at", kind="time"),
        Ask(name="also_at", required=False, max_length=60),
        Ask(name="starts", kind="date", required=False),
        Ask(name="until", kind="date", required=False),
        Ask(name="times", required=False, max_length=4),
        Ask(name="timezone", required=False, max_length=64),
        Ask(name="on_holiday", kind="choice", options=tuple(OnHoliday)),
    )
    usual: ClassVar[Mapping[str, Ask]] = {
        ask.name: ask
        for ask in (
            Ask(name="every", kind="choice", options=EVERY),
            Ask(name="weekdays", kind="choices", options=WEEKDAYS, max_items=7),
            Ask(name="nth", kind="choice", required=False, options=NTH),
        )
    }
    """The fields of the short form that offer less there."""

    whole: bool = False
    missed: str = ""

    def visible_asks(self) -> tuple[Ask, ...]:
        if self.whole:
            return tuple(replace(ask, options=NTH[1:]) if ask.name == "nth" else ask for ask in self.asks)
        shown = ("kind", "place", "every", "weekdays", "nth", "at", "timezone", "on_holiday")
        return tuple(self.usual.get(ask.name, ask) for ask in self.asks if ask.name in shown)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"kind": "purpose", "every": "1", "weekdays": ("MO",), "at": "09:00", "on_holiday": "skip"})


class MomentForm(OutsideEntry, FormEntry):
    """The form to skip one moment, move it or send it now."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = READ_OF_RHYTHMS
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


class MomentLabel(Entry):
    """The label of a moment in a choice, in the zone of its rhythm."""

    at: datetime
    timezone: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(at=datetime(2027, 3, 8, 8, tzinfo=UTC))


class PauseForm(OutsideEntry, FormEntry):
    """The form for the day until which a rhythm is paused, and from when, where that is not now."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = READ_OF_RHYTHMS
    intent: ClassVar[str] = "rhythm.pause.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="starts", kind="date", required=False), Ask(name="until", kind="date"))

    @classmethod
    def example(cls) -> Self:
        return cls(values={"until": "2027-04-05"})


class ClosedShown(Entry):
    """The days on which a movement is closed, besides public holidays."""

    name: str
    days: tuple[DaysOff, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        drops = tuple(
            Press(name=f"drop_{number}", intent="rhythm.closed.drop", args={"days": one.value})
            for number, one in enumerate(self.days[:STRETCHES_SHOWN], 1)
        )
        return (Press(name="add", intent="rhythm.closed.add", style="primary"), *drops)

    @classmethod
    def example(cls) -> Self:
        one_day = DaysOff(begin=date(2027, 5, 7), end=date(2027, 5, 8), value="2027-05-07/2027-05-08")
        return cls(name="Samen vooruit", days=(one_day, *(_SUMMER,) * 4))


class ClosedForm(OutsideEntry, FormEntry):
    """The form for days on which a movement is closed: the first, and the last where there are more."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = READ_OF_RHYTHMS
    intent: ClassVar[str] = "rhythm.closed.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="starts", kind="date"), Ask(name="until", kind="date", required=False))

    @classmethod
    def example(cls) -> Self:
        return cls(values={"starts": "2027-05-07"})


class PlaceForm(FormEntry):
    """The form for the language, the quiet hours and the time zone of a place."""

    intent: ClassVar[str] = "rhythm.place.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="place", kind="choice", channels=True),
        Ask(name="language", kind="choice", options=tuple(Language)),
        Ask(name="quiet_from", kind="time"),
        Ask(name="quiet_until", kind="time"),
        Ask(name="quiet_weekends", kind="choice", options=(YES, NO)),
        Ask(name="timezone", max_length=64),
    )

    @classmethod
    def example(cls) -> Self:
        return cls(values={"quiet_from": "18:00", "quiet_until": "08:00", "timezone": "Europe/Amsterdam"})


@dataclass(frozen=True, kw_only=True)
class QuietRhythm:
    """A rhythm of which the moment `given` is quiet in its place: it `comes` later, or not at all (None). Its cure is
    what it would become (`better`), and where to a moment goes that was `moved` into the quiet hours, if any."""

    rhythm: RhythmSummary
    given: datetime
    comes: datetime | None = None
    better: RhythmSummary | None = None
    moved: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ZonedRhythm:
    """A rhythm in the time zone that its place was in: when it comes next, with the moment `kept` as it is, or at that
    time by the clock there (`by_clock`)."""

    rhythm: RhythmSummary
    kept: datetime
    by_clock: datetime


class PlaceSaved(Entry):
    """Confirmation that the settings of a place were saved: quiet from `start` until `end`, never when these are equal,
    and at weekends. There is to choose about the rhythms that are `quiet` now, and those in the zone it `was` in.

    `news` tells what was just chosen: "" (saved), "fitted", "clock", "moment" or "left"; `fitted` is the rhythm that
    was moved, and `undo` the change to take back. With "not_quiet" and "no_cure" it was not moved, and why. `silenced`
    is what `quiet` holds, in answers from before that.
    """

    place: str
    start: time | None = None
    end: time | None = None
    weekends: bool = False
    timezone: str = ""
    silenced: tuple[RhythmSummary, ...] = ()
    place_id: str = ""
    quiet: tuple[QuietRhythm, ...] = ()
    zoned: tuple[ZonedRhythm, ...] = ()
    was: str = ""
    news: str = ""
    fitted: RhythmSummary | None = None
    undo: str = ""

    def buttons(self) -> tuple[Press, ...]:
        rest = " ".join(one.rhythm.id for one in self.quiet[:MAX_CHOSEN_ABOUT])
        about = {"place": self.place_id, "rest": rest, "was": self.was if self.zoned else ""}
        undo = {"rhythm": self.fitted.id, "change": self.undo} if self.fitted is not None and self.undo else {}
        by_clock = Press(name="clock", intent="rhythm.zone", args={**about, "keep": "clock"})
        kept = Press(name="moment", intent="rhythm.zone", args={**about, "keep": "moment"})
        cures = tuple(
            Press(name=f"fit_{number}", intent="rhythm.fit", args={**about, "rhythm": one.rhythm.id})
            if one.better or one.moved
            else Press(name=f"edit_{number}", intent="rhythm.edit", args={"rhythm": one.rhythm.id})
            for number, one in enumerate(self.quiet[:STRETCHES_SHOWN], 1)
        )
        leave = Press(name="leave", intent="rhythm.zone", args={"place": self.place_id, "keep": "all"})
        return (
            *((by_clock, kept) if self.zoned else ()),
            *cures,
            *((leave,) if self.quiet else ()),
            *((Press(name="revert", intent="rhythm.undo", args=undo),) if undo else ()),
        )

    @classmethod
    def example(cls) -> Self:
        eight, nine = datetime(2027, 3, 8, 8, tzinfo=UTC), datetime(2027, 3, 8, 9, tzinfo=UTC)
        late = QuietRhythm(rhythm=_EXAMPLE, given=eight, comes=nine, better=replace(_EXAMPLE, at=time(10)))
        gone = QuietRhythm(rhythm=_EXAMPLE, given=eight, moved=nine)
        return cls(
            place="samen-vooruit",
            start=time(18),
            end=time(10),
            weekends=True,
            timezone="Europe/London",
            quiet=(late, gone, late, QuietRhythm(rhythm=_EXAMPLE, given=eight), late),
            zoned=(ZonedRhythm(rhythm=_EXAMPLE, kept=eight, by_clock=nine),),
            was="Europe/Amsterdam",
            fitted=_EXAMPLE,
            undo="2027-03-01T08:00:00+00:00",
        )


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


class StoryRound(Entry):
    """An invitation to tell stories."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class CheckIn(Entry):
    """The question what was tried and learned, and what it is a step towards."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class PaceAsked(Entry):
    """The question to a coordinator, once, after three reminders without an answer: other words, slower, or as now?
    `rule` is how often it came then; `every` and `slower_every` tell it in answers stored before that was there."""

    rhythm: str
    place: str
    may_slow: bool = True
    every: int = 0
    slower_every: int = 0
    kind: RhythmKind = RhythmKind.PURPOSE
    rule: str = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"rhythm": self.rhythm}
        now = {"rule": self.rule} if self.rule else {"every": str(self.every)} if self.every else {}
        slow = Press(name="slower", intent="rhythm.slower", args={**about, **now})
        slower = (slow,) if self.may_slow else ()
        words = Press(name="words", intent="purpose.change", style="primary")
        return (
            *((words,) if self.kind is RhythmKind.PURPOSE else ()),
            *slower,
            Press(name="keep", intent="rhythm.keep", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(rhythm="r1", place="samen-vooruit", rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO")


class PaceKept(Entry):
    """Confirmation that a rhythm keeps its pace."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class MomentDropped(Entry):
    """News for a coordinator: a moment passed while the service was down, and `more` before it. `next_at`: when the
    next comes, in the zone of the rhythm. `unplannable`: nothing comes, since its moments cannot be computed."""

    kind: RhythmKind
    place: str
    at: datetime
    more: int = 0
    next_at: datetime | None = None
    timezone: str = ""
    unplannable: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="trouble", intent="trouble") if self.unplannable else Press(name="rhythm", intent="rhythm"),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            kind=RhythmKind.PURPOSE,
            place="samen-vooruit",
            at=datetime(2027, 3, 1, 8, tzinfo=UTC),
            more=1,
            next_at=datetime(2027, 3, 8, 8, tzinfo=UTC),
        )
