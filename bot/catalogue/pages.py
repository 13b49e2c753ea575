"""The pages in a browser: the link to them, who opened them where, and what only they show."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

from bot.catalogue.base import Entry, PageEntry, Press, ToPages
from bot.catalogue.stories import StoryWhy
from bot.domain.week_figures import WeekFigures

SESSIONS_SHOWN = 6
"""Sessions with a button of their own: the template has words for so many."""
_AT = datetime(2027, 3, 1, 8, tzinfo=UTC)


class BoardLink(Entry):
    """The link by which someone opens their pages, once, until a moment; then on the pages of a `movement`."""

    session: str
    until: datetime
    movement: str = ""

    def buttons(self) -> tuple[Press, ...]:
        leads = ToPages(session=self.session, until=self.until, movement=self.movement)
        return (Press(name="open", intent="board", style="primary", leads=leads),)

    @classmethod
    def example(cls) -> Self:
        return cls(session="s1", until=_AT, movement="m1")


class BoardOff(Entry):
    """Tells that there are no pages here, and what would turn them on."""

    @classmethod
    def example(cls) -> Self:
        return cls()


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A device on which someone's pages are open, since and until when. `here`: the one that shows this."""

    id: str
    device: str
    since: datetime
    until: datetime
    here: bool = False


class BoardSessions(Entry):
    """The devices on which someone's pages are open, to end there; `more` are not listed. `ended`: one just was."""

    sessions: tuple[OpenSession, ...] = ()
    more: int = 0
    ended: bool = False

    def buttons(self) -> tuple[Press, ...]:
        each = tuple(
            Press(name=f"end_{number}", intent="board.end", args={"session": one.id})
            for number, one in enumerate(self.sessions, 1)
        )
        every = (Press(name="end_all", intent="board.end", style="danger"),) if len(self.sessions) > 1 else ()
        return (*each, *every)

    @classmethod
    def example(cls) -> Self:
        phone = OpenSession(id="s1", device="Safari, iPhone", since=_AT, until=_AT.replace(hour=16), here=True)
        return cls(sessions=(phone,) * SESSIONS_SHOWN, more=1, ended=True)


class PagePatch(Entry):
    """One initiative on the page of a movement: its name and what it tries. `seeks`: nobody carries it now; `rests`:
    who carries it said so; `mine`: the reader takes part."""

    id: str
    name: str
    trying: str = ""
    seeks: bool = False
    rests: bool = False
    mine: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.id}
        look = Press(name="look", intent="initiative.look", args=about)
        if self.mine:
            return (look,)
        join = Press(name="join", intent="initiative.join", args=about)
        return (look, join, *((Press(name="carry", intent="initiative.carry", args=about),) if self.seeks else ()))

    @classmethod
    def example(cls) -> Self:
        return cls(id="i1", name="Wandelen na het eten", trying="Samen een stukje lopen.", seeks=True)


class PagePatches(PageEntry):
    """The initiatives of a movement, side by side; `more` are not shown."""

    patches: tuple[PagePatch, ...] = ()
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="make", intent="initiative.make"),)

    def sections(self) -> tuple[Entry, ...]:
        return self.patches

    @classmethod
    def example(cls) -> Self:
        return cls(patches=(PagePatch.example(),), more=1)


class PageStory(Entry):
    """One story that everyone in the movement may read: by whom ("" for nobody who may be named), when, of which
    initiative, and how many do this too. `mine`: the reader told it."""

    story: str
    text: str
    teller: str = ""
    told_at: datetime
    about: str = ""
    ripples: int = 0
    mine: bool = False
    whys: tuple[StoryWhy, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        return () if self.mine else (Press(name="ripple", intent="ripple", args={"story": self.story}),)

    @classmethod
    def example(cls) -> Self:
        return cls(story="v1", text="De buurvrouw liep mee.", teller="Fatima", told_at=_AT, about="Wandelen", ripples=2)


class PageStories(PageEntry):
    """The latest stories, of a movement or an initiative, that everyone in the movement may read."""

    stories: tuple[PageStory, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="tell", intent="story"),)

    def sections(self) -> tuple[Entry, ...]:
        return self.stories

    @classmethod
    def example(cls) -> Self:
        return cls(stories=(PageStory.example(),))


@dataclass(frozen=True, kw_only=True)
class PageReason:
    """A reason for which messages were not sent, a block of `errors/reasons.md.j2`, and (about) how many."""

    reason: str
    many: int


class PageWeeks(Entry):
    """Posts and messages that went out in the last whole weeks, the latest first, and why the rest did not: of posts of
    rhythms (`not_posted`) exactly, of personal messages (`not_sent`) rounded."""

    weeks: tuple[WeekFigures, ...] = ()
    not_posted: tuple[PageReason, ...] = ()
    not_sent: tuple[PageReason, ...] = ()

    @classmethod
    def example(cls) -> Self:
        return cls(
            weeks=(
                WeekFigures(monday=date(2027, 2, 22), posted=2, missed=1, sent=25, unsent=5),
                WeekFigures(monday=date(2027, 2, 15), posted=1, sent=20),
                WeekFigures(monday=date(2027, 2, 8)),
            ),
            not_posted=(PageReason(reason="quiet_hours", many=1),),
            not_sent=(PageReason(reason="budget", many=10), PageReason(reason="too_late", many=5)),
        )


@dataclass(frozen=True, kw_only=True)
class PageAnswersLine:
    """How often a kind of rhythm was posted, and about how many answers it got; None for those of fewer than five
    people."""

    kind: str
    posts: int
    answers: int | None = None


class PageAnswers(Entry):
    """Answers to the posts of rhythms in the last whole weeks, for the movement as a whole."""

    lines: tuple[PageAnswersLine, ...] = ()

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="harvest", intent="harvest"),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            lines=(
                PageAnswersLine(kind="rhythm_check_in", posts=6),
                PageAnswersLine(kind="rhythm_stories", posts=12, answers=25),
            )
        )


class PageSettings(Entry):
    """All that a coordinator can set for a movement, in so many `places`."""

    name: str
    places: int = 1

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="purpose", intent="purpose.change"),
            Press(name="country", intent="country"),
            Press(name="closed", intent="rhythm.closed"),
            Press(name="hours", intent="hours"),
            *((Press(name="place", intent="rhythm.place"),) if self.places else ()),
            Press(name="groups", intent="groups"),
            Press(name="code", intent="code"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit", places=2)
