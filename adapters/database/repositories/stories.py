"""Stories and their ripples."""

from sqlalchemy import func, select

from adapters.database.repositories.base import Repository
from adapters.database.tables import ripples, stories
from bot.domain.movement import MovementId, PlaceId
from bot.domain.person import PersonId
from bot.domain.story import Ripple, Story, StoryId


class SqlStories(Repository):
    async def get(self, id: StoryId, movement: MovementId) -> Story | None:
        return await self._session.scalar(select(Story).where(stories.c.id == id, stories.c.movement_id == movement))

    async def by_message(self, place: PlaceId, message: str) -> Story | None:
        return await self._session.scalar(
            select(Story).where(stories.c.place_id == place, stories.c.message == message)
        )

    async def ripples(self, story: StoryId, movement: MovementId) -> int:
        return (
            await self._session.scalar(
                select(func.count())
                .select_from(ripples)
                .where(ripples.c.story_id == story, ripples.c.movement_id == movement)
            )
            or 0
        )

    async def ripple(self, story: StoryId, person: PersonId) -> Ripple | None:
        return await self._session.get(Ripple, (story, person))
