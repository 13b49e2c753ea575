"""Ritme: the only way into the core. Handles what people do, plans what is due, drains the outbox."""

from asyncio import CancelledError, Event, create_task, gather, shield, sleep, wait
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from random import uniform
from time import perf_counter
from typing import TypeVar

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

from bot import commands, wording
from bot.catalogue.base import Entry, FormEntry, InPlace, dump
from bot.catalogue.errors import Apology, Declined
from bot.catalogue.home import Home
from bot.catalogue.offers import FormOffered
from bot.chat import Account, Answer, FieldErrors, Intent, Message, Page, Post, Profile, Receipt, Reply
from bot.chat import Place as Spot
from bot.domain.attention import Attention
from bot.domain.delivery import ANSWER, FIRST_LOOK, Act, Delivery, DeliveryId, DeliveryState, to_home, to_person
from bot.domain.ids import new_id
from bot.domain.movement import Member, MovementId, Place, PlaceId
from bot.domain.person import Language, Person, PersonId, Workspace, WorkspaceId
from bot.errors import Invalid, Refused, Unwanted
from bot.ports import (
    Away,
    Begin,
    Clock,
    Conflict,
    Directory,
    Engine,
    Messenger,
    NoAnswer,
    Outgoing,
    TryLater,
    Turn,
    UnitOfWork,
    Unknowable,
    Unreachable,
    Watch,
)
from bot.ports.turn import lives, speaks
from bot.use_cases import deliveries, groups, introductions, people, planning, reach, saving, threads
from bot.wording import Reader

BATCH = 200
WITHIN = "movement"
"""The argument by which a button or form of a personal chat says which movement it is about."""
BREATH = 25
"""After so many deliveries worded in one go, whoever waits for an answer from this process has a turn."""
PLANNED_AT_ONCE = 1000
SIDE_BY_SIDE = 2
"""How many movements are planned at a time: while the database writes what one asks for, the next is reckoned."""
FORGOTTEN_AT_ONCE = 500
BETWEEN_SWEEPS = timedelta(hours=1)
STALE_AFTER = timedelta(days=1)
"""An answer that could not be given for so long answers nothing any more."""
WORDS_COME = timedelta(minutes=1)
"""When a kind of message nobody here knows is looked at again: during an update another version may know it."""
ABANDONED_AFTER = timedelta(minutes=1)
BEGINS_WITHIN = timedelta(seconds=5)
"""How long after it was claimed something may begin to be sent: other workspaces have their turn, and it must be over
long before anybody takes it for abandoned."""
TRIES = 6
"""How often what lost a race, or found storage away, begins again: for about a second."""
SOMEBODY_WAITS = 2.0
"""Seconds after which nothing is begun again that somebody waits for: a platform goes away after three."""
PATIENT = 12
"""The same, for what the world knows already and must be put on record: for about a minute."""
LOOK_AGAIN = timedelta(seconds=1)
"""After how long what stands behind something that is being sent looks again."""
T = TypeVar("T")
log = structlog.get_logger("ritme")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How long is kept what nobody needs any more: keys of requests, and deliveries that are settled."""

    events: timedelta = timedelta(days=30)
    deliveries: timedelta = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What the core needs of one platform."""

    messenger: Messenger
    directory: Directory | None = None


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
        self._platforms = platforms
        self._clock = clock
        self._engine = engine
        self._watch = watch or Unwatched()
        self._kept = kept or Kept()
        self._sweep_at = datetime.min.replace(tzinfo=UTC)
        self._not_served: set[str] = set()

    # -- in ---------------------------------------------------------------------------------------------------------

    async def handle(self, intent: Intent) -> Reply:
        """Acts on one intent in one transaction, at most once per `intent.key`. Never raises."""
        started = perf_counter()
        intent = commands.understand(intent)
        correlation = _correlation()
        with (
            bound_contextvars(correlation=correlation),
            self._watch.during("intent", correlation, name=intent.name, workspace=intent.actor.workspace),
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
        except Away as away:
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
        return await self._once(partial(_acted, intent=intent, now=now))

    async def _hear(self, intent: Intent, now: datetime) -> None:
        """What a platform tells by itself: nobody acts, so nobody is welcomed, and of what is none of our business
        nothing is kept."""
        concerns_us, act = commands.NEWS[intent.name]

        async def heard(work: UnitOfWork) -> None:
            lane = WorkspaceId(intent.actor.workspace)
            if await concerns_us(work, intent) and await work.inbox.claim(lane, _mark(intent.key), now):
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
            turn = await _turn(work, intent, now)
            reply = await _worded(work, turn, entry)
            await _show_home(work, turn)
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
        turn = await self._once(partial(_turn, intent=intent, now=now))
        return Reader(language=turn.language, timezone=turn.timezone, now=now)

    async def _once(self, act: Callable[[UnitOfWork], Awaitable[T]], *, tries: int = TRIES) -> T:
        """Does `act` in one transaction, and wakes the lanes it gave something to send. Where storage is shared, what
        loses a race, or finds storage away for a moment, begins again, a little later."""
        began = perf_counter()
        for tried in range(1, tries + 1):
            try:
                async with self._begin() as work:
                    done = await act(work)
            except (Conflict, Away):
                waited_for = tries <= TRIES and perf_counter() - began > SOMEBODY_WAITS
                if tried == tries or waited_for:
                    raise
                await sleep(uniform(0, 0.01 * 2**tried))
            else:
                for lane in work.woken:
                    self._engine.wake(lane)
                return done
        raise AssertionError("unreachable")

    # -- out --------------------------------------------------------------------------------------------------------

    async def plan(self) -> int:
        """Turns due moments of rhythms into deliveries (returns how many); finds what a vanished sender left."""
        now, planned = self._clock.now(), 0
        with bound_contextvars(correlation=_correlation()):
            while movements := deque(await self._movements_due(now)):
                turn = sum(await gather(*(self._planned_one_by_one(movements, now) for _ in range(SIDE_BY_SIDE))))
                planned += turn
                if not turn:
                    break  # somebody else is planning what is left
        self._tell(await self._once(partial(_lose_sight, before=now - ABANDONED_AFTER, now=now)))
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

    async def recover(self) -> None:
        """At the start of the only process: whatever was being sent then, has an unknown outcome now."""
        now = self._clock.now()
        self._tell(await self._once(partial(_lose_sight, before=now + timedelta(days=1), now=now)))

    async def lanes_due(self) -> list[WorkspaceId]:
        async with self._begin() as work:
            return await work.deliveries.lanes_due(self._clock.now())

    async def next_due(self) -> datetime | None:
        """The next moment at which anything is planned to happen."""
        async with self._begin() as work:
            moments = (await work.rhythms.next_due(), await work.deliveries.next_due())
        return min((moment for moment in moments if moment is not None), default=None)

    async def drain(self, lane: WorkspaceId) -> int:
        """Settles what is due in a workspace, at most one batch, in order per place. Returns how many rows it settled.

        What has an unknown outcome is looked up first; what stands behind it in the same place waits for that.
        One drain per lane at a time is the engine's promise. Where we are let in no more, a single message knocks. What
        is for a platform that is not served from here waits for who serves it.
        """
        if self._platform_of(lane) is None:
            return 0
        before = await self._look_into(lane)
        if not before.gone:
            await self._get_to_know(lane, before.strangers, before.unnamed)
            await self._get_to_know_groups(lane, before.lists, before.handles)
        looked_up = 0 if before.gone else await self._look_up(lane, before.unknown)
        claimed, posts = await self._once(
            partial(_claimed, lane=lane, now=self._clock.now(), limit=1 if before.gone else BATCH)
        )
        self._tell(one for one in claimed if one.state is not DeliveryState.SENDING)
        lines: dict[Line, list[tuple[Delivery, Post]]] = {}
        for delivery, post in posts:
            lines.setdefault(_line(delivery), []).append((delivery, post))
        await self._send(lane, lines.values())
        if before.gone and await self._is_gone(lane):
            return await self._settled(claimed)
        return looked_up + len(claimed)

    def _platform_of(self, lane: WorkspaceId) -> "Platform | None":
        name = lane.partition(":")[0]
        platform = self._platforms.get(name)
        if platform is None and name not in self._not_served:
            self._not_served.add(name)
            log.warning("platform_not_served", platform=name)  # once: its lanes come due again and again
        return platform

    async def _settled(self, claimed: Sequence[Delivery]) -> int:
        """How many of these do not wait any more: where nobody lets us in, the others are not tried again at once."""
        async with self._begin() as work:
            rows = [await work.deliveries.get(one.id, one.workspace_id) for one in claimed]
        return sum(row is not None and row.state is not DeliveryState.WAITING for row in rows)

    async def _is_gone(self, lane: WorkspaceId) -> bool:
        async with self._begin() as work:
            workspace = await work.people.workspace(lane)
        return workspace is not None and workspace.gone_at is not None

    async def _look_into(self, lane: WorkspaceId) -> "Before":
        """What is to be seen to before anything is sent."""
        async with self._begin() as work:
            workspace = await work.people.workspace(lane)
            if workspace is not None and workspace.gone_at is not None:
                return Before(gone=True)
            now = self._clock.now()
            lists, handles = await groups.wanted(work, lane)
            return Before(
                strangers=await introductions.strangers(work, lane),
                unnamed=await introductions.unnamed(work, lane),
                lists=lists,
                handles=handles,
                unknown=[
                    (delivery, await _addressed(work, delivery, now))
                    for delivery in await work.deliveries.unknown(lane)
                    if delivery.due_at <= now
                ],
            )

    async def _send(self, lane: WorkspaceId, lines: Iterable[Sequence[tuple[Delivery, Post]]]) -> None:
        """Sends places side by side, each in order. What came of it is recorded as soon as what came before is: one
        transaction for all that came in meanwhile."""
        outcomes: deque[Outcome] = deque()
        came = Event()
        sending = gather(*(self._send_line(line, outcomes, came) for line in lines))
        sending.add_done_callback(lambda _: came.set())

        async def recording() -> None:
            while outcomes or not sending.done():
                await came.wait()
                came.clear()
                await self._put_on_record(lane, [outcomes.popleft() for _ in range(len(outcomes))])

        recorder = create_task(recording())
        try:
            await shield(recorder)
            await sending
        except CancelledError:
            sending.cancel()
            await recorder  # what came of it is known, in whatever hurry we are
            raise
        finally:
            await wait([sending])

    async def _put_on_record(self, lane: WorkspaceId, outcomes: Sequence["Outcome"], *, afresh: bool = False) -> None:
        """Puts on record what came of sending; what cannot be is looked up later, and keeps no other from it."""
        try:
            self._tell(await self._record(lane, outcomes, afresh=afresh))
        except (Conflict, Away):
            raise
        except Exception:
            if len(outcomes) > 1:
                for one in outcomes:
                    await self._put_on_record(lane, [one], afresh=True)
            else:
                log.exception("record_broke", delivery=outcomes[0].delivery.id)

    async def _record(self, lane: WorkspaceId, outcomes: Sequence["Outcome"], *, afresh: bool) -> Sequence[Delivery]:
        """In one transaction. Nobody else touches what is being sent, as a rule: only where somebody did, or `afresh`,
        are the rows looked at again. Returns those of which something became."""
        now, seen = self._clock.now(), [] if afresh else [outcome.delivery for outcome in outcomes]

        async def recorded(work: UnitOfWork) -> Sequence[Delivery]:
            nonlocal seen
            rows = seen or [*await work.deliveries.in_hand([outcome.delivery.id for outcome in outcomes], lane)]
            seen = []
            return await _recorded(work, lane=lane, rows=rows, outcomes=outcomes, now=now)

        return await self._once(recorded, tries=PATIENT)

    async def _send_line(self, line: Sequence[tuple[Delivery, Post]], outcomes: deque["Outcome"], came: Event) -> None:
        """Sends to one place in order; what has to wait, or may have been sent, holds back what stands behind it."""
        held: TryLater | None = None
        here = _correlation()
        for delivery, post in line:
            came_of_it: CameOfIt = held or self._too_late_for(delivery) or await self._sent(delivery, post, here)
            outcomes.append(Outcome(delivery=delivery, came_of_it=came_of_it, attempt=_attempt(delivery)))
            came.set()
            if isinstance(came_of_it, TryLater):
                held = TryLater(came_of_it.until, reason=came_of_it.reason)
            elif isinstance(came_of_it, NoAnswer):
                held = TryLater(self._clock.now() + FIRST_LOOK, reason="behind_unknown")
            elif isinstance(came_of_it, Unreachable) and came_of_it.workspace_is_gone:
                held = TryLater(self._clock.now())

    def _too_late_for(self, delivery: Delivery) -> TryLater | None:
        """Whoever stood still for long may be taken for dead by now: what it did not begin to send, it leaves."""
        now = self._clock.now()
        claimed_at = delivery.attempted_at or now
        return TryLater(now) if now - claimed_at > BEGINS_WITHIN else None

    async def _sent(self, delivery: Delivery, post: Post, here: str) -> "CameOfIt":
        correlation = delivery.correlation or here
        bind_contextvars(correlation=correlation)  # of this line's own task
        try:
            with self._watch.during("send", correlation, kind=delivery.kind, workspace=post.workspace):
                return await self._platforms[post.workspace.partition(":")[0]].messenger.send(post)
        except (TryLater, Unreachable, NoAnswer) as known:
            return known
        except Exception:
            log.exception("delivery_broke", delivery=delivery.id, kind=delivery.kind)
            return NoAnswer()

    async def _get_to_know(self, lane: WorkspaceId, people: Sequence[Account], places: Sequence[Spot]) -> None:
        """Asks the platform for names a request did not tell; without an answer, later again."""
        platform = self._platform_of(lane)
        if platform is None or platform.directory is None or not (people or places):
            return
        told = await gather(
            *(platform.directory.profile(one) for one in people),
            *(platform.directory.place_name(one) for one in places),
            return_exceptions=True,
        )
        async with self._begin() as work:
            for one, answer in zip((*people, *places), told, strict=True):
                if isinstance(answer, BaseException):
                    log.warning("directory_broke", workspace=lane, error=type(answer).__name__)
                elif isinstance(one, Account) and isinstance(answer, Profile):
                    await introductions.introduce(work, one, answer, self._clock.now())
                elif isinstance(one, Spot) and isinstance(answer, str):
                    await introductions.call(work, one, answer)

    async def _get_to_know_groups(self, lane: WorkspaceId, lists: Sequence[DeliveryId], handles: Sequence[str]) -> None:
        """Asks for the groups a coordinator wants to choose from, and who is in those that were chosen."""
        platform = self._platform_of(lane)
        if platform is None or platform.directory is None or not (lists or handles):
            return
        directory = platform.directory
        found = await directory.groups(lane) if lists else None
        members = {one: await directory.group_members(lane, one) for one in handles}
        async with self._begin() as work:
            if found is not None:
                await groups.learn_groups(work, lane, lists, found)
            told = {one: accounts for one, accounts in members.items() if accounts is not None}
            await groups.learn_members(work, lane, told, self._clock.now())

    async def reconcile(self, lane: WorkspaceId) -> int:
        """Looks up deliveries of unknown outcome: found means sent, surely absent means send again. Returns how many
        it settled; the others are looked up again later."""
        if self._platform_of(lane) is None:
            return 0
        return await self._look_up(lane, (await self._look_into(lane)).unknown)

    async def _look_up(self, lane: WorkspaceId, unknown: Sequence[tuple[Delivery, tuple[Post, datetime]]]) -> int:
        now, settled = self._clock.now(), 0
        for delivery, (post, since) in unknown:
            found: Found
            try:
                found = await self._platforms[lane.partition(":")[0]].messenger.find(post, since)
            except (NoAnswer, Unknowable) as nothing:
                found = nothing
            except Exception:
                log.exception("look_up_broke", delivery=delivery.id, kind=delivery.kind)
                found = NoAnswer()
            looked_up = await self._once(partial(_looked_up, lane=lane, delivery=delivery, found=found, now=now))
            if looked_up is not None:
                self._tell([looked_up])
                settled += not isinstance(found, NoAnswer)
        return settled

    def _tell(self, settled: Iterable[Delivery]) -> None:
        """What became of deliveries, in the log and to who watches."""
        for delivery in settled:
            log.info(
                "delivery",
                id=delivery.id,
                kind=delivery.kind,
                workspace=delivery.workspace_id,
                state=delivery.state.value,
                reason=delivery.reason,
                correlation=delivery.correlation,
            )
            self._watch.settled(delivery)


class Unwatched:
    """Nobody watches."""

    def during(self, what: str, correlation: str, **about: str) -> AbstractContextManager[None]:
        return nullcontext()

    def handled(self, intent: str, outcome: str, seconds: float) -> None: ...
    def planned(self, moments: int) -> None: ...
    def settled(self, delivery: Delivery) -> None: ...


def _correlation() -> str:
    """What the log calls the request that is going on; a new name where none is."""
    return str(get_contextvars().get("correlation") or new_id())


CameOfIt = Receipt | TryLater | Unreachable | NoAnswer
Found = Receipt | NoAnswer | Unknowable | None
"""What looking for a message told: it is there, it is not (None), or nobody can tell, now or ever."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of sending one delivery, at this attempt."""

    delivery: Delivery
    came_of_it: CameOfIt
    attempt: tuple[int, datetime | None]

    def is_news_of(self, row: Delivery) -> bool:
        """A try of which nobody heard back may have put it on record already, and whoever took us for dead may have
        gone on without us. That it arrived is news even then."""
        if _attempt(row) != self.attempt:
            return False
        if isinstance(self.came_of_it, Receipt):
            return row.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.WAITING)
        return row.state is DeliveryState.SENDING


@dataclass(frozen=True, kw_only=True)
class Before:
    """What is to be seen to in a workspace before anything is sent there: whom and what to ask the platform about, and
    what has an unknown outcome. Where we are let in no more, nothing."""

    gone: bool = False
    strangers: Sequence[Account] = ()
    unnamed: Sequence[Spot] = ()
    lists: Sequence[DeliveryId] = ()
    handles: Sequence[str] = ()
    unknown: Sequence[tuple[Delivery, tuple[Post, datetime]]] = ()


Line = tuple[PlaceId | None, PersonId | None, bool]
"""What is sent in order: everything for one place, or for one person; their own page by itself."""


def _line(delivery: Delivery) -> Line:
    return (delivery.place_id, None if delivery.place_id else delivery.person_id, delivery.act is Act.HOME)


def _attempt(delivery: Delivery) -> tuple[int, datetime | None]:
    """Which try to send it this is."""
    return (delivery.attempts, delivery.attempted_at)


def _place(delivery: Delivery) -> tuple[int, datetime]:
    """Where it stands in its line."""
    return (delivery.priority, delivery.queued_at or delivery.due_at)


def _mark(key: str) -> str:
    """A request's key as it is kept: the same length whatever the platform sends, and nothing of who sent it."""
    return sha256(key.encode()).hexdigest()[:40]


async def _acted(work: UnitOfWork, *, intent: Intent, now: datetime) -> Reply:
    if intent.name in commands.OVERHEARD and not await _is_ours(work, intent):
        return None
    if not await work.inbox.claim(WorkspaceId(intent.actor.workspace), _mark(intent.key), now):
        return None
    turn = await _turn(work, intent, now)
    handler = commands.HANDLERS.get(intent.name)
    if handler is None:
        raise Refused("not_found")
    outcome = await handler(work, turn)
    reply = await _worded(work, turn, outcome)
    await _show_home(work, turn)
    return reply


async def _lose_sight(work: UnitOfWork, *, before: datetime, now: datetime) -> Sequence[Delivery]:
    """Of what began to be sent before then, by somebody who is not there any more."""
    abandoned = await work.deliveries.abandoned(before)
    for delivery in abandoned:
        delivery.lose_sight(now)
    return abandoned


async def _claimed(
    work: UnitOfWork, *, lane: WorkspaceId, now: datetime, limit: int
) -> tuple[Sequence[Delivery], list[tuple[Delivery, Post]]]:
    """What is due in a lane, and the posts that come of it; those are under way from here on."""
    workspace = await work.people.workspace(lane)
    if workspace is None or (workspace.held_until is not None and workspace.held_until > now):
        return [], []
    unsure = {
        _line(delivery): now + LOOK_AGAIN if delivery.state is DeliveryState.SENDING else delivery.due_at
        for delivery in await work.deliveries.unsure(lane)
    }
    held_back = await work.deliveries.held_back(lane)
    claimed = await work.deliveries.claim(lane, now, limit)
    before: dict[Line, list[Delivery]] = {}
    for one in held_back:
        if one.due_at > now:
            before.setdefault(_line(one), []).append(one)
    _loaded = await work.deliveries.around(claimed)
    attention = await work.deliveries.attention(claimed, now)
    posts: list[tuple[Delivery, Post]] = []
    pages: set[PersonId | None] = set()
    here = _correlation()
    with bound_contextvars(correlation=here):
        for number, delivery in enumerate(claimed, 1):
            if number % BREATH == 0:
                await sleep(0)
            post = None
            ahead = [one.due_at for one in before.get(_line(delivery), ()) if _place(one) <= _place(delivery)]
            if _line(delivery) in unsure:
                delivery.wait_until(max(now, unsure[_line(delivery)]), "behind_unknown")
            elif ahead:
                delivery.wait_until(max(ahead), "pace")
            elif delivery.act is Act.HOME and delivery.person_id in pages:
                delivery.drop("unchanged")
            else:
                bind_contextvars(correlation=delivery.correlation or here)
                post = await _prepared(work, delivery, attention, now)
            if post is not None:
                delivery.start(now)
                attention.draw(delivery, now)
                if delivery.act is Act.HOME:
                    pages.add(delivery.person_id)
                posts.append((delivery, post))
    await work.deliveries.put_down(claimed)
    return claimed, posts


async def _recorded(
    work: UnitOfWork, *, lane: WorkspaceId, rows: Sequence[Delivery], outcomes: Sequence[Outcome], now: datetime
) -> Sequence[Delivery]:
    workspace = await work.people.workspace(lane)
    came = {outcome.delivery.id: outcome for outcome in outcomes}
    settled = [row for row in rows if came[row.id].is_news_of(row)]
    here = _correlation()
    with bound_contextvars(correlation=here):
        for row in settled:
            bind_contextvars(correlation=row.correlation or here)
            await _settle(work, row, workspace, came[row.id].came_of_it, now)
    await work.deliveries.put_down(settled)
    return settled


async def _looked_up(
    work: UnitOfWork, *, lane: WorkspaceId, delivery: Delivery, found: Found, now: datetime
) -> Delivery | None:
    """What looking up a delivery of unknown outcome told; None when somebody settled it, or tried it once more,
    meanwhile."""
    row = await work.deliveries.get(delivery.id, lane)
    if row is None or row.state is not DeliveryState.UNKNOWN or row.attempts != delivery.attempts:
        return None
    if isinstance(found, Receipt):
        await _settle(work, row, await work.people.workspace(lane), found, now)
    elif isinstance(found, Unknowable):
        row.fail("never_known")
    elif isinstance(found, NoAnswer):
        row.lose_sight(now)
    else:
        row.not_arrived(now)
    return row


async def _is_ours(work: UnitOfWork, intent: Intent) -> bool:
    """Whether something overheard touches a message of ours or a story; of anything else nothing is kept."""
    place = await work.movements.place_in(WorkspaceId(intent.place.workspace), intent.place.channel)
    if place is None or place.movement_id is None:
        return False
    for message in filter(None, (intent.thread, intent.message)):
        if await work.deliveries.by_receipt(place.id, message) or await work.stories.by_message(place.id, message):
            return True
    return bool(intent.message and await work.stories.request_about(place.id, intent.message))


async def _turn(work: UnitOfWork, intent: Intent, now: datetime) -> Turn:
    """Loads (or welcomes) who acts and where. Acting is all it takes to belong; nobody is enrolled otherwise."""
    actor, spot = intent.actor, intent.place
    lane = WorkspaceId(actor.workspace)
    channel = None if spot.personal else spot.channel
    said = MovementId(intent.text(WITHIN)) if spot.personal else None
    await work.people.take_turns(lane, actor.id, channel, said)
    person, place, movement, member = await work.people.arriving(lane, actor.id, channel)
    if (person is None or (place is None and channel)) and await work.people.workspace(lane) is None:
        work.people.add(Workspace(id=lane))
    if person is None:
        person = Person(id=PersonId(new_id()), workspace_id=lane, account=actor.id, created_at=now)
        work.people.add(person)
        await introductions.look_in_groups(work, lane)
    if spot.personal and (meant := intent.text(WITHIN)) and (movement is None or movement.id != meant):
        belongs = await work.movements.membership(MovementId(meant), person.id)
        if belongs is not None:
            movement, member = await work.movements.get(belongs.movement_id), belongs
    _take_over(person, actor)
    if place is None and channel:
        place = Place(id=PlaceId(new_id()), workspace_id=lane, channel=channel, name=spot.name, created_at=now)
        work.movements.add(place)
    elif place is not None and spot.name and place.name != spot.name:
        place.name = spot.name
    if movement is not None and member is None:
        member = Member(movement_id=movement.id, person_id=person.id, joined_at=now)
        work.movements.add(member)
    if not person.name or (place is not None and not place.name):
        work.woken.add(lane)  # the next drain asks the platform for it
    person.answered()
    if person.deactivated_at is not None and intent.name not in commands.OVERHEARD:
        person.deactivated_at = None  # who acts is there
    return Turn(intent=intent, now=now, person=person, place=place, movement=movement, member=member)


def _take_over(person: Person, actor: Account) -> None:
    """What a request tells of who acts."""
    if actor.name and person.name != actor.name:
        person.name = actor.name
    if actor.timezone and person.timezone is None:
        person.timezone = actor.timezone
    if actor.language and person.language is None:
        person.language = Language.meant(actor.language, Language.NL)
    if actor.guest:
        person.guest = True


async def _worded(work: UnitOfWork, turn: Turn, outcome: Entry | InPlace | None) -> Reply:
    """The outcome in words; through the outbox where the platform cannot show an answer at once."""
    if outcome is None:
        return None
    entry, in_place = (outcome.entry, True) if isinstance(outcome, InPlace) else (outcome, False)
    if in_place and turn.intent.on_page:
        return None  # the page takes its place
    reader = Reader(language=turn.language, timezone=turn.timezone, now=turn.now)
    within = turn.movement.id if turn.movement and turn.place is None else None
    intent = turn.intent
    if isinstance(entry, FormEntry):
        form = wording.form(entry, reader)
        if intent.opens_forms:
            return replace(form, hidden={**form.hidden, WITHIN: within}) if within else form
        args = {name: value for name, value in intent.args.items() if isinstance(value, str)}
        entry = FormOffered(title=form.title, intent=intent.name, args=args)
    if intent.answerable:
        return Answer(message=_said(entry, reader, within), replaces=in_place)
    answer = to_person(
        turn.person,
        ANSWER,
        key=f"answer:{_mark(f'{intent.actor.workspace}/{intent.key}')}",
        now=turn.now,
        movement=turn.movement.id if turn.movement else None,
        place=turn.place.id if turn.place else None,
        thread=intent.thread,
        args=dump(entry),
        expires_at=turn.now + STALE_AFTER,
    )
    if in_place and intent.answer_to:
        answer.act, answer.target = Act.UPDATE, intent.answer_to
    if turn.person.account is None:
        # Just forgotten: the last word goes to the message they pressed, and to nobody's name.
        answer.person_id = answer.place_id = None
    await work.deliveries.add(answer)
    return None


async def _show_home(work: UnitOfWork, turn: Turn) -> None:
    """Whoever once opened their own page sees there what they did; others it costs nothing."""
    person, intent = turn.person, turn.intent
    if intent.on_page and person.account is not None:
        person.opened_home(blank=False)
    if person.home_mark is not None:
        key = _mark(f"{intent.actor.workspace}/{intent.key}")
        movement = turn.movement.id if turn.movement else None
        await work.deliveries.add(to_home(person, key=key, now=turn.now, movement=movement))


async def _prepared(work: UnitOfWork, delivery: Delivery, attention: Attention, now: datetime) -> Post | None:
    """The post a due delivery becomes; None when it was dropped or put off. A bug in one message must not hold back all
    that is due in its workspace."""
    try:
        outgoing = await deliveries.prepare(work, delivery, attention, now)
        return await _composed(work, outgoing) if outgoing is not None else None
    except Unwanted as unwanted:
        delivery.drop(unwanted.reason)
    except TryLater as later:
        delivery.wait_until(later.until, later.reason)
    except Exception:
        log.exception("wording_broke", kind=delivery.kind, delivery=delivery.id)
        delivery.fail("broken")
    return None


async def _composed(work: UnitOfWork, outgoing: Outgoing) -> Post:
    """What is sent, in words. Raises `Unwanted` or `TryLater`."""
    delivery = outgoing.delivery
    if delivery.act not in (Act.POST, Act.UPDATE, Act.HOME):
        return _post(outgoing, None, None)
    composer = commands.COMPOSERS.get(delivery.kind)
    if composer is None:
        # Planned by a newer version of Ritme, which sends it: or nobody has words for it any more.
        log.error("no_words", kind=delivery.kind, delivery=delivery.id)
        if outgoing.now - delivery.created_at > STALE_AFTER:
            raise Unwanted("gone")
        raise TryLater(outgoing.now + WORDS_COME, reason="no_words")
    entry = await composer(work, outgoing)
    if not isinstance(entry, Home) or delivery.act is not Act.HOME:
        within = outgoing.movement.id if outgoing.movement and outgoing.place is None else None
        return _post(outgoing, _said(entry, _reader(outgoing), within), None)
    page = _page(entry, _reader(outgoing))
    mark = _home_mark(entry, page)
    if outgoing.person is not None and outgoing.person.home_mark == mark:
        raise Unwanted("unchanged")
    delivery.note(mark=mark)
    return _post(outgoing, None, page)


def _page(home: Home, reader: Reader) -> Page:
    page = wording.page(home, reader)
    sections = (replace(one, message=_within(one.message, home.movement)) for one in page.sections)
    return replace(page, sections=tuple(sections))


def _home_mark(home: Home, page: Page) -> str:
    """What tells this page from any other: see `Person.home_mark`."""
    return f"{home.movement}:{sha256(repr(page).encode()).hexdigest()[:24]}"


def _said(entry: Entry, reader: Reader, within: str | None) -> Message:
    """An entry in words, `within` a movement; a page says itself which one it is about."""
    about = entry.movement if isinstance(entry, Home) and within else within
    return _within(wording.message(entry, reader), about)


def _within(message: Message, movement: str | None) -> Message:
    """In a personal chat nothing but its buttons says which of someone's movements a message is about."""
    if not movement:
        return message
    return replace(
        message,
        buttons=tuple(replace(button, args={**button.args, WITHIN: movement}) for button in message.buttons),
    )


async def _addressed(work: UnitOfWork, delivery: Delivery, now: datetime) -> tuple[Post, datetime]:
    """Where and since when to look for a delivery."""
    outgoing = await deliveries.load(work, delivery, now)
    return _post(outgoing, None, None), delivery.attempted_at or delivery.due_at


def _post(outgoing: Outgoing, message: Message | None, page: Page | None) -> Post:
    delivery, account = outgoing.delivery, outgoing.person.account if outgoing.person else None
    if delivery.act is Act.HOME:
        account = account or delivery.target
    return Post(
        delivery=delivery.id,
        workspace=delivery.workspace_id,
        act=delivery.act.value,
        channel=outgoing.place.channel if outgoing.place else None,
        account=account,
        thread=delivery.thread,
        target=delivery.target,
        reaction=delivery.reaction,
        message=message,
        page=page,
        gathers=delivery.kind in threads.GATHERING,
    )


def _reader(outgoing: Outgoing) -> Reader:
    to = (outgoing.person or outgoing.invited_by, outgoing.place, outgoing.movement)
    return Reader(language=speaks(*to), timezone=lives(*to), now=outgoing.now)


async def _settle(
    work: UnitOfWork, row: Delivery, workspace: Workspace | None, came_of_it: CameOfIt, now: datetime
) -> None:
    if workspace is not None and workspace.gone_at is not None and _was_let_in(row, came_of_it):
        workspace.lets_in()
        work.woken.add(workspace.id)
    if isinstance(came_of_it, Receipt):
        row.arrived(now, came_of_it.channel, came_of_it.message)
        await deliveries.arrived(work, row, now)
    elif isinstance(came_of_it, TryLater):
        row.put_back(came_of_it.until, came_of_it.reason)
        if came_of_it.whole_workspace and workspace is not None:
            workspace.held_until = max(workspace.held_until or came_of_it.until, came_of_it.until)
    elif isinstance(came_of_it, Unreachable):
        place = await work.movements.place(row.place_id) if row.place_id else None
        if came_of_it.workspace_is_gone and workspace is not None:
            workspace.refuses(came_of_it.reason, now)
            row.wait_until(now, came_of_it.reason)
        elif came_of_it.place_is_gone and place is not None and row.person_id is None:
            await reach.lose(work, place, came_of_it.reason, now)
            row.hold(came_of_it.reason, now)
        else:
            row.fail(came_of_it.reason)
    else:
        row.lose_sight(now)


def _was_let_in(row: Delivery, came_of_it: CameOfIt) -> bool:
    """Whether this shows that a workspace lets us in: something new arrived, or its place was what was wrong."""
    if isinstance(came_of_it, Receipt):
        return row.act in (Act.POST, Act.HOME)
    return isinstance(came_of_it, Unreachable) and came_of_it.place_is_gone and not came_of_it.workspace_is_gone
