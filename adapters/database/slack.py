"""Storage of Slack installations and OAuth states. Tokens arrive encrypted and are not decrypted here."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.database.errors import translate_errors
from adapters.database.tables import slack_installations as installations
from adapters.database.tables import slack_states as states
from bot.ports import Conflict

StoredInstallation = Mapping[str, Any]


class SqlInstallations:
    """Stores installations by team, and OAuth states; each call is a transaction of its own.

    Every method raises `StorageUnavailable` when the database does not answer.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        with translate_errors():
            async with self._engine.begin() as connection:
                yield connection

    async def get(self, team: str) -> StoredInstallation | None:
        async with self._transaction() as connection:
            found = await connection.execute(select(installations).where(installations.c.team_id == team))
            row = found.mappings().first()
            return dict(row) if row is not None else None

    async def encrypted_tokens(self) -> dict[str, str]:
        """Return the bot token of every team, encrypted as it is stored."""
        async with self._transaction() as connection:
            found = await connection.execute(select(installations.c.team_id, installations.c.bot_token))
            return {str(team): str(token) for team, token in found}

    async def granted_scopes(self) -> dict[str, frozenset[str]]:
        """Return the scopes that every team granted."""
        async with self._transaction() as connection:
            found = await connection.execute(select(installations.c.team_id, installations.c.scopes))
            return {str(team): frozenset(str(scopes).replace(",", " ").split()) for team, scopes in found}

    async def save(self, row: StoredInstallation) -> None:
        """Store an installation, in place of an earlier one of the same team."""
        async with self._transaction() as connection:
            await connection.execute(delete(installations).where(installations.c.team_id == row["team_id"]))
            await connection.execute(insert(installations).values(**row))

    async def remove(self, team: str, installed_before: datetime) -> bool:
        """Delete a team's tokens if they were issued before this moment. Returns whether it did.

        News of a removal that arrives late must not delete the tokens of a newer install.
        """
        async with self._transaction() as connection:
            gone = await connection.execute(
                delete(installations).where(
                    installations.c.team_id == team, installations.c.installed_at < installed_before
                )
            )
            return bool(gone.rowcount)

    async def claim_renewal(self, team: str, sealed: str, now: datetime, until: datetime) -> bool:
        """Claim the renewal of this refresh token until a moment; return whether this process got it.

        A refresh token can be used once. The conditional UPDATE is a lease: one process wins, and should it die, the
        lease expires.
        """
        free = or_(installations.c.renewing_until.is_(None), installations.c.renewing_until < now)
        async with self._transaction() as connection:
            claimed = await connection.execute(
                update(installations)
                .where(installations.c.team_id == team, installations.c.refresh_token == sealed, free)
                .values(renewing_until=until)
            )
            return bool(claimed.rowcount)

    async def renew(self, team: str, *, spent: str, bot_token: str, refresh_token: str, expires_at: datetime) -> None:
        """Store the new tokens in place of those with the `spent` refresh token, and end the lease.

        Does nothing when a new install stored others meanwhile: those are newer than ours.
        """
        async with self._transaction() as connection:
            await connection.execute(
                update(installations)
                .where(installations.c.team_id == team, installations.c.refresh_token == spent)
                .values(bot_token=bot_token, refresh_token=refresh_token, expires_at=expires_at, renewing_until=None)
            )

    async def use_state(self, digest: str, expires_at: datetime, now: datetime) -> bool:
        """Store that a state (a digest) is used up; return True once. Deletes those that expired."""
        try:
            async with self._transaction() as connection:
                await connection.execute(delete(states).where(states.c.expires_at < now))
                await connection.execute(insert(states).values(digest=digest, expires_at=expires_at))
        except (Conflict, IntegrityError):
            return False
        return True
