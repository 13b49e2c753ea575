"""The question which way an initiative wants to go."""

from typing import Self

from bot.catalogue.base import Entry, Press
from bot.domain.steering import Occasion


class SteeringAsked(Entry):
    """One question about direction, values or who is in the group, to who carries an initiative, at a moment that
    opened."""

    initiative: str
    initiative_id: str
    occasion: Occasion

    def buttons(self) -> tuple[Press, ...]:
        about = {"initiative": self.initiative_id}
        return (
            Press(name="choose_step", intent="step", args=about, style="primary"),
            Press(name="experiment", intent="experiment", args=about),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(initiative="Wandelen na het eten", initiative_id="i1", occasion=Occasion.RIPPLED)
