"""Messages about keeping someone company who is stuck: peers think along with a question and an idea."""

from dataclasses import dataclass
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, Press
from bot.domain.company import Peers
from bot.domain.initiative import Audience, StuckEpisode


@dataclass(frozen=True, kw_only=True)
class CompanyOffer(Entry):
    """The peers who would be asked to think along, and the text they would read. Nothing is sent before a confirmation.

    `names` will be asked, `reserve` only when one of them cannot. `people` and `reserves` are their ids.
    """

    episode: str
    text: str
    names: tuple[str, ...]
    reserve: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    reserves: tuple[str, ...] = ()
    audience: Audience = Audience.ME

    @classmethod
    def to(cls, episode: StuckEpisode, found: Peers) -> Self:
        """Return the offer to ask these peers about an episode."""
        return cls(
            episode=episode.id,
            text=episode.text,
            names=tuple(person.name for person in found.asked),
            reserve=tuple(person.name for person in found.reserve),
            people=tuple(person.id for person in found.asked),
            reserves=tuple(person.id for person in found.reserve),
            audience=episode.audience,
        )

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode, "people": ",".join(self.people), "reserve": ",".join(self.reserves)}
        return (
            Press(name="ask_them", intent="company.ask", args=about, style="primary"),
            Press(name="choose_step", intent="step", args={"episode": self.episode}),
            Press(name="not_now", intent="stuck.not_now", args={"episode": self.episode}),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            episode="e1",
            text="De nachtdienst hoort pas als laatste wat we doen",
            names=("Jan", "Samira"),
            reserve=("Bram",),
            people=("p1", "p2"),
            reserves=("p3",),
        )


@dataclass(frozen=True, kw_only=True)
class CompanyNobody(Entry):
    """The plain answer that there is nobody who can be asked now."""

    episode: str

    def buttons(self) -> tuple[Press, ...]:
        return (
            Press(name="choose_step", intent="step", args={"episode": self.episode}, style="primary"),
            Press(name="invite", intent="connect", args={"episode": self.episode}),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(episode="e1")


@dataclass(frozen=True, kw_only=True)
class CompanyOnItsWay(Entry):
    """Confirmation that the peers have been asked; their answers will come together."""

    names: tuple[str, ...]
    audience: Audience = Audience.ME

    @classmethod
    def example(cls) -> Self:
        return cls(names=("Jan", "Samira"))


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class CompanyGiven(Entry):
    """Thanks to a peer who answered: `name` reads it soon."""

    name: str

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima")


@dataclass(frozen=True, kw_only=True)
class CompanyDeclined(Entry):
    """The reply to a peer who declined: not this time is fine."""

    name: str

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima")


@dataclass(frozen=True, kw_only=True)
class CompanyStands(Entry):
    """The reply to a button of a request that was `answered` before, or is no longer needed."""

    name: str
    answered: bool

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima", answered=True)


@dataclass(frozen=True, kw_only=True)
class PeerAnswer:
    """The question and the idea that one peer gave."""

    name: str
    question: str
    idea: str


@dataclass(frozen=True, kw_only=True)
class CompanyTogether(Entry):
    """The answers of all peers, side by side. With no `voices` it says that nobody had the time."""

    episode: str
    initiative: str
    voices: tuple[PeerAnswer, ...]

    def buttons(self) -> tuple[Press, ...]:
        about = {"episode": self.episode}
        return (
            Press(name="choose_step", intent="step", args=about, style="primary"),
            Press(name="moves_again", intent="stuck.moves_again", args=about),
            Press(name="not_now", intent="stuck.not_now", args=about),
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
