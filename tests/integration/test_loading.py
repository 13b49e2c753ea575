"""Starting loads only what the configured service uses: each library takes megabytes, and a part of a second."""

import os
import subprocess
import sys
from pathlib import Path

RITME = (sys.executable, "-c", "from adapters.cli import main; main()")
CLONE = str(Path(__file__).resolve().parents[2])
SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_API_URL": "http://127.0.0.1:9/api", "SLACK_SIGNING_SECRET": "s" * 32}
TEAMS = {"TEAMS_APP_ID": "11111111-1111-1111-1111-111111111111", "TEAMS_AUTH": "disabled-for-local-test"}
RARE = {
    *("alembic", "numpy", "opentelemetry", "phonenumbers", "procrastinate", "psycopg", "scipy", "segno"),
    *("snowballstemmer", "stdnum", "typst"),
}
"""Libraries that a service on SQLite needs when somebody asks for something rare, or never."""
CIPHERS = {"cryptography"}
OF_SLACK = {"slack_bolt", "slack_sdk"}
OF_TEAMS = {"botbuilder", "botframework", "jwt", "msal", "msrest"}
OF_SERVING = {"aiohttp", "apscheduler", "babel", "holidays", "jinja2", "pydantic", "sqlalchemy", "structlog"}


def find_loaded(folder: Path, *words: str, **environment: str) -> set[str]:
    """Return the top-level packages that a command loads, until it is ready or exits."""
    environment |= {
        "PYTHONPATH": CLONE,
        "PYTHONPROFILEIMPORTTIME": "1",  # names on standard error what is loaded
        "RITME_DATABASE_URL": f"sqlite:///{folder / 'ritme.db'}",
        "RITME_OPERATIONS_PORT": "0",
    }
    log = folder / "log"
    with log.open("w") as errors, subprocess.Popen(
        (*RITME, *words), cwd=folder, env=os.environ | environment, stdout=subprocess.PIPE, stderr=errors, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        any("is ready" in line for line in process.stdout)
        process.terminate()
    lines = log.read_text(encoding="utf-8").splitlines()
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines if line.startswith("import time:")}


def test_serving_slack_loads_nothing_of_teams(tmp_path: Path) -> None:
    find_loaded(tmp_path, "migrate")
    loaded = find_loaded(tmp_path, "serve", RITME_PORT="0", **SLACK)
    assert loaded >= OF_SLACK
    assert not loaded & (RARE | CIPHERS | OF_TEAMS)


def test_serving_teams_loads_nothing_of_slack(tmp_path: Path) -> None:
    find_loaded(tmp_path, "migrate")
    loaded = find_loaded(tmp_path, "serve", RITME_PORT="0", **TEAMS)
    assert loaded >= OF_TEAMS
    assert not loaded & (RARE | OF_SLACK)


def test_the_demo_loads_no_platform(tmp_path: Path) -> None:
    find_loaded(tmp_path, "demo", "--port", "0")  # makes the file, named after the port it got
    (port,) = (file.stem.removeprefix("demo-") for file in (tmp_path / "var").glob("*.db"))
    loaded = find_loaded(tmp_path, "demo", "--port", port)
    assert "jinja2" in loaded
    assert not loaded & (RARE | CIPHERS | OF_SLACK | OF_TEAMS)


def test_help_loads_nothing_that_serves(tmp_path: Path) -> None:
    loaded = find_loaded(tmp_path, "--help")
    assert "typer" in loaded
    assert not loaded & (RARE | CIPHERS | OF_SLACK | OF_TEAMS | OF_SERVING)
