"""Magazines, and what tellers answered about their stories in them."""

from collections.abc import Sequence

from sqlalchemy import select

from adapters.database.repositories.base import Repository, is_of
from adapters.database.tables import magazine_stories, magazines, members, movements, people, stories
from bot.domain.magazine import Magazine, MagazineId, PrintCandidate, PrintConsent
from bot.domain.movement import Movement, MovementId
from bot.domain.person import Person, PersonId
from bot.domain.story import Story, StoryId


class SqlMagazines(Repository):
    """Implements `Magazines`."""

    async def get(self, id: MagazineId, movement: MovementId) -> Magazine | None:
        return await self._get(Magazine, id, movement_id=movement)

    async def find_for(self, id: MagazineId, person: PersonId) -> tuple[Magazine, Movement] | None:
        found = await self._session.execute(
            select(Magazine, Movement)
            .join(movements, movements.c.id == magazines.c.movement_id)
            .join(members, members.c.movement_id == magazines.c.movement_id)
            .where(magazines.c.id == id, members.c.person_id == person)
        )
        row = found.first()
        return (row[0], row[1]) if row is not None else None

    async def of_movement(self, movement: MovementId, limit: int) -> Sequence[Magazine]:
        found = await self._session.scalars(
            select(Magazine)
            .where(magazines.c.movement_id == movement)
            .order_by(magazines.c.begun_at.desc(), magazines.c.id)
            .limit(limit)
        )
        return found.all()

    async def candidates(self, id: MagazineId, movement: MovementId) -> Sequence[PrintCandidate]:
        found = await self._session.execute(
            select(PrintConsent, Story, Person, members.c.person_id.is_not(None))
            .join(stories, stories.c.id == magazine_stories.c.story_id)
            .join(people, people.c.id == stories.c.teller_id)
            .outerjoin(
                members,
                (members.c.person_id == stories.c.teller_id) & (members.c.movement_id == movement),
            )
            .where(
                magazine_stories.c.magazine_id == id,
                is_of(magazine_stories.c.movement_id, movement),
                is_of(stories.c.movement_id, movement),
                # What somebody said of a story is theirs to say only while it is theirs.
                magazine_stories.c.person_id == stories.c.teller_id,
            )
            .order_by(stories.c.told_at, stories.c.id)
        )
        return [PrintCandidate(*row) for row in found]

    async def consent(self, id: MagazineId, story: StoryId, teller: PersonId) -> PrintConsent | None:
        return await self._session.scalar(
            select(PrintConsent).where(
                magazine_stories.c.magazine_id == id,
                magazine_stories.c.story_id == story,
                magazine_stories.c.person_id == teller,
            )
        )
