"""Where Slack's installations and the states of installs under way are kept. Tokens come sealed, and stay so here."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.database.errors import translate_errors
from adapters.database.tables import slack_installations as installations
from adapters.database.tables import slack_states as states

Row = Mapping[str, Any]


class SqlInstallations:
    """Rows of `slack_installations` by team, each call a short transaction of its own. Raises `StorageUnavailable`
    when the database
    gives no answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        with translate_errors():
            async with self._engine.begin() as connection:
                yield connection

    async def get(self, team: str) -> Row | None:
        async with self._connected() as connection:
            found = await connection.execute(select(installations).where(installations.c.team_id == team))
            row = found.mappings().first()
            return dict(row) if row is not None else None

    async def all_sealed(self) -> dict[str, str]:
        """The bot token of every team, as it is kept."""
        async with self._connected() as connection:
            found = await connection.execute(select(installations.c.team_id, installations.c.bot_token))
            return {str(team): str(token) for team, token in found}

    async def save(self, row: Row) -> None:
        """Takes the place of what was known of this team."""
        async with self._connected() as connection:
            await connection.execute(delete(installations).where(installations.c.team_id == row["team_id"]))
            await connection.execute(insert(installations).values(**row))

    async def remove(self, team: str, installed_before: datetime) -> bool:
        """Forgets a team's tokens, unless they were given at or after this moment. Whether it did."""
        async with self._connected() as connection:
            gone = await connection.execute(
                delete(installations).where(
                    installations.c.team_id == team, installations.c.installed_at < installed_before
                )
            )
            return bool(gone.rowcount)

    async def claim_renewal(self, team: str, sealed: str, now: datetime, until: datetime) -> bool:
        """True for the one who may renew this refresh token, until then: it can be used once."""
        free = or_(installations.c.renewing_until.is_(None), installations.c.renewing_until < now)
        async with self._connected() as connection:
            claimed = await connection.execute(
                update(installations)
                .where(installations.c.team_id == team, installations.c.refresh_token == sealed, free)
                .values(renewing_until=until)
            )
            return bool(claimed.rowcount)

    async def renew(self, team: str, *, spent: str, bot_token: str, refresh_token: str, expires_at: datetime) -> None:
        """In place of the refresh token that was spent; a new install has one of its own."""
        async with self._connected() as connection:
            await connection.execute(
                update(installations)
                .where(installations.c.team_id == team, installations.c.refresh_token == spent)
                .values(bot_token=bot_token, refresh_token=refresh_token, expires_at=expires_at, renewing_until=None)
            )

    async def note_state(self, digest: str, expires_at: datetime, now: datetime) -> None:
        """Remembers that an install began; forgets those that were never finished."""
        async with self._connected() as connection:
            await connection.execute(delete(states).where(states.c.expires_at < now))
            await connection.execute(insert(states).values(digest=digest, expires_at=expires_at))

    async def use_state(self, digest: str, now: datetime) -> bool:
        """True once, and in time."""
        async with self._connected() as connection:
            used = await connection.execute(delete(states).where(states.c.digest == digest, states.c.expires_at >= now))
            return bool(used.rowcount)
