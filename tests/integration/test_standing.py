"""How the outbox stands, as an alarm is told: late is only what could have been sent."""

from datetime import timedelta

from adapters.database.outbox import Outbox, Standing
from bot.domain.delivery import DeliveryState
from bot.domain.person import WorkspaceId
from tests.outbox import put, row
from tests.world import LANE, World

HOUR = timedelta(hours=1)


async def waiting(here: World) -> Standing:
    (found,) = await Outbox(here.database).standing(here.clock.now())
    assert found.state == "waiting"
    return found


async def overdue(here: World) -> list[str]:
    return [one.id for one in await Outbox(here.database).rows(overdue_at=here.clock.now())]


async def late_by_an_hour(here: World) -> None:
    """Something is due since an hour, and nobody sends it."""
    await here.movement()
    await put(here, "aaa")
    here.clock.set(here.clock.now() + HOUR)


async def test_what_nobody_sends_is_late(here: World) -> None:
    await late_by_an_hour(here)
    found = await waiting(here)
    assert (found.platform, found.rows, found.due, found.late) == ("test", 1, 1, HOUR)
    assert await overdue(here) == [(await row(here, "aaa")).id]


async def test_nothing_is_late_where_ritme_was_removed(here: World) -> None:
    await late_by_an_hour(here)
    await here.ritme.left(LANE, "removed")
    assert await here.ritme.lanes_due() == []
    found = await waiting(here)
    assert (found.rows, found.due, found.late) == (1, 0, timedelta(0))
    assert await overdue(here) == []
    await here.ritme.returned(LANE, "Wijkteam")
    assert (await waiting(here)).late == HOUR


async def test_nothing_is_late_where_the_platform_asked_to_wait_until_that_is_over(here: World) -> None:
    await late_by_an_hour(here)
    async with here.begin() as work:
        held = await work.people.workspace(WorkspaceId(LANE))
        assert held is not None
        held.held_until = here.clock.now() + HOUR
    found = await waiting(here)
    assert (found.rows, found.due, found.late) == (1, 1, timedelta(0))
    assert await overdue(here) == []
    here.clock.set(here.clock.now() + HOUR)
    assert (await waiting(here)).late == 2 * HOUR
    assert len(await overdue(here)) == 1


async def test_what_failed_is_not_late(here: World) -> None:
    await late_by_an_hour(here)
    async with here.begin() as work:
        failed = await work.deliveries.by_key("aaa")
        assert failed is not None
        failed.fail("broken")
    assert await overdue(here) == []
    box = Outbox(here.database)
    assert len(await box.rows()) == 1
    assert len(await box.rows(overdue_at=here.clock.now(), states=[DeliveryState.FAILED])) == 1
