"""Count what was sent week by week, and the answers it got: aggregates in the database, no row about a person.

All of them read the messages planned for a movement in a bounded time, by `ix_deliveries_movement_id`.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from adapters.database.inline import InlineSession
from adapters.database.tables import deliveries, stories
from bot.domain.delivery import Act, DeliveryState, Priority
from bot.domain.movement import MovementId
from bot.domain.week_figures import PLANNED_AHEAD, AnswerCount, ReasonCount, WeekCount

_moment = func.coalesce(deliveries.c.sent_at, deliveries.c.due_at)
"""When a message went out, or would have."""
_SENT = deliveries.c.state == DeliveryState.SENT
_UNSENT = deliveries.c.state.in_((DeliveryState.FAILED, DeliveryState.DROPPED))
_PERSONAL = deliveries.c.person_id.is_not(None)
# Not the column itself: by that PostgreSQL may take the index of nudges, which holds those of every movement.
_PRIORITY = deliveries.c.priority + 0
_FIGURES = (func.count(), func.count(deliveries.c.person_id.distinct()), func.min(deliveries.c.id))


class FigureQueries:
    """The queries behind `Deliveries.count_weeks`, `count_reasons` and `count_answers`."""

    def __init__(self, session: InlineSession) -> None:
        self._session = session

    async def count_weeks(self, movement: MovementId, begins: Sequence[datetime]) -> Sequence[WeekCount]:
        """See `Deliveries.count_weeks`."""
        week = case(*((_moment < end, number) for number, end in enumerate(begins[1:])), else_=len(begins))
        keys = (week.label("week"), _PERSONAL.label("personal"), _SENT.label("sent"))
        found = await self._session.execute(
            select(*keys, *_FIGURES)
            .where(_started_by_us(movement, begins[0], begins[-1]), or_(_SENT, _UNSENT))
            .group_by(*(key.name for key in keys))
            .order_by(*(key.name for key in keys))
        )
        return [WeekCount(int(number), bool(one), bool(sent), *rest) for number, one, sent, *rest in found]

    async def count_reasons(self, movement: MovementId, since: datetime, until: datetime) -> Sequence[ReasonCount]:
        """See `Deliveries.count_reasons`."""
        keys = (deliveries.c.reason.label("why"), _PERSONAL.label("personal"))
        found = await self._session.execute(
            select(*keys, *_FIGURES)
            .where(_started_by_us(movement, since, until), _UNSENT)
            .group_by(*(key.name for key in keys))
            .order_by(func.count().desc(), *(key.name for key in keys))
        )
        return [ReasonCount(reason, bool(personal), *rest) for reason, personal, *rest in found]

    async def count_answers(self, movement: MovementId, since: datetime, until: datetime) -> Sequence[AnswerCount]:
        """See `Deliveries.count_answers`."""
        under = and_(
            stories.c.place_id == deliveries.c.place_id,
            stories.c.thread == deliveries.c.receipt,
            stories.c.withdrawn_at.is_(None),
        )
        found = await self._session.execute(
            select(
                deliveries.c.kind,
                func.count(deliveries.c.id.distinct()),
                func.count(stories.c.id),
                func.count(stories.c.teller_id.distinct()),
                func.min(deliveries.c.id),
            )
            .join_from(deliveries, stories, under, isouter=True)
            .where(_started_by_us(movement, since, until), _SENT, deliveries.c.person_id.is_(None))
            .group_by(deliveries.c.kind)
            .order_by(deliveries.c.kind)
        )
        return [AnswerCount(*row) for row in found]


def _started_by_us(movement: MovementId, since: datetime, until: datetime) -> ColumnElement[bool]:
    """Match the posts of rhythms of a movement, and the personal messages that Ritme started by itself, that went out,
    or would have, between two moments. Not what somebody lets it post: that is one person's doing."""
    return and_(
        deliveries.c.movement_id == movement,
        deliveries.c.created_at > since - PLANNED_AHEAD,
        deliveries.c.created_at < until,
        _moment >= since,
        _moment < until,
        deliveries.c.act == Act.POST,
        or_(
            and_(_PERSONAL, _PRIORITY != Priority.ANSWER),
            and_(~_PERSONAL, _PRIORITY == Priority.RHYTHM),
        ),
    )
