"""`ritme personal-data` writes everything about one person to a file that only its writer can read."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.commands import ritme
from adapters.database.migrate import migrate_schema
from adapters.database.tables import metadata
from tests.support.databases import BOTH
from tests.support.world import LANE, World, open_world

STORY = "Mevrouw liep vandaag zelf naar de tafel"


@pytest.fixture(params=BOTH)
async def told(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Open a world in which Fatima and Jan told a story."""
    async with open_world(tmp_path, kind=request.param) as world:
        if request.param == "sqlite":
            async with world.database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate_schema(world.database)
        monkeypatch.setenv("RITME_DATABASE_URL", world.storage.url)
        monkeypatch.chdir(tmp_path)
        await world.movement("fatima", "jan")
        await world.do("fatima", "story.save", text=STORY, readers="everyone", named="with")
        await world.do("jan", "story.save", text="Jan zijn eigen verhaal", readers="everyone", named="with")
        yield world


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, ritme, ["personal-data", *words])


async def test_the_file_holds_what_is_theirs_and_nothing_of_others(told: World, tmp_path: Path) -> None:
    result = await run(LANE, "fatima")
    assert result.exit_code == 0, result.output
    file = tmp_path / "ritme.html"
    assert STORY in file.read_text()
    assert "Jan zijn eigen verhaal" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert STORY not in result.output


async def test_a_file_that_is_there_is_not_overwritten(told: World, tmp_path: Path) -> None:
    (tmp_path / "ritme.html").write_text("van iemand anders")
    result = await run(LANE, "fatima")
    assert result.exit_code == 1
    assert "Nothing was written" in result.output
    assert (tmp_path / "ritme.html").read_text() == "van iemand anders"


async def test_nobody_is_written_about_who_is_not_known(told: World, tmp_path: Path) -> None:
    for where, who in ((LANE, "nobody"), ("slack:T0ELSEWHERE", "fatima")):
        result = await run(where, who)
        assert result.exit_code == 1
        assert "nobody is known" in " ".join(result.output.split())
    assert not (tmp_path / "ritme.html").exists()
