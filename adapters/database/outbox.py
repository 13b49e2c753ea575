"""The outbox as an operator sees it: across all workspaces, without anything people wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import JSON, ColumnElement, and_, case, false, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.repositories.deliveries import IN_ACTIVE_WORKSPACE
from adapters.database.tables import deliveries, people, places, workspaces
from bot.domain.delivery import ANSWER, UNCONFIRMED_REASONS, DeliveryState
from bot.domain.person import platform_of

UNSETTLED_STATES = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.UNKNOWN)
"""States of deliveries that are not done with."""


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
class DeliveryRow:
    """A delivery without its words. `place` and `account`, a person's, are whom it is for; moments are UTC."""

    id: str
    workspace: str
    place: str
    account: str
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
        """Return whether it may have arrived."""
        return self.state == DeliveryState.UNKNOWN.value or self.reason in UNCONFIRMED_REASONS

    @property
    def has_no_words(self) -> bool:
        """Return whether its words are gone: those of an answer are deleted when it is dropped."""
        return self.kind == ANSWER and self.state == DeliveryState.DROPPED


class Outbox:
    """Queries on the outbox, and the two things an operator can do to a delivery: retry and drop."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def stats(self, now: datetime) -> list[OutboxStats]:
        """Count the deliveries that are not settled, by platform and state."""
        due = and_(deliveries.c.due_at <= now, deliveries.c.state == DeliveryState.WAITING, IN_ACTIVE_WORKSPACE)
        query = (
            select(
                deliveries.c.workspace_id,
                deliveries.c.state,
                func.count(),
                func.count().filter(due),
                func.min(deliveries.c.due_at).filter(due, ~_in_held_workspace(now)),
            )
            .where(deliveries.c.state.in_(UNSETTLED_STATES))
            .group_by(deliveries.c.workspace_id, deliveries.c.state)
        )
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).all()
        stats: dict[tuple[str, str], OutboxStats] = {}
        for workspace, state, rows, waiting, oldest in found:
            platform = platform_of(workspace)
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
    ) -> list[DeliveryRow]:
        """Return deliveries in these states, those due longest first.

        Without `states`: unsettled and failed ones. With `overdue_at`: those that were due by then and are not sent, in
        workspaces that Ritme was not removed from and whose platform did not ask to wait.
        """
        usual = UNSETTLED_STATES if overdue_at is not None else (*UNSETTLED_STATES, DeliveryState.FAILED)
        where: list[ColumnElement[bool]] = [deliveries.c.state.in_(states or usual)]
        if workspace is not None:
            where.append(deliveries.c.workspace_id == workspace)
        if overdue_at is not None:
            where += [deliveries.c.due_at <= overdue_at, IN_ACTIVE_WORKSPACE, ~_in_held_workspace(overdue_at)]
        return await self._rows(*where, limit=limit)

    async def find_by_prefix(self, id: str) -> DeliveryRow | None:
        """Return the delivery whose id begins with this, if exactly one does."""
        found = await self._rows(deliveries.c.id.startswith(id, autoescape=True), limit=2)
        return found[0] if len(found) == 1 else None

    async def retry(self, id: str, now: datetime, until: datetime, *, even_if_twice: bool = False) -> bool:
        """Make a delivery due now that failed, was dropped or waits; return whether it did.

        A delivery that would expire before `until` gets `until` as its expiry. Deliveries that were sent stay as they
        are; so do those that perhaps were, unless `even_if_twice`, and dropped answers, which have no words any more.
        """
        again = [DeliveryState.WAITING, DeliveryState.FAILED, DeliveryState.DROPPED]
        if even_if_twice:
            again.append(DeliveryState.UNKNOWN)
        perhaps = false() if even_if_twice else deliveries.c.reason.in_(UNCONFIRMED_REASONS)
        silent = and_(deliveries.c.kind == ANSWER, deliveries.c.state == DeliveryState.DROPPED)
        later = or_(deliveries.c.expires_at.is_(None), deliveries.c.expires_at > until)
        change = {"state": DeliveryState.WAITING, "due_at": now, "queued_at": now, "reason": ""}
        async with self._engine.begin() as connection:
            # Two updates rather than a read and a write: the condition is checked on the row as it is when changed.
            fresh = await connection.execute(_one(id, again).where(~silent, ~perhaps, later).values(change))
            if fresh.rowcount:
                return True
            late = await connection.execute(
                _one(id, again).where(~silent, ~perhaps).values({**change, "expires_at": until})
            )
            return bool(late.rowcount)

    async def drop(self, id: str) -> bool:
        """Drop a delivery that waits or has an unknown outcome, and delete an answer's words; return whether it did."""
        said = case((deliveries.c.kind == ANSWER, literal({}, JSON)), else_=deliveries.c.args)
        async with self._engine.begin() as connection:
            done = await connection.execute(
                _one(id, (DeliveryState.WAITING, DeliveryState.UNKNOWN)).values(
                    state=DeliveryState.DROPPED, reason="dropped_by_hand", args=said
                )
            )
            return bool(done.rowcount)

    async def _rows(self, *where: ColumnElement[bool], limit: int) -> list[DeliveryRow]:
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
            DeliveryRow(
                id=one.id,
                workspace=one.workspace_id,
                place=f"#{one.name or one.channel}" if one.channel else "",
                account=one.account or "",
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


def _in_held_workspace(now: datetime) -> ColumnElement[bool]:
    """Match deliveries of workspaces whose platform asked to wait."""
    return deliveries.c.workspace_id.in_(select(workspaces.c.id).where(workspaces.c.held_until > now))


def _one(id: str, states: Sequence[DeliveryState]):  # type: ignore[no-untyped-def]  # SQLAlchemy's own
    # The revision: a worker that has read this row loses the race, and looks again.
    return (
        update(deliveries)
        .where(deliveries.c.id == id, deliveries.c.state.in_(states))
        .values(revision=deliveries.c.revision + 1)
    )
