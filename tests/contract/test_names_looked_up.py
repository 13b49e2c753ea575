"""Names that a platform does not tell are asked for again before the next drain, and cause none."""

from bot.chat import Account, Profile
from bot.domain.movement import MovementId, Segment
from bot.domain.person import PersonId, WorkspaceId
from bot.use_cases.people.introductions import update_profile
from tests.support.world import LANE, World


async def test_a_profile_without_a_name_wakes_nobody(world: World) -> None:
    await world.movement("fatima")
    async with world.begin() as work:
        work.movements.add(
            Segment(workspace_id=WorkspaceId(LANE), handle="s1", movement_id=MovementId("movement"), name="Nacht")
        )
        person = await work.people.get(PersonId("fatima"), MovementId("movement"))
        assert person is not None
        person.name = ""
    for told, wakes in (("", False), ("Fatima", True)):
        async with world.begin() as work:
            account = Account(workspace=LANE, id="fatima")
            await update_profile(work, account, Profile(name=told), world.clock.now())
            assert (LANE in work.woken) is wakes
