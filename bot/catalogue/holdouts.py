"""Showing whether it helps: the lot that leaves places out of reminders, and what followed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bot.catalogue.base import Entry, Press


@dataclass(frozen=True, kw_only=True)
class EffectLine:
    """Tells what is known of one thing (`what`, as the template calls it): the figure, the interval, and whether that
    `tells` more or less than nothing."""

    what: str
    value: float
    low: float
    high: float
    tells: bool


class EffectShown(Entry):
    """Tells whether reminders were followed by more stories and steps, as far as that is known. `running` since
    `begun_at`; `periods` whole ones so far; `few_people`: too few to show anything of. `news`: what was just done."""

    name: str
    running: bool
    begun_at: datetime | None = None
    next_at: datetime | None = None
    periods: int = 0
    few_people: bool = False
    lines: tuple[EffectLine, ...] = ()
    may_change: bool = False
    news: str = ""

    def buttons(self) -> tuple[Press, ...]:
        if not self.may_change:
            return ()
        if self.running:
            return (Press(name="end", intent="effect.end", confirm=True),)
        return (Press(name="begin", intent="effect.begin", confirm=True),)

    @classmethod
    def example(cls) -> Self:
        at = datetime(2027, 3, 1, 9, tzinfo=UTC)
        line = EffectLine(what="stories", value=1.2, low=-0.3, high=2.7, tells=False)
        return cls(name="Samen op pad", running=True, begun_at=at, next_at=at, periods=8, lines=(line,))


class HoldoutSaid(Entry):
    """A message to a place: that the lot began here (`begun`), that this place is `left_out` now, until when, or that
    it is over."""

    begun: bool = False
    left_out: bool = False
    until: datetime | None = None

    @classmethod
    def example(cls) -> Self:
        return cls(begun=True, left_out=True, until=datetime(2027, 3, 29, 9, tzinfo=UTC))
