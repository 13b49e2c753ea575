"""Fixtures for every test: a clean environment, a small world, Slack, and the end of the tests' PostgreSQL."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.drivers.slack import SlackDriver, slack_driver
from tests.support.compiled import share_compiled_statements
from tests.support.crashes import (  # noqa: F401  # hooks of pytest
    pytest_handlecrashitem,
    pytest_sessionstart,
    pytest_unconfigure,
)
from tests.support.databases import BOTH, stop_shared_server
from tests.support.readers import find_untrue
from tests.support.scratch import scratch_folder
from tests.support.world import World, open_world

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    # A gate says the same of the same code; a developer's run goes on looking.
    settings.load_profile("ci")

# As a service does; structlog's own default, with the values of every frame, takes a second for each exception.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

share_compiled_statements()
if scratch_folder() is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(scratch_folder()))

SETTINGS = ("RITME_", "SLACK_", "TEAMS_")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove this shell's addresses, tokens and proxies: Slack's libraries would read them by themselves."""
    for name in list(os.environ):
        if name.startswith(SETTINGS) or name.upper() in PROXIES or name == "PORT":
            monkeypatch.delenv(name)


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """Restore the root logger after a test that set up logging."""
    root = logging.getLogger()
    handlers, level, ours = list(root.handlers), root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**ours)


@pytest.fixture(params=BOTH)
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Open a fresh world, Monday 1 March 2027, 09:00 in Amsterdam.

    Once on SQLite with the embedded engine, and once on PostgreSQL with procrastinate.
    """
    async with open_world(tmp_path, kind=request.param) as fresh:
        yield fresh
        assert (
            find_untrue(one.message.text for one in fresh.messenger.sent if one.message and not one.post.account) == []
        )


@pytest.fixture(params=BOTH)
async def on_slack(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SlackDriver]:
    """Drive a fresh service over Slack's signed HTTP, Monday 1 March 2027, 09:00 in Amsterdam."""
    async with slack_driver(tmp_path, kind=request.param) as fresh:
        yield fresh
        assert find_untrue(fresh.said_to_all()) == []


@pytest.fixture(scope="session", autouse=True)
def stop_postgresql() -> Iterator[None]:
    """Stop the PostgreSQL that the tests started."""
    yield
    stop_shared_server()
