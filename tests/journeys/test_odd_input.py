"""Input that nobody types, but that came through a door: refused in words, or cut to what is kept."""

from bot.chat import FieldErrors
from bot.domain.movement import MovementId, Segment
from bot.domain.person import WorkspaceId
from bot.domain.plain_text import MAX_NAME
from tests.support.world import LANE, World


async def test_somebody_picked_by_an_endless_id_is_no_choice(world: World) -> None:
    await world.movement("fatima")
    answer = await world.do("fatima", "nominate.save", args={"maven": ("9" * 500,)})
    assert isinstance(answer, FieldErrors)
    assert set(answer.errors) == {"maven"}


async def test_the_name_of_a_group_is_kept_as_long_as_names_are(world: World) -> None:
    await world.movement("fatima")
    lane = WorkspaceId(LANE)
    async with world.begin() as work:
        work.movements.add(Segment(workspace_id=lane, handle="s1", movement_id=MovementId("movement"), name="Nacht"))
    for name, kept in (("👩🏽‍⚕️" * 60, MAX_NAME), ("Avond", len("Avond"))):
        await world.do("fatima", "group.changed", args={"group": "s1", "name": name})
        async with world.begin() as work:
            (segment,) = await work.movements.segments_in(lane)
            assert len(segment.name) == kept
