"""Outbox statistics count a delivery as overdue only when it could have been sent."""

from datetime import timedelta

from adapters.database.outbox import Outbox, OutboxStats
from bot.domain.delivery import DeliveryState
from bot.domain.person import WorkspaceId
from tests.support.outbox import enqueue_post, get_delivery
from tests.support.world import LANE, World

HOUR = timedelta(hours=1)


async def waiting_stats(world: World) -> OutboxStats:
    (found,) = await Outbox(world.database).stats(world.clock.now())
    assert found.state == "waiting"
    return found


async def overdue_ids(world: World) -> list[str]:
    return [one.id for one in await Outbox(world.database).rows(overdue_at=world.clock.now())]


async def add_overdue_post(world: World) -> None:
    """Add a post that has been due for an hour, and is not sent."""
    await world.movement()
    await enqueue_post(world, "aaa")
    world.clock.set(world.clock.now() + HOUR)


async def test_a_post_that_is_not_sent_is_overdue(world: World) -> None:
    await add_overdue_post(world)
    found = await waiting_stats(world)
    assert (found.platform, found.rows, found.due, found.oldest_due_age) == ("test", 1, 1, HOUR)
    assert await overdue_ids(world) == [(await get_delivery(world, "aaa")).id]


async def test_nothing_is_overdue_where_ritme_was_removed(world: World) -> None:
    await add_overdue_post(world)
    await world.ritme.workspace_uninstalled(LANE)
    assert await world.ritme.lanes_due() == []
    found = await waiting_stats(world)
    assert (found.rows, found.due, found.oldest_due_age) == (1, 0, timedelta(0))
    assert await overdue_ids(world) == []
    await world.ritme.workspace_installed(LANE, "Wijkteam")
    assert (await waiting_stats(world)).oldest_due_age == HOUR


async def test_nothing_is_overdue_while_a_rate_limit_lasts(world: World) -> None:
    await add_overdue_post(world)
    async with world.begin() as work:
        held = await work.people.workspace(WorkspaceId(LANE))
        assert held is not None
        held.held_until = world.clock.now() + HOUR
    found = await waiting_stats(world)
    assert (found.rows, found.due, found.oldest_due_age) == (1, 1, timedelta(0))
    assert await overdue_ids(world) == []
    world.clock.set(world.clock.now() + HOUR)
    assert (await waiting_stats(world)).oldest_due_age == 2 * HOUR
    assert len(await overdue_ids(world)) == 1


async def test_a_failed_post_is_not_overdue(world: World) -> None:
    await add_overdue_post(world)
    async with world.begin() as work:
        failed = await work.deliveries.by_key("aaa")
        assert failed is not None
        failed.fail("broken")
    assert await overdue_ids(world) == []
    box = Outbox(world.database)
    assert len(await box.rows()) == 1
    assert len(await box.rows(overdue_at=world.clock.now(), states=[DeliveryState.FAILED])) == 1
