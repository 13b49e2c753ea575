"""Parse submitted forms: a submission is held to the limits that its form shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time

from bot.catalogue.base import Ask, FormEntry
from bot.chat import FieldKind, Value
from bot.errors import Problems

MAX_PICK_CHARS = 128
"""Characters of the id of an account or of another choice: nothing longer was offered."""


@dataclass(frozen=True)
class Filled:
    """The values of a form. One that cannot be used reads as not filled in, and is among the `problems`, to which a use
    case adds its own before it raises them all."""

    values: Mapping[str, Value]
    problems: Problems = field(default_factory=Problems)

    def text(self, name: str) -> str:
        """Return the text of a field; empty when it was not filled in."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""

    def many(self, name: str) -> tuple[str, ...]:
        """Return the values of a field with several choices."""
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else ((value,) if value else ())

    def day(self, name: str) -> date | None:
        """Return the date of a field; None when it was not filled in."""
        return date.fromisoformat(self.text(name)) if self.text(name) else None

    def time(self, name: str) -> time | None:
        """Return the local time of a field; None when it was not filled in."""
        return time.fromisoformat(self.text(name)) if self.text(name) else None


def parse_form(form: type[FormEntry], args: Mapping[str, Value]) -> Filled:
    """Return the values of a submitted form, trimmed and checked. Raises `Invalid` that names every wrong field.

    For a form with more to check than its fields' limits there is `read_form`.
    """
    filled = read_form(form, args)
    filled.problems.raise_if_any()
    return filled


def read_form(form: type[FormEntry], args: Mapping[str, Value]) -> Filled:
    """Return the values of a submitted form, trimmed, with the problems found so far: whoever calls this calls
    `problems.raise_if_any` after adding what else is wrong, and before changing anything."""
    values: dict[str, Value] = {}
    problems = Problems()
    for ask in form.asks:
        value = _trim(ask, args.get(ask.name, ""))
        reason = _find_problem(ask, value)
        if reason:
            problems.add(ask.name, reason, most=str(ask.max_items if isinstance(value, tuple) else ask.max_length))
        values[ask.name] = "" if reason else value
    return Filled(values, problems)


def missing_reason(kind: FieldKind) -> str:
    """Return the block of `errors/fields.md.j2` that says how to fill in a field that was left empty."""
    match kind:
        case "choice" | "choices" | "place":
            return "missing_choice"
        case "person" | "people":
            return "missing_person"
        case "date":
            return "missing_day"
        case "time":
            return "missing_time"
        case _:
            return "missing"


def _trim(ask: Ask, raw: Value) -> Value:
    if isinstance(raw, tuple):
        # A person picked twice is picked once.
        return tuple(dict.fromkeys(one.strip() for one in raw if one.strip()))
    several = ask.kind in ("choices", "people")
    return ((raw.strip(),) if raw.strip() else ()) if several else raw.strip()


def _find_problem(ask: Ask, value: Value) -> str:
    """Return the reason why a value is refused, a block of `errors/fields.md.j2`; empty when it is fine."""
    if not value:
        return missing_reason(ask.kind) if ask.required else ""
    if isinstance(value, tuple):
        return _find_problem_of_many(ask, value)
    if ask.kind in ("text", "long_text") and len(value) > ask.max_length:
        return "too_long"
    if ask.kind == "person" and len(value) > MAX_PICK_CHARS:
        return "unknown_choice"
    if ask.kind == "choice" and ask.options and value not in ask.options:
        return "unknown_choice"
    if ask.kind == "date" and not _parses(date.fromisoformat, value):
        return "not_a_date"
    if ask.kind == "time" and not _parses(time.fromisoformat, value):
        return "not_a_time"
    return ""


def _find_problem_of_many(ask: Ask, values: tuple[str, ...]) -> str:
    """Return the reason why several choices are refused; empty when they are fine."""
    if ask.kind not in ("choices", "people") or any(len(one) > MAX_PICK_CHARS for one in values):
        return "unknown_choice"
    if len(values) > ask.max_items:
        return "too_many"
    return "unknown_choice" if ask.options and not set(values) <= set(ask.options) else ""


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True
