"""Messages for what cannot be done, and for failures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from bot.catalogue.base import Entry


@dataclass(frozen=True, kw_only=True)
class Apology(Entry):
    """An apology for a failure. `reference` finds it in the log."""

    reference: str

    @classmethod
    def example(cls) -> Self:
        return cls(reference="3f9a1c20")


@dataclass(frozen=True, kw_only=True)
class Declined(Entry):
    """A refusal of an intent. `reason` is a block of `errors/declined.md.j2`, filled with `values`."""

    reason: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> str:
        return self.reason

    @classmethod
    def example(cls) -> Self:
        return cls(reason="no_movement")
