"""Migrations and tables agree, and go up and down over real data."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import DialClock
from adapters.database.migrate import migrate, versions
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect, unit_of_work
from bot.app import Platform, Ritme
from tests.fakes.messenger import RecordingMessenger
from tests.world import MONDAY, NoEngine, World


async def fresh(tmp_path: Path) -> AsyncEngine:
    return connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


async def test_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    engine = await fresh(tmp_path)
    await migrate(engine)
    async with engine.connect() as connection:
        different = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"compare_type": True}), metadata)
        )
    await engine.dispose()
    assert different == []


async def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    engine = await fresh(tmp_path)
    await migrate(engine)
    await migrate(engine)
    current, head = await versions(engine)
    await engine.dispose()
    assert current == head


async def test_down_and_up_again_with_data(tmp_path: Path) -> None:
    engine = await fresh(tmp_path)
    await migrate(engine)
    begin, clock, messenger = unit_of_work(engine), DialClock(MONDAY, running=False), RecordingMessenger()
    ritme = Ritme(begin=begin, platforms={"test": Platform(messenger=messenger)}, clock=clock, engine=NoEngine())
    here = World(ritme=ritme, clock=clock, messenger=messenger, database=engine, begin=begin)
    await here.movement("fatima")
    await here.type("fatima", "/vast De nachtdienst hoort het als laatste")
    async with engine.connect() as connection:
        assert (await connection.execute(text("select count(*) from stuck_episodes"))).scalar() == 1
    await migrate(engine, "base")
    async with engine.connect() as connection:
        assert await connection.run_sync(tables) == set()
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(tables) == set(metadata.tables)
    await engine.dispose()
