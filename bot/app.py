"""Ritme: the only way into the core. Handles what people do, plans what is due, drains the outbox."""

from asyncio import gather
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter

import structlog
from structlog.contextvars import bound_contextvars

from bot import commands, wording
from bot.acting import acted, mark, show_home, turn_of, worded
from bot.catalogue.base import Entry
from bot.catalogue.errors import Apology, Declined
from bot.chat import Answer, FieldErrors, Intent, Reply
from bot.domain.delivery import Delivery
from bot.domain.ids import new_id
from bot.domain.movement import MovementId
from bot.domain.person import Language, Workspace, WorkspaceId
from bot.errors import Invalid, Refused
from bot.once import Once, correlation
from bot.ports import (
    Away,
    Begin,
    Clock,
    Conflict,
    Engine,
    Platform,
    UnitOfWork,
    Watch,
)
from bot.sending import Sending
from bot.use_cases import people, planning, saving
from bot.wording import Reader

PLANNED_AT_ONCE = 1000
SIDE_BY_SIDE = 2
"""How many movements are planned at a time: while the database writes what one asks for, the next is reckoned."""
FORGOTTEN_AT_ONCE = 500
BETWEEN_SWEEPS = timedelta(hours=1)
ABANDONED_AFTER = timedelta(minutes=1)
log = structlog.get_logger("ritme")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How long is kept what nobody needs any more: keys of requests, and deliveries that are settled."""

    events: timedelta = timedelta(days=30)
    deliveries: timedelta = timedelta(days=90)


class Ritme:
    """The application. `platforms` by the first part of a workspace id: "slack", "playground"."""

    opens = commands.OPENS
    """Which intents, pressed, open a form."""

    def __init__(
        self,
        *,
        begin: Begin,
        platforms: Mapping[str, Platform],
        clock: Clock,
        engine: Engine,
        watch: Watch | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._watch = watch or Unwatched()
        self._kept = kept or Kept()
        self._sweep_at = datetime.min.replace(tzinfo=UTC)
        self._once = Once(begin, engine)
        self._sending = Sending(
            begin=begin, once=self._once, platforms=platforms, clock=clock, engine=engine, watch=self._watch
        )

    # -- in ---------------------------------------------------------------------------------------------------------

    async def handle(self, intent: Intent) -> Reply:
        """Acts on one intent in one transaction, at most once per `intent.key`. Never raises."""
        started = perf_counter()
        intent = commands.understand(intent)
        here = correlation()
        with (
            bound_contextvars(correlation=here),
            self._watch.during("intent", here, name=intent.name, workspace=intent.actor.workspace),
        ):
            outcome, reply = await self._outcome(intent)
            seconds = perf_counter() - started
            log.info(
                "intent",
                name=intent.name,
                workspace=intent.actor.workspace,
                outcome=outcome,
                ms=round(seconds * 1000, 1),
            )
        known = intent.name in commands.HANDLERS or intent.name in commands.NEWS
        self._watch.handled(intent.name if known else "unknown", outcome.partition(":")[0], seconds)
        return reply

    async def _outcome(self, intent: Intent) -> tuple[str, Reply]:
        """What came of it, for the log, and what to answer, whatever breaks."""
        try:
            return await self._answered(intent)
        except (Away, Conflict) as away:  # or others were faster every time
            reference = new_id()[:8]
            log.error("storage_away", intent=intent.name, reference=reference, reason=str(away))
            return "away", replace(self._apology(intent, reference), away=True)
        except Exception:
            reference = new_id()[:8]
            log.exception("intent_broke", intent=intent.name, reference=reference)
            return f"broken:{reference}", self._apology(intent, reference)

    async def _answered(self, intent: Intent) -> tuple[str, Reply]:
        """What came of it, for the log, and what to answer."""
        try:
            return "ok", await self._act(intent)
        except Invalid as invalid:
            return "invalid", await self._field_errors(intent, invalid)
        except Refused as refused:
            declined = Declined(reason=refused.reason, values=refused.values)
            return f"refused:{refused.reason}", await self._say(intent, declined)

    async def _act(self, intent: Intent) -> Reply:
        now = self._clock.now()
        if intent.name in commands.NEWS:
            await self._hear(intent, now)
            return None
        return await self._once(partial(acted, intent=intent, now=now))

    async def _hear(self, intent: Intent, now: datetime) -> None:
        """What a platform tells by itself: nobody acts, so nobody is welcomed, and of what is none of our business
        nothing is kept."""
        concerns_us, act = commands.NEWS[intent.name]

        async def heard(work: UnitOfWork) -> None:
            lane = WorkspaceId(intent.actor.workspace)
            if await concerns_us(work, intent) and await work.inbox.claim(lane, mark(intent.key), now):
                await act(work, intent, now)

        await self._once(heard)

    async def _field_errors(self, intent: Intent, invalid: Invalid) -> FieldErrors:
        reader = await self._reader(intent)
        return FieldErrors(
            errors={
                name: wording.sentence("errors/fields.md.j2", reason, reader, invalid.values.get(name))
                for name, reason in invalid.fields.items()
            }
        )

    async def _say(self, intent: Intent, entry: Entry) -> Reply:
        """An answer outside the transaction that was rolled back."""
        now = self._clock.now()

        async def said(work: UnitOfWork) -> Reply:
            turn = await turn_of(work, intent, now)
            reply = await worded(work, turn, entry)
            await show_home(work, turn)
            return reply

        return await self._once(said)

    def _apology(self, intent: Intent, reference: str) -> Answer:
        """Even when the database is away there are words: in the language the platform told us."""
        reader = Reader(
            language=Language.meant(intent.actor.language, Language.NL),
            timezone="Europe/Amsterdam",
            now=self._clock.now(),
        )
        return Answer(message=wording.message(Apology(reference=reference), reader), reference=reference)

    async def _reader(self, intent: Intent) -> Reader:
        now = self._clock.now()
        turn = await self._once(partial(turn_of, intent=intent, now=now))
        return Reader(language=turn.language, timezone=turn.timezone, now=now)

    # -- out --------------------------------------------------------------------------------------------------------

    async def plan(self) -> int:
        """Turns due moments of rhythms into deliveries (returns how many); finds what a vanished sender left."""
        now, planned = self._clock.now(), 0
        with bound_contextvars(correlation=correlation()):
            while movements := deque(await self._movements_due(now)):
                turn = sum(await gather(*(self._planned_one_by_one(movements, now) for _ in range(SIDE_BY_SIDE))))
                planned += turn
                if not turn:
                    break  # somebody else is planning what is left
        await self._sending.lose_sight(before=now - ABANDONED_AFTER)
        if now >= self._sweep_at:
            self._sweep_at = now + BETWEEN_SWEEPS
            await self._sweep(now)
        return planned

    async def _movements_due(self, now: datetime) -> Sequence[MovementId]:
        async with self._begin() as work:
            return await work.rhythms.movements_due(now)

    async def _planned_one_by_one(self, movements: deque[MovementId], now: datetime) -> int:
        planned = 0
        while movements:
            planned += await self._planned(movements.popleft(), now)
        return planned

    async def _planned(self, movement: MovementId, now: datetime) -> int:
        """Plans some of what is due in a movement: each has its turn, so that a large one holds up no other."""
        try:
            planned = await self._once(partial(planning.plan_due, now=now, limit=PLANNED_AT_ONCE, movement=movement))
        except Away:
            raise
        except Exception:
            # What is wrong with one movement must not keep the others from theirs.
            log.exception("planning_broke", movement=movement)
            return 0
        self._watch.planned(planned)
        return planned

    async def _sweep(self, now: datetime) -> None:
        """What was kept long enough goes."""
        await self._once(partial(saving.let_lapse, now=now))
        while erased := await self._once(partial(people.erase_gone, now=now)):
            log.info("workspace_erased", workspace=erased)
        kept = self._kept
        forgotten = {
            "events": await self._forget(lambda work: work.inbox.forget(now - kept.events, FORGOTTEN_AT_ONCE)),
            "deliveries": await self._forget(
                lambda work: work.deliveries.forget(now - kept.deliveries, FORGOTTEN_AT_ONCE)
            ),
        }
        if any(forgotten.values()):
            log.info("forgotten", **forgotten)

    async def _forget(self, some: Callable[[UnitOfWork], Awaitable[int]]) -> int:
        """What was kept long enough, a little at a time, so that nobody waits for it. Returns how much it was."""
        forgotten = 0
        while gone := await self._once(some):
            forgotten += gone
        return forgotten

    async def left(self, workspace: str, reason: str) -> None:
        """Ritme may not speak in this workspace any more (`reason`: a block of `errors/reasons.md.j2`). What is kept
        waits for a month, in case it comes back."""
        now = self._clock.now()

        async def leave(work: UnitOfWork) -> None:
            found = await work.people.workspace(WorkspaceId(workspace))
            if found is not None and found.gone_at is None:
                found.gone_at, found.gone_reason = now, reason

        await self._once(leave)
        log.info("workspace_left", workspace=workspace, reason=reason)

    async def returned(self, workspace: str, name: str) -> None:
        """Ritme may speak in this workspace, for the first time or again: what waited and is still on time goes out."""
        lane = WorkspaceId(workspace)

        async def come_back(work: UnitOfWork) -> None:
            found = await work.people.workspace(lane)
            if found is None:
                found = Workspace(id=lane)
                work.people.add(found)
            found.name = name
            found.gone_at, found.gone_reason = None, ""
            work.woken.add(lane)

        await self._once(come_back)
        log.info("workspace_returned", workspace=workspace)

    async def drain(self, lane: WorkspaceId) -> int:
        """Settles what is due in a workspace, at most one batch, in order per place. Returns how many rows it settled.
        One drain per lane at a time is the engine's promise."""
        return await self._sending.drain(lane)

    async def reconcile(self, lane: WorkspaceId) -> int:
        """Looks up deliveries of unknown outcome. Returns how many it settled."""
        return await self._sending.reconcile(lane)

    async def recover(self) -> None:
        """At the start of the only process: whatever was being sent then, has an unknown outcome now."""
        await self._sending.lose_sight(before=self._clock.now() + timedelta(days=1))

    async def lanes_due(self) -> list[WorkspaceId]:
        async with self._begin() as work:
            return await work.deliveries.lanes_due(self._clock.now())

    async def next_due(self) -> datetime | None:
        """The next moment at which anything is planned to happen."""
        async with self._begin() as work:
            moments = (await work.rhythms.next_due(), await work.deliveries.next_due())
        return min((moment for moment in moments if moment is not None), default=None)


class Unwatched:
    """Nobody watches."""

    def during(self, what: str, correlation: str, **about: str) -> AbstractContextManager[None]:
        return nullcontext()

    def handled(self, intent: str, outcome: str, seconds: float) -> None: ...
    def planned(self, moments: int) -> None: ...
    def settled(self, delivery: Delivery) -> None: ...
