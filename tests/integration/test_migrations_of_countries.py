"""Movements keep their country and Good Friday when countries, regions and weekends come."""

from pathlib import Path

import holidays
import pytest
from sqlalchemy import text

from adapters.database.migrate import migrate_schema
from adapters.database.tables import metadata, movements, places
from tests.support.databases import BOTH
from tests.support.world import open_world

BEFORE = "0041"
NEW = (
    "insert into movements (id, name, language, country, good_friday, timezone, started_at) "
    "select :id, 'Anders', language, :country, :kept, timezone, started_at from movements where id = 'movement'"
)


@pytest.mark.parametrize("kind", BOTH)
async def test_who_kept_good_friday_keeps_it_and_no_other_day_moves(tmp_path: Path, kind: str) -> None:
    async with open_world(tmp_path, kind=kind) as world:
        if kind == "sqlite":  # made from the tables: the migrations shall find it empty
            async with world.database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate_schema(world.database)
        await world.movement()
        await migrate_schema(world.database, BEFORE)
        async with world.database.begin() as connection:
            await connection.execute(text(NEW), {"id": "keeps", "country": "NL", "kept": True})
            await connection.execute(text(NEW), {"id": "belgian", "country": "BE", "kept": True})
        await migrate_schema(world.database)
        async with world.begin() as work:
            found = {one: await work.movements.get(one) for one in ("movement", "keeps", "belgian")}  # type: ignore[arg-type]
        assert {one: (kept.country, kept.holidays, kept.weekend) for one, kept in found.items() if kept} == {
            "movement": ("NL", [], ""),
            "keeps": ("NL", ["+Goede vrijdag"], ""),
            "belgian": ("BE", [], ""),
        }
        await migrate_schema(world.database, BEFORE)
        async with world.database.connect() as connection:
            kept_before = await connection.execute(text("select id, good_friday from movements order by id"))
            assert [(one, bool(kept)) for one, kept in kept_before] == [
                ("belgian", False),
                ("keeps", True),
                ("movement", False),
            ]


def test_the_code_of_every_region_fits() -> None:
    longest = max(len(code) for codes in holidays.list_supported_countries().values() for code in codes)
    for table in (movements, places):
        assert longest <= table.c.region.type.length  # type: ignore[attr-defined]
