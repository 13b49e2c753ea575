"""The look-back, a learning history on a time line."""

from datetime import UTC, datetime
from typing import Self

from bot.catalogue.base import Entry, Press
from bot.domain.look_back import MomentKind, TimelineMoment


class LookBack(Entry):
    """The meaningful moments of an initiative or movement on one time line, and one question. `shared`: everyone in a
    place reads it; otherwise only the person who asked. `round`: it stands in place of one made together, which too few
    people answered so far; more can."""

    name: str
    initiative: str = ""
    moments: tuple[TimelineMoment, ...] = ()
    shared: bool = False
    round: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if self.round:
            return (Press(name="answer", intent="history.answer", args={"round": self.round}, style="primary"),)
        if not self.moments:
            return (Press(name="tell", intent="story", style="primary"),)
        about = {"initiative": self.initiative} if self.initiative else {}
        return (
            Press(name="choose_step", intent="step", args=about, style="primary"),
            Press(name="tell", intent="story"),
            Press(name="draw", intent="lookback.draw", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        def at(month: int, day: int) -> datetime:
            return datetime(2027, month, day, 9, tzinfo=UTC)

        return cls(
            name="Wandelen na het eten",
            initiative="i1",
            moments=(
                TimelineMoment(at=at(1, 12), turning=MomentKind.STARTED, who="Fatima"),
                TimelineMoment(at=at(1, 20), turning=MomentKind.JOINED, who="Jan"),
                TimelineMoment(at=at(1, 28), turning=MomentKind.STUCK),
                TimelineMoment(
                    at=at(2, 2), turning=MomentKind.STEP, who="Jan", what="vraag ik Samira om één rondje mee te lopen"
                ),
                TimelineMoment(at=at(2, 9), turning=MomentKind.BREAKTHROUGH),
                TimelineMoment(
                    at=at(2, 15),
                    turning=MomentKind.STORY,
                    what="Vandaag vroeg de buurvrouw zelf of we de post gingen halen.",
                    ripples=3,
                ),
            ),
        )
