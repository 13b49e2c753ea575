"""The lots that leave places out of reminders, and what followed; figures of places, never of persons."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, union

from adapters.database.repositories.base import Repository
from adapters.database.tables import episodes, holdout_turns, holdouts, initiatives, places, rhythms, steps, stories
from bot.domain.holdout import Holdout, HoldoutId, HoldoutTurn
from bot.domain.movement import MovementId, Place, PlaceId, PlaceState
from bot.domain.rhythm import RhythmKind


class SqlHoldouts(Repository):
    """Implements `Holdouts`."""

    async def running_in(self, movement: MovementId) -> Holdout | None:
        return await self._session.scalar(
            select(Holdout)
            .where(holdouts.c.movement_id == movement, holdouts.c.ended_at.is_(None))
            .order_by(holdouts.c.begun_at)
            .limit(1)
        )

    async def running(self) -> Sequence[Holdout]:
        return (await self._session.scalars(select(Holdout).where(holdouts.c.ended_at.is_(None)))).all()

    async def turns_in(self, movement: MovementId) -> Sequence[HoldoutTurn]:
        found = await self._session.scalars(
            select(HoldoutTurn)
            .where(holdout_turns.c.movement_id == movement)
            .order_by(holdout_turns.c.starts_at, holdout_turns.c.place_id)
        )
        return found.all()

    async def turns_of(self, holdout: HoldoutId, period: int) -> Sequence[HoldoutTurn]:
        found = await self._session.scalars(
            select(HoldoutTurn).where(holdout_turns.c.holdout_id == holdout, holdout_turns.c.period == period)
        )
        return found.all()

    async def leaves_out(self, place: PlaceId, movement: MovementId, now: datetime) -> bool:
        found = await self._session.scalar(
            select(holdouts.c.id)
            .join(holdout_turns, holdout_turns.c.holdout_id == holdouts.c.id)
            .where(
                holdout_turns.c.place_id == place,
                holdout_turns.c.movement_id == movement,
                holdout_turns.c.left_out,
                holdout_turns.c.starts_at <= now,
                holdout_turns.c.ends_at > now,
                holdouts.c.ended_at.is_(None),
            )
            .limit(1)
        )
        return found is not None

    async def places_with(self, movement: MovementId, kind: RhythmKind) -> Sequence[Place]:
        reminded = select(rhythms.c.place_id).where(
            rhythms.c.movement_id == movement, rhythms.c.kind == kind, rhythms.c.ended_at.is_(None)
        )
        found = await self._session.scalars(
            select(Place)
            .where(places.c.movement_id == movement, places.c.state == PlaceState.ALIVE, places.c.id.in_(reminded))
            .order_by(places.c.id)
        )
        return found.all()

    async def count_stories(self, place: PlaceId, movement: MovementId, start: datetime, end: datetime) -> int:
        found = await self._session.scalar(
            select(func.count())
            .select_from(stories)
            .where(
                stories.c.movement_id == movement,
                stories.c.place_id == place,
                stories.c.told_at >= start,
                stories.c.told_at < end,
                stories.c.withdrawn_at.is_(None),
            )
        )
        return found or 0

    async def count_steps(self, place: PlaceId, movement: MovementId, start: datetime, end: datetime) -> int:
        found = await self._session.scalar(
            select(func.count())
            .select_from(steps)
            .outerjoin(initiatives, initiatives.c.id == steps.c.initiative_id)
            .outerjoin(episodes, episodes.c.id == steps.c.episode_id)
            .where(
                steps.c.movement_id == movement,
                steps.c.chosen_at >= start,
                steps.c.chosen_at < end,
                or_(episodes.c.place_id == place, episodes.c.place_id.is_(None) & (initiatives.c.place_id == place)),
            )
        )
        return found or 0

    async def count_people(self, movement: MovementId, since: datetime) -> int:
        told = select(stories.c.teller_id).where(
            stories.c.movement_id == movement, stories.c.told_at >= since, stories.c.withdrawn_at.is_(None)
        )
        planned = select(steps.c.person_id).where(steps.c.movement_id == movement, steps.c.chosen_at >= since)
        return await self._session.scalar(select(func.count()).select_from(union(told, planned).subquery())) or 0
