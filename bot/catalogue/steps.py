"""Messages about the small next step: choosing it, its follow-up, and the chance that asks for one."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import ClassVar, Self

from bot.catalogue.base import NO, YES, Ask, Entry, FormEntry, OutsideEntry, Pick, Press
from bot.domain.api_token import Scope
from bot.domain.movement import Movement
from bot.domain.next_step import ChanceState, NextStep, StepState
from bot.domain.person import Person
from bot.domain.quiet_hours import arrival_of
from bot.domain.webhook import MovementEvent

_CHANCE = "De wethouder komt vrijdag onverwacht langs"


class StepForm(FormEntry):
    """The form for an if-then plan: cue, action and moment. `smaller`: the one friendly try to make it smaller.

    `chance` is the text of the chance it starts from; `post`: it can be posted where they are (in `place`). What it is
    about is asked where something is open that it may belong to.
    """

    intent: ClassVar[str] = "step.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="about", kind="choice", required=False),
        Ask(name="cue"),
        Ask(name="action"),
        Ask(name="day", kind="date"),
        Ask(name="at", kind="time"),
        Ask(name="with_whom", required=False),
        Ask(name="on_my_own", kind="choice", options=(YES, NO)),
        Ask(name="post", kind="choice", required=False, options=(NO, YES)),
    )
    smaller: bool = False
    chance: str = ""
    post: bool = False
    place: str = ""

    def visible_asks(self) -> tuple[Ask, ...]:
        shown = {"post": self.post, "about": bool(self.options.get("about"))}
        return tuple(ask for ask in self.asks if shown.get(ask.name, True))

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={"day": "2027-03-02", "at": "09:00"},
            options={"about": (Pick(value="e1", label="We proberen al weken om samen te wandelen."),)},
            earliest=date(2027, 3, 1),
            latest=date(2027, 3, 15),
            post=True,
            place="wijkteam-noord",
        )


class StepPlanned(Entry):
    """The plan, echoed back as if-then. `posted`: others read it too, in the channel `held` once that can be reached
    again (its name; empty where it can be reached); `comes`: it is followed up, `at` that moment, as
    for anyone who did not stop Ritme. `tried`: it belongs to an experiment."""

    step: str
    cue: str
    action: str
    with_whom: str
    at: datetime
    posted: bool = False
    held: str = ""
    comes: bool = True
    tried: bool = False

    @classmethod
    def of(cls, step: NextStep, owner: Person, timezone: str, movement: Movement | None) -> Self:
        """Return the echo of a step to its owner, in whose time zone they are now."""
        return cls(
            step=step.id,
            cue=step.cue,
            action=step.action,
            with_whom=step.with_whom,
            at=arrival_of(owner, timezone, movement, step.follow_up_at),
            posted=step.posted,
            comes=owner.stopped_at is None,
            tried=step.experiment_id is not None,
        )

    def buttons(self) -> tuple[Press, ...]:
        back = () if self.comes else (Press(name="come_back", intent="me.come_back"),)
        about = {"step": self.step}
        tries = () if self.tried else (Press(name="experiment", intent="experiment", args=about),)
        return (Press(name="let_go", intent="step.let_go", args=about), *tries, *back)

    @classmethod
    def example(cls) -> Self:
        return cls(
            step="s1",
            cue="de overdracht dinsdag klaar is",
            action="vraag ik Samira hoe de nacht was",
            with_whom="Jan",
            at=datetime(2027, 3, 2, 8, 0, tzinfo=UTC),
        )


class StepPosted(Entry):
    """The post in a channel or thread that tells what someone is going to try."""

    name: str
    cue: str
    action: str
    with_whom: str

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Fatima", cue="de overdracht dinsdag klaar is", action="vraag ik Samira hoe de nacht was", with_whom=""
        )


class FollowUp(Entry):
    """The follow-up of a step at its moment. `round` counts the moments it had before.

    `promised` is the moment it was promised for, in the time zone `promised_in`, when it comes later than that;
    `was_quiet`: because the person made it quiet then.
    """

    step: str
    round: int
    cue: str
    action: str
    promised: datetime | None = None
    promised_in: str = ""
    was_quiet: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"step": self.step, "round": str(self.round)}
        return (
            Press(name="done", intent="step.done", args=about, style="primary"),
            Press(name="something_else", intent="step.else", args=about),
            Press(name="not_yet", intent="step.not_yet", args=about),
            Press(name="still_stuck", intent="step.still_stuck", args=about),
            Press(name="let_go", intent="step.let_go", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(step="s1", round=0, cue="de overdracht dinsdag klaar is", action="vraag ik Samira hoe de nacht was")


class FollowUpAgain(Entry):
    """The lighter follow-up, once, of a step that nobody answered about. After it the step rests."""

    step: str
    round: int
    cue: str
    action: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"step": self.step, "round": str(self.round)}
        return (
            Press(name="done", intent="step.done", args=about, style="primary"),
            Press(name="not_yet", intent="step.not_yet", args=about),
            Press(name="let_go", intent="step.let_go", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(step="s1", round=0, cue="de overdracht dinsdag klaar is", action="vraag ik Samira hoe de nacht was")


class OutcomeAsked(Entry):
    """The question, once, what happened when a step was done, or (by `state`) something else instead."""

    step: str
    round: int
    action: str
    state: StepState

    def buttons(self) -> tuple[Press, ...]:
        intent = "step.done" if self.state is StepState.DONE else "step.else"
        return (Press(name="tell", intent=intent, args={"step": self.step, "round": str(self.round)}, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(step="s1", round=0, action="vraag ik Samira hoe de nacht was", state=StepState.DONE)


class StepMoveForm(FormEntry):
    """The form for a new moment, after "not yet"."""

    intent: ClassVar[str] = "step.move"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="day", kind="date"), Ask(name="at", kind="time"))

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={"day": "2027-03-02", "at": "09:00"},
            hidden={"step": "s1", "round": "0"},
            earliest=date(2027, 3, 1),
            latest=date(2027, 3, 15),
        )


class NotYetAgain(Entry):
    """The reply to a second "not yet": make it smaller, or let it go."""

    step: str
    action: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"step": self.step}
        return (
            Press(name="make_smaller", intent="step.smaller", args=about, style="primary"),
            Press(name="let_go", intent="step.let_go", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(step="s1", action="vraag ik Samira hoe de nacht was")


class StillStuck(Entry):
    """The reply to the first "still stuck", with ways to go on. A step without an `episode` can begin one."""

    episode: str

    def buttons(self) -> tuple[Press, ...]:
        if not self.episode:
            return (Press(name="tell", intent="stuck.new", style="primary"), Press(name="choose_step", intent="step"))
        about = {"episode": self.episode}
        return (
            Press(name="ask_me", intent="stuck.go_on", args=about, style="primary"),
            Press(name="choose_step", intent="step", args=about),
            Press(name="company", intent="company", args=about),
            Press(name="let_go", intent="stuck.let_go", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(episode="e1")


class StepOutcomeForm(OutsideEntry, FormEntry):
    """The form to tell in one's own words what happened."""

    read_by: ClassVar[tuple[Scope | MovementEvent, ...]] = (MovementEvent.STEPS_DONE,)
    intent: ClassVar[str] = "step.tell"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="outcome", kind="long_text", max_length=1500),)
    action: str = ""

    @classmethod
    def example(cls) -> Self:
        return cls(action="vraag ik Samira hoe de nacht was", hidden={"step": "s1"})


class StepWelcomed(Entry):
    """The welcome of an outcome, with the offer to tell it as a story. `episode` is the open episode it belongs to, if
    any."""

    step: str
    outcome: str
    episode: str = ""

    def buttons(self) -> tuple[Press, ...]:
        story = Press(name="tell_story", intent="story", args={"step": self.step}, style="primary")
        if not self.episode:
            return (story, Press(name="another_step", intent="step"))
        about = {"episode": self.episode}
        return (
            story,
            Press(name="moves_again", intent="stuck.moves_again", args=about),
            Press(name="another_step", intent="step", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(step="s1", outcome="Samira loopt donderdag mee, en neemt iemand van de nacht mee.", episode="e1")


class StepLetGo(Entry):
    """Confirmation that a step was let go, in good grace."""

    episode: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if not self.episode:
            return (Press(name="another_step", intent="step"),)
        about = {"episode": self.episode}
        return (
            Press(name="another_step", intent="step", args=about),
            Press(name="moves_again", intent="stuck.moves_again", args=about),
            Press(name="let_all_go", intent="stuck.let_go", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(episode="e1")


class StepStands(Entry):
    """The reply to an old button of a step that was moved or closed since. `at`: its moment while planned, else when it
    closed. `comes`: one that is planned is followed up; `rests`: since when it was, and nothing comes any more."""

    step: str
    action: str
    state: StepState
    at: datetime
    comes: bool = True
    rests: datetime | None = None
    round: int = 0

    @classmethod
    def of(
        cls, step: NextStep, owner: Person, timezone: str, movement: Movement | None, rests: datetime | None
    ) -> Self:
        """Return the present state of a step of its owner, in whose time zone they are now."""
        comes_at = arrival_of(owner, timezone, movement, step.follow_up_at)
        at = comes_at if step.is_planned else step.closed_at or step.follow_up_at
        comes = owner.stopped_at is None
        return cls(
            step=step.id,
            action=step.action,
            state=step.state,
            at=at,
            comes=comes,
            rests=rests,
            round=step.not_yet,
        )

    def buttons(self) -> tuple[Press, ...]:
        if self.rests is not None:
            about = {"step": self.step, "round": str(self.round)}
            return (Press(name="pick_up", intent="step.pick_up", args=about),)
        return (Press(name="another_step", intent="step"),) if self.state is not StepState.PLANNED else ()

    @classmethod
    def example(cls) -> Self:
        return cls(
            step="s1",
            action="vraag ik Samira hoe de nacht was",
            state=StepState.DONE,
            at=datetime(2027, 2, 25, 9, 0, tzinfo=UTC),
        )


class ChanceForm(FormEntry):
    """The form to note a chance. `too_long`: what was typed has to be shortened."""

    intent: ClassVar[str] = "chance.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="text", kind="long_text", max_length=500),
        Ask(name="day", kind="date", required=False),
        Ask(name="shared", kind="choice", required=False, options=(NO, YES)),
    )
    too_long: bool = False

    def visible_asks(self) -> tuple[Ask, ...]:
        """Return the fields with room for a text that is too long, so that nothing of it is lost."""
        text, *rest = self.asks
        return (replace(text, max_length=max(text.max_length, len(str(self.values.get("text", ""))))), *rest)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"day": "2027-03-09", "shared": NO}, earliest=date(2027, 3, 2), latest=date(2027, 6, 1))


class ChanceNoted(Entry):
    """Confirmation that a chance was noted, with one question that leads to a step. `at`: when it comes back, None when
    it does not; `shared`: it may stand in the look-back of the movement."""

    chance: str
    text: str
    at: datetime | None = None
    shared: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="choose_step", intent="step", args={"chance": self.chance}, style="primary"),)

    @classmethod
    def example(cls) -> Self:
        return cls(chance="k1", text=_CHANCE, at=datetime(2027, 3, 9, 8, tzinfo=UTC))


class ChanceAsked(Entry):
    """The question what became of a chance, at its moment. `round` counts the moments it had before."""

    chance: str
    text: str
    round: int = 0

    def buttons(self) -> tuple[Press, ...]:
        about = {"chance": self.chance}
        return (
            Press(name="seized", intent="chance.seize", args=about, style="primary"),
            Press(name="still_open", intent="chance.keep", args={**about, "round": str(self.round)}),
            Press(name="is_gone", intent="chance.let_pass", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(chance="k1", text=_CHANCE)


class ChanceKept(Entry):
    """Confirmation that a chance stays open; `at`: when it comes back once more, None when it does not."""

    text: str
    at: datetime | None = None

    @classmethod
    def example(cls) -> Self:
        return cls(text=_CHANCE, at=datetime(2027, 3, 16, 8, tzinfo=UTC))


class ChanceClosed(Entry):
    """The reply to what became of a chance; one that was seized leads to a step or a story."""

    chance: str
    text: str
    state: ChanceState

    def buttons(self) -> tuple[Press, ...]:
        if self.state is not ChanceState.SEIZED:
            return ()
        return (
            Press(name="tell_story", intent="story", args={"prefill": self.text}, style="primary"),
            Press(name="choose_step", intent="step", args={"chance": self.chance}),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(chance="k1", text=_CHANCE, state=ChanceState.SEIZED)
