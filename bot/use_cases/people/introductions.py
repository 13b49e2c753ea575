"""Keep names and profiles of people and places up to date, from the platform's directory and its events."""

from collections.abc import Collection
from datetime import datetime, timedelta

from bot.chat import Account, ChatPlace, Intent, Profile
from bot.domain.delivery import to_home
from bot.domain.person import WorkspaceId
from bot.ports import UnitOfWork

NAME_LOOKUP_BATCH = 10
"""How many people, and how many places, are looked up before one drain."""
LOOKED_UP_AGAIN_AFTER = timedelta(days=7)
"""How long after someone was looked up they are once more, where the platform does not tell who left."""


async def people_without_name(work: UnitOfWork, lane: WorkspaceId) -> list[Account]:
    """Return people of a workspace whose name is not known, a limited number at a time."""
    return [
        Account(workspace=lane, id=person.account)
        for person in await work.people.missing_name(lane, NAME_LOOKUP_BATCH)
        if person.account is not None
    ]


async def people_to_look_up(work: UnitOfWork, lane: WorkspaceId, now: datetime) -> list[Account]:
    """Return people of whom it is to be asked whether they are still there, a limited number at a time."""
    due = await work.people.looked_up_before(lane, now - LOOKED_UP_AGAIN_AFTER, NAME_LOOKUP_BATCH)
    return [Account(workspace=lane, id=person.account) for person in due if person.account is not None]


async def wake_for_lookups(work: UnitOfWork, platforms: Collection[str], now: datetime) -> None:
    """Have the directories of these platforms asked, also in workspaces where nothing else is due."""
    for platform in platforms:
        work.woken.update(await work.people.lanes_looked_up_before(platform, now - LOOKED_UP_AGAIN_AFTER))


async def places_without_name(work: UnitOfWork, lane: WorkspaceId) -> list[ChatPlace]:
    """Return places of a workspace whose name is not known, a limited number at a time."""
    return [
        ChatPlace(workspace=lane, channel=place.channel)
        for place in await work.movements.missing_name(lane, NAME_LOOKUP_BATCH)
    ]


async def update_profile(work: UnitOfWork, account: Account, profile: Profile, now: datetime) -> None:
    """Take over a profile from the platform. Settings that someone chose themselves stay."""
    _, person, _, movement, _ = await work.people.load_context(WorkspaceId(account.workspace), account.id, None)
    if person is None:
        return
    if not person.name and profile.name:
        await request_group_members(work, person.workspace_id)
    person.name = profile.name or person.name
    if profile.timezone and "timezone" not in person.chose:
        person.timezone = profile.timezone
    person.follow_language(profile.language)
    if not profile.deactivated:
        person.guest, person.deactivated_at = profile.guest, None
    elif person.deactivated_at is None:
        person.deactivated_at = now
        await work.sessions.end(person.id)
        await work.feeds.revoke_all_of(person.id)
    if person.has_home:
        shown = movement.id if movement else None
        await work.deliveries.add(to_home(person, key=f"profile:{now.isoformat()}", now=now, movement=shown))


async def request_group_members(work: UnitOfWork, lane: WorkspaceId) -> None:
    """Have the members of linked user groups asked again before the next drain: someone new may be in one."""
    for segment in await work.movements.segments_in(lane):
        segment.known_at = None
        work.woken.add(lane)


async def is_known(work: UnitOfWork, intent: Intent) -> bool:
    """Return whether Ritme knows the person of an event; nothing is kept about others."""
    return await work.people.by_account(WorkspaceId(intent.actor.workspace), intent.actor.id) is not None


async def handle_profile_change(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Apply the event that a profile changed; `actor` holds the new one."""
    actor = intent.actor
    profile = Profile(
        name=actor.name,
        language=actor.language,
        timezone=actor.timezone,
        guest=actor.guest,
        deactivated=bool(intent.text("deactivated")),
    )
    await update_profile(work, actor, profile, now)


async def rename_place(work: UnitOfWork, spot: ChatPlace, name: str) -> None:
    """Set the name of a place that Ritme knows."""
    place = await work.movements.place_in(WorkspaceId(spot.workspace), spot.channel)
    if place is not None:
        place.name = name
