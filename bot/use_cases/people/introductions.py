"""Getting to know what people and places are called, where a request does not say."""

from datetime import datetime

from bot.chat import Account, ChatPlace, Intent, Profile
from bot.domain.delivery import to_home
from bot.domain.person import Language, WorkspaceId
from bot.ports import UnitOfWork

AT_ONCE = 10
"""How many people, and places, are asked after in one go."""


async def people_without_name(work: UnitOfWork, lane: WorkspaceId) -> list[Account]:
    """People of whom we do not know the name."""
    return [
        Account(workspace=lane, id=person.account)
        for person in await work.people.missing_name(lane, AT_ONCE)
        if person.account is not None
    ]


async def places_without_name(work: UnitOfWork, lane: WorkspaceId) -> list[ChatPlace]:
    """Places of which we do not know the name."""
    return [
        ChatPlace(workspace=lane, channel=place.channel) for place in await work.movements.missing_name(lane, AT_ONCE)
    ]


async def update_profile(work: UnitOfWork, account: Account, profile: Profile, now: datetime) -> None:
    """What someone chose themselves stays; a movement's language goes before that of the app on their phone."""
    person, _, movement, _ = await work.people.load_context(WorkspaceId(account.workspace), account.id, None)
    if person is None:
        return
    if not person.name:
        await request_group_members(work, person.workspace_id)
    person.name = profile.name or person.name
    if profile.timezone and "timezone" not in person.chose:
        person.timezone = profile.timezone
    follows = "language" not in person.chose and (movement is None or person.language is not None)
    if profile.language and follows:
        person.language = Language.meant(profile.language, Language.NL)
    person.guest = profile.guest
    if not profile.deactivated:
        person.deactivated_at = None
    elif person.deactivated_at is None:
        person.deactivated_at = now
    if person.home_mark is not None:
        shown = movement.id if movement else None
        await work.deliveries.add(to_home(person, key=f"profile:{now.isoformat()}", now=now, movement=shown))


async def request_group_members(work: UnitOfWork, lane: WorkspaceId) -> None:
    """Someone is new: whether they are in a group that stands for one of ours is asked at the next drain."""
    for segment in await work.movements.segments_in(lane):
        segment.known_at = None
        work.woken.add(lane)


async def is_known(work: UnitOfWork, intent: Intent) -> bool:
    """Whether Ritme knows whom this is about: of strangers nothing is kept."""
    return await work.people.by_account(WorkspaceId(intent.actor.workspace), intent.actor.id) is not None


async def changed(work: UnitOfWork, intent: Intent, now: datetime) -> None:
    """Someone's profile is another one: `actor` holds what it is now."""
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
    place = await work.movements.place_in(WorkspaceId(spot.workspace), spot.channel)
    if place is not None:
        place.name = name
