"""The keys by which programs outside read what movements show."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select

from adapters.database.repositories.base import Repository
from adapters.database.tables import api_tokens, webhooks
from bot.domain.api_token import ApiToken, ApiTokenId
from bot.domain.movement import MovementId
from bot.domain.webhook import Webhook, WebhookId

# Asked for each batch of what rhythms posted: to build it takes longer than to run it.
_WEBHOOKS = (
    select(Webhook).where(webhooks.c.movement_id == bindparam("movement")).order_by(webhooks.c.made_at, webhooks.c.id)
)


class SqlOutside(Repository):
    """Implements `Outside`."""

    async def token_by_digest(self, digest: str) -> ApiToken | None:
        return await self._session.scalar(select(ApiToken).where(api_tokens.c.digest == digest))

    async def token(self, id: ApiTokenId, movement: MovementId) -> ApiToken | None:
        return await self._get(ApiToken, id, movement_id=movement)

    async def tokens(self, movement: MovementId) -> Sequence[ApiToken]:
        found = await self._session.scalars(
            select(ApiToken).where(api_tokens.c.movement_id == movement).order_by(api_tokens.c.made_at, api_tokens.c.id)
        )
        return found.all()

    async def webhook(self, id: WebhookId, movement: MovementId) -> Webhook | None:
        return await self._get(Webhook, id, movement_id=movement)

    async def webhook_to_call(self, id: WebhookId) -> Webhook | None:
        return await self._session.get(Webhook, id)

    async def webhooks(self, movement: MovementId) -> Sequence[Webhook]:
        found = await self._session.scalars(_WEBHOOKS, {"movement": movement})
        return found.all()

    async def close_all_in(self, movement: MovementId) -> None:
        for table in (api_tokens, webhooks):
            await self._session.execute(delete(table).where(table.c.movement_id == movement))
