"""Getting to know what people and places are called, where a request does not say."""

from datetime import datetime

from bot.chat import Account, Intent, Profile
from bot.chat import Place as Spot
from bot.domain.delivery import to_home
from bot.domain.person import Language, WorkspaceId
from bot.ports import UnitOfWork

AT_ONCE = 10
"""How many people, and places, are asked after in one go."""


async def strangers(work: UnitOfWork, lane: WorkspaceId) -> list[Account]:
    """People of whom we do not know the name."""
    return [
        Account(workspace=lane, id=person.account)
        for person in await work.people.nameless(lane, AT_ONCE)
        if person.account is not None
    ]


async def unnamed(work: UnitOfWork, lane: WorkspaceId) -> list[Spot]:
    """Places of which we do not know the name."""
    return [Spot(workspace=lane, channel=place.channel) for place in await work.movements.nameless(lane, AT_ONCE)]


async def introduce(work: UnitOfWork, account: Account, profile: Profile, now: datetime) -> None:
    """What someone chose themselves stays; a movement's language goes before that of the app on their phone."""
    person, _, movement, _ = await work.people.arriving(WorkspaceId(account.workspace), account.id, None)
    if person is None:
        return
    if not person.name:
        await look_in_groups(work, person.workspace_id)
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


async def look_in_groups(work: UnitOfWork, lane: WorkspaceId) -> None:
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
    await introduce(work, actor, profile, now)


async def call(work: UnitOfWork, spot: Spot, name: str) -> None:
    place = await work.movements.place_in(WorkspaceId(spot.workspace), spot.channel)
    if place is not None:
        place.name = name
