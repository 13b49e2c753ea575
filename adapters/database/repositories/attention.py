"""Queries for the attention budgets of people and places: how much they were sent, and what goes first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, CompoundSelect, Select, TextClause, and_, bindparam, select, text, union_all

from adapters.database.inline import InlineSession
from adapters.database.repositories.base import Repository, among
from adapters.database.repositories.rows import SELECT_DELIVERIES, Rows
from adapters.database.tables import NUDGES_IN_PLACES, WAITING, deliveries
from adapters.database.types import Utc
from bot.domain.attention import WEEK, Attention
from bot.domain.delivery import Delivery, DeliveryState

POSSIBLY_SENT = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
"""States of deliveries that arrived, or may have."""
# Conditions of partial indexes, as literal text: with parameters, a prepared statement would not use the index.
_WAITING, _NUDGES_IN_PLACES = text(WAITING), text(NUDGES_IN_PLACES)


def _select_nudges(owner: Column[str], counts: TextClause, dialect: str) -> CompoundSelect[Any]:
    """Build the query of when nudges reached, or may have reached, their owners."""
    nudges = and_(among(owner, "wanted", dialect), counts, deliveries.c.state.in_(POSSIBLY_SENT))
    since = bindparam("since", type_=Utc)
    # Two queries, so that each can use its index: a busy place has years of sent deliveries.
    return union_all(
        select(owner, deliveries.c.sent_at.label("at")).where(nudges, deliveries.c.sent_at > since),
        select(owner, deliveries.c.attempted_at).where(
            nudges, deliveries.c.sent_at.is_(None), deliveries.c.attempted_at > since
        ),
    )


def _select_going_first(owner: Column[str], counts: TextClause, dialect: str) -> Select[Any]:
    """Build the query of what waits to be sent before others to the same owners."""
    return SELECT_DELIVERIES.where(
        among(owner, "wanted", dialect),
        counts,
        _WAITING,
        deliveries.c.sent_at.is_(None),
        deliveries.c.priority < bindparam("last", type_=deliveries.c.priority.type),
        deliveries.c.due_at <= bindparam("until", type_=Utc),
    )


_BUDGETS = (
    (deliveries.c.person_id, text("act = 'post' AND priority <> 0")),
    (deliveries.c.place_id, _NUDGES_IN_PLACES),
)
"""The owners of attention budgets, people and places: their column, and which of their rows count."""
_QUERIES = {
    dialect: [(_select_nudges(*budget, dialect), _select_going_first(*budget, dialect)) for budget in _BUDGETS]
    for dialect in ("sqlite", "postgresql")
}
# They run before every batch, so they are built once: for SQLAlchemy to build one costs more than running it.


class AttentionQueries(Repository):
    """Loads the attention budgets that a batch of deliveries draws on, for the whole batch at once."""

    def __init__(self, session: InlineSession, rows: Rows) -> None:
        super().__init__(session)
        self._rows = rows

    async def load(self, claimed: Sequence[Delivery], now: datetime) -> Attention:
        """Load what was sent within a week, and what goes first in the next, to those that claimed nudges are for."""
        nudges = [one for one in claimed if one.is_nudge]
        owners: tuple[set[str | None], ...] = (
            {one.person_id for one in nudges},
            {one.place_id for one in nudges if one.person_id is None},
        )
        sent: list[tuple[str, datetime]] = []
        waiting: list[Delivery] = []
        for among_them, (select_nudges, select_going_first) in zip(owners, _QUERIES[self._dialect], strict=True):
            if wanted := list(among_them - {None}):
                found = await self._session.execute(select_nudges, {"wanted": wanted, "since": now - WEEK})
                sent += [(one, at) for one, at in found]
                given = {"wanted": wanted, "last": max(one.priority for one in nudges), "until": now + WEEK}
                waiting += await self._rows.read(select_going_first, given)
        return Attention(sent=sent, waiting=waiting)
