"""The `ritme` command line: its messages name the next step, and a bad setting stops it before anything starts."""

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
from adapters.database.migrate import alembic_config
from bot import __version__

CLONE = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("logging_as_it_was")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run every test in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set credentials of Slack, and an address where nobody answers."""
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "geheim")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-geheim")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api/")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Listen on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        yield elsewhere.getsockname()[1]


def run(*words: str) -> Result:
    return CliRunner().invoke(ritme, words)


def output_of(result: Result) -> str:
    return result.output


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_tells_what_there_is(words: list[str]) -> None:
    text = output_of(run(*words))

    for command in ("demo", "serve", "migrate", "doctor", "--version"):
        assert command in text


def test_the_version_is_the_projects() -> None:
    assert output_of(run("--version")) == f"ritme {__version__}\n"


def test_serving_without_a_platform_names_what_is_missing_and_starts_nothing(folder: Path) -> None:
    result = run("serve")

    assert result.exit_code == 2
    assert "SLACK_SIGNING_SECRET" in output_of(result)
    assert "SLACK_BOT_TOKEN" in output_of(result)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "demo", "migrate"])
def test_a_bad_setting_is_told_before_anything_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("RITME_PORT", "eighty")
    result = run(command)

    assert result.exit_code == 2
    assert "RITME_PORT is no port. Set RITME_PORT" in output_of(result)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_proxy_that_is_none_is_told_before_anything_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "jan:geheim@proxy.example:3128")
    result = run(command)

    assert result.exit_code == 2
    assert "HTTPS_PROXY is no address of an HTTP proxy. Set it to" in output_of(result)
    assert "geheim" not in output_of(result)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("words", [["serve"], ["demo", "--fresh"]])
def test_a_taken_port_is_told_with_its_cure_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, taken_port: int, words: list[str]
) -> None:
    monkeypatch.setenv("RITME_PORT", str(taken_port))
    result = run(*words)

    assert result.exit_code == 1
    assert f"Port {taken_port} is taken" in output_of(result)
    assert f"RITME_PORT={taken_port + 1}" in output_of(result)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("configured")
def test_so_is_a_taken_port_for_operations(folder: Path, monkeypatch: pytest.MonkeyPatch, taken_port: int) -> None:
    monkeypatch.setenv("RITME_PORT", "0")
    monkeypatch.setenv("RITME_OPERATIONS_PORT", str(taken_port))
    result = run("serve")

    assert result.exit_code == 1
    assert f"RITME_OPERATIONS_PORT={taken_port + 1}" in output_of(result)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("configured")
def test_serving_waits_for_the_migrations_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RITME_PORT", "0")
    result = run("serve")

    assert result.exit_code == 1
    assert "ritme migrate" in output_of(result)
    assert list(folder.iterdir()) == []


def test_migrating_twice_is_harmless_and_back_is_possible(folder: Path) -> None:
    for revision in ([], [], ["base"], ["head"]):
        result = run("migrate", *revision)
        assert result.exit_code == 0, output_of(result)

    assert (folder / "var" / "ritme.db").exists()


def test_migrating_says_in_one_line_what_it_did() -> None:
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    for revision, did in (
        ([], f"The database has its tables now, at revision {head}"),
        ([], f"Nothing to do: the database is at revision {head}"),
        (["0003"], f"The database went from revision {head} to 0003"),
        (["head"], f"The database went from revision 0003 to {head}"),
        (["base"], f"The database went from revision {head} to none"),
        (["base"], "Nothing to do: the database has no tables"),
    ):
        assert output_of(run("migrate", *revision)) == f"{did} ({Path('var/ritme.db')}).\n"


def test_a_database_that_a_newer_version_made_is_told_with_the_way_back(folder: Path) -> None:
    assert run("migrate").exit_code == 0
    with closing(sqlite3.connect(folder / "var" / "ritme.db")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in ("migrate", "doctor"):
        result = run(command)
        assert result.exit_code == 1
        assert "at revision 9999, which a newer version of Ritme made" in output_of(result)
        assert "with that version" in output_of(result)
        assert "Run: ritme migrate\n" not in output_of(result)


def test_a_revision_that_does_not_exist_is_told(folder: Path) -> None:
    result = run("migrate", "nosuchrevision")

    assert result.exit_code == 1
    assert "nosuchrevision" in output_of(result)
    assert "Traceback" not in output_of(result)


def test_a_file_that_is_no_database_is_a_sentence_not_a_traceback(folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "ritme.db").write_text("a letter to the district nurses" * 100)
    result = run("migrate")

    assert result.exit_code == 1
    assert "The database cannot be used" in output_of(result)


def test_the_doctor_fails_with_a_cure_for_each_finding() -> None:
    result = run("doctor")

    assert result.exit_code == 1
    assert output_of(result).count("✗") == output_of(result).count("→") == 3


@contextmanager
def start_ritme(
    folder: Path, *words: str, stderr: str = os.devnull, **variables: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a real `ritme`; yield the process and its address when it is ready. It logs to the file `stderr`."""
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


def answers_and_stops(process: subprocess.Popen[str], address: str, number: signal.Signals) -> bool:
    """Return whether a process answers for its health, and exits with 0 on a signal."""
    with urlopen(f"{address}/healthz", timeout=5) as answer:
        answered = answer.status == 200
    process.send_signal(number)
    return process.wait(timeout=10) == 0 and answered


def test_the_demo_answers_when_it_says_so_stops_when_told_and_starts_again(folder: Path) -> None:
    # One after the other: a fresh demo lives through some weeks before it is ready.
    with start_ritme(folder, "demo", "--port", "0") as (process, address):
        assert answers_and_stops(process, address, signal.SIGTERM)
    port = address.rpartition(":")[2]
    assert (folder / "var" / f"demo-{port}.db").exists()
    with start_ritme(folder, "demo", "--port", port) as (process, address):
        assert answers_and_stops(process, address, signal.SIGINT)
    with start_ritme(folder, "demo", "--port", port, "--fresh"):
        pass


def test_a_demo_that_others_can_reach_says_so(folder: Path) -> None:
    with start_ritme(folder, "demo", "--port", "0", RITME_HOST="0.0.0.0", stderr="errors") as (process, _address):
        process.terminate()
        process.wait(timeout=10)

    assert (folder / "errors").read_text().startswith("Whoever reaches 0.0.0.0 can act as anyone")


@pytest.mark.usefixtures("configured")
def test_serving_answers_for_its_health_once_migrated(folder: Path) -> None:
    assert run("migrate").exit_code == 0

    with start_ritme(folder, "serve", RITME_PORT="0") as (process, address):
        with urlopen(f"{address}/healthz", timeout=5) as answer:
            assert answer.status == 200
        process.terminate()
        assert process.wait(timeout=10) == 0
