"""Queries for the attention budgets of people and places: how much they were sent, and what goes first."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Select,
    TextClause,
    and_,
    bindparam,
    func,
    select,
    text,
    union_all,
)

from adapters.database.inline import InlineSession
from adapters.database.repositories.base import DIALECTS, Repository, among, is_of
from adapters.database.repositories.rows import SELECT_DELIVERIES, Rows
from adapters.database.tables import NUDGES_IN_PLACES, deliveries
from adapters.database.types import Utc
from bot.domain.attention import WEEK, Attention
from bot.domain.delivery import Delivery, DeliveryState, Priority

POSSIBLY_SENT = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
"""States of deliveries that arrived, or may have."""
# Conditions of partial indexes, as literal text: with parameters, a prepared statement would not use the index.
_NUDGES_IN_PLACES = text(NUDGES_IN_PLACES)
IS_WAITING = is_of(deliveries.c.state, DeliveryState.WAITING)
"""Matches what waits among few that are found by something else. In a storm nearly all that waits is of others, and
PostgreSQL, whose statistics are of before, would look through all of it."""
_IS_POSSIBLY_SENT = func.coalesce(deliveries.c.state, "").in_(POSSIBLY_SENT)


class _Budget:
    """The statements of one kind of attention budget, by dialect: what was sent, and what goes first. They are built
    once: to build one takes longer than to run it."""

    def __init__(self, column: Column[str], counts: TextClause) -> None:
        self.nudges = {one: _select_nudges(column, and_(among(column, "wanted", one), counts)) for one in DIALECTS}
        self.going_first = {one: _select_going_first(and_(among(column, "wanted", one), counts)) for one in DIALECTS}


def _select_nudges(column: Column[str], drawing: ColumnElement[bool]) -> CompoundSelect[Any]:
    # Two queries, so that each can use its index: a busy place has years of sent deliveries.
    nudges, since = and_(drawing, _IS_POSSIBLY_SENT), bindparam("since", type_=Utc)
    return union_all(
        select(column, deliveries.c.sent_at.label("at")).where(nudges, deliveries.c.sent_at > since),
        select(column, deliveries.c.attempted_at).where(
            nudges, deliveries.c.sent_at.is_(None), deliveries.c.attempted_at > since
        ),
    )


def _select_going_first(drawing: ColumnElement[bool]) -> Select[Any]:
    return SELECT_DELIVERIES.where(
        drawing,
        IS_WAITING,
        deliveries.c.sent_at.is_(None),
        deliveries.c.priority < bindparam("last", type_=deliveries.c.priority.type),
        deliveries.c.due_at <= bindparam("until", type_=Utc),
    )


_OF_PERSON = _Budget(deliveries.c.person_id, text("act = 'post' AND priority <> 0"))
_OF_PLACE = _Budget(deliveries.c.place_id, _NUDGES_IN_PLACES)


class AttentionQueries(Repository):
    """Loads the attention budgets that a batch of deliveries draws on, for the whole batch at once."""

    def __init__(self, session: InlineSession, rows: Rows) -> None:
        super().__init__(session)
        self._rows = rows

    async def load(self, claimed: Sequence[Delivery], now: datetime) -> Attention:
        """Load what was sent within a week, and what goes first in the next, to those that claimed nudges are for."""
        nudges = [one for one in claimed if one.is_nudge]
        to_people = {one.person_id for one in nudges} - {None}
        in_places = {one.place_id for one in nudges if one.person_id is None} - {None}
        last = max((one.priority for one in nudges), default=Priority.ANSWER)
        asks = [
            self._session.together(
                self._nudges(whose, wanted, now - WEEK), self._going_first(whose, wanted, last, now + WEEK)
            )
            for whose, wanted in ((_OF_PERSON, to_people), (_OF_PLACE, in_places))
            if wanted
        ]
        found = await self._session.together(*asks)
        return Attention(
            sent=[one for sent, _ in found for one in sent], waiting=[one for _, waiting in found for one in waiting]
        )

    async def _nudges(
        self, whose: _Budget, wanted: Collection[str | None], since: datetime
    ) -> list[tuple[str, datetime]]:
        given = {"wanted": [*wanted], "since": since}
        return [(one, at) for one, at in await self._session.execute(whose.nudges[self._dialect], given)]

    async def _going_first(
        self, whose: _Budget, wanted: Collection[str | None], last: Priority, until: datetime
    ) -> Sequence[Delivery]:
        given = {"wanted": [*wanted], "last": last, "until": until}
        return await self._rows.read(whose.going_first[self._dialect], given)
