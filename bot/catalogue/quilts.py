"""The quilt: what is being tried side by side, for everyone in a place and for who carries an initiative."""

from dataclasses import dataclass
from typing import Self

from bot.catalogue.base import Entry, Press


@dataclass(frozen=True, kw_only=True)
class QuiltPatch:
    """One initiative in a line: its name and what it tries. `seeks`: nobody carries it now; `rests`: who
    carries it said so."""

    name: str
    trying: str = ""
    seeks: bool = False
    rests: bool = False


_WALK = QuiltPatch(name="Wandelen na het eten", trying="Na de warme maaltijd samen een stukje lopen.")
_GARDEN = QuiltPatch(name="De tuin open", trying="De tuindeur gaat ’s middags open voor wie wil.", seeks=True)


class Quilt(Entry):
    """The initiatives of a movement, one line each, for everyone in a place; `more` are not shown."""

    name: str
    patches: tuple[QuiltPatch, ...]
    more: int = 0

    def buttons(self) -> tuple[Press, ...]:
        return (Press(name="see", intent="initiative", style="primary"), Press(name="draw", intent="quilt.draw"))

    @classmethod
    def example(cls) -> Self:
        return cls(name="Samen vooruit", patches=(_WALK, _GARDEN, _WALK, _GARDEN), more=2)


class AlikeInitiatives(Entry):
    """For who carries an initiative: what else is being tried on the same question. `meet` is the name of one who
    carries `meet_about` and agreed to be suggested, `meet_id` their id; both empty without one."""

    initiative: str
    initiative_id: str
    patches: tuple[QuiltPatch, ...]
    meet: str = ""
    meet_id: str = ""
    meet_about: str = ""

    def buttons(self) -> tuple[Press, ...]:
        see = Press(name="see", intent="initiative")
        if not self.meet:
            return (see,)
        about = {"person": self.meet_id, "initiative": self.initiative_id}
        return (Press(name="invite", intent="invite", args=about, style="primary"), see)

    @classmethod
    def example(cls) -> Self:
        return cls(
            initiative="Wandelen na het eten",
            initiative_id="i1",
            patches=(_GARDEN,),
            meet="Noor",
            meet_id="p2",
            meet_about="De tuin open",
        )
