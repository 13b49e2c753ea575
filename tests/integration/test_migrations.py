"""Migrations and tables agree, on both databases, and go up and down over real data."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.migrate import MIGRATIONS, alembic_config, is_newer_schema, migrate_schema, schema_versions
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect
from tests.support.databases import BOTH, postgresql
from tests.support.world import World, open_world

JOBS = ("procrastinate", "idx_procrastinate")
"""Prefixes of the tables and indexes that belong to procrastinate."""


@pytest.fixture(params=BOTH)
async def empty_database(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    """Create a database without tables, of each kind."""
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


async def test_migrations_make_exactly_the_tables(empty_database: AsyncEngine) -> None:
    await migrate_schema(empty_database)
    async with empty_database.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(empty_database: AsyncEngine) -> None:
    assert (await schema_versions(empty_database))[0] is None
    await migrate_schema(empty_database)
    await migrate_schema(empty_database)
    current, head = await schema_versions(empty_database)
    assert current == head


async def test_revisions_known_without_alembic_are_those_it_knows(empty_database: AsyncEngine) -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert (await schema_versions(empty_database))[1] == scripts.get_current_head()
    revisions = [one.revision for one in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert not any(map(is_newer_schema, revisions))
    assert is_newer_schema("9999")


async def test_concurrent_migrations_run_once() -> None:
    with postgresql(empty=True) as url:
        engines = [connect(url) for _ in range(4)]
        await asyncio.gather(*(migrate_schema(one) for one in engines))
        current, head = await schema_versions(engines[0])
        for one in engines:
            await one.dispose()
    assert current == head


@pytest.mark.parametrize("kind", BOTH)
async def test_down_and_up_again_with_data(tmp_path: Path, kind: str) -> None:
    async with open_world(tmp_path, kind=kind) as world:
        empty_database = world.database
        if kind == "sqlite":  # made from the tables: the migrations shall find it empty
            async with empty_database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate_schema(empty_database)
        await lived(world)
        async with empty_database.connect() as connection:
            assert (await connection.execute(text("select count(*) from stuck_episodes"))).scalar() == 1
        await migrate_schema(empty_database, "base")
        async with empty_database.connect() as connection:
            assert await connection.run_sync(tables) == set()
        await migrate_schema(empty_database)
        async with empty_database.connect() as connection:
            assert await connection.run_sync(tables) == set(metadata.tables)


@pytest.mark.parametrize("kind", BOTH)
async def test_what_was_packed_in_one_column_is_unpacked_and_packed_again(tmp_path: Path, kind: str) -> None:
    async with open_world(tmp_path, kind=kind) as world:
        database = world.database
        if kind == "sqlite":
            async with database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate_schema(database)
        await lived(world)
        await world.do("fatima", "help", answerable=False)
        await migrate_schema(database, "0006")
        async with database.begin() as connection:
            await connection.execute(text("update people set home_mark = 'movement:abc123'"))
            packed = "update deliveries set act = 'update', target = 'a:19/x@thread/1234'"
            assert (await connection.execute(text(packed))).rowcount
        await migrate_schema(database)
        async with database.connect() as connection:
            shown = await connection.execute(text("select distinct home_movement, home_digest from people"))
            assert [tuple(row) for row in shown] == [("movement", "abc123")]
            elsewhere = await connection.execute(text("select distinct target_channel, target from deliveries"))
            assert [tuple(row) for row in elsewhere] == [("a:19/x@thread", "1234")]
        await migrate_schema(database, "0006")
        async with database.connect() as connection:
            assert (await connection.execute(text("select distinct home_mark from people"))).scalars().all() == [
                "movement:abc123"
            ]
            assert (await connection.execute(text("select distinct target from deliveries"))).scalars().all() == [
                "a:19/x@thread/1234"
            ]


@pytest.mark.parametrize("kind", BOTH)
async def test_who_is_stuck_in_two_ways_stays_so_in_the_version_before(tmp_path: Path, kind: str) -> None:
    async with open_world(tmp_path, kind=kind) as world:
        database = world.database
        if kind == "sqlite":
            async with database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate_schema(database)
        await lived(world)
        await world.do("fatima", "initiative.save", args={"name": "Wandelen", "description": ""})
        await world.type("fatima", "/vast een")
        await world.pass_(minutes=1)
        await world.press("fatima", await world.type("fatima", "/vast twee"), "take_apart")
        found = text("select text, initiative_id is null from stuck_episodes where text in ('een', 'twee') order by 1")
        await migrate_schema(database, "0007")
        async with database.connect() as connection:
            assert [tuple(row) for row in await connection.execute(found)] == [("een", True), ("twee", False)]
        await migrate_schema(database)


async def lived(world: World) -> None:
    await world.movement("fatima")
    await world.type("fatima", "/vast De nachtdienst hoort het als laatste")


def test_job_tables_match_the_installed_procrastinate() -> None:
    """A later version of it brings its own changes: write a revision with them, and keep its schema beside this one."""
    assert (MIGRATIONS / "procrastinate-3.10.sql").read_text(encoding="utf-8") == SchemaManager.get_schema()
