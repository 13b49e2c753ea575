"""When people were, or will be, asked something by way of Ritme, as the outbox tells it."""

from sqlalchemy import ColumnElement, and_, case, func

from adapters.database.repositories.attention import POSSIBLY_SENT
from adapters.database.tables import deliveries
from bot.domain.asks import ASK_KINDS
from bot.domain.delivery import UNCONFIRMED_REASONS, Act, DeliveryState


def _match_asks(state: ColumnElement[DeliveryState]) -> ColumnElement[bool]:
    return and_(
        deliveries.c.kind.in_(ASK_KINDS),
        deliveries.c.act == Act.POST,
        state.in_((*POSSIBLY_SENT, DeliveryState.WAITING))
        | and_(state == DeliveryState.FAILED, deliveries.c.reason.in_(UNCONFIRMED_REASONS)),
    )


IS_ASK = _match_asks(deliveries.c.state)
"""Matches the asks that arrived, may have, or are still to come."""
IS_ASK_OF_THEM = _match_asks(func.coalesce(deliveries.c.state, deliveries.c.state))
"""Matches the same among the deliveries of a few people: not by the column itself, or SQLite would go through all that
is due."""
ASKED_AT = case(
    # One that waits was perhaps tried before: what counts is when it will be sent.
    (deliveries.c.state == DeliveryState.WAITING, deliveries.c.due_at),
    else_=func.coalesce(deliveries.c.sent_at, deliveries.c.attempted_at, deliveries.c.due_at),
)
"""When somebody was asked, or will be."""
