"""Messages about how tellers meant their stories, and the cloud that their answers make."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Self

from bot.catalogue.base import Ask, Entry, FormEntry, PictureEntry, Press, Tell
from bot.domain.meaning import SCALES, join_meaning, list_first, list_near, list_points
from bot.domain.story import TRIANGLE

MEANING_WORDS = "stories/meanings.md.j2"
"""The words of the scales and their points, which several messages show."""
NO_SCALE = "none"
"""The choice of a coordinator that nobody is asked how they meant a story."""


def meaning_buttons(
    scale: str, story: str, points: tuple[str, ...] | None = None, *, here: bool = False
) -> tuple[Press, ...]:
    """Return a button for each point at which a teller may put a story: those asked about first, or `points`. `here`:
    the answer takes the place of the card."""
    shown = points if points is not None else list_first(scale) if scale else ()
    return tuple(
        Press(
            name=f"{scale}_{one}",
            intent="meaning",
            args={"story": story, "meant": join_meaning(scale, one), **({"here": "yes"} if here else {})},
            words=MEANING_WORDS,
        )
        for one in shown
    )


class StoryMeant(Entry):
    """Confirmation to the teller of how they meant a story, with what lies near that; without a `point` the question,
    for who wants to answer it later or otherwise."""

    story: str
    scale: str
    point: str = ""

    def buttons(self) -> tuple[Press, ...]:
        near = list_near(self.scale, self.point) if self.point else list_first(self.scale)
        about = {"story": self.story, "here": "yes"}
        after = (
            (
                Press(name="other", intent="meaning.other", args=about),
                Press(name="clear", intent="meaning.clear", args=about),
            )
            if self.point
            else ()
        )
        return (*meaning_buttons(self.scale, self.story, near, here=True), *after)

    @classmethod
    def example(cls) -> Self:
        return cls(story="s1", scale=TRIANGLE, point="broaden")


class MeaningCleared(Entry):
    """Confirmation to the teller that how they meant a story is kept no more."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class MeaningForm(FormEntry):
    """The form in which a coordinator chooses what tellers are asked about a story, or that they are not."""

    intent: ClassVar[str] = "cloud.save"
    asks: ClassVar[tuple[Ask, ...]] = (Ask(name="scale", kind="choice", options=(*SCALES, NO_SCALE)),)

    @classmethod
    def example(cls) -> Self:
        return cls(values={"scale": TRIANGLE})


class MeaningSet(Entry):
    """Confirmation to a coordinator of what tellers are asked from now on; without a `scale`, nothing."""

    scale: str

    @classmethod
    def example(cls) -> Self:
        return cls(scale="courage")


class CloudEmpty(Entry):
    """The answer instead of a cloud: too few tellers answered, or (without a `scale`) they are not asked."""

    scale: str = TRIANGLE
    may_choose: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="choose", intent="cloud.choose"),) if self.may_choose else ()

    @classmethod
    def example(cls) -> Self:
        return cls(may_choose=True)


@dataclass(frozen=True, kw_only=True)
class CloudPoint:
    """How many stories stand at a point of a scale."""

    point: str
    stories: int


class CloudDrawn(PictureEntry):
    """How the stories of a movement were meant, as a cloud, for who asked: as it was drawn `at` a moment. Never whose,
    nor which."""

    name: str
    scale: str
    at: datetime
    points: tuple[CloudPoint, ...] = ()
    may_choose: bool = False

    @property
    def is_triangle(self) -> bool:
        return self.scale == TRIANGLE

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="choose", intent="cloud.choose"),) if self.may_choose else ()

    def draw(self, tell: Tell) -> Mapping[str, object]:
        many = {one.point: one.stories for one in self.points}
        return {
            "title": tell("title"),
            "shape": "triangle" if self.is_triangle else "line",
            "points": [
                {"point": one, "stories": many.get(one, 0), "label": tell("point", one=one)}
                for one in list_points(self.scale)
            ],
            "note": tell("note"),
        }

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Samen vooruit",
            scale=TRIANGLE,
            at=datetime(2027, 3, 1, 9, tzinfo=UTC),
            points=(
                CloudPoint(point="broaden", stories=5),
                CloudPoint(point="deepen", stories=3),
                CloudPoint(point="steer", stories=1),
                CloudPoint(point="broaden_deepen", stories=4),
                CloudPoint(point="middle", stories=2),
            ),
        )
