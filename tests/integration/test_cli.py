"""The `ritme` command says what to do next, and starts nothing half-way."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from alembic.script import ScriptDirectory
from typer.testing import CliRunner, Result

from adapters.cli.commands import ritme
from adapters.database.migrate import config
from bot import __version__

CLONE = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ritme runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "geheim")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-geheim")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api/")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        yield elsewhere.getsockname()[1]


def run(*words: str) -> Result:
    return CliRunner().invoke(ritme, words)


def said(result: Result) -> str:
    return result.output


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_tells_what_there_is(words: list[str]) -> None:
    text = said(run(*words))

    for command in ("demo", "serve", "migrate", "doctor", "--version"):
        assert command in text


def test_the_version_is_the_projects() -> None:
    assert said(run("--version")) == f"ritme {__version__}\n"


def test_serving_without_a_platform_names_what_is_missing_and_starts_nothing(folder: Path) -> None:
    result = run("serve")

    assert result.exit_code == 2
    assert "SLACK_SIGNING_SECRET" in said(result)
    assert "SLACK_BOT_TOKEN" in said(result)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "demo", "migrate"])
def test_a_bad_setting_is_told_before_anything_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("RITME_PORT", "eighty")
    result = run(command)

    assert result.exit_code == 2
    assert "RITME_PORT is no port. Set RITME_PORT" in said(result)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("words", [["serve"], ["demo", "--fresh"]])
def test_a_taken_port_is_told_with_its_cure_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, taken: int, words: list[str]
) -> None:
    monkeypatch.setenv("RITME_PORT", str(taken))
    result = run(*words)

    assert result.exit_code == 1
    assert f"Port {taken} is taken" in said(result)
    assert f"RITME_PORT={taken + 1}" in said(result)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("configured")
def test_serving_waits_for_the_migrations_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RITME_PORT", "0")
    result = run("serve")

    assert result.exit_code == 1
    assert "ritme migrate" in said(result)
    assert list(folder.iterdir()) == []


def test_migrating_twice_is_harmless_and_back_is_possible(folder: Path) -> None:
    for revision in ([], [], ["base"], ["head"]):
        result = run("migrate", *revision)
        assert result.exit_code == 0, said(result)

    assert (folder / "var" / "ritme.db").exists()


def test_migrating_says_in_one_line_what_it_did() -> None:
    head = ScriptDirectory.from_config(config()).get_current_head()
    for revision, did in (
        ([], f"The database has its tables now, at revision {head}"),
        ([], f"Nothing to do: the database is at revision {head}"),
        (["0003"], f"The database went from revision {head} to 0003"),
        (["head"], f"The database went from revision 0003 to {head}"),
        (["base"], f"The database went from revision {head} to none"),
        (["base"], "Nothing to do: the database has no tables"),
    ):
        assert said(run("migrate", *revision)) == f"{did} ({Path('var/ritme.db')}).\n"


def test_a_database_that_a_newer_version_made_is_told_with_the_way_back(folder: Path) -> None:
    assert run("migrate").exit_code == 0
    with closing(sqlite3.connect(folder / "var" / "ritme.db")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in ("migrate", "doctor"):
        result = run(command)
        assert result.exit_code == 1
        assert "at revision 9999, which a newer version of Ritme made" in said(result)
        assert "with that version" in said(result)
        assert "Run: ritme migrate\n" not in said(result)


def test_a_revision_that_does_not_exist_is_told(folder: Path) -> None:
    result = run("migrate", "nosuchrevision")

    assert result.exit_code == 1
    assert "nosuchrevision" in said(result)
    assert "Traceback" not in said(result)


def test_a_file_that_is_no_database_is_a_sentence_not_a_traceback(folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "ritme.db").write_text("a letter to the district nurses" * 100)
    result = run("migrate")

    assert result.exit_code == 1
    assert "The database cannot be used" in said(result)


def test_the_doctor_fails_with_a_cure_for_each_finding() -> None:
    result = run("doctor")

    assert result.exit_code == 1
    assert said(result).count("✗") == said(result).count("→") == 3


@contextmanager
def started(
    folder: Path, *words: str, stderr: str = os.devnull, **variables: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real `ritme`, ready, and its address; its log goes to the file `stderr` in its folder."""
    command = [sys.executable, "-c", "from adapters.cli import main; main()", *words]
    environment = {**os.environ, "PYTHONPATH": str(CLONE), **variables}
    with (
        (folder / stderr).open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            first = process.stdout.readline()
            ready = re.fullmatch(r"Ritme is ready at (http://127\.0\.0\.1:\d+)\n", first)
            assert ready, first
            yield process, ready.group(1)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_the_demo_answers_when_it_says_so_and_stops_when_told(folder: Path, number: signal.Signals) -> None:
    with started(folder, "demo", "--port", "0") as (process, address):
        with urlopen(f"{address}/healthz", timeout=5) as answer:
            assert answer.status == 200
        process.send_signal(number)
        assert process.wait(timeout=10) == 0

    port = address.rpartition(":")[2]
    assert (folder / "var" / f"demo-{port}.db").exists()
    with started(folder, "demo", "--port", port):
        pass
    with started(folder, "demo", "--port", port, "--fresh"):
        pass


def test_a_demo_that_others_can_reach_says_so(folder: Path) -> None:
    with started(folder, "demo", "--port", "0", RITME_HOST="0.0.0.0", stderr="errors") as (process, _address):
        process.terminate()
        process.wait(timeout=10)

    assert (folder / "errors").read_text().startswith("Whoever reaches 0.0.0.0 can act as anyone")


@pytest.mark.usefixtures("configured")
def test_serving_answers_for_its_health_once_migrated(folder: Path) -> None:
    assert run("migrate").exit_code == 0

    with started(folder, "serve", RITME_PORT="0") as (process, address):
        with urlopen(f"{address}/healthz", timeout=5) as answer:
            assert answer.status == 200
        process.terminate()
        assert process.wait(timeout=10) == 0
