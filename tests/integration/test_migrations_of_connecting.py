"""Migrations keep what people said about being suggested in the right movements, and drop ties made in private."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.migrate import migrate_schema
from adapters.database.tables import metadata
from tests.support.databases import BOTH
from tests.support.world import open_world

NOW = "'2027-03-01 08:00:00'"


@pytest.fixture(params=BOTH)
async def before(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    """Open a database as the version before 0011 left it: three people in two movements, who named each other."""
    async with open_world(tmp_path, kind=request.param) as world:
        if request.param == "sqlite":
            async with world.database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate_schema(world.database)
        await world.movement("fatima", "jan", "sanne", "bram")
        await migrate_schema(world.database, "0010")
        async with world.database.begin() as connection:
            for statement in STATEMENTS:
                await connection.execute(text(statement))
        yield world.database


STATEMENTS = (
    (
        "insert into movements (id, name, language, country, good_friday, timezone, started_at) select "
        "'other', 'Anders', language, country, good_friday, timezone, started_at from movements"
    ),
    f"insert into members (movement_id, person_id, role, joined_at) select 'other', id, 'member', {NOW} from people",
    "update people set suggestible = (id <> 'bram') where id in ('sanne', 'jan', 'bram')",
    (
        "insert into nominations (id, movement_id, nominator_id, nominee_id, figure, topic, at) values "
        f"('n1', 'movement', 'fatima', 'sanne', 'maven', '', {NOW}), "
        f"('n2', 'movement', 'jan', 'sanne', 'connector', '', {NOW})"
    ),
    (
        "insert into ties (movement_id, one_id, other_id, strength, last_at) values "
        f"('movement', 'fatima', 'sanne', 1, {NOW}), ('movement', 'jan', 'sanne', 2, {NOW})"
    ),
)


async def read(database: AsyncEngine, query: str) -> list[tuple[object, ...]]:
    async with database.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def test_a_yes_goes_where_it_was_asked_and_a_no_everywhere(before: AsyncEngine) -> None:
    await migrate_schema(before)
    said = await read(
        before, "select person_id, movement_id from members where suggestible = true order by person_id, movement_id"
    )
    assert said == [("jan", "movement"), ("jan", "other"), ("sanne", "movement")]
    refused = await read(before, "select person_id, movement_id from members where suggestible = false")
    assert set(refused) == {("bram", "movement"), ("bram", "other")}
    [(figures,)] = await read(
        before, "select figures from members where person_id = 'sanne' and movement_id = 'movement'"
    )
    assert str(figures).replace('"', "'") == "['connector', 'maven']"
    await migrate_schema(before, "0010")
    back = await read(before, "select id, suggestible from people where suggestible is not null order by id")
    assert [(who, bool(said)) for who, said in back] == [("bram", False), ("jan", True), ("sanne", True)]


async def test_only_ties_made_in_the_open_stay(before: AsyncEngine) -> None:
    await migrate_schema(before)
    assert await read(before, "select one_id, other_id, strength from ties") == [("jan", "sanne", 1)]
