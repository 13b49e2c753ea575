"""Statistics of the outbox count as overdue only what could have been sent."""

from datetime import timedelta

from adapters.database.outbox import Outbox, OutboxStats
from bot.domain.delivery import DeliveryState
from bot.domain.person import WorkspaceId
from tests.support.outbox import put, row
from tests.support.world import LANE, World

HOUR = timedelta(hours=1)


async def waiting(here: World) -> OutboxStats:
    (found,) = await Outbox(here.database).stats(here.clock.now())
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
    assert (found.platform, found.rows, found.due, found.oldest_due_age) == ("test", 1, 1, HOUR)
    assert await overdue(here) == [(await row(here, "aaa")).id]


async def test_nothing_is_late_where_ritme_was_removed(here: World) -> None:
    await late_by_an_hour(here)
    await here.ritme.workspace_uninstalled(LANE, "removed")
    assert await here.ritme.lanes_due() == []
    found = await waiting(here)
    assert (found.rows, found.due, found.oldest_due_age) == (1, 0, timedelta(0))
    assert await overdue(here) == []
    await here.ritme.workspace_installed(LANE, "Wijkteam")
    assert (await waiting(here)).oldest_due_age == HOUR


async def test_nothing_is_late_where_the_platform_asked_to_wait_until_that_is_over(here: World) -> None:
    await late_by_an_hour(here)
    async with here.begin() as work:
        held = await work.people.workspace(WorkspaceId(LANE))
        assert held is not None
        held.held_until = here.clock.now() + HOUR
    found = await waiting(here)
    assert (found.rows, found.due, found.oldest_due_age) == (1, 1, timedelta(0))
    assert await overdue(here) == []
    here.clock.set(here.clock.now() + HOUR)
    assert (await waiting(here)).oldest_due_age == 2 * HOUR
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
