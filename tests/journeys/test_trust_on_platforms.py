"""On Slack, in Teams and in the playground everybody reads what coordinators changed, and what a lot means where."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.drivers.border import HERE, PLATFORMS, THERE, Border, open_border


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh


async def test_a_lot_is_said_in_each_channel_and_stands_in_the_changes(border: Border) -> None:
    for place in (HERE, THERE):
        form = await border.form("iris", "/ritme ritme", "rhythm.new", button="new")
        weekly = {"every": "1", "weekdays": ("TU",), "at": "10:00", "place": place, "on_holiday": "skip"}
        await border.submit("iris", form, kind="purpose", **weekly)
    shown = await border.type("iris", "/ritme effect")
    assert "Er loopt geen loting" in shown.words()
    said = await border.press("iris", shown, "begin")
    assert "De loting loopt" in said.words()
    posts = await border.to_all()
    assert sum("herinnering aan de bedoeling" in one for one in posts) >= 1
    told = (await border.type("fatima", "/ritme wijzigingen")).words()
    assert "begon om beurten kanalen zonder herinnering te laten" in told
    assert "begon een ritme (herinnering aan de bedoeling" in told
    assert HERE in told
    assert "begin" not in (await border.type("fatima", "/ritme effect")).words().split()
