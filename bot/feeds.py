"""Give somebody's calendar of a movement to whoever has its link."""

from asyncio import to_thread
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256

from bot.agendas import AgendaFacts, load_whole, make_agenda
from bot.chat import DEFAULT_SYNTAX, CommandSyntax, OpenedFeed
from bot.domain.feed import MAX_SECRET_CHARS, CalendarFeed, hash_secret
from bot.domain.person import WorkspaceId, platform_of
from bot.ics import Agenda, write_agenda
from bot.ports import Clock, Platform, UnitOfWork
from bot.transactions import TransactionRunner


class FeedReader:
    """Opens calendars by the secret of their link."""

    def __init__(self, *, run: TransactionRunner, clock: Clock, platforms: Mapping[str, Platform]) -> None:
        self._run = run
        self._clock = clock
        self._platforms = platforms

    def _syntax(self, workspace: WorkspaceId) -> CommandSyntax:
        platform = self._platforms.get(platform_of(workspace))
        return platform.syntax if platform is not None else DEFAULT_SYNTAX

    async def open(self, secret: str, known: Collection[str]) -> OpenedFeed | None:
        """Return somebody's calendar, without content when its mark is `known` to who asks; None when there is none
        with this secret, or they or the movement are no more."""
        if not secret or len(secret) > MAX_SECRET_CHARS:
            return None
        digest, now = hash_secret(secret), self._clock.now()

        async def load(work: UnitOfWork) -> AgendaFacts | None:
            feed = await work.feeds.by_digest(digest)
            return await _load_own(work, feed, now, self._syntax(feed.workspace_id)) if feed is not None else None

        facts = await self._run(load)
        if facts is None:
            return None
        agenda, mark = await to_thread(_lay_out, facts)
        feed = await self._run(partial(_notice, digest=digest, mark=mark, now=now))
        if feed is None:
            return None
        content = b""
        if mark not in known:
            # In a thread: a hundred moments that stand alone take 50 ms.
            content = await to_thread(write_agenda, agenda, revision=feed.revision, changed_at=feed.changed_at)
        return OpenedFeed(content=content, mark=mark, changed_at=feed.changed_at)


def _lay_out(facts: AgendaFacts) -> tuple[Agenda, str]:
    """Return a calendar, and its mark."""
    agenda = make_agenda(facts)
    return agenda, sha256(repr(agenda).encode()).hexdigest()


async def _notice(work: UnitOfWork, *, digest: str, mark: str, now: datetime) -> CalendarFeed | None:
    """Record what a calendar holds now; None when its link was revoked meanwhile."""
    feed = await work.feeds.by_digest(digest)
    if feed is not None:
        feed.notice(mark, now)
    return feed


async def _load_own(work: UnitOfWork, feed: CalendarFeed, now: datetime, syntax: CommandSyntax) -> AgendaFacts | None:
    """Load what stands in somebody's calendar; None when they left, or the movement is nowhere any more."""
    person = await work.people.get(feed.person_id, feed.movement_id)
    workspace = await work.people.workspace(feed.workspace_id)
    movement = await work.movements.get(feed.movement_id)
    left = person is None or person.account is None or person.deactivated_at is not None
    if person is None or movement is None or left or workspace is None or workspace.is_removed:
        return None
    if not await work.movements.places(movement.id):
        return None
    return await load_whole(work, movement, person, now, syntax)
