"""Which stories are given back together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.movement import PlaceId
from bot.domain.person import PersonId
from bot.domain.story import StoryId

FEWEST, MOST = 3, 5
LOOKED_AT = 100
"""Of the stories since the last harvest, the newest so many are chosen from."""
SHORTENED = 280
"""Characters of a story shown in a harvest; the rest is read where it was told."""


@dataclass(frozen=True, kw_only=True)
class Ripe:
    """A story that may be given back."""

    story: StoryId
    teller: PersonId
    group: str
    place: PlaceId | None
    told_at: datetime


def choose(ripe: Sequence[Ripe]) -> list[Ripe]:
    """Three to five stories: of as many groups as there are, then of different tellers and places, newest first.
    Fewer than three are no harvest. Whoever has no group counts as a group of their own."""
    if len(ripe) < FEWEST:
        return []
    left = sorted(ripe, key=lambda one: (-one.told_at.timestamp(), one.story))
    chosen: list[Ripe] = []
    groups: Counter[str] = Counter()
    tellers: Counter[PersonId] = Counter()
    places: Counter[PlaceId | None] = Counter()
    while left and len(chosen) < MOST:
        pick = min(left, key=lambda one: (groups[_group(one)], tellers[one.teller], places[one.place]))
        left.remove(pick)
        chosen.append(pick)
        groups[_group(pick)] += 1
        tellers[pick.teller] += 1
        places[pick.place] += 1
    return sorted(chosen, key=lambda one: (one.told_at, one.story))


def _group(one: Ripe) -> str:
    return f"group:{one.group}" if one.group else f"person:{one.teller}"
