"""Migrations and tables agree, on both databases, and go up and down over real data."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.migrate import MIGRATIONS, migrate, versions
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect
from tests.support.databases import BOTH, postgresql
from tests.support.world import World, world

JOBS = ("procrastinate", "idx_procrastinate")
"""What belongs to the engine, and is no table of ours."""


@pytest.fixture(params=BOTH)
async def engine(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    """An empty database."""
    if request.param == "sqlite":
        opened = connect(f"sqlite+aiosqlite:///{tmp_path / 'ritme.db'}")
        yield opened
        await opened.dispose()
        return
    with postgresql(empty=True) as url:
        opened = connect(url)
        yield opened
        await opened.dispose()


def tables(connection: Connection) -> set[str]:
    return {name for name in inspect(connection).get_table_names() if not name.startswith(JOBS)} - {"alembic_version"}


def differences(connection: Connection) -> list[object]:
    def ours(_item: object, name: str | None, *_: object) -> bool:
        return not (name or "").startswith(JOBS)

    options = {"compare_type": True, "include_object": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_migrations_make_exactly_the_tables(engine: AsyncEngine) -> None:
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(engine: AsyncEngine) -> None:
    await migrate(engine)
    await migrate(engine)
    current, head = await versions(engine)
    assert current == head


async def test_several_that_migrate_at_once_do_it_once() -> None:
    with postgresql(empty=True) as url:
        engines = [connect(url) for _ in range(4)]
        await asyncio.gather(*(migrate(one) for one in engines))
        current, head = await versions(engines[0])
        for one in engines:
            await one.dispose()
    assert current == head


@pytest.mark.parametrize("kind", BOTH)
async def test_down_and_up_again_with_data(tmp_path: Path, kind: str) -> None:
    async with world(tmp_path, kind=kind) as here:
        engine = here.database
        if kind == "sqlite":  # made from the tables: the migrations shall find it empty
            async with engine.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate(engine)
        await lived(here)
        async with engine.connect() as connection:
            assert (await connection.execute(text("select count(*) from stuck_episodes"))).scalar() == 1
        await migrate(engine, "base")
        async with engine.connect() as connection:
            assert await connection.run_sync(tables) == set()
        await migrate(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(tables) == set(metadata.tables)


async def lived(here: World) -> None:
    await here.movement("fatima")
    await here.type("fatima", "/vast De nachtdienst hoort het als laatste")


def test_the_tables_of_the_jobs_are_those_of_the_procrastinate_we_run() -> None:
    """A later version of it brings its own changes: write a revision with them, and keep its schema beside this one."""
    assert (MIGRATIONS / "procrastinate-3.10.sql").read_text(encoding="utf-8") == SchemaManager.get_schema()
