"""Experiments, and what was said at their end."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from adapters.database.repositories.base import Repository
from adapters.database.tables import experiment_answers, experiments, steps
from bot.domain.experiment import DecidedExperiment, Experiment, ExperimentAnswer, ExperimentId
from bot.domain.initiative import InitiativeId
from bot.domain.movement import MovementId
from bot.domain.person import PersonId


class SqlExperiments(Repository):
    """Implements `Experiments`."""

    async def get(self, id: ExperimentId, movement: MovementId) -> Experiment | None:
        return await self._get(Experiment, id, movement_id=movement)

    async def of_initiative(self, initiative: InitiativeId, movement: MovementId, limit: int) -> Sequence[Experiment]:
        return await self._latest(
            limit, experiments.c.initiative_id == initiative, experiments.c.movement_id == movement
        )

    async def of_person(self, person: PersonId, movement: MovementId, limit: int) -> Sequence[Experiment]:
        return await self._latest(limit, experiments.c.person_id == person, experiments.c.movement_id == movement)

    async def answers(self, experiment: ExperimentId, movement: MovementId) -> Sequence[ExperimentAnswer]:
        found = await self._session.scalars(
            select(ExperimentAnswer)
            .where(experiment_answers.c.experiment_id == experiment, experiment_answers.c.movement_id == movement)
            .order_by(experiment_answers.c.answered_at, experiment_answers.c.person_id)
        )
        return found.all()

    async def decided_in(
        self, movement: MovementId, initiative: InitiativeId | None, reader: PersonId | None, limit: int
    ) -> Sequence[DecidedExperiment]:
        about = [experiments.c.movement_id == movement, experiments.c.decided_at.is_not(None)]
        if initiative is not None:
            about.append(experiments.c.initiative_id == initiative)
        else:
            about.append(experiments.c.initiative_id.is_not(None) | (experiments.c.person_id == reader))
        newest = select(Experiment).where(*about).order_by(experiments.c.decided_at.desc()).limit(limit)
        decided = (await self._session.scalars(newest)).all()
        said = await self._session.together(*(self.answers(one.id, movement) for one in decided))
        return [
            DecidedExperiment(
                one.trying,
                one.decision,
                one.decided_at,
                tuple(answer.learned for answer in answers if answer.learned),
                one.initiative_id,
            )
            for one, answers in zip(decided, said, strict=True)
            if one.decision is not None and one.decided_at is not None
        ]

    async def count_steps(self, experiment: ExperimentId, movement: MovementId) -> int:
        counted = select(func.count()).where(steps.c.experiment_id == experiment, steps.c.movement_id == movement)
        return await self._session.scalar(counted) or 0

    async def _latest(self, limit: int, *where: ColumnElement[bool]) -> Sequence[Experiment]:
        found = await self._session.scalars(
            select(Experiment)
            .where(*where)
            .order_by(experiments.c.decided_at.is_not(None), experiments.c.ends_at.desc(), experiments.c.id)
            .limit(limit)
        )
        return found.all()
