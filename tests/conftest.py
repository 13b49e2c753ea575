"""What every test may lean on."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.drivers.slack import SlackStage, slack_stage
from tests.support.databases import BOTH, stop_server
from tests.support.world import World, world

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    # A gate says the same of the same code; a developer's run goes on looking.
    settings.load_profile("ci")

OURS = ("RITME_", "SLACK_", "TEAMS_")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address, token or proxy of this shell reaches a test: Slack's libraries read them by themselves."""
    for name in list(os.environ):
        if name.startswith(OURS) or name.upper() in PROXIES or name == "PORT":
            monkeypatch.delenv(name)


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """For tests that set up logging: leaves no handler behind."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=BOTH)
async def here(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A fresh world, Monday 1 March 2027, 09:00 in Amsterdam: on SQLite with the embedded engine, and on PostgreSQL
    with procrastinate."""
    async with world(tmp_path, kind=request.param) as fresh:
        yield fresh


@pytest.fixture(params=BOTH)
async def on_slack(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
    """The same moment, over Slack's signed HTTP."""
    async with slack_stage(tmp_path, kind=request.param) as fresh:
        yield fresh


@pytest.fixture(scope="session", autouse=True)
def postgresql_stops() -> Iterator[None]:
    yield
    stop_server()
