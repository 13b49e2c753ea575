"""Ritme: the only way into the core. Handles what people do, plans what is due, drains the outbox."""

from asyncio import gather, to_thread
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter
from typing import TypeVar

import structlog

from bot import commands, counting, presses, wording
from bot.api import ApiReader
from bot.catalogue.errors import Apology, Declined
from bot.chat import Answer, CommandSyntax, FieldErrors, Intent, OpenedFeed, OpenedFile, Post, Reply
from bot.directory_sync import DirectorySync
from bot.domain.carrying import ASK_AGAIN_AFTER, SILENT_AFTER
from bot.domain.coverage import LOOKS_AFTER
from bot.domain.delivery import Delivery
from bot.domain.ids import new_reference
from bot.domain.movement import MovementId
from bot.domain.network_question import NetworkAdvice
from bot.domain.person import KEEP_CLOSED, Language, Workspace, WorkspaceId
from bot.domain.personal_file import PersonalFileId
from bot.domain.story_search import load_stemmers
from bot.doors import StoryDoors
from bot.errors import Invalid, Refused
from bot.feeds import FeedReader
from bot.guard import load_number_checks, load_word_lists
from bot.guarding import GivesAway
from bot.networks import NetworkCache
from bot.outbox.drain import OutboxDrainer
from bot.outbox.files import FileComposer
from bot.pages import Pages
from bot.ports import (
    Clock,
    Conflict,
    Engine,
    NeedsComputing,
    NeedsCounting,
    NeedsNetwork,
    NetworkAdviser,
    Platform,
    StorageUnavailable,
    Telemetry,
    Transactions,
    Typesetter,
    UnitOfWork,
    Vault,
)
from bot.presses import hash_key
from bot.requests import (
    ask_about_words,
    handle_intent,
    is_late,
    load_context,
    load_turn,
    reader_of,
    render_reply,
    show_home,
)
from bot.transactions import MOST_DETOURS, NEVER_ENOUGH, TransactionRunner, correlate
from bot.turns import WorkspaceTurns
from bot.understanding import load_books
from bot.use_cases.connecting import coverage
from bot.use_cases.movements import carrying
from bot.use_cases.people import coordinators, introductions, personal_data
from bot.use_cases.rhythms import holdouts, planning
from bot.use_cases.stories import doors, held_words, saving
from bot.wording import Reader

PLAN_BATCH = 1000
"""Moments of rhythms that are planned in one transaction."""
PLAN_CONCURRENCY = 2
"""Movements planned at a time: while the database writes for one, the next is computed."""
FORGET_BATCH = 500
"""Rows deleted in one transaction, so that nobody waits long for it."""
INITIATIVE_BATCH = 200
"""Initiatives that are looked after in one sweep; the next takes the following."""
REACH_BATCH = 50
"""Movements of which is looked in one sweep how far they reach; the next takes the following."""
INDEX_BATCH = 50
"""Stories that are made findable in one tick: in a large movement that takes a tenth of a second."""
SWEEP_INTERVAL = timedelta(hours=1)
FILE_SWEEP_INTERVAL = timedelta(minutes=5)
"""How often expired files with personal data are deleted; nobody can open them meanwhile."""
STALE_CLAIM_AFTER = timedelta(minutes=1)
"""How long after a claim its sender counts as dead; `CLAIM_TTL` of `bot.outbox.claim` is much shorter."""
ANSWERS_GRACE = 0.5
"""Seconds that a look for due lanes waits for answers that are being sent."""
ANSWERS_SHUTDOWN_GRACE = 12.0
"""Seconds that they get to be sent and recorded when this process stops."""
log = structlog.get_logger("ritme")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long to keep what nobody needs any more: idempotency keys of requests, settled deliveries, what people told
    of closed matters, and people whose account was deactivated."""

    events: timedelta = timedelta(days=30)
    deliveries: timedelta = timedelta(days=90)
    closed: timedelta = KEEP_CLOSED
    left: timedelta = timedelta(days=90)


@dataclass(frozen=True)
class IntentResult:
    """How handling an intent ended: `outcome` ("ok", "invalid", "refused", "unavailable" or "broken"), with the reason
    of a refusal as `detail`, and what to answer."""

    outcome: str
    reply: Reply
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.outcome}:{self.detail}" if self.detail else self.outcome


class Ritme:
    """The application. `platforms` by the first part of a workspace id: "slack", "teams", "playground"."""

    opens = commands.OPENS
    """Intents that open a form when their button is pressed."""
    typed_word = staticmethod(commands.typed_word)

    @staticmethod
    def load_books() -> None:
        """Read the phrase books and the word lists of the guard, so that nobody waits for it."""
        load_books()
        load_word_lists()

    @staticmethod
    def load_libraries() -> None:
        """Load the libraries that the first story, and the first number in a text, would wait for."""
        load_number_checks()
        load_stemmers()

    def __init__(
        self,
        *,
        transact: Transactions,
        platforms: Mapping[str, Platform],
        clock: Clock,
        engine: Engine,
        telemetry: Telemetry | None = None,
        retention: Retention | None = None,
        silent_after: timedelta = SILENT_AFTER,
        works_council: bool = False,
        networks: NetworkAdviser | None = None,
        typesetter: Typesetter | None = None,
        vault: Vault | None = None,
    ) -> None:
        self._platforms = platforms
        self._clock = clock
        self._telemetry = telemetry or NullTelemetry()
        self._retention = retention or Retention()
        self._silent_after = silent_after
        self._works_council = works_council
        self._vault = vault
        self._sweep_at = self._file_sweep_at = datetime.min.replace(tzinfo=UTC)
        self._run = TransactionRunner(transact, engine)
        self._run_behind = TransactionRunner(transact, engine, gives_way=True)
        self._turns = WorkspaceTurns()
        self._networks = networks or NetworkCache()
        self._directory = DirectorySync(run=self._run_behind, platforms=platforms, clock=clock)
        self._files = FileComposer(run=self._run, clock=clock, typesetter=typesetter)
        self.pages = Pages(
            run=self._run,
            clock=clock,
            platforms=platforms,
            keeps_closed=self._retention.closed,
            typesetter=typesetter,
            works_council=works_council,
            vault=vault,
        )
        """The pages in a browser."""
        self.api = ApiReader(run=self._run, clock=clock)
        """The answers to programs outside."""
        self.doors = StoryDoors(run=self._run, clock=clock)
        """The doors by which people without an account tell a story."""
        self._feeds = FeedReader(run=self._run, clock=clock, platforms=platforms)
        self._drainer = OutboxDrainer(
            run=self._run_behind,
            platforms=platforms,
            clock=clock,
            engine=engine,
            telemetry=self._telemetry,
            files=self._files,
            typesetter=typesetter,
            works_council=works_council,
            vault=vault,
        )

    # -- in ---------------------------------------------------------------------------------------------------------

    async def handle(self, intent: Intent) -> Reply:
        """Act on one intent in one transaction, at most once per `intent.key`. Never raises: a bug is logged and
        answered with an apology."""
        started = perf_counter()
        intent = commands.understand(intent, app=self._syntax(intent).app)
        with (
            correlate() as context_id,
            self._telemetry.span("intent", context_id, name=intent.name, workspace=intent.actor.workspace),
        ):
            result = await self._handle_safely(intent)
            seconds = perf_counter() - started
            log.info(
                "intent",
                name=intent.name,
                workspace=intent.actor.workspace,
                outcome=str(result),
                ms=round(seconds * 1000, 1),
            )
        # Names come from outside: one metric label for all that Ritme does not know.
        known = intent.name in commands.HANDLERS or intent.name in commands.PLATFORM_EVENTS
        self._telemetry.record_intent(intent.name if known else "unknown", result.outcome, seconds)
        return result.reply

    async def _handle_safely(self, intent: Intent) -> IntentResult:
        """Handle an intent; turn every exception into an apology with a reference that is in the log."""
        try:
            return await self._handle_or_decline(intent)
        except (StorageUnavailable, Conflict) as problem:  # Conflict: others were faster at every attempt
            reference = new_reference()
            log.error("storage_unavailable", intent=intent.name, reference=reference, reason=str(problem))
            return IntentResult("unavailable", replace(self._apology(intent, reference), unavailable=True))
        except Exception:
            reference = new_reference()
            log.exception("intent_failed", intent=intent.name, reference=reference)
            return IntentResult("broken", self._apology(intent, reference))

    async def _handle_or_decline(self, intent: Intent) -> IntentResult:
        try:
            return IntentResult("ok", await self._act(intent))
        except Invalid as invalid:
            return IntentResult("invalid", await self._field_errors(intent, invalid))
        except Refused as refused:
            declined = Declined(reason=refused.reason, values=refused.values)
            return IntentResult("refused", await self._say(intent, declined), refused.reason)

    async def _act(self, intent: Intent) -> Reply:
        now = self._clock.now()
        if intent.name in commands.PLATFORM_EVENTS:
            await self._apply_platform_event(intent, now)
            return None
        keeps, syntax = self._retention.closed, self._syntax(intent)
        platform = self._platforms.get(intent.actor.platform)
        act = partial(
            handle_intent,
            intent=intent,
            now=now,
            syntax=syntax,
            keeps_closed=keeps,
            feeds_url=platform.feeds if platform is not None else "",
            works_council=self._works_council,
            api_url=platform.api if platform is not None else "",
            vault=self._vault,
        )
        try:
            return await self._act_outside(intent, act)
        except GivesAway as given:
            # That transaction was rolled back: nothing was kept or posted.
            return await self._run_turn(
                intent, partial(ask_about_words, intent=intent, given=given, now=now, syntax=syntax)
            )

    async def _act_outside(self, intent: Intent, act: Callable[..., Awaitable[Reply]]) -> Reply:
        """Act in one transaction. One that needs a movement's network, or something else that takes long, is rolled
        back and run again with that: nothing is open, no turn is held, and nobody waits, while it is computed or
        counted; what was true before is checked once more."""
        advice: NetworkAdvice | None = None
        computed: bytes | None = None
        for _ in range(MOST_DETOURS):
            try:
                return await self._run_turn(intent, partial(act, advice=advice, computed=computed))
            except NeedsNetwork as needs:
                advice = await self._networks.advise(needs)
            except NeedsComputing as needed:
                computed = await to_thread(needed.compute)
            except NeedsCounting as needs:
                await self._run.count(needs)
        raise RuntimeError(NEVER_ENOUGH)

    async def _run_turn(self, intent: Intent, act: Callable[[UnitOfWork], Awaitable[Reply]]) -> Reply:
        """Act in one transaction, with what the platform keeps beside it, and claim its answer there if it can be sent
        at once: it is, once that is committed, while the turn goes on."""

        async def act_and_claim(work: UnitOfWork) -> tuple[Reply, tuple[Delivery, Post] | None]:
            if not await _is_wanted(work, intent):
                return None, None
            reply = await act(work)
            return reply, await self._drainer.claim_own_answer(work)

        async with self._turns.take(intent.actor.workspace):
            reply, claimed = await self._run.transact(act_and_claim)
        if claimed is not None:
            self._drainer.answers.start(*claimed)
        return reply

    async def _apply_platform_event(self, intent: Intent, now: datetime) -> None:
        """Apply what a platform tells by itself. Nobody acts, so nobody is added; nothing is stored about an event
        that does not concern us."""
        concerns_us, apply = commands.PLATFORM_EVENTS[intent.name]

        async def act(work: UnitOfWork) -> None:
            lane = WorkspaceId(intent.actor.workspace)
            if not await _is_wanted(work, intent):
                return
            context, is_ours = await work.together(load_context(work, intent), concerns_us(work, intent))
            if is_late(intent, context) or not is_ours:
                return
            if await work.inbox.claim(lane, hash_key(intent.key), now):
                await apply(work, intent, now)

        await self._run(act)

    async def _field_errors(self, intent: Intent, invalid: Invalid) -> FieldErrors:
        reader = await self._reader(intent)
        return FieldErrors(
            errors={
                name: wording.render_sentence("errors/fields.md.j2", reason, reader, invalid.values.get(name))
                for name, reason in invalid.fields.items()
            }
        )

    async def _say(self, intent: Intent, entry: Declined) -> Reply:
        """Answer with an entry, in a transaction of its own: the one of the use case was rolled back."""
        now = self._clock.now()

        async def act(work: UnitOfWork) -> Reply:
            if not await presses.claim_refusal(work, intent, now):
                return None
            turn = await load_turn(work, intent, now, self._syntax(intent))
            reply = await render_reply(work, turn, await coordinators.name_coordinators(work, turn, entry))
            await show_home(work, turn)
            return reply

        return await self._run_turn(intent, act)

    def _apology(self, intent: Intent, reference: str) -> Answer:
        """Word an apology without the database, in the language the platform told."""
        reader = Reader(
            language=Language.from_locale(intent.actor.language, Language.NL),
            timezone="Europe/Amsterdam",
            now=self._clock.now(),
            syntax=self._syntax(intent),
        )
        return Answer(message=wording.render_entry(Apology(reference=reference), reader), reference=reference)

    async def _reader(self, intent: Intent) -> Reader:
        now, syntax = self._clock.now(), self._syntax(intent)

        async def act(work: UnitOfWork) -> Reader:
            await _is_wanted(work, intent)
            return reader_of(await load_turn(work, intent, now, syntax))

        return await self._run(act)

    def _syntax(self, intent: Intent) -> CommandSyntax:
        """Return how commands are typed on the platform of who acts."""
        platform = self._platforms.get(intent.actor.platform)
        return platform.syntax if platform is not None else CommandSyntax(platform=intent.actor.platform)

    # -- out --------------------------------------------------------------------------------------------------------

    async def plan(self) -> int:
        """Turn due moments of rhythms into deliveries, mark what a dead sender left, and once an hour delete what was
        kept long enough. Returns how many moments were planned. Harmless to run twice, or on two machines at once."""
        now, planned = self._clock.now(), 0
        with correlate():
            while movements := deque(await self._movements_due(now)):
                planners = (self._plan_each(movements, now) for _ in range(PLAN_CONCURRENCY))
                round_planned = sum(await gather(*planners))
                planned += round_planned
                if not round_planned:
                    break  # another process is planning what is left
        await self._drainer.mark_stale_unknown(before=now - STALE_CLAIM_AFTER)
        if now >= self._file_sweep_at:
            self._file_sweep_at = now + FILE_SWEEP_INTERVAL
            await self._run_behind(lambda work: work.files.sweep(now))
            await self._run_behind(lambda work: work.sessions.sweep(now))
        await self._index_stories()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_INTERVAL
            await self._sweep(now)
        return planned

    async def _index_stories(self) -> None:
        """Make stories findable that are not yet, a batch a tick: after an update there may be many, and people who
        tell one meanwhile must not wait."""
        indexed = await self._run_behind(lambda work: work.stories.index_stories(INDEX_BATCH))
        if indexed:
            log.info("stories_indexed", stories=indexed)

    async def _movements_due(self, now: datetime) -> Sequence[MovementId]:
        return await self._run_behind(lambda work: work.rhythms.movements_due(now))

    async def _plan_each(self, movements: deque[MovementId], now: datetime) -> int:
        planned = 0
        while movements:
            planned += await self._plan_movement(movements.popleft(), now)
        return planned

    async def _plan_movement(self, movement: MovementId, now: datetime) -> int:
        """Plan one batch of a movement: a large movement does not hold up the others."""
        plan = partial(planning.plan_due, now=now, limit=PLAN_BATCH, movement=movement)
        planned = await self._run_apart(plan, movement, failure="movement_plan_failed")
        if planned is None:
            return 0
        self._telemetry.record_planning(planned)
        return planned

    async def _run_apart(
        self, act: Callable[[UnitOfWork], Awaitable[T]], movement: MovementId, *, failure: str
    ) -> T | None:
        """Run `act`, which is about one movement. A bug there must not keep others from what is theirs: it is logged
        as `failure`, and None returned. Raises `StorageUnavailable`."""
        try:
            return await self._run_behind(act)
        except StorageUnavailable:
            raise
        except Exception:
            log.exception(failure, movement=movement)
            return None

    async def _sweep(self, now: datetime) -> None:
        """Delete what was kept long enough."""
        await self._run_behind(partial(saving.expire_requests, now=now))
        await self._run_behind(partial(held_words.expire_words, now=now))
        await self._run_behind(partial(doors.expire_unread, now=now))
        while erased := await self._run_behind(partial(personal_data.erase_removed_workspace, now=now)):
            log.info("workspace_erased", workspace=erased)
        await self._look_after_initiatives(now)
        await self._look_how_far_it_reaches(now)
        await self._count_figures(now)
        await self._advance_lots(now)
        retention = self._retention
        while await self._run_behind(partial(personal_data.forget_leaver, before=now - retention.left, now=now)):
            log.info("person_who_left_forgotten")
        await self._run_behind(partial(personal_data.take_back_late_messages, now=now))
        silent = [name for name, one in self._platforms.items() if one.directory and not one.tells_departures]
        await self._run_behind(partial(introductions.wake_for_lookups, platforms=silent, now=now))
        deleted = {
            "closed": await self._delete_in_batches(
                lambda work: work.people.delete_past_matters(now - retention.closed, FORGET_BATCH)
            ),
            "events": await self._delete_in_batches(
                lambda work: work.inbox.forget(now - retention.events, FORGET_BATCH)
            ),
            "deliveries": await self._delete_in_batches(
                lambda work: work.deliveries.forget(now - retention.deliveries, FORGET_BATCH)
            ),
        }
        if any(deleted.values()):
            log.info("retention_swept", **deleted)

    async def _look_after_initiatives(self, now: datetime) -> None:
        """Offer the initiatives that nobody carries any more, and ask about those that are silent; each in a
        transaction of its own, with its movement locked."""
        before, asked_before = now - self._silent_after, now - ASK_AGAIN_AFTER
        uncarried = await self._run_behind(lambda work: work.initiatives.without_initiator(INITIATIVE_BATCH))
        silent = await self._run_behind(lambda work: work.initiatives.silent(before, asked_before, INITIATIVE_BATCH))
        for one, movement in uncarried:
            await self._run_behind(partial(carrying.offer, initiative=one, movement=movement, now=now))
        for one, movement in silent:
            ask = partial(carrying.ask_about_silence, initiative=one, movement=movement, now=now)
            await self._run_behind(partial(ask, silent_after=self._silent_after))

    async def _look_how_far_it_reaches(self, now: datetime) -> None:
        """Look where movements do not reach, each once in a while, in a transaction of its own."""
        due = await self._run_behind(lambda work: work.movements.due_for_a_look(now - LOOKS_AFTER, REACH_BATCH))
        for one in due:
            look = partial(coverage.look, id=one, now=now, works_council=self._works_council)
            await self._run_apart(look, one, failure="movement_look_failed")

    async def _count_figures(self, now: datetime) -> None:
        """Count anew the figures of movements that are due, so that nobody waits for them."""
        for one in await self._run_behind(lambda work: work.movements.all_ids()):
            count = partial(counting.count_due, id=one, now=now)
            await self._run_apart(count, one, failure="movement_count_failed")

    async def _advance_lots(self, now: datetime) -> None:
        """Count and draw for the lots that leave places out of reminders, each in a transaction of its own."""
        for one in await self._run_behind(lambda work: work.holdouts.running()):
            await self._run_behind(partial(holdouts.advance, movement=one.movement_id, now=now))

    async def _delete_in_batches(self, delete_batch: Callable[[UnitOfWork], Awaitable[int]]) -> int:
        """Delete batch after batch until one deletes nothing. Returns how many rows were deleted."""
        total = 0
        while deleted := await self._run_behind(delete_batch):
            total += deleted
        return total

    async def known_names(self, workspace: str, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of people, places and user groups of a workspace, by their ids there, as far as Ritme knows
        them. For words in which a platform names them by id only."""
        return await self._run(lambda work: work.people.names_by_ids(WorkspaceId(workspace), ids))

    async def workspace_uninstalled(self, workspace: str, at: datetime | None = None) -> None:
        """Note that Ritme was removed from a workspace, at a moment or now: whatever still arrives from there is passed
        over. Its data is kept for a month, in case it is installed again. News that comes after that changes nothing.
        """
        lane, now = WorkspaceId(workspace), self._clock.now()

        async def act(work: UnitOfWork) -> bool:
            found = await work.people.workspace(lane)
            if found is None:
                # Noted all the same, so that nothing is stored of what arrives late.
                found = Workspace(id=lane)
                work.people.add(found)
            if at is not None and found.was_installed_since(at):
                return False
            found.record_removal(now)
            return True

        is_removed = await self._run(act)
        log.info("workspace_uninstalled" if is_removed else "workspace_removal_late", workspace=workspace)

    async def workspace_installed(self, workspace: str, name: str) -> None:
        """Note that Ritme was installed in a workspace, for the first time or again: deliveries that waited and still
        are on time go out."""
        lane, now = WorkspaceId(workspace), self._clock.now()

        async def act(work: UnitOfWork) -> None:
            found = await work.people.workspace(lane)
            if found is None:
                found = Workspace(id=lane)
                work.people.add(found)
            found.record_installation(name, now)
            work.woken.add(lane)

        await self._run(act)
        log.info("workspace_installed", workspace=workspace)

    async def drain(self, lane: WorkspaceId) -> int:
        """Fill in missing names, then settle at most one batch of what is due in a workspace, in order per place.
        Returns how many rows it settled. The engine promises one drain per lane at a time."""
        await self._directory.sync(lane)
        return await self._drainer.drain(lane)

    async def open_feed(self, secret: str, known: Collection[str] = ()) -> OpenedFeed | None:
        """Return the calendar whose link has this secret, without content when its mark is `known` to who asks; None
        when there is none (any more)."""
        return await self._feeds.open(secret, known)

    async def open_file(self, id: str) -> OpenedFile | None:
        """Return a file with everything about someone, to be handed to whoever proved that it is theirs; None when it
        expired or was deleted."""
        return await self._files.open(PersonalFileId(id))

    async def reconcile(self, lane: WorkspaceId) -> int:
        """Look up deliveries of unknown outcome. Returns how many were settled."""
        return await self._drainer.reconcile(lane)

    async def finish_answers(self) -> None:
        """Wait until the answers that are being sent in their own turn are recorded; cut short those that take longer
        than any platform may."""
        await self._drainer.answers.finish(within=ANSWERS_SHUTDOWN_GRACE)
        self._drainer.answers.cancel()
        await self._drainer.answers.finish()

    async def recover(self) -> None:
        """Mark all that is SENDING as UNKNOWN. For the start of the only process: nobody can be sending then."""
        await self._drainer.mark_stale_unknown(before=self._clock.now() + timedelta(days=1))

    async def lanes_due(self) -> list[WorkspaceId]:
        """Return the lanes with something to send or to look up now, once answers that are being sent are through, if
        that is soon: they may have to be sent again."""
        await self._drainer.answers.finish(within=ANSWERS_GRACE)
        return await self._run_behind(lambda work: work.deliveries.lanes_due(self._clock.now()))

    async def next_due(self) -> datetime | None:
        """Return the next moment (UTC) at which anything is planned to happen; None when nothing is."""

        async def look(work: UnitOfWork) -> tuple[datetime | None, datetime | None]:
            return await work.rhythms.next_due(), await work.deliveries.next_due()

        moments = await self._run_behind(look)
        return min((moment for moment in moments if moment is not None), default=None)


async def _is_wanted(work: UnitOfWork, intent: Intent) -> bool:
    """Keep what the platform keeps beside an intent; return whether to act on it."""
    return intent.beside is None or await intent.beside(work)


class NullTelemetry:
    """A `Telemetry` that records nothing."""

    def span(self, what: str, correlation: str, **about: str) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()

    def record_intent(self, intent: str, outcome: str, seconds: float) -> None:
        """Do nothing."""

    def record_planning(self, moments: int) -> None:
        """Do nothing."""

    def record_delivery(self, delivery: Delivery) -> None:
        """Do nothing."""
