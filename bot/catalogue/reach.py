"""Messages about places that Ritme cannot reach."""

from typing import Self

from bot.catalogue.base import Entry, Press


class PlaceLost(Entry):
    """News for a coordinator, once: a place is out of reach. `reason` is a block of `errors/reasons.md.j2`, and has a
    cure in `reach/cures.md.j2`, in the terms of the `platform` of the place."""

    place: str
    reason: str
    platform: str = ""

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="trouble", intent="trouble"),)

    @classmethod
    def example(cls) -> Self:
        return cls(place="samen-vooruit", reason="not_in_place")
