"""When people were, or will be, asked something by way of Ritme, as the outbox tells it."""

from sqlalchemy import and_, case, func

from adapters.database.repositories.attention import POSSIBLY_SENT
from adapters.database.tables import deliveries
from bot.domain.asks import ASK_KINDS
from bot.domain.delivery import UNCONFIRMED_REASONS, Act, DeliveryState

IS_ASK = and_(
    deliveries.c.kind.in_(ASK_KINDS),
    deliveries.c.act == Act.POST,
    deliveries.c.state.in_((*POSSIBLY_SENT, DeliveryState.WAITING))
    | and_(deliveries.c.state == DeliveryState.FAILED, deliveries.c.reason.in_(UNCONFIRMED_REASONS)),
)
"""Matches the asks that arrived, may have, or are still to come."""
ASKED_AT = case(
    # One that waits was perhaps tried before: what counts is when it will be sent.
    (deliveries.c.state == DeliveryState.WAITING, deliveries.c.due_at),
    else_=func.coalesce(deliveries.c.sent_at, deliveries.c.attempted_at, deliveries.c.due_at),
)
"""When somebody was asked, or will be."""
