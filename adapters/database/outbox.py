"""The outbox as whoever keeps Ritme running sees it: over all workspaces, without what anybody wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import JSON, ColumnElement, and_, case, false, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.repositories.deliveries import OPEN
from adapters.database.tables import deliveries, people, places, workspaces
from bot.domain.delivery import ANSWER, UNCONFIRMED_REASONS, DeliveryState

NOT_SETTLED = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN)
STUCK = (DeliveryState.UNKNOWN, DeliveryState.FAILED)


@dataclass(frozen=True, kw_only=True)
class OutboxStats:
    """Count the deliveries of one platform in one state.

    `rows` are all of them; `due` those that are due, in workspaces that Ritme was not removed from. `oldest_due_age` is
    how long the oldest of these has been due, without workspaces whose platform asked to wait; zero if there is none.
    """

    platform: str
    state: str
    rows: int
    due: int
    oldest_due_age: timedelta


@dataclass(frozen=True, kw_only=True)
class Row:
    """One delivery, without its words."""

    id: str
    workspace: str
    to: str
    kind: str
    act: str
    state: str
    reason: str
    due_at: datetime
    created_at: datetime
    attempted_at: datetime | None
    sent_at: datetime | None
    expires_at: datetime | None
    attempts: int
    receipt: str | None
    correlation: str

    @property
    def may_have_arrived(self) -> bool:
        """Whether nobody knows that it did not."""
        return self.state == DeliveryState.UNKNOWN.value or self.reason in UNCONFIRMED_REASONS

    @property
    def is_silent(self) -> bool:
        """Whether there are no words left to send: those of an answer go when it is dropped."""
        return self.kind == ANSWER and self.state == DeliveryState.DROPPED


class Outbox:
    """Questions about `deliveries`, and the two things an operator may do to one."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def stats(self, now: datetime) -> list[OutboxStats]:
        """Count the deliveries that are not settled, by platform and state."""
        due = and_(deliveries.c.due_at <= now, deliveries.c.state == DeliveryState.WAITING, OPEN)
        query = (
            select(
                deliveries.c.workspace_id,
                deliveries.c.state,
                func.count(),
                func.count().filter(due),
                func.min(deliveries.c.due_at).filter(due, ~_held(now)),
            )
            .where(deliveries.c.state.in_(NOT_SETTLED))
            .group_by(deliveries.c.workspace_id, deliveries.c.state)
        )
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).all()
        stats: dict[tuple[str, str], OutboxStats] = {}
        for workspace, state, rows, waiting, oldest in found:
            platform = workspace.partition(":")[0]
            before = stats.get((platform, state.value))
            age = now - oldest if oldest is not None else timedelta(0)
            stats[platform, state.value] = OutboxStats(
                platform=platform,
                state=state.value,
                rows=rows + (before.rows if before else 0),
                due=waiting + (before.due if before else 0),
                oldest_due_age=max(age, before.oldest_due_age if before else timedelta(0)),
            )
        return list(stats.values())

    async def rows(
        self,
        *,
        states: Sequence[DeliveryState] = (),
        workspace: str | None = None,
        overdue_at: datetime | None = None,
        limit: int = 50,
    ) -> list[Row]:
        """Deliveries in one of these states (without any: those that are not settled, and those that failed), what is
        due longest first. With `overdue_at`: those that should have been sent by then."""
        usual = NOT_SETTLED if overdue_at is not None else (*NOT_SETTLED, DeliveryState.FAILED)
        where: list[ColumnElement[bool]] = [deliveries.c.state.in_(states or usual)]
        if workspace is not None:
            where.append(deliveries.c.workspace_id == workspace)
        if overdue_at is not None:
            where += [deliveries.c.due_at <= overdue_at, OPEN, ~_held(overdue_at)]
        return await self._rows(*where, limit=limit)

    async def about(self, id: str) -> Row | None:
        """The delivery whose id begins so, when there is exactly one."""
        found = await self._rows(deliveries.c.id.startswith(id, autoescape=True), limit=2)
        return found[0] if len(found) == 1 else None

    async def retry(self, id: str, now: datetime, until: datetime, *, even_if_twice: bool = False) -> bool:
        """Has what failed, was dropped or waits sent now, if that can be done before `until`. What was sent is left
        alone, and so is what perhaps was, unless it may come twice; and an answer that was dropped, as it has no words
        any more. Whether it did."""
        again = [DeliveryState.WAITING, DeliveryState.FAILED, DeliveryState.DROPPED]
        if even_if_twice:
            again.append(DeliveryState.UNKNOWN)
        perhaps = false() if even_if_twice else deliveries.c.reason.in_(UNCONFIRMED_REASONS)
        silent = and_(deliveries.c.kind == ANSWER, deliveries.c.state == DeliveryState.DROPPED)
        later = or_(deliveries.c.expires_at.is_(None), deliveries.c.expires_at > until)
        change = {"state": DeliveryState.WAITING, "due_at": now, "queued_at": now, "reason": ""}
        async with self._engine.begin() as connection:
            fresh = await connection.execute(_one(id, again).where(~silent, ~perhaps, later).values(change))
            if fresh.rowcount:
                return True
            late = await connection.execute(
                _one(id, again).where(~silent, ~perhaps).values({**change, "expires_at": until})
            )
            return bool(late.rowcount)

    async def drop(self, id: str) -> bool:
        """Has what waits or is of unknown outcome never sent (again); what an answer said goes at once. Whether it
        did."""
        said = case((deliveries.c.kind == ANSWER, literal({}, JSON)), else_=deliveries.c.args)
        async with self._engine.begin() as connection:
            done = await connection.execute(
                _one(id, (DeliveryState.WAITING, DeliveryState.UNKNOWN)).values(
                    state=DeliveryState.DROPPED, reason="dropped_by_hand", args=said
                )
            )
            return bool(done.rowcount)

    async def _rows(self, *where: ColumnElement[bool], limit: int) -> list[Row]:
        query = (
            select(deliveries, places.c.name, places.c.channel, people.c.account)
            .outerjoin(places, places.c.id == deliveries.c.place_id)
            .outerjoin(people, people.c.id == deliveries.c.person_id)
            .where(*where)
            .order_by(deliveries.c.due_at, deliveries.c.row)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).all()
        return [
            Row(
                id=one.id,
                workspace=one.workspace_id,
                to=" ".join(
                    part for part in (f"#{one.name or one.channel}" if one.channel else "", one.account or "") if part
                ),
                kind=one.kind,
                act=one.act.value,
                state=one.state.value,
                reason=one.reason,
                due_at=one.due_at,
                created_at=one.created_at,
                attempted_at=one.attempted_at,
                sent_at=one.sent_at,
                expires_at=one.expires_at,
                attempts=one.attempts,
                receipt=one.receipt,
                correlation=one.correlation,
            )
            for one in found
        ]


def _held(now: datetime) -> ColumnElement[bool]:
    """Of a workspace whose platform asked to wait."""
    return deliveries.c.workspace_id.in_(select(workspaces.c.id).where(workspaces.c.held_until > now))


def _one(id: str, states: Sequence[DeliveryState]):  # type: ignore[no-untyped-def]  # SQLAlchemy's own
    return (
        update(deliveries)
        .where(deliveries.c.id == id, deliveries.c.state.in_(states))
        .values(revision=deliveries.c.revision + 1)
    )
