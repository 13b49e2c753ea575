"""Asking the coordinators for what only they can do."""

from typing import Self

from bot.catalogue.base import Entry, Press

TOPICS = ("rhythm", "purpose", "groups", "code", "start", "trouble", "initiative", "reach")
"""Families of intents that only coordinators may act on; each has words in `coordinators/topics.md.j2`."""


def topic_of(intent: str) -> str:
    """Return the topic of an intent; "other" for a family without words of its own."""
    family = intent.partition(".")[0]
    return family if family in TOPICS else "other"


class CoordinatorsAsked(Entry):
    """Confirmation to who asked: these coordinators (`names`) will read that they asked about a `topic`.
    Not `told`: none of them reads messages of Ritme now. `stoppable`: the other choice was to stop it for themselves,
    and still is."""

    names: tuple[str, ...]
    topic: str
    told: bool = True
    stoppable: bool = False

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="stop", intent="stop.me"),) if self.stoppable else ()

    @classmethod
    def example(cls) -> Self:
        return cls(names=("Iris", "Ahmed"), topic="rhythm", stoppable=True)


class CoordinationWanted(Entry):
    """A message to a coordinator: `name` asks about a `topic` that only coordinators can change. Without a `name` the
    platform did not tell it."""

    name: str
    topic: str

    @classmethod
    def example(cls) -> Self:
        return cls(name="Fatima", topic="rhythm")
