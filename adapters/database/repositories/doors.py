"""The doors by which people without an account tell a story, and what came through them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from adapters.database.repositories.base import Repository
from adapters.database.tables import door_stories, story_doors
from bot.domain.door import DoorState, DoorStory, DoorStoryId, StoryDoor, StoryDoorId
from bot.domain.movement import MovementId


class SqlDoors(Repository):
    """Implements `Doors`."""

    async def find(self, id: StoryDoorId) -> StoryDoor | None:
        return await self._session.get(StoryDoor, id)

    async def lock(self, id: StoryDoorId) -> StoryDoor | None:
        return await self._session.scalar(select(StoryDoor).where(story_doors.c.id == id).with_for_update())

    async def get(self, id: StoryDoorId, movement: MovementId) -> StoryDoor | None:
        return await self._get(StoryDoor, id, movement_id=movement)

    async def of_movement(self, movement: MovementId, limit: int) -> Sequence[StoryDoor]:
        found = await self._session.scalars(
            select(StoryDoor)
            .where(story_doors.c.movement_id == movement)
            .order_by(story_doors.c.opened_at.desc(), story_doors.c.id)
            .limit(limit)
        )
        return found.all()

    async def get_story(self, id: DoorStoryId, movement: MovementId) -> DoorStory | None:
        return await self._get(DoorStory, id, movement_id=movement)

    async def by_press(self, press: str) -> DoorStory | None:
        return await self._session.scalar(select(DoorStory).where(door_stories.c.press == press))

    async def by_code(self, door: StoryDoorId, code: str) -> DoorStory | None:
        wanted = select(DoorStory).where(door_stories.c.code == code, door_stories.c.door_id == door)
        return await self._session.scalar(wanted)

    async def waiting(self, door: StoryDoorId, movement: MovementId, limit: int) -> Sequence[DoorStory]:
        found = await self._session.scalars(
            select(DoorStory)
            .where(
                door_stories.c.door_id == door,
                door_stories.c.movement_id == movement,
                door_stories.c.state == DoorState.WAITING,
            )
            .order_by(door_stories.c.told_at, door_stories.c.id)
            .limit(limit)
        )
        return found.all()

    async def count_since(self, moment: datetime, door: StoryDoorId | None = None) -> int:
        told = select(func.count()).select_from(door_stories).where(door_stories.c.told_at > moment)
        changed = select(func.coalesce(func.sum(door_stories.c.changes), 0)).where(door_stories.c.changed_at > moment)
        if door is not None:
            told, changed = (one.where(door_stories.c.door_id == door) for one in (told, changed))
        return await self._session.scalar(select(told.scalar_subquery() + changed.scalar_subquery())) or 0

    async def unread_before(self, moment: datetime, limit: int) -> Sequence[DoorStory]:
        found = await self._session.scalars(
            select(DoorStory)
            .where(door_stories.c.state == DoorState.WAITING, door_stories.c.told_at < moment)
            .order_by(door_stories.c.told_at)
            .limit(limit)
        )
        return found.all()
