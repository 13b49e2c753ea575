"""Messages about experiments: what is tried, until when, how it will be noticed, and what is decided."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Pick, Press
from bot.domain.experiment import Decision, Experiment, ExperimentState

MAX_TRYING_CHARS, MAX_LEARNED_CHARS = 500, 300
_ENDS = datetime(2027, 3, 16, 8, tzinfo=UTC)
_TRYING = "Na de warme maaltijd lopen we met wie wil een rondje"
_SIGN = "Wie meeliep, vraagt er zelf om"


class ExperimentForm(FormEntry):
    """The form of an experiment. Which initiative it belongs to is asked where the maker takes part in one."""

    intent: ClassVar[str] = "experiment.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="trying", kind="long_text", max_length=MAX_TRYING_CHARS),
        Ask(name="day", kind="date"),
        Ask(name="sign", max_length=MAX_LEARNED_CHARS),
        Ask(name="initiative", kind="choice", required=False),
    )

    def visible_asks(self) -> tuple[Ask, ...]:
        return tuple(ask for ask in self.asks if ask.name != "initiative" or self.options.get("initiative"))

    @classmethod
    def example(cls) -> Self:
        return cls(
            values={"day": "2027-03-16"},
            options={"initiative": (Pick(value="i1", label="Wandelen na het eten"),)},
            earliest=date(2027, 3, 2),
            latest=date(2027, 6, 1),
        )


@dataclass(frozen=True, kw_only=True)
class ExperimentSummary:
    """One experiment in a list."""

    id: str
    trying: str
    state: ExperimentState
    ends_at: datetime
    rests_from: datetime
    decision: str = ""

    @classmethod
    def of(cls, experiment: Experiment, now: datetime) -> Self:
        """Return the summary of an experiment at a moment."""
        return cls(
            id=experiment.id,
            trying=experiment.trying,
            state=experiment.state_at(now),
            ends_at=experiment.ends_at,
            rests_from=experiment.rests_from,
            decision=experiment.decision or "",
        )


class ExperimentsListed(Entry):
    """The experiments that somebody made themselves, with the way to a new one."""

    experiments: tuple[ExperimentSummary, ...]

    def buttons(self) -> tuple[Press, ...]:
        looks = tuple(
            Press(name=f"look_{place}", intent="experiment.look", args={"experiment": one.id})
            for place, one in enumerate(self.experiments, 1)
        )
        return (*looks, Press(name="make", intent="experiment", args={"new": "yes"}, style="primary"))

    @classmethod
    def example(cls) -> Self:
        one = ExperimentSummary(id="x1", trying=_TRYING, state=ExperimentState.GOING, ends_at=_ENDS, rests_from=_ENDS)
        return cls(experiments=(one,) * 5)


def _answers(experiment: str, moved: int) -> tuple[Press, ...]:
    about = {"experiment": experiment, "moved": str(moved)}
    return tuple(
        Press(
            name=answer.value,
            intent="experiment.answer",
            args={**about, "answer": answer.value},
            style="primary" if answer is Decision.GOES_ON else "normal",
        )
        for answer in Decision
    )


class ExperimentShown(Entry):
    """One experiment as it is now. `mine`: the reader takes part; `carried`: they may move its end; `steps` counts the
    steps that belong to it, `learned` are the lines of who answered. `news`: "made" or "moved"; `comes`: the question
    at its end reaches them."""

    id: str
    trying: str
    sign: str
    initiative: str
    initiative_id: str
    state: ExperimentState
    ends_at: datetime
    rests_from: datetime
    timezone: str
    moved: int = 0
    decision: str = ""
    learned: tuple[str, ...] = ()
    steps: int = 0
    mine: bool = False
    carried: bool = False
    answered: bool = False
    comes: bool = True
    news: str = ""

    def buttons(self) -> tuple[Press, ...]:
        about = {"experiment": self.id}
        change = {**about, "moved": str(self.moved)}
        move = Press(name="move", intent="experiment.move", args=change)
        if self.state is ExperimentState.GOING:
            step = (Press(name="choose_step", intent="step", args=about, style="primary"),) if self.mine else ()
            return (*step, *((move, Press(name="end", intent="experiment.end", args=change)) if self.carried else ()))
        back = Press(
            name="look_back", intent="lookback", args={"initiative": self.initiative_id} if self.initiative_id else {}
        )
        if self.state is ExperimentState.DECIDED:
            return (back,)
        answers = _answers(self.id, self.moved) if self.mine and not self.answered else ()
        return (*answers, *((move,) if self.carried else ())) or (back,)

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="x1",
            trying=_TRYING,
            sign=_SIGN,
            initiative="Wandelen na het eten",
            initiative_id="i1",
            state=ExperimentState.GOING,
            ends_at=_ENDS,
            rests_from=_ENDS,
            timezone="Europe/Amsterdam",
            steps=2,
            mine=True,
            carried=True,
            news="made",
        )


class ExperimentMoveForm(FormEntry):
    """The form for another end of an experiment."""

    intent: ClassVar[str] = "experiment.move.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="day", kind="date"),)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"day": "2027-03-16"}, hidden={"experiment": "x1"}, earliest=date(2027, 3, 2))


class ExperimentEnds(Entry):
    """The question at the end of an experiment, to each who took part. `again`: it came before, and was not answered;
    `decides`: the answer of this reader decides."""

    experiment: str
    trying: str
    sign: str
    initiative: str = ""
    moved: int = 0
    again: bool = False
    decides: bool = True

    def buttons(self) -> tuple[Press, ...]:
        move = Press(
            name="move", intent="experiment.move", args={"experiment": self.experiment, "moved": str(self.moved)}
        )
        return (*_answers(self.experiment, self.moved), *((move,) if self.decides else ()))

    @classmethod
    def example(cls) -> Self:
        return cls(experiment="x1", trying=_TRYING, sign=_SIGN, initiative="Wandelen na het eten")


class ExperimentAnswerForm(FormEntry):
    """The form for a line with an answer: of who stops, what was learned. `shared`: everyone in the movement can read
    it."""

    intent: ClassVar[str] = "experiment.answer.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="learned", kind="long_text", required=False, max_length=MAX_LEARNED_CHARS),
    )
    answer: Decision = Decision.STOPPED
    shared: bool = False

    def visible_asks(self) -> tuple[Ask, ...]:
        return tuple(replace(ask, required=self.answer is Decision.STOPPED) for ask in self.asks)

    @classmethod
    def example(cls) -> Self:
        return cls(hidden={"experiment": "x1", "answer": "stopped", "moved": "0"}, shared=True)


class ExperimentAnswered(Entry):
    """The reply to an answer. `decision` is what stands; `decided`: this answer decided it."""

    experiment: str
    trying: str
    answer: Decision
    learned: str = ""
    initiative: str = ""
    initiative_id: str = ""
    decision: str = ""
    decided: bool = False

    def buttons(self) -> tuple[Press, ...]:
        words = f"{self.trying}\n\n{self.learned}" if self.learned else self.trying
        story = {"prefill": words, **({"initiative": self.initiative_id} if self.initiative_id else {})}
        about = {"experiment": self.experiment}
        on = (Press(name="anew", intent="experiment", args={"again": self.experiment}),)
        return (
            Press(name="tell_story", intent="story", args=story, style="primary"),
            *(on if self.decided and self.answer is Decision.DIFFERENTLY else ()),
            Press(name="look", intent="experiment.look", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            experiment="x1",
            trying=_TRYING,
            answer=Decision.DIFFERENTLY,
            learned="Voor het eten loopt iedereen mee",
            initiative="Wandelen na het eten",
            initiative_id="i1",
            decision="differently",
            decided=True,
        )
