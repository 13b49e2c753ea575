"""Starting loads only what the configured service uses: each library takes megabytes, and a part of a second."""

import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

RITME = (sys.executable, "-c", "from adapters.cli import main; main()")
CLONE = str(Path(__file__).resolve().parents[2])
SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_API_URL": "http://127.0.0.1:9/api", "SLACK_SIGNING_SECRET": "s" * 32}
TEAMS = {"TEAMS_APP_ID": "11111111-1111-1111-1111-111111111111", "TEAMS_AUTH": "disabled-for-local-test"}
RARE = {
    *("alembic", "numpy", "opentelemetry", "procrastinate", "psycopg", "scipy", "segno", "typst"),
}
"""Libraries that a service on SQLite needs when somebody asks for something rare, or never."""
TELLING = {"phonenumbers", "snowballstemmer", "stdnum"}
"""Libraries that it loads once it is ready: whoever tells something needs them."""
CIPHERS = {"cryptography"}
OF_SLACK = {"slack_bolt", "slack_sdk"}
OF_TEAMS = {"botbuilder", "botframework", "jwt", "msal", "msrest"}
OF_SERVING = {"aiohttp", "apscheduler", "babel", "holidays", "jinja2", "pydantic", "sqlalchemy", "structlog"}


def find_loaded(folder: Path, *words: str, **environment: str) -> tuple[set[str], set[str]]:
    """Return the top-level packages that a command loads until it is ready or exits, and those that it loads then."""
    environment |= {
        "PYTHONPATH": CLONE,
        "PYTHONPROFILEIMPORTTIME": "1",  # names on standard error what is loaded
        "RITME_DATABASE_URL": f"sqlite:///{folder / 'ritme.db'}",
        "RITME_OPERATIONS_PORT": "0",
    }
    with subprocess.Popen(
        (*RITME, *words), cwd=folder, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        until_ready = list_packages(takewhile(lambda line: "is ready" not in line, process.stdout))
        process.terminate()
        return until_ready, list_packages(process.stdout) - until_ready


def list_packages(lines: Iterable[str]) -> set[str]:
    """Return the top-level packages that lines name as loaded."""
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines if line.startswith("import time:")}


def test_serving_slack_loads_nothing_of_teams(tmp_path: Path) -> None:
    find_loaded(tmp_path, "migrate")
    loaded, later = find_loaded(tmp_path, "serve", RITME_PORT="0", **SLACK)
    assert loaded >= OF_SLACK
    assert not loaded & (TELLING | RARE | CIPHERS | OF_TEAMS)
    assert later >= TELLING
    assert not later & (RARE | CIPHERS | OF_TEAMS)


def test_serving_teams_loads_nothing_of_slack(tmp_path: Path) -> None:
    find_loaded(tmp_path, "migrate")
    loaded, later = find_loaded(tmp_path, "serve", RITME_PORT="0", **TEAMS)
    assert loaded >= OF_TEAMS
    assert not loaded & (TELLING | RARE | OF_SLACK)
    assert later >= TELLING
    assert not later & (RARE | OF_SLACK)


def test_the_demo_loads_no_platform(tmp_path: Path) -> None:
    find_loaded(tmp_path, "demo", "--port", "0")  # makes the file, named after the port it got
    (port,) = (file.stem.removeprefix("demo-") for file in (tmp_path / "var").glob("*.db"))
    loaded, later = find_loaded(tmp_path, "demo", "--port", port)
    assert "jinja2" in loaded
    assert not loaded & (TELLING | RARE | CIPHERS | OF_SLACK | OF_TEAMS)
    assert later >= TELLING
    assert not later & (RARE | CIPHERS | OF_SLACK | OF_TEAMS)


def test_help_loads_nothing_that_serves(tmp_path: Path) -> None:
    loaded, _ = find_loaded(tmp_path, "--help")
    assert "typer" in loaded
    assert not loaded & (TELLING | RARE | CIPHERS | OF_SLACK | OF_TEAMS | OF_SERVING)


def test_the_doctor_loads_no_platform_that_is_not_served(tmp_path: Path) -> None:
    find_loaded(tmp_path, "migrate")
    loaded, _ = find_loaded(tmp_path, "doctor", **SLACK)
    assert "aiohttp" in loaded
    assert not loaded & (TELLING | RARE | OF_TEAMS)
