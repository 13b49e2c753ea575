"""Nominations, ties and invitations."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from adapters.database.repositories.base import Repository
from adapters.database.tables import invitations, nominations, ties
from bot.domain.connectors import Invitation, InvitationId, Nomination, NominationId, Tie
from bot.domain.movement import MovementId
from bot.domain.person import PersonId


class SqlConnecting(Repository):
    """Implements `Connecting`."""

    async def invitation(self, id: InvitationId, movement: MovementId) -> Invitation | None:
        return await self._session.scalar(
            select(Invitation).where(invitations.c.id == id, invitations.c.movement_id == movement)
        )

    async def nomination(self, id: NominationId, movement: MovementId) -> Nomination | None:
        return await self._session.scalar(
            select(Nomination).where(nominations.c.id == id, nominations.c.movement_id == movement)
        )

    async def named_by(self, person: PersonId, movement: MovementId) -> Sequence[Nomination]:
        found = await self._session.scalars(
            select(Nomination).where(nominations.c.nominator_id == person, nominations.c.movement_id == movement)
        )
        return found.all()

    async def was_named(self, person: PersonId, movement: MovementId) -> bool:
        found = await self._session.scalar(
            select(nominations.c.id)
            .where(nominations.c.nominee_id == person, nominations.c.movement_id == movement)
            .limit(1)
        )
        return found is not None

    async def invitations(self, movement: MovementId, since: datetime) -> Sequence[Invitation]:
        found = await self._session.scalars(
            select(Invitation)
            .where(invitations.c.movement_id == movement, invitations.c.sent_at > since)
            .order_by(invitations.c.sent_at)
        )
        return found.all()

    async def nominations(self, movement: MovementId) -> Sequence[Nomination]:
        found = await self._session.scalars(
            select(Nomination).where(nominations.c.movement_id == movement).order_by(nominations.c.at)
        )
        return found.all()

    async def ties(self, movement: MovementId) -> Sequence[Tie]:
        found = await self._session.scalars(select(Tie).where(ties.c.movement_id == movement))
        return found.all()

    async def strengthen(self, movement: MovementId, one: PersonId, other: PersonId, now: datetime) -> None:
        if one == other:
            return
        low, high = sorted((one, other))
        tie = await self._session.get(Tie, (movement, low, high))
        if tie is None:
            self._session.add(Tie(movement_id=movement, one_id=low, other_id=high, last_at=now))
        else:
            tie.strength, tie.last_at = tie.strength + 1, now
