"""Messages for what cannot be done, and for failures."""

from collections.abc import Mapping
from dataclasses import field
from typing import Self

from bot.catalogue.base import Entry, Press

FOR_COORDINATORS = frozenset({"coordinators_only", "initiators_only", "no_purpose"})
"""Reasons of refusals for which coordinators have the cure."""


class Apology(Entry):
    """An apology for a failure. `reference` finds it in the log."""

    reference: str

    @classmethod
    def example(cls) -> Self:
        return cls(reference="3f9a1c20")


class Declined(Entry):
    """A refusal of an intent. `reason` is a block of `errors/declined.md.j2`, filled with `values`.

    Where coordinators can help, `coordinators` holds their names, `intent` what was refused and `topic` its topic for
    `coordinators/topics.md.j2`: a button asks those of them who read messages of Ritme, `asked` by name.
    """

    reason: str
    values: Mapping[str, str] = field(default_factory=dict)
    coordinators: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    intent: str = ""
    topic: str = ""

    @property
    def body(self) -> str:
        return self.reason

    @property
    def is_for_coordinators(self) -> bool:
        """True when coordinators can do what was refused."""
        return self.reason in FOR_COORDINATORS

    def buttons(self) -> tuple[Press, ...]:
        if not self.asked or not self.is_for_coordinators:
            return ()
        return (Press(name="ask", intent="coordinators.ask", args={"about": self.intent}, confirm=True),)

    @classmethod
    def example(cls) -> Self:
        return cls(reason="no_movement")
