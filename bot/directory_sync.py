"""Ask a platform for what its requests did not tell: names of people and places, user groups and their members.

Runs before a drain, outside any transaction while it waits for the platform: what is not answered now is asked again
before the next drain.
"""

from asyncio import gather
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from bot.chat import Account, ChatPlace, Profile
from bot.domain.delivery import DeliveryId
from bot.domain.person import WorkspaceId, platform_of
from bot.ports import Clock, Directory, Platform, UnitOfWork
from bot.transactions import TransactionRunner
from bot.use_cases.movements import groups
from bot.use_cases.people import introductions

log = structlog.get_logger("ritme")


@dataclass(frozen=True, kw_only=True)
class DirectoryQueries:
    """Open questions to one workspace's directory.

    `people`: those whose name is not known; `presence`: those who may have left; `group_lists`: deliveries that offer
    the list of user groups; `group_handles`: groups whose members are not known.
    """

    people: Sequence[Account] = ()
    presence: Sequence[Account] = ()
    places: Sequence[ChatPlace] = ()
    group_lists: Sequence[DeliveryId] = ()
    group_handles: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.people or self.presence or self.places or self.group_lists or self.group_handles)


class DirectorySync:
    """Fill in names and group members from the platforms' directories. `platforms` as for `Ritme`."""

    def __init__(self, *, run: TransactionRunner, platforms: Mapping[str, Platform], clock: Clock) -> None:
        self._run = run
        self._platforms = platforms
        self._clock = clock

    async def sync(self, lane: WorkspaceId) -> None:
        """Answer a lane's open questions, a limited number at a time. Does nothing where Ritme is uninstalled or the
        platform has no directory."""
        platform = self._platforms.get(platform_of(lane))
        if platform is None or platform.directory is None:
            return
        asks_presence = not platform.tells_departures
        queries = await self._run(partial(self._load_queries, lane=lane, asks_presence=asks_presence))
        if queries.people or queries.presence or queries.places:
            await self._sync_names(platform.directory, lane, queries)
        if queries.group_lists or queries.group_handles:
            await self._sync_groups(platform.directory, lane, queries)

    async def _load_queries(self, work: UnitOfWork, *, lane: WorkspaceId, asks_presence: bool) -> DirectoryQueries:
        workspace = await work.people.workspace(lane)
        if workspace is not None and workspace.gone_at is not None:
            return DirectoryQueries()
        lists, handles = await groups.load_open_queries(work, lane)
        people = await introductions.people_without_name(work, lane)
        due = await introductions.people_to_look_up(work, lane, self._clock.now()) if asks_presence else []
        return DirectoryQueries(
            people=people,
            presence=[one for one in due if one not in people],
            places=await introductions.places_without_name(work, lane),
            group_lists=lists,
            group_handles=handles,
        )

    async def _sync_names(self, directory: Directory, lane: WorkspaceId, queries: DirectoryQueries) -> None:
        people, now = [*queries.people, *queries.presence], self._clock.now()
        answers = await gather(
            *(directory.profile(account) for account in people),
            *(directory.place_name(place) for place in queries.places),
            return_exceptions=True,
        )

        async def learn(work: UnitOfWork) -> None:
            for asked, answer in zip((*people, *queries.places), answers, strict=True):
                if isinstance(answer, BaseException):
                    log.warning("directory_lookup_failed", workspace=lane, error=type(answer).__name__)
                elif isinstance(asked, Account) and isinstance(answer, Profile):
                    await introductions.update_profile(work, asked, answer, now)
                elif isinstance(asked, ChatPlace) and isinstance(answer, str):
                    await introductions.rename_place(work, asked, answer)
            await work.people.note_lookups(lane, [one.id for one in people], now)  # whatever was answered

        await self._run(learn)

    async def _sync_groups(self, directory: Directory, lane: WorkspaceId, queries: DirectoryQueries) -> None:
        found = await directory.groups(lane) if queries.group_lists else None
        members = {handle: await directory.group_members(lane, handle) for handle in queries.group_handles}

        async def learn(work: UnitOfWork) -> None:
            if found is not None:
                await groups.learn_groups(work, lane, queries.group_lists, found)
            known = {handle: accounts for handle, accounts in members.items() if accounts is not None}
            await groups.learn_members(work, lane, known, self._clock.now())

        await self._run(learn)
