"""Groups of people, and who of them know each other or take part."""

from bot.domain.initiative import Initiative, InitiativeId, Participant
from bot.domain.movement import Member, MovementId
from bot.domain.person import Language, Person, PersonId, WorkspaceId
from tests.support.world import LANE, World

MOVEMENT = MovementId("movement")


async def add_group(world: World, group: str, *people: str) -> None:
    """Add people of a group to the movement; those who belong to it already get the group."""
    now = world.clock.now()
    async with world.begin() as work:
        for name in people:
            person = await work.people.get(PersonId(name), MOVEMENT)
            if person is None:
                person = Person(
                    id=PersonId(name), workspace_id=WorkspaceId(LANE), account=name, name=name, created_at=now
                )
                person.language = Language.NL
                work.people.add(person)
                work.movements.add(Member(movement_id=MOVEMENT, person_id=person.id, joined_at=now))
            person.group = group


async def add_active(world: World, *people: str, initiative: str = "lopen") -> None:
    """Let people take part in an initiative of their own."""
    now = world.clock.now()
    async with world.begin() as work:
        work.initiatives.add(
            Initiative(
                id=InitiativeId(initiative), movement_id=MOVEMENT, name=initiative, started_by=None, started_at=now
            )
        )
        for name in people:
            work.initiatives.add(
                Participant(
                    initiative_id=InitiativeId(initiative),
                    movement_id=MOVEMENT,
                    person_id=PersonId(name),
                    joined_at=now,
                )
            )


async def tie(world: World, one: str, *others: str) -> None:
    """Let someone know others, in the open."""
    async with world.begin() as work:
        for other in others:
            await work.connecting.strengthen(MOVEMENT, PersonId(one), PersonId(other), world.clock.now())
