"""What nobody needs any more goes, on both databases; what a story stands in stays, so that it can be taken back."""

from datetime import timedelta

from sqlalchemy import text

from bot import app
from tests.support.outbox import put
from tests.support.world import World, text_of


async def count(here: World, table: str) -> int:
    async with here.database.connect() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def receipts(here: World) -> list[str]:
    async with here.database.connect() as connection:
        return list((await connection.execute(text("SELECT receipt FROM deliveries"))).scalars())


async def test_keys_go_after_a_month_and_settled_messages_after_three(here: World) -> None:
    here.ritme._retention = app.Retention()
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
    here.ritme._retention = app.Retention()
    await here.movement("fatima")
    far = here.clock.now() + timedelta(days=200)
    await put(here, "far", due_at=far)
    here.clock.set(here.clock.now() + timedelta(days=150))
    await here.drain()
    assert await count(here, "deliveries") == 1


async def test_a_place_hears_another_form_every_week_however_much_was_forgotten(here: World) -> None:
    """Of what was sent after three months nothing is left; how often it was said is not forgotten with it."""
    here.ritme._retention = app.Retention(deliveries=timedelta(days=10))
    await here.movement()
    form = await here.press("iris", await here.type("iris", "/ritme ritme"), "new")
    await here.submit("iris", form, kind="stories", every="1", weekdays=("TU",), at="10:00", place="general")
    for _ in range(6):
        await here.pass_(weeks=1)
    heard = [text_of(one) for one in here.posts()]
    assert len(heard) == 6
    assert len(set(heard)) == 6
    assert await count(here, "deliveries") < 6
