"""Sending what is due: claimed in one transaction, sent outside any, put on record in another."""

from asyncio import CancelledError, Event, create_task, gather, shield, sleep
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import ceil

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars

from bot.chat import Account, Post, Profile
from bot.chat import Place as Spot
from bot.domain.delivery import FIRST_LOOK, Act, Delivery, DeliveryId, DeliveryState
from bot.domain.movement import PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.once import PATIENT, Once, correlation
from bot.outcomes import CameOfIt, Found, Outcome, attempt_of, looked_up, lost_sight_of, recorded
from bot.ports import (
    Away,
    Begin,
    Clock,
    Engine,
    NoAnswer,
    Platform,
    TryLater,
    UnitOfWork,
    Unknowable,
    Unreachable,
    Watch,
)
from bot.posting import addressed, prepared
from bot.use_cases import groups, introductions

BATCH = 200
BREATH = 25
"""After so many deliveries worded in one go, whoever waits for an answer from this process has a turn."""
BEGINS_WITHIN = timedelta(seconds=5)
"""How long after it was claimed something may begin to be sent: other workspaces have their turn, and it must be over
long before anybody takes it for abandoned."""
LOOK_AGAIN = timedelta(seconds=1)
"""After how long what stands behind something that is being sent looks again."""
A_TICK = timedelta(milliseconds=50)
"""What comes due so close together is woken for once."""
log = structlog.get_logger("ritme")


@dataclass
class UnderWay:
    """What came of sending, and is not on record yet. `stopped`: nothing more is to be begun."""

    outcomes: deque[Outcome] = field(default_factory=deque)
    came: Event = field(default_factory=Event)
    stopped: bool = False


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


class Sending:
    """Drains the outbox, a lane at a time. `platforms` as for `Ritme`."""

    def __init__(
        self,
        *,
        begin: Begin,
        once: Once,
        platforms: Mapping[str, Platform],
        clock: Clock,
        engine: Engine,
        watch: Watch,
    ) -> None:
        self._begin = begin
        self._engine = engine
        self._once = once
        self._platforms = platforms
        self._clock = clock
        self._watch = watch
        self._not_served: set[str] = set()

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
        settled = 0 if before.gone else await self._look_up(lane, before.unknown)
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
        return settled + len(claimed)

    async def reconcile(self, lane: WorkspaceId) -> int:
        """Looks up deliveries of unknown outcome: found means sent, surely absent means send again. Returns how many
        it settled; the others are looked up again later."""
        if self._platform_of(lane) is None:
            return 0
        return await self._look_up(lane, (await self._look_into(lane)).unknown)

    async def lose_sight(self, *, before: datetime) -> None:
        """Of what began to be sent before then, by somebody who is not there any more."""
        self._tell(await self._once(partial(lost_sight_of, before=before, now=self._clock.now())))

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
                    (delivery, await addressed(work, delivery, now))
                    for delivery in await work.deliveries.unknown(lane)
                    if delivery.due_at <= now
                ],
            )

    async def _send(self, lane: WorkspaceId, lines: Iterable[Sequence[tuple[Delivery, Post]]]) -> None:
        """Sends places side by side, each in order. What came of it is recorded as soon as what came before is: one
        transaction for all that came in meanwhile."""
        under_way = UnderWay()
        sending = gather(*(self._send_line(line, under_way) for line in lines), return_exceptions=True)
        sending.add_done_callback(lambda _: under_way.came.set())
        recorder = create_task(self._keep_record(lane, under_way, sending.done))
        try:
            await shield(recorder)
        except CancelledError:
            sending.cancel()
            # What came of it is known, in whatever hurry we are.
            (problem,) = await gather(recorder, return_exceptions=True)
            if isinstance(problem, Exception):
                log.error("not_recorded", workspace=lane, outcomes=len(under_way.outcomes), exc_info=problem)
            raise
        for broke in await sending:
            if broke is not None:
                raise RuntimeError("something was cut short while it was sent") from broke

    async def _keep_record(self, lane: WorkspaceId, under_way: "UnderWay", is_over: Callable[[], bool]) -> None:
        """While nothing can be recorded nothing more is sent; what is known is kept until it can."""
        outcomes = under_way.outcomes
        while outcomes or not is_over():
            if not outcomes:
                await under_way.came.wait()
                under_way.came.clear()
                continue
            some = [outcomes.popleft() for _ in range(len(outcomes))]
            try:
                await self._put_on_record(lane, some, afresh=under_way.stopped)
            except Away:
                under_way.stopped = True
                outcomes.extendleft(reversed(some))
                if is_over():
                    raise

    async def _put_on_record(self, lane: WorkspaceId, outcomes: Sequence["Outcome"], *, afresh: bool = False) -> None:
        """Puts on record what came of sending; what cannot be is looked up later, and keeps no other from it."""
        try:
            self._tell(await self._record(lane, outcomes, afresh=afresh))
            self._come_back(lane, [one.came_of_it.until for one in outcomes if isinstance(one.came_of_it, TryLater)])
        except Away:
            raise
        except Exception:
            if len(outcomes) > 1:
                for one in outcomes:
                    await self._put_on_record(lane, [one], afresh=True)
            else:
                log.exception("record_broke", delivery=outcomes[0].delivery.id)

    def _come_back(self, lane: WorkspaceId, asked_to_wait_until: Sequence[datetime]) -> None:
        """A platform takes a message a second in one place: whoever looked for them once a second would be late for
        every other."""
        now = self._clock.now()
        for ticks in {ceil((moment - now) / A_TICK) for moment in asked_to_wait_until if moment > now}:
            self._engine.wake(lane, after=ticks * A_TICK)

    async def _record(self, lane: WorkspaceId, outcomes: Sequence["Outcome"], *, afresh: bool) -> Sequence[Delivery]:
        """In one transaction. Nobody else touches what is being sent, as a rule: only where somebody did, or `afresh`,
        are the rows looked at again. Returns those of which something became."""
        now, seen = self._clock.now(), [] if afresh else [outcome.delivery for outcome in outcomes]

        async def put_down(work: UnitOfWork) -> Sequence[Delivery]:
            nonlocal seen
            rows = seen or [*await work.deliveries.in_hand([outcome.delivery.id for outcome in outcomes], lane)]
            seen = []
            return await recorded(work, lane=lane, rows=rows, outcomes=outcomes, now=now)

        return await self._once(put_down, tries=PATIENT)

    async def _send_line(self, line: Sequence[tuple[Delivery, Post]], under_way: "UnderWay") -> None:
        """Sends to one place in order; what has to wait, or may have been sent, holds back what stands behind it."""
        held: TryLater | None = None
        here = correlation()
        for delivery, post in line:
            if under_way.stopped:
                held = held or TryLater(self._clock.now())
            came_of_it: CameOfIt = held or self._too_late_for(delivery) or await self._sent(delivery, post, here)
            under_way.outcomes.append(Outcome(delivery=delivery, came_of_it=came_of_it, attempt=attempt_of(delivery)))
            under_way.came.set()
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
        request = delivery.correlation or here
        bind_contextvars(correlation=request)  # of this line's own task
        try:
            with self._watch.during("send", request, kind=delivery.kind, workspace=post.workspace):
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
            try:
                row = await self._once(partial(looked_up, lane=lane, delivery=delivery, found=found, now=now))
            except Away:
                raise
            except Exception:
                log.exception("look_up_broke", delivery=delivery.id, kind=delivery.kind)
                continue
            if row is not None:
                self._tell([row])
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


def _line(delivery: Delivery) -> Line:
    return (delivery.place_id, None if delivery.place_id else delivery.person_id, delivery.act is Act.HOME)


def _place(delivery: Delivery) -> tuple[int, datetime]:
    """Where it stands in its line."""
    return (delivery.priority, delivery.queued_at or delivery.due_at)


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
    here = correlation()
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
                post = await prepared(work, delivery, attention, now)
            if post is not None:
                delivery.start(now)
                attention.draw(delivery, now)
                if delivery.act is Act.HOME:
                    pages.add(delivery.person_id)
                posts.append((delivery, post))
    await work.deliveries.put_down(claimed)
    return claimed, posts
