"""What nobody needs any more goes, on both databases; what a story stands in stays, so that it can be taken back."""

from datetime import timedelta

from sqlalchemy import text

from bot import app
from tests.outbox import put
from tests.world import World


async def count(here: World, table: str) -> int:
    async with here.database.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def receipts(here: World) -> list[str]:
    async with here.database.connect() as connection:
        return list((await connection.execute(text("SELECT receipt FROM deliveries"))).scalars())


async def test_keys_go_after_a_month_and_settled_messages_after_three(here: World) -> None:
    here.ritme._kept = app.Kept()
    await here.movement("fatima")
    await here.type("fatima", "/verhaal Mevrouw Bakker liep tot de brievenbus.")
    await put(here, "an old answer")
    await here.drain()
    told = here.posts()[0]
    assert await count(here, "inbox") == 1
    kept = await count(here, "deliveries")
    here.clock.set(here.clock.now() + timedelta(days=31))
    await here.drain()
    assert await count(here, "inbox") == 0
    assert await count(here, "deliveries") == kept
    here.clock.set(here.clock.now() + timedelta(days=60))
    await here.drain()
    assert 0 < await count(here, "deliveries") < kept
    assert told.receipt.message in await receipts(here)


async def test_what_waits_is_never_forgotten(here: World) -> None:
    here.ritme._kept = app.Kept()
    await here.movement("fatima")
    far = here.clock.now() + timedelta(days=200)
    await put(here, "far", due_at=far)
    here.clock.set(here.clock.now() + timedelta(days=150))
    await here.drain()
    assert await count(here, "deliveries") == 1
