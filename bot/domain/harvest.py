"""The harvest: choosing the stories for a round-up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.movement import PlaceId
from bot.domain.person import PersonId
from bot.domain.story import StoryId

MIN_STORIES, MAX_STORIES = 3, 5
MAX_CANDIDATES = 100
"""Stories that a harvest is chosen from: the newest since the last one."""
HARVEST_EXCERPT_CHARS = 280
"""Characters of a story shown in a harvest; the rest is read where it was told."""


@dataclass(frozen=True, kw_only=True)
class HarvestCandidate:
    """A story that may be in a harvest."""

    story: StoryId
    teller: PersonId
    group: str
    place: PlaceId | None
    told_at: datetime


def choose_stories(candidates: Sequence[HarvestCandidate]) -> list[HarvestCandidate]:
    """Choose three to five stories, from as many groups as possible, then tellers, then places, then the newest.

    Returns them oldest first; none when there are fewer than three. A teller without a group counts as a group.
    """
    if len(candidates) < MIN_STORIES:
        return []
    left = sorted(candidates, key=lambda one: (-one.told_at.timestamp(), one.story))
    chosen: list[HarvestCandidate] = []
    groups: Counter[str] = Counter()
    tellers: Counter[PersonId] = Counter()
    places: Counter[PlaceId | None] = Counter()
    while left and len(chosen) < MAX_STORIES:
        pick = min(left, key=lambda one: (groups[_group(one)], tellers[one.teller], places[one.place]))
        left.remove(pick)
        chosen.append(pick)
        groups[_group(pick)] += 1
        tellers[pick.teller] += 1
        places[pick.place] += 1
    return sorted(chosen, key=lambda one: (one.told_at, one.story))


def _group(one: HarvestCandidate) -> str:
    return f"group:{one.group}" if one.group else f"person:{one.teller}"
