"""The harvest: choosing the stories for a round-up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.delivery import Act, Delivery, DeliveryState
from bot.domain.movement import PlaceId
from bot.domain.person import PersonId
from bot.domain.story import StoryId

MIN_STORIES, MAX_STORIES = 3, 5
MAX_EMPTY_ROUNDS = 2
"""Rounds in a row that go by without a harvest, when there are fewer stories than `MIN_STORIES`. The next one goes out
with what there is."""
MAX_CANDIDATES = 100
"""Stories that a harvest is chosen from: the newest since the last one."""
LEFT_OVER = timedelta(days=28)
"""How long before the last harvest a story may be told that no harvest held: there was no room for it then, or its
teller let others read it since."""
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


def count_empty_rounds(rounds: Iterable[Delivery]) -> int:
    """Return how many rounds of a rhythm of harvests, oldest first, went by with nothing given back since the last that
    was. Those that a person called off do not count."""
    empty = 0
    for one in rounds:
        if one.act is not Act.POST:
            continue
        if one.may_have_arrived:
            empty = 0
        elif one.state is DeliveryState.FAILED or one.reason in _NOTHING_WENT_OUT:
            empty += 1
    return empty


def least_stories(empty_rounds: int) -> int:
    """Return how many stories a harvest needs after so many empty rounds."""
    return 1 if empty_rounds >= MAX_EMPTY_ROUNDS else MIN_STORIES


def choose_stories(candidates: Sequence[HarvestCandidate], least: int = MIN_STORIES) -> list[HarvestCandidate]:
    """Choose at most five stories, from as many groups as possible, then tellers, then places, then the newest.

    Returns them oldest first; none when there are fewer than `least`. A teller without a group counts as a group.
    """
    if len(candidates) < least:
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


_NOTHING_WENT_OUT = frozenset({"nothing_to_give", "withdrawn", "too_late", "budget"})


def _group(one: HarvestCandidate) -> str:
    return f"group:{one.group}" if one.group else f"person:{one.teller}"
