"""Getting to know what people and places are called, where a request does not say."""

from bot.chat import Account, Profile
from bot.chat import Place as Spot
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


async def introduce(work: UnitOfWork, account: Account, profile: Profile) -> None:
    """What someone chose themselves stays; a movement's language goes before that of the app on their phone."""
    person, _, movement, _ = await work.people.arriving(WorkspaceId(account.workspace), account.id, None)
    if person is None:
        return
    person.name = profile.name
    person.timezone = person.timezone or profile.timezone
    if person.language is None and movement is None and profile.language:
        person.language = Language.meant(profile.language, Language.NL)


async def call(work: UnitOfWork, spot: Spot, name: str) -> None:
    place = await work.movements.place_in(WorkspaceId(spot.workspace), spot.channel)
    if place is not None:
        place.name = name
