"""Run journeys over Slack both ways that requests can come in, and over both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.drivers.slack import WAYS, SlackDriver, slack_driver
from tests.support.readers import find_untrue


@pytest.fixture(params=WAYS)
async def on_slack(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SlackDriver]:
    """Drive Slack from Monday 1 March 2027, 09:00 in Amsterdam: signed HTTP on both databases, and Socket Mode."""
    async with slack_driver(tmp_path, **WAYS[request.param]) as fresh:
        yield fresh
        assert find_untrue(fresh.said_to_all()) == []
