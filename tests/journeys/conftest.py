"""Journeys over Slack are walked both ways requests can come in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.slack import SlackStage, slack_stage


@pytest.fixture(params=["http", "socket"])
async def on_slack(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
    """Monday 1 March 2027, 09:00 in Amsterdam, over signed HTTP and once more in Socket Mode."""
    async with slack_stage(tmp_path, socket=request.param == "socket") as fresh:
        yield fresh
