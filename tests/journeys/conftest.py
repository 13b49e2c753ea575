"""Journeys over Slack are walked both ways requests can come in, and over both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.drivers.slack import WAYS, SlackStage, slack_stage


@pytest.fixture(params=WAYS)
async def on_slack(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
    """Monday 1 March 2027, 09:00 in Amsterdam: over signed HTTP on SQLite and on PostgreSQL, and in Socket Mode."""
    async with slack_stage(tmp_path, **WAYS[request.param]) as fresh:
        yield fresh
