"""The exceptions that use cases raise, each with a reason that templates have words for."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(eq=False)
class Refused(Exception):
    """A person asked for something that cannot be done now; nothing was changed.

    `reason` names a block in `prompts/<language>/errors/declined.md.j2`, which says what happened
    and the one thing to do; `values` fill that block.
    """

    reason: str
    values: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class Invalid(Exception):
    """Form values that cannot be used: field name → reason.

    Each reason names a block in `prompts/<language>/errors/fields.md.j2`; `values` (per field) fill it.
    Nothing was changed, and the client keeps what was typed.
    """

    fields: dict[str, str]
    values: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __str__(self) -> str:
        return ", ".join(f"{name}: {reason}" for name, reason in self.fields.items())


@dataclass(eq=False)
class Unwanted(Exception):
    """A planned message should no longer be sent; `reason` is stored with the delivery.

    `reason` names a block in `prompts/<language>/errors/reasons.md.j2`.
    """

    reason: str

    def __str__(self) -> str:
        return self.reason
