"""Showing what coordinators changed, and what the works council said."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bot.catalogue.base import Entry, Press
from bot.domain.change import CoordinatorAct


@dataclass(frozen=True, kw_only=True)
class ChangeLine:
    """One change: its `kind` has words in `changes/what.md.j2`. `place`: the channel it is about; `rhythm`: the kind of
    its rhythm; `about`: another name. Without `by` the name is not told here."""

    kind: CoordinatorAct
    about: str = ""
    place: str = ""
    rhythm: str = ""
    by: str = ""
    at: datetime


class ChangesShown(Entry):
    """The latest changes that coordinators of a movement made, newest first; `more`: there are older ones."""

    name: str
    lines: tuple[ChangeLine, ...]
    more: bool = False
    keep_days: int = 365

    @classmethod
    def example(cls) -> Self:
        at = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
        return cls(
            name="Samen op pad",
            lines=(
                ChangeLine(kind=CoordinatorAct.RHYTHM_CHANGED, place="zorg", rhythm="purpose", by="Iris", at=at),
                ChangeLine(kind=CoordinatorAct.COUNCIL_AGREED, at=at),
            ),
        )


class CouncilShown(Entry):
    """Tells whether the works council has to agree here first (`asks`), since when it does, and what rests until then.
    `news`: "agreed" or "withdrawn", what was just recorded."""

    name: str
    asks: bool
    agreed_at: datetime | None = None
    may_change: bool = False
    news: str = ""

    def buttons(self) -> tuple[Press, ...]:
        changes = Press(name="changes", intent="changes")
        if not self.may_change:
            return (changes,)
        if self.agreed_at is None and not self.asks:
            return (changes,)
        if self.agreed_at is None:
            return (Press(name="agree", intent="council.agree", confirm=True), changes)
        return (Press(name="withdraw", intent="council.withdraw", confirm=True), changes)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen op pad", asks=True, may_change=True)
