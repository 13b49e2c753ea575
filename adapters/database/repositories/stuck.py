"""Stuck episodes, the company people keep each other, steps and chances."""

from collections.abc import Sequence

from sqlalchemy import select

from adapters.database.repositories.base import Repository
from adapters.database.tables import companies, episodes, people, questions_asked, steps
from bot.domain.initiative import Company, CompanyId, EpisodeId, EpisodeState, InitiativeId, StuckEpisode
from bot.domain.movement import MovementId
from bot.domain.next_step import NextStep, StepId, StepState
from bot.domain.person import Person, PersonId


class SqlStuck(Repository):
    async def episode(self, id: EpisodeId, movement: MovementId) -> StuckEpisode | None:
        return await self._session.scalar(
            select(StuckEpisode).where(episodes.c.id == id, episodes.c.movement_id == movement)
        )

    async def open_of(
        self, person: PersonId, initiative: InitiativeId | None, movement: MovementId
    ) -> StuckEpisode | None:
        return await self._session.scalar(
            select(StuckEpisode)
            .where(
                episodes.c.person_id == person,
                episodes.c.movement_id == movement,
                episodes.c.initiative_id == initiative
                if initiative is not None
                else episodes.c.initiative_id.is_(None),
                episodes.c.state == EpisodeState.OPEN,
            )
            .order_by(episodes.c.opened_at.desc())
            .limit(1)
        )

    async def questions_asked(
        self, movement: MovementId, initiative: InitiativeId | None, person: PersonId
    ) -> list[str]:
        query = select(questions_asked.c.question).where(questions_asked.c.movement_id == movement)
        if initiative is not None:
            query = query.where(questions_asked.c.initiative_id == initiative)
        else:
            query = query.where(questions_asked.c.initiative_id.is_(None), questions_asked.c.person_id == person)
        # The latest hundred are more than all questions there are; a long history costs nothing.
        found = await self._session.scalars(
            query.order_by(questions_asked.c.asked_at.desc(), questions_asked.c.id.desc()).limit(100)
        )
        return list(reversed(found.all()))

    async def company(self, id: CompanyId, movement: MovementId) -> Company | None:
        return await self._session.scalar(
            select(Company).where(companies.c.id == id, companies.c.movement_id == movement)
        )

    async def company_of(self, episode: EpisodeId, movement: MovementId) -> Sequence[tuple[Company, Person]]:
        found = await self._session.execute(
            select(Company, Person)
            .join_from(Company, Person, companies.c.person_id == people.c.id)
            .where(companies.c.episode_id == episode, companies.c.movement_id == movement)
            .order_by(companies.c.asked_at, companies.c.id)
        )
        return [(company, person) for company, person in found]


class SqlSteps(Repository):
    async def get(self, id: StepId, movement: MovementId) -> NextStep | None:
        return await self._session.scalar(select(NextStep).where(steps.c.id == id, steps.c.movement_id == movement))

    async def planned_of(self, person: PersonId, movement: MovementId) -> Sequence[NextStep]:
        found = await self._session.scalars(
            select(NextStep)
            .where(steps.c.person_id == person, steps.c.movement_id == movement, steps.c.state == StepState.PLANNED)
            .order_by(steps.c.follow_up_at)
        )
        return found.all()
