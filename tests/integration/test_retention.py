"""Old request keys and settled deliveries are deleted, on both databases; those that carry a story are kept."""

from datetime import timedelta

from sqlalchemy import text

from bot import app
from tests.support.outbox import enqueue_post
from tests.support.world import World, text_of


async def count_rows(world: World, table: str) -> int:
    async with world.database.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def receipts(world: World) -> list[str]:
    async with world.database.connect() as connection:
        return list((await connection.execute(text("SELECT receipt FROM deliveries"))).scalars())


async def test_request_keys_are_deleted_after_a_month_and_settled_deliveries_after_three(world: World) -> None:
    world.ritme._retention = app.Retention()
    await world.movement("fatima")
    await world.type("fatima", "/verhaal De buurvrouw liep tot de brievenbus.")
    await enqueue_post(world, "an old answer")
    await world.drain()
    told = world.posts()[0]
    assert await count_rows(world, "inbox") == 1
    kept = await count_rows(world, "deliveries")
    world.clock.set(world.clock.now() + timedelta(days=31))
    await world.drain()
    assert await count_rows(world, "inbox") == 0
    assert await count_rows(world, "deliveries") == kept
    world.clock.set(world.clock.now() + timedelta(days=60))
    await world.drain()
    assert 0 < await count_rows(world, "deliveries") < kept
    assert told.receipt.message in await receipts(world)


async def test_waiting_deliveries_are_never_deleted(world: World) -> None:
    world.ritme._retention = app.Retention()
    await world.movement("fatima")
    far = world.clock.now() + timedelta(days=200)
    await enqueue_post(world, "far", due_at=far)
    world.clock.set(world.clock.now() + timedelta(days=150))
    await world.drain()
    assert await count_rows(world, "deliveries") == 1


async def test_reminders_keep_varying_after_their_deliveries_were_deleted(world: World) -> None:
    """The count of how often a reminder was sent outlives its deliveries, which go after three months."""
    world.ritme._retention = app.Retention(deliveries=timedelta(days=10))
    await world.movement()
    form = await world.press("iris", await world.type("iris", "/ritme ritme"), "new")
    await world.submit("iris", form, kind="stories", every="1", weekdays=("TU",), at="10:00", place="general")
    for _ in range(6):
        await world.pass_(weeks=1)
    heard = [text_of(one) for one in world.posts()]
    assert len(heard) == 6
    assert len(set(heard)) == 6
    assert await count_rows(world, "deliveries") < 6
