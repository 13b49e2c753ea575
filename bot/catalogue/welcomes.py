"""The welcome of who joins a movement, and the news of who joined an initiative."""

from typing import Self

from bot.catalogue.base import Entry, Press
from bot.catalogue.stories import EXAMPLE_STORY


class Welcomed(Entry):
    """The welcome to a movement: what it is for, and one story that they may read, told by `teller`, if any. `by` is
    who named them as coordinator."""

    name: str
    vision: str = ""
    story: str = ""
    story_id: str = ""
    teller: str = ""
    by: str = ""

    def buttons(self) -> tuple[Press, ...]:
        read = Press(name="read", intent="story.read", args={"stories": self.story_id})
        return (
            *((read,) if len(self.story) > SHOWN_CHARS else ()),
            Press(name="see", intent="initiative", style="primary"),
            Press(name="kept", intent="me"),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            name="Samen vooruit",
            vision="Wie thuis zorg krijgt, doet zelf wat zelf nog kan, en wij doen mee.",
            story=EXAMPLE_STORY,
            story_id="s1",
            teller="Fatima",
        )


SHOWN_CHARS = 280
"""Characters of a story that a welcome shows; its templates have this number too."""


class InitiativeJoined(Entry):
    """For who carries an initiative: who joined it lately, by name as far as they may be named, `more` others."""

    id: str
    name: str
    people: tuple[str, ...] = ()
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="look", intent="initiative.look", args={"initiative": self.id}),)

    @classmethod
    def example(cls) -> Self:
        return cls(id="i1", name="Wandelen na het eten", people=("Jan", "Sanne"), more=1)
