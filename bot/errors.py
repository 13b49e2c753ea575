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


class Problems:
    """Collect what is wrong with the values of a form, so that all of it is said at once and not in rounds."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}
        self._values: dict[str, dict[str, object]] = {}

    def add(self, name: str, reason: str, /, **values: object) -> None:
        """Add the problem of a field; the first of each field is kept. `reason` and `values` as in `Invalid`."""
        if name not in self._fields:
            self._fields[name], self._values[name] = reason, values

    def __bool__(self) -> bool:
        return bool(self._fields)

    def to_invalid(self) -> "Invalid":
        """Return the exception that names every field with a problem."""
        return Invalid(dict(self._fields), dict(self._values))

    def raise_if_any(self) -> None:
        """Raise `Invalid` that names every field with a problem; return when there is none."""
        if self:
            raise self.to_invalid()


@dataclass(eq=False)
class Unwanted(Exception):
    """A planned message should no longer be sent; `reason` is stored with the delivery.

    `reason` names a block in `prompts/<language>/errors/reasons.md.j2`.
    """

    reason: str

    def __str__(self) -> str:
        return self.reason
