"""Messages about being stuck."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import YES, Ask, Entry, FormEntry, Pick, Press
from bot.catalogue.stories import EXAMPLE_STORY, read_on_button
from bot.domain.initiative import MAX_STUCK_CHARS, Audience, EpisodeState, StuckEpisode, StuckKind
from bot.domain.stuck_return import IN_A_MONTH, IN_A_WEEK, NOT_AGAIN

MAX_FIELD_CHARS = 3000
"""Characters that the narrowest platform lets a form field hold."""

IN_PLACE = "in_place"
"""The argument of a button whose answer replaces the message it stands under: all that is worth keeping is said
again, or elsewhere."""
REPLACES = {IN_PLACE: YES}
SOLVED_CHARS = 160
"""Characters of a story shown to someone who is stuck: a line or two."""


def solved_button(episode: str, solved: bool) -> tuple[Press, ...]:
    """Return the button to see who solved this before, where somebody did."""
    return (Press(name="solved", intent="stuck.solved", args={"episode": episode}),) if solved else ()


class StuckForm(FormEntry):
    """The form to report being stuck: in which initiative, what is going on, of which kind, and who may see it.

    `place` names the channel that is meant by "this channel"; `too_long`: what was typed has to be shortened;
    `read_by_others`: colleagues were asked to think along, and read what is for oneself.
    """

    intent: ClassVar[str] = "stuck.report"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="initiative", kind="choice", required=False),
        Ask(name="text", kind="long_text", max_length=MAX_STUCK_CHARS),
        Ask(name="kind", kind="choice", options=tuple(StuckKind)),
        Ask(name="audience", kind="choice", options=tuple(Audience)),
        Ask(name="helpers", kind="people", required=False, max_items=5),
    )
    place: str = ""
    too_long: bool = False
    read_by_others: bool = False

    def visible_asks(self) -> tuple[Ask, ...]:
        """Leave out the choice of an initiative when there is none; give a text that is too long the room it takes."""
        room = max(MAX_STUCK_CHARS, len(str(self.values.get("text", ""))))
        asks = (replace(ask, max_length=room) if ask.name == "text" else ask for ask in self.asks)
        return tuple(ask for ask in asks if ask.name != "initiative" or self.options.get("initiative"))

    @classmethod
    def example(cls) -> Self:
        return cls(
            place="wijkteam-noord",
            options={"initiative": (Pick(value="i1", label="Wandelen na het eten"),)},
        )


class StuckTooLong(Entry):
    """A text longer than even a form can hold, given back whole so that nothing is lost."""

    text: str

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="open_form", intent="stuck.new", style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(text="We proberen al weken om samen te wandelen. " * 80)


class StuckWelcomed(Entry):
    """The welcome of being stuck: what was kept, and three curious questions (blocks of `stuck/questions.md.j2`).

    `helpers` names those who read along when the audience is "helpers"; `place` the channel when it is "channel", and
    `held` that it comes there once that can be reached again; `read_by_others`: colleagues were asked to think along.
    `solved`: there are stories of others who went on from something alike.
    `text` was added to what was told `before`, if anything; then `part` says where it stands (see `Addition`), `was`
    and `kind` of which kind the one and the other are. `rules`: it is about rules or permission, so that asking for
    room may help.
    """

    episode: str
    initiative: str
    questions: tuple[str, ...]
    audience: Audience
    helpers: tuple[str, ...] = ()
    place: str = ""
    held: bool = False
    text: str = ""
    before: str = ""
    part: str = ""
    was: StuckKind = StuckKind.OTHER
    kind: StuckKind = StuckKind.OTHER
    read_by_others: bool = False
    solved: bool = False
    rules: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode}
        added = {**about, "part": self.part, "was": self.was.value, "kind": self.kind.value}
        room = (Press(name="ask_room", intent="room.ask", args=about),) if self.rules else ()
        apart = (Press(name="take_apart", intent="stuck.take_apart", args=added),) if self.part else ()
        return (
            Press(name="choose_step", intent="step", args=about, style="primary"),
            *apart,
            *room,
            *solved_button(self.episode, self.solved),
            Press(name="invite", intent="connect", args=about),
            Press(name="company", intent="company", args=about),
            Press(name="change", intent="stuck.change", args=about),
            Press(name="not_now", intent="stuck.not_now", args=about | REPLACES),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            episode="e1",
            initiative="Wandelen na het eten",
            questions=("reach_1", "reach_2", "reach_3"),
            audience=Audience.ME,
            before="De nachtdienst hoort pas als laatste wat we doen",
            text="En met de avonddienst lukt het ook niet",
            part="48:39:0a1b2c",
            solved=True,
        )


@dataclass(frozen=True, kw_only=True)
class SolvedStory:
    """A story about a breakthrough. `teller` is empty when it was told without a name; `person`: they may be asked."""

    story: str
    text: str
    teller: str = ""
    person: str = ""


class SolvedBefore(Entry):
    """Stories of others who went on from something alike, in a line or two each; never who was stuck. `is_open`: the
    reader is still stuck."""

    episode: str
    stories: tuple[SolvedStory, ...] = ()
    is_open: bool = True

    def buttons(self) -> tuple[Press, ...]:
        asks = tuple(
            Press(name=f"ask_{number}", intent="invite", args={"person": one.person, "story": one.story})
            for number, one in enumerate(self.stories, 1)
            if one.person
        )
        step = Press(name="choose_step", intent="step", args={"episode": self.episode}, style="primary")
        read_on = read_on_button(*((one.story, one.text) for one in self.stories), most=SOLVED_CHARS)
        return (*asks, *read_on, *((step,) if self.is_open else ()))

    @classmethod
    def example(cls) -> Self:
        walked = SolvedStory(story="s1", text=f"{EXAMPLE_STORY} " * 2, teller="Jan", person="p1")
        return cls(episode="e1", stories=(walked, SolvedStory(story="s2", text=EXAMPLE_STORY), walked))


class StuckTakenApart(Entry):
    """Confirmation that words that were added to an open episode are one of their own now, for the same readers.
    `held`: the channel reads them once it can be reached again."""

    episode: str
    other: str
    initiative: str
    text: str
    other_text: str
    audience: Audience
    helpers: tuple[str, ...] = ()
    place: str = ""
    held: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="take_first", intent="stuck.go_on", args={"episode": self.episode}),
            Press(name="take_second", intent="stuck.go_on", args={"episode": self.other}),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            episode="e1",
            other="e2",
            initiative="Wandelen na het eten",
            text="De nachtdienst hoort pas als laatste wat we doen",
            other_text="En met de avonddienst lukt het ook niet",
            audience=Audience.ME,
        )


class StuckAlready(Entry):
    """The question about an episode that is open already: go on with it, it moves again, let it go, or is this new?

    `others`: how many more are open.
    """

    episode: str
    initiative: str
    text: str
    others: int = 0

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode, **REPLACES}
        return (
            Press(name="go_on", intent="stuck.go_on", args=about, style="primary"),
            Press(name="moves_again", intent="stuck.moves_again", args=about),
            Press(name="let_go", intent="stuck.let_go", args=about),
            *((Press(name="show_other", intent="stuck.other", args=about),) if self.others else ()),
            Press(name="something_new", intent="stuck.new"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            episode="e1", initiative="Wandelen na het eten", text="De nachtdienst hoort pas als laatste wat we doen"
        )


class StuckPosted(Entry):
    """The post in a channel: someone is stuck and would like to hear from others. `state` tells how it ended, once it
    has."""

    name: str
    initiative: str
    text: str
    state: EpisodeState = EpisodeState.OPEN

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Fatima",
            initiative="Wandelen na het eten",
            text="De nachtdienst hoort pas als laatste wat we doen",
        )


class NotNow(Entry):
    """The reply to "not now"; the episode stays open. Ritme comes back to it once, `at` a moment that can be chosen
    until it is `chosen`; without one it rests."""

    initiative: str
    episode: str = ""
    at: datetime | None = None
    chosen: bool = False

    def buttons(self) -> tuple[Press, ...]:
        if not self.episode or self.chosen or self.at is None:
            return ()
        return tuple(
            Press(name=after, intent="stuck.return", args={"episode": self.episode, "after": after})
            for after in (IN_A_WEEK, IN_A_MONTH, NOT_AGAIN)
        )

    @classmethod
    def example(cls) -> Self:
        return cls(initiative="Wandelen na het eten", episode="e1", at=datetime(2027, 3, 8, 9, tzinfo=UTC))


class StuckReturn(Entry):
    """The one gentle question about an episode of which nobody heard since; then it rests."""

    episode: str
    initiative: str
    text: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode, **REPLACES}
        return (
            Press(name="go_on", intent="stuck.go_on", args=about, style="primary"),
            Press(name="moves_again", intent="stuck.moves_again", args=about),
            Press(name="let_go", intent="stuck.let_go", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            episode="e1", initiative="Wandelen na het eten", text="De nachtdienst hoort pas als laatste wat we doen"
        )


class StuckEnded(Entry):
    """Confirmation that an episode ended, as a breakthrough or let go: both are welcome, and both may be a story."""

    initiative: str
    initiative_id: str
    state: EpisodeState
    episode: str = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.initiative_id, "episode": self.episode}
        about = {name: value for name, value in about.items() if value}
        return (Press(name="tell_story", intent="story", args=about, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(initiative="Wandelen na het eten", initiative_id="i1", state=EpisodeState.BREAKTHROUGH, episode="e1")


class StuckStands(Entry):
    """The reply to an old button of an episode that was closed since."""

    initiative: str
    state: EpisodeState
    closed_at: datetime

    @classmethod
    def of(cls, episode: StuckEpisode, initiative: str) -> Self:
        """Return the state of a closed episode. `initiative` is the name of its initiative."""
        return cls(initiative=initiative, state=episode.state, closed_at=episode.closed_at or episode.opened_at)

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="stuck_again", intent="stuck.new"),)

    @classmethod
    def example(cls) -> Self:
        return cls(
            initiative="Wandelen na het eten",
            state=EpisodeState.LET_GO,
            closed_at=datetime(2027, 2, 25, 9, 0, tzinfo=UTC),
        )
