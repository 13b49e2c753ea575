"""Messages about keeping someone company who is stuck: peers think along with a question and an idea."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.catalogue.stuck import REPLACES, solved_button
from bot.domain.company import Peers
from bot.domain.initiative import Audience, StuckEpisode
from bot.domain.person import Person


class CompanyOffer(Entry):
    """How many peers would be asked to think along (`count`), and the text they would read. Nothing is sent before a
    confirmation, and nobody is named before they answer. `has_reserve`: another is asked when one of them cannot."""

    episode: str
    text: str
    count: int = 2
    has_reserve: bool = False
    audience: Audience = Audience.ME

    @classmethod
    def to(cls, episode: StuckEpisode, found: Peers) -> Self:
        """Return the offer to ask these peers about an episode."""
        return cls(
            episode=episode.id,
            text=episode.text,
            count=len(found.asked),
            has_reserve=bool(found.reserve),
            audience=episode.audience,
        )

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode}
        return (
            Press(name="ask_them", intent="company.ask", args={**about, "most": str(self.count)}, style="primary"),
            Press(name="choose_step", intent="step", args=about),
            Press(name="not_now", intent="stuck.not_now", args={**about, **REPLACES}),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(episode="e1", text="De nachtdienst hoort pas als laatste wat we doen", count=2, has_reserve=True)


class CompanyNobody(Entry):
    """The plain answer that there is nobody who can be asked now, and what is possible: three `questions`, to pick
    people oneself, a step, the `coordinators`, or to see who `solved` this before."""

    episode: str
    coordinators: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    solved: bool = False

    @classmethod
    def to(cls, episode: StuckEpisode, stuck: Person, coordinators: Sequence[Person]) -> Self:
        """Return the answer to who is stuck; it names the other coordinators of their own workspace."""
        near = (one for one in coordinators if one.workspace_id == stuck.workspace_id and one.id != stuck.id)
        return cls(episode=episode.id, coordinators=tuple(one.name for one in near if one.name))

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="pick", intent="stuck.change", args={"episode": self.episode}, style="primary"),
            Press(name="choose_step", intent="step", args={"episode": self.episode}),
            *solved_button(self.episode, self.solved),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(episode="e1", coordinators=("Iris",), questions=("reach_4", "reach_5", "reach_6"), solved=True)


class CompanyOnItsWay(Entry):
    """Confirmation that peers have been asked: `waiting` of them did not answer yet, `names` did. Their answers come
    together, at the latest at `until`."""

    names: tuple[str, ...]
    waiting: int = 0
    until: datetime | None = None
    audience: Audience = Audience.ME

    @classmethod
    def example(cls) -> Self:
        return cls(names=(), waiting=2, until=datetime(2027, 3, 3, 8, 0, tzinfo=UTC))


class CompanyAsked(Entry):
    """The question to a peer: who is stuck, about what, and who will read the answer."""

    company: str
    name: str
    initiative: str
    text: str

    def buttons(self) -> tuple[Press, ...]:
        about = {"company": self.company}
        return (
            Press(name="give", intent="company.give", args=about, style="primary"),
            Press(name="not_this_time", intent="company.decline", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            company="c1",
            name="Fatima",
            initiative="Wandelen na het eten",
            text="De nachtdienst hoort pas als laatste wat we doen",
        )


class CompanyForm(FormEntry):
    """The form for a peer's question and idea, which only `name` will read."""

    intent: ClassVar[str] = "company.save"
    asks: ClassVar[tuple[Ask, ...]] = (
        Ask(name="question", kind="long_text", max_length=500),
        Ask(name="idea", kind="long_text", max_length=500),
    )
    name: str

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima", hidden={"company": "c1"})


class CompanyGiven(Entry):
    """Thanks to a peer who answered: `name` reads it soon."""

    name: str

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima")


class CompanyDeclined(Entry):
    """The reply to a peer who declined: not this time is fine. `picked`: `name` chose them, and knows of it."""

    name: str
    picked: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima")


class CompanyStands(Entry):
    """The reply to a button of a request that was `answered` before, or is no longer needed.

    `out_of_reach`: the one who asked reads no messages of Ritme any more."""

    name: str
    answered: bool
    out_of_reach: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima", answered=True)


@dataclass(frozen=True, kw_only=True)
class PeerAnswer:
    """The question and the idea that one peer gave."""

    name: str
    question: str
    idea: str


class CompanyTogether(Entry):
    """The answers of the peers of a `round`, side by side; of one late peer alone with `only`. With no `voices` it says
    that nobody had the time, or, while an answer is `awaited`, that none came yet. `others`: so many were asked now in
    place of who stayed silent; with no voices, their answers come `until` then. With neither, there are `questions`,
    and maybe who `solved` this before. `resting`: left at that for now."""

    episode: str
    initiative: str
    voices: tuple[PeerAnswer, ...]
    round: str = ""
    only: str = ""
    resting: bool = False
    awaited: bool = False
    others: int = 0
    until: datetime | None = None
    questions: tuple[str, ...] = ()
    solved: bool = False

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode}
        shown = {**about, "round": self.round, "only": self.only}
        # The answers stay: nothing replaces them but themselves.
        rest = () if self.resting else (Press(name="not_now", intent="company.rest", args=shown),)
        return (
            Press(name="choose_step", intent="step", args=about, style="primary"),
            Press(name="moves_again", intent="stuck.moves_again", args=about),
            *solved_button(self.episode, self.solved),
            *rest,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            episode="e1",
            initiative="Wandelen na het eten",
            voices=(
                PeerAnswer(
                    name="Jan",
                    question="Wie van de nachtdienst loopt er zelf graag?",
                    idea="Loop een keer mee om zes uur, als zij naar huis gaan.",
                ),
                PeerAnswer(
                    name="Samira",
                    question="Wanneer hebben zij vijf minuten?",
                    idea="Hang een kaartje bij het koffieapparaat.",
                ),
            ),
        )
