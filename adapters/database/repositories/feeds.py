"""Private links by which somebody's own calendar follows a movement."""

from sqlalchemy import delete, select

from adapters.database.repositories.base import Repository
from adapters.database.tables import calendar_feeds
from bot.domain.feed import CalendarFeed
from bot.domain.movement import MovementId
from bot.domain.person import PersonId


class SqlFeeds(Repository):
    """Implements `Feeds`."""

    async def by_digest(self, digest: str) -> CalendarFeed | None:
        return await self._session.scalar(select(CalendarFeed).where(calendar_feeds.c.digest == digest))

    async def of_person(self, person: PersonId, movement: MovementId) -> CalendarFeed | None:
        return await self._session.scalar(
            select(CalendarFeed).where(calendar_feeds.c.person_id == person, calendar_feeds.c.movement_id == movement)
        )

    async def revoke_all_of(self, person: PersonId) -> None:
        await self._session.post(delete(calendar_feeds).where(calendar_feeds.c.person_id == person))

    async def revoke_all_in(self, movement: MovementId) -> None:
        await self._session.execute(delete(calendar_feeds).where(calendar_feeds.c.movement_id == movement))
