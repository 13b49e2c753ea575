"""The home page: someone's planned steps, stories and initiatives, and what is coming in their movement."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Literal, Self

from bot.catalogue.base import Entry, PageEntry, Press
from bot.catalogue.people import ListedNudge
from bot.catalogue.rhythms import RhythmSummary, UnsentMessage
from bot.catalogue.stories import EXAMPLE_STORY
from bot.domain.rhythm import RhythmKind
from bot.domain.story import Readers

_EXAMPLE = datetime(2027, 3, 8, 8, tzinfo=UTC)


class HomeStep(Entry):
    """A planned step. `due`: its moment has come; `rests`: since when nothing comes about it any more. `round` counts
    the moments it had before."""

    step: str
    round: int
    cue: str
    action: str
    with_whom: str
    at: datetime
    due: bool = False
    rests: datetime | None = None

    def buttons(self) -> tuple[Press, ...]:
        about = {"step": self.step, "round": str(self.round)}
        if self.rests is not None:
            return (
                Press(name="done", intent="step.done", args=about),
                Press(name="pick_up", intent="step.pick_up", args=about),
                Press(name="let_go", intent="step.let_go", args=about),
            )
        return (
            Press(name="done", intent="step.done", args=about),
            Press(name="not_yet", intent="step.not_yet", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            step="s1",
            round=0,
            cue="de overdracht dinsdag klaar is",
            action="vraag ik Samira hoe de nacht was",
            with_whom="Jan",
            at=datetime(2027, 3, 2, 8, tzinfo=UTC),
        )


class HomeSteps(Entry):
    """Someone's planned steps, the first due first; `more` counts those not shown. `comes`: they are followed up, as
    for anyone who did not stop Ritme."""

    steps: tuple[HomeStep, ...] = ()
    more: int = 0
    comes: bool = True

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="choose_step", intent="step"),)

    @classmethod
    def example(cls) -> Self:
        return cls(steps=(HomeStep.example(),), more=2)


class HomeSpell(Entry):
    """Something someone is stuck with, without a step that follows it up. `at` is when Ritme asks about it once more;
    without one it rests."""

    episode: str
    initiative: str
    text: str
    at: datetime | None = None

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode}
        return (
            Press(name="go_on", intent="stuck.go_on", args=about),
            Press(name="moves_again", intent="stuck.moves_again", args=about),
            Press(name="let_go", intent="stuck.let_go", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            episode="e1", initiative="Wandelen na het eten", text="De nachtdienst hoort pas als laatste wat we doen"
        )


class HomeSpells(Entry):
    """Everything someone is stuck with that rests, the latest first; `more` counts what is not shown."""

    spells: tuple[HomeSpell, ...] = ()
    more: int = 0

    @classmethod
    def example(cls) -> Self:
        return cls(spells=(HomeSpell.example(),), more=1)


class HomeStory(Entry):
    """One of someone's own stories, and who can read it. `cut`: only the beginning is shown; `number` counts from the
    newest, as in "my stories"; `in_thread`: it is a message they wrote themselves."""

    story: str
    text: str
    told_at: datetime
    place: str
    named: bool
    readers: Readers
    in_thread: bool
    ripples: int
    number: int
    cut: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"story": self.story}
        look = (Press(name="look", intent="story.mine", args={"number": str(self.number)}),) if self.cut else ()
        if self.in_thread:
            return (*look, Press(name="take_back", intent="story.take_back", args=about, style="danger", confirm=True))
        return (
            *look,
            Press(name="change", intent="story.change", args=about),
            Press(name="withdraw", intent="story.withdraw", args=about, style="danger", confirm=True),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            story="s1",
            text=EXAMPLE_STORY,
            told_at=datetime(2027, 2, 25, 13, tzinfo=UTC),
            place="wijkteam-zuid",
            named=True,
            readers=Readers.MOVEMENT,
            in_thread=False,
            ripples=2,
            number=1,
        )


class HomeStories(Entry):
    """Someone's latest stories in this movement; `older` is the number of the first one not shown, 0 when all are."""

    stories: tuple[HomeStory, ...] = ()
    older: int = 0

    def buttons(self) -> tuple[Press, ...]:
        older = (Press(name="older", intent="story.mine", args={"number": str(self.older)}),) if self.older else ()
        return (Press(name="tell", intent="story"), *older)

    @classmethod
    def example(cls) -> Self:
        return cls(stories=(HomeStory.example(),), older=2)


@dataclass(frozen=True, kw_only=True)
class OwnInitiative:
    """An initiative that someone takes part in; `carried`: as its initiator. `seeks`: nobody carries it now;
    `rests`: who carries it said so."""

    id: str
    name: str
    carried: bool = False
    seeks: bool = False
    rests: bool = False


class HomeInitiatives(Entry):
    """The initiatives someone takes part in, the latest joined first; `more` counts those not shown."""

    initiatives: tuple[OwnInitiative, ...] = ()
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{number}", intent="initiative.look", args={"initiative": one.id})
            for number, one in enumerate(self.initiatives, 1)
        )
        return (*looks, Press(name="all", intent="initiative"))

    @classmethod
    def example(cls) -> Self:
        walk, ask = (
            OwnInitiative(id="i1", name="Wandelen na het eten", carried=True),
            OwnInitiative(id="i2", name="Eén goede vraag"),
        )
        return cls(initiatives=(walk, ask, walk, ask, walk), more=1)


@dataclass(frozen=True, kw_only=True)
class UpcomingMoment:
    """A moment of a rhythm that comes at `at`, or that is skipped (None): the local day `on`, or all from it to `last`.
    `because` and `holiday` say why it is skipped or moved, as in `ComingMoment`; days are those in `timezone`."""

    kind: RhythmKind
    place: str
    at: datetime | None
    on: date | None = None
    last: date | None = None
    because: Literal["", "holiday", "closed", "weekend", "changed", "quiet"] = ""
    holiday: str = ""
    timezone: str = "Europe/Amsterdam"


class HomeMoments(Entry):
    """The next moments in the places of the movement. `crowded`: places whose rhythms ask for more posts
    in a week than may be made."""

    moments: tuple[UpcomingMoment, ...] = ()
    crowded: tuple[str, ...] = ()

    @classmethod
    def example(cls) -> Self:
        comes = UpcomingMoment(kind=RhythmKind.PURPOSE, place="samen-vooruit", at=_EXAMPLE)
        eve, day = date(2027, 4, 26), date(2027, 4, 27)
        skipped = replace(comes, at=None, on=day, because="holiday", holiday="Koningsdag")
        return cls(
            moments=(
                comes,
                replace(comes, at=_EXAMPLE + timedelta(days=1), on=_EXAMPLE.date(), because="closed"),
                skipped,
                replace(skipped, on=eve, last=day + timedelta(days=9), because="closed", holiday=""),
            )
        )


@dataclass(frozen=True, kw_only=True)
class NotedChance:
    """An open chance of someone; `at`: when it comes back, None when it does not."""

    id: str
    text: str
    at: datetime | None = None


class HomeChances(Entry):
    """The open chances that someone noted, the latest first; never empty."""

    chances: tuple[NotedChance, ...]

    def buttons(self) -> tuple[Press, ...]:
        return tuple(
            Press(name=f"look_{number}", intent="chance.look", args={"chance": one.id})
            for number, one in enumerate(self.chances, 1)
        )

    @classmethod
    def example(cls) -> Self:
        return cls(chances=(NotedChance(id="k1", text="De wethouder komt vrijdag onverwacht langs", at=_EXAMPLE),) * 3)


class HomePurpose(Entry):
    """The vision and the first core messages. `vision` is empty when no purpose was written yet; the button to write it
    is for those who `may_write`."""

    vision: str = ""
    core_messages: tuple[str, ...] = ()
    may_write: bool = False

    def buttons(self) -> tuple[Press, ...]:
        if self.vision:
            return (Press(name="whole", intent="purpose"),)
        return (Press(name="write", intent="purpose.change"),) if self.may_write else ()

    @classmethod
    def example(cls) -> Self:
        return cls(
            vision="Wie thuis zorg krijgt, doet zelf wat zelf nog kan, en wij doen mee.",
            core_messages=("Vraag eerst.", "Een kleine stap telt."),
            may_write=True,
        )


class HomeSent(Entry):
    """The messages that Ritme started by itself towards someone this week. `quiet`: they are snoozed or stopped."""

    sent: tuple[ListedNudge, ...] = ()
    quiet: bool = False

    def buttons(self) -> tuple[Press, ...]:
        kept = Press(name="kept", intent="me")
        if self.quiet:
            return (kept,)
        return (kept, Press(name="snooze", intent="me.snooze"), Press(name="stop", intent="stop"))

    @classmethod
    def example(cls) -> Self:
        return cls(sent=(ListedNudge(kind="follow_up", at=datetime(2027, 2, 26, 8, tzinfo=UTC)),))


class HomeSuggested(Entry):
    """Says whether someone may be suggested in this movement, and in which others (`elsewhere`, by name); how often a
    colleague was shown their name as somebody to invite, and how often they were asked something, within the last
    `MONTH`, over all movements together. Without `counts` (in works-council mode) neither is said."""

    movement: str
    movement_name: str
    yes: bool = False
    elsewhere: tuple[str, ...] = ()
    suggested_times: int = 0
    asked_times: int = 0
    counts: bool = True

    def buttons(self) -> tuple[Press, ...]:
        about = {"movement": self.movement}
        if self.yes:
            return (Press(name="withdraw", intent="suggest.no", args=about),)
        return (Press(name="allow", intent="suggest.yes", args=about),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            movement="m1",
            movement_name="Samen vooruit",
            yes=True,
            elsewhere=("Buiten is beter",),
            suggested_times=2,
            asked_times=1,
        )


class HomeRhythms(Entry):
    """For coordinators: the rhythms with their next five moments; `more` counts those not shown."""

    rhythms: tuple[RhythmSummary, ...] = ()
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{number}", intent="rhythm.look", args={"rhythm": one.id})
            for number, one in enumerate(self.rhythms, 1)
        )
        year = (Press(name="year", intent="rhythm.year"),) if self.rhythms else ()
        return (*looks, *year, Press(name="new", intent="rhythm.new"), Press(name="reach", intent="reach"))

    @classmethod
    def example(cls) -> Self:
        weekly = RhythmSummary(
            id="r1",
            kind=RhythmKind.PURPOSE,
            place="samen-vooruit",
            every=1,
            nth=0,
            days=(0,),
            at=time(9),
            moments=tuple(datetime(2027, 3, day, 8, tzinfo=UTC) for day in (8, 15, 22)),
        )
        return cls(rhythms=(weekly,) * 6, more=1)


class HomeTrouble(Entry):
    """For coordinators: messages that were held back or failed lately, and why; never empty."""

    held: tuple[UnsentMessage, ...]

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="all", intent="rhythm"),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            held=(UnsentMessage(kind="rhythm_purpose", at=datetime(2027, 2, 22, 8, tzinfo=UTC), reason="too_late"),)
        )


@dataclass(frozen=True, kw_only=True)
class OtherMovement:
    """Another movement that someone belongs to, to switch to."""

    id: str
    name: str


class Home(PageEntry):
    """Someone's home page. Without a `movement` (its id) it says where to begin; `gone`: they were just forgotten;
    `pages`: there are pages in a browser too."""

    name: str = ""
    movement: str = ""
    movement_name: str = ""
    elsewhere: tuple[OtherMovement, ...] = ()
    snoozed_until: datetime | None = None
    stopped: bool = False
    gone: bool = False
    steps: HomeSteps | None = None
    spells: HomeSpells | None = None
    stories: HomeStories | None = None
    initiatives: HomeInitiatives | None = None
    chances: HomeChances | None = None
    moments: HomeMoments | None = None
    purpose: HomePurpose | None = None
    sent: HomeSent | None = None
    suggested: HomeSuggested | None = None
    rhythms: HomeRhythms | None = None
    trouble: HomeTrouble | None = None
    pages: bool = False

    def buttons(self) -> tuple[Press, ...]:
        if self.gone:
            return ()
        back: tuple[Press, ...] = ()
        if self.stopped:
            back = (Press(name="come_back", intent="me.come_back", style="primary"),)
        elif self.snoozed_until is not None:
            back = (Press(name="wake", intent="me.wake", style="primary"),)
        take_part = (Press(name="stuck", intent="stuck"), Press(name="chance", intent="chance"))
        switch = tuple(
            Press(name=f"switch_{number}", intent="home.switch", args={"to": one.id})
            for number, one in enumerate(self.elsewhere, 1)
        )
        board = (Press(name="board", intent="board"),) if self.pages else ()
        settings = Press(name="settings", intent="me.settings")
        return (*back, *(take_part if self.movement else ()), *board, settings, *switch)

    def sections(self) -> tuple[Entry, ...]:
        steps = (self.steps, *self.steps.steps) if self.steps else ()
        spells = (self.spells, *self.spells.spells) if self.spells else ()
        stories = (self.stories, *self.stories.stories) if self.stories else ()
        rest = (self.chances, self.initiatives, self.moments, self.purpose, self.suggested, self.sent)
        of_coordinators = (self.rhythms, self.trouble)
        return tuple(one for one in chain(steps, spells, stories, rest, of_coordinators) if one is not None)

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Fatima",
            movement="m1",
            movement_name="Samen vooruit",
            elsewhere=tuple(OtherMovement(id=f"m{number}", name=f"Buurt {number}") for number in range(2, 6)),
            steps=HomeSteps.example(),
            spells=HomeSpells.example(),
            stories=HomeStories.example(),
            initiatives=HomeInitiatives.example(),
            chances=HomeChances.example(),
            moments=HomeMoments.example(),
            purpose=HomePurpose.example(),
            sent=HomeSent.example(),
            suggested=HomeSuggested.example(),
            rhythms=HomeRhythms.example(),
            trouble=HomeTrouble.example(),
            pages=True,
        )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the whole page, and every kind of page that has less on it; for the gallery and the tests."""
        empty = cls(
            name="Jan",
            movement="m1",
            movement_name="Samen vooruit",
            steps=HomeSteps(),
            stories=HomeStories(),
            initiatives=HomeInitiatives(),
            moments=HomeMoments(),
            purpose=HomePurpose(),
            sent=HomeSent(),
            suggested=HomeSuggested(movement="m1", movement_name="Samen vooruit"),
        )
        return (
            cls.example(),
            empty,
            cls(name="Jan"),
            cls(name="Jan", movement="m1", movement_name="Samen vooruit", stopped=True, sent=HomeSent(quiet=True)),
            cls(name="Jan", movement="m1", movement_name="Samen vooruit", snoozed_until=_EXAMPLE),
            cls(gone=True),
        )
