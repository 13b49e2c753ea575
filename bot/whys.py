"""Load and change what stands beside stories: why people of a place chose one. Below the use cases."""

from collections.abc import Sequence
from datetime import datetime

from bot.catalogue.stories import StoryWhy
from bot.domain.choosing import CHOICE_ROUND, WHYS_SHOWN
from bot.domain.movement import MovementId
from bot.domain.person import WorkspaceId
from bot.domain.retelling import plan_changes
from bot.domain.story import Story, StoryId
from bot.ports import UnitOfWork


async def load_whys(
    work: UnitOfWork, movement: MovementId, workspace: WorkspaceId, stories: Sequence[StoryId]
) -> dict[StoryId, tuple[StoryWhy, ...]]:
    """Return what stands beside these stories, the latest first, with the places as they are called in a workspace;
    of stories that may be read by everyone in the movement."""
    found = await work.stories.whys(stories, movement) if stories else []
    labels = await work.movements.labels(movement, workspace) if found else {}
    shown: dict[StoryId, tuple[StoryWhy, ...]] = {}
    for one in found:
        known = shown.get(one.story_id, ())
        if len(known) < WHYS_SHOWN:
            shown[one.story_id] = (*known, StoryWhy(place=labels.get(one.place_id, ""), why=one.why))
    return shown


async def change_rounds(work: UnitOfWork, story: Story, *, occasion: str, now: datetime) -> set[str]:
    """Plan to word the posts of rounds that hold a story as things are now; return their ids. `occasion`: the
    idempotency key of what led to it."""
    await work.flush()
    retold_in = await work.stories.retold_in(story.id, story.movement_id)
    rounds = [one for one in retold_in if one.kind == CHOICE_ROUND]
    await work.deliveries.add_all(plan_changes(story, rounds, occasion=occasion, now=now))
    return {one.id for one in rounds}
