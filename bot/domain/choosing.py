"""Rounds in which people of each place choose one of a few stories as the most significant, and say why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NewType

from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId
from bot.domain.story import StoryId

SignificanceId = NewType("SignificanceId", str)

ROUND_LASTS = timedelta(days=14)
"""How long people of a place can choose; after that the round rests, whatever became of it."""
MOST_STORIES, LEAST_STORIES = 5, 3
"""Stories that people of a place choose from."""
MAX_WHY_CHARS = 400
CHOICE_ROUND, CHOICE_TOLD = "choice_round", "choice_told"
"""Kinds of deliveries: the stories to choose from in a place, and the why, for its teller."""
WHYS_SHOWN = 3
"""Of what was said beside a story, the latest so many are shown."""


@dataclass(kw_only=True, eq=False)
class Significance:
    """The choice that people of a place made in a round (the id of its post): a story, and why, in the words of one of
    them. It stands beside the story once its teller agreed."""

    id: SignificanceId
    movement_id: MovementId
    story_id: StoryId
    place_id: PlaceId
    round: str
    by_id: PersonId
    why: str
    chosen_at: datetime
    agreed_at: datetime | None = None


def pick_stories(told: Sequence[tuple[StoryId, PersonId]], place: str, occasion: str) -> list[StoryId]:
    """Return which of these stories, each with its teller, people of a place choose from: of as many tellers as can be,
    and other ones in another place. Chance alone decides, so that nobody is ranked before."""

    def draw(one: tuple[StoryId, PersonId]) -> str:
        return sha256(f"{occasion}:{place}:{one[0]}".encode()).hexdigest()

    left, picked = sorted(told, key=draw), list[StoryId]()
    while left and len(picked) < MOST_STORIES:
        heard = set[PersonId]()
        for one in list(left):
            if one[1] not in heard and len(picked) < MOST_STORIES:
                heard.add(one[1])
                picked.append(one[0])
                left.remove(one)
    return picked
