"""A batch of messages asks the database the same as a single one: nothing is asked once a message."""

from bot.domain.movement import MovementId, Place, PlaceId
from bot.domain.person import PersonId, WorkspaceId
from bot.domain.rhythm import Rhythm, RhythmId, RhythmKind
from tests.scale.plans import QueryRecorder
from tests.support.world import LANE, World

MANY = 40


async def test_no_statement_is_asked_once_a_message(world: World) -> None:
    await world.movement("fatima")
    due = world.clock.now()
    async with world.begin() as work:
        for number in range(MANY):
            place = Place(
                id=PlaceId(f"p{number}"), workspace_id=WorkspaceId(LANE), channel=f"C{number}", name=f"c{number}",
                created_at=due,
            )  # fmt: skip
            place.movement_id = MovementId("movement")
            work.movements.add(place)
            work.rhythms.add(
                Rhythm(
                    id=RhythmId(f"r{number}"),
                    movement_id=MovementId("movement"),
                    place_id=place.id,
                    kind=RhythmKind.STORIES,
                    rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO",
                    starts_on=due.date(),
                    at=due.time(),
                    timezone="UTC",
                    next_at=due,
                    created_by=PersonId("iris"),
                    created_at=due,
                )
            )
    with QueryRecorder() as recorded:
        assert await world.ritme.plan() >= MANY
    planned = {one.statement: one.times for one in recorded.asked.values()}
    with QueryRecorder() as recorded:
        assert await world.ritme.drain(WorkspaceId(LANE)) >= MANY
    drained = {one.statement: one.times for one in recorded.asked.values()}
    assert {what: times for what, times in {**planned, **drained}.items() if times >= MANY} == {}
