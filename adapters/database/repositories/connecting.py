"""Nominations, ties and invitations."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from adapters.database.repositories.base import Repository
from adapters.database.tables import invitations, nominations, ties
from bot.domain.connectors import Invitation, InvitationId, InvitationState, Nomination, NominationId, Tie
from bot.domain.initiative import InitiativeId
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

    async def naming(self, person: PersonId, movement: MovementId) -> Sequence[Nomination]:
        found = await self._session.scalars(
            select(Nomination).where(nominations.c.nominee_id == person, nominations.c.movement_id == movement)
        )
        return found.all()

    async def invitations_between(
        self, inviter: PersonId, invitee: PersonId, movement: MovementId, since: datetime
    ) -> Sequence[Invitation]:
        found = await self._session.scalars(
            select(Invitation)
            .where(
                invitations.c.invitee_id == invitee,
                invitations.c.inviter_id == inviter,
                invitations.c.movement_id == movement,
                invitations.c.sent_at > since,
            )
            .order_by(invitations.c.sent_at)
        )
        return found.all()

    async def invited_for(self, initiative: InitiativeId, movement: MovementId, since: datetime) -> set[PersonId]:
        found = await self._session.scalars(
            select(invitations.c.invitee_id).where(
                invitations.c.movement_id == movement,
                invitations.c.initiative_id == initiative,
                invitations.c.sent_at > since,
                invitations.c.state != InvitationState.TAKEN_BACK,
            )
        )
        return set(found)

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
