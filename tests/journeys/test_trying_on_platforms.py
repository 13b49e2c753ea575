"""Experiments end in a decision, and chances come back, on Slack, in Teams and in the playground."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.drivers.border import PLATFORMS, Border, open_border
from tests.support.readers import find_untrue

TRYING = "We lopen samen een rondje"


@pytest.fixture(params=PLATFORMS)
async def border(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Border]:
    async with open_border(request.param, tmp_path) as fresh:
        yield fresh
        assert find_untrue(await fresh.to_all()) == []


async def test_what_is_tried_ends_in_a_decision(border: Border) -> None:
    form = await border.form("fatima", f"/ritme proef {TRYING}", "experiment", button="experiment")
    shown = await border.submit("fatima", form, sign="Ze vragen erom", day="2027-03-16", initiative="walk")
    assert TRYING in shown.words()
    before = len(await border.to("wim"))
    await border.until(datetime(2027, 3, 16, 9, tzinfo=UTC))
    assert TRYING in (await border.to("jan"))[-1].words()
    assert len(await border.to("wim")) == before
    form = await border.press("fatima", (await border.to("fatima"))[-1], "goes_on")
    said = await border.submit("fatima", form, learned="Samen is het gezellig")
    assert "wordt gewoon" in said.words()
    told = (await border.type("wim", "/ritme terugblik Wandelen")).words()
    assert "Samen is het gezellig" in told
    assert "fatima" not in told.casefold().split("de proef")[-1]


async def test_a_chance_comes_back(border: Border) -> None:
    noted = await border.type("fatima", "/ritme kans De wethouder komt langs")
    assert "één keer op terug" in noted.words()
    await border.until(datetime(2027, 3, 8, 9, tzinfo=UTC))
    asked = (await border.to("fatima"))[-1]
    assert "De wethouder komt langs" in asked.words()
    said = await border.press("fatima", asked, "seized")
    assert "gegrepen" in said.words().casefold()
